"""`mapcap presets`: which networks a preset takes."""

from dataclasses import asdict

from mapcap.commands.base import Json, print_page
from mapcap.presets import PRESETS
from mapcap.printing.pages import print_json
from mapcap.printing.presets import presets_page


def presets(json: Json = False) -> None:
    """List the presets: their networks, downloads, memory and licences, and what each is for.

    Sizes are of the weights as a GPU holds them; a batch of photos comes on top. `mapcap index
    PHOTOS --db FILE --preset NAME` takes one.
    """
    if json:
        print_json(
            {
                name: asdict(preset) | {"megabytes": preset.megabytes, "download": preset.download}
                for name, preset in PRESETS.items()
            }
        )
        return
    print_page(presets_page(PRESETS))
