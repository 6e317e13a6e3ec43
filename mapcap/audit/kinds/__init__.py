"""The registry of kinds of findings.

A kind is one file here and one entry below; whoever prints findings prints what is stored, and
asks for no kind. Loads neither torch nor scipy, so that a reading command can ask whether a file
was audited with these kinds.
"""

from typing import Final

from mapcap.audit.kind import Kind
from mapcap.audit.kinds.attribute import ATTRIBUTE
from mapcap.audit.kinds.background import BACKGROUND
from mapcap.audit.kinds.concept import CONCEPT
from mapcap.audit.kinds.confusion import CONFUSION
from mapcap.audit.kinds.disagreement import DISAGREEMENT
from mapcap.audit.kinds.duplicate import DUPLICATE
from mapcap.audit.kinds.label import LABEL
from mapcap.audit.kinds.name import NAME_KIND
from mapcap.audit.kinds.odd import ODD
from mapcap.audit.kinds.slice import SLICE
from mapcap.audit.kinds.watermark import WATERMARK
from mapcap.audit.kinds.word import WORD

AUDIT_VERSION: Final = 12
"""Raised with every change of what the audit finds or says: older audits are made again."""

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        CONFUSION,
        WORD,
        CONCEPT,
        SLICE,
        ATTRIBUTE,
        NAME_KIND,
        LABEL,
        DUPLICATE,
        ODD,
        BACKGROUND,
        WATERMARK,
        DISAGREEMENT,
    )
}
