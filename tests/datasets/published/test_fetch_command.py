"""`mapcap fetch` in a process of its own: stopped, gone on with, and on a full disk."""

import os
import signal
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import Any

from tests.calling import Result
from tests.datasets.published.made import BODY
from tests.datasets.published.serving import Served, held, server

PROGRAM = """
import sys
from pathlib import PurePosixPath
from mapcap.datasets.published import Archive, Part, Published, catalogue
from mapcap.commands import fetch
from mapcap.cli import main
table = {"cats": Published((Archive(sys.argv.pop(1), 1),),
    {"all": Part(lambda member: PurePosixPath(*member.parts[1:]), 1, 300)}, "anybody's")}
catalogue.CATALOGUE = fetch.CATALOGUE = table
main()
"""


def started(url: str, *arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start the command with a catalogue of its own, its downloads from the loopback."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), url, "fetch", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "120"},
        **options,
    )


def finished(process: subprocess.Popen[str]) -> Result:
    with process:
        out, err = process.communicate(timeout=60)
    return Result(process.returncode, out, err)


def test_ctrl_c_then_the_same_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with server(Served(BODY, drops=[5000, 0, 0, 0, 0, 0])) as served:
        # A shell's background jobs ignore Ctrl-C, and so would what this test starts there.
        heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        with started(served.url, "cats", "--out", out, preexec_fn=heeding) as process:
            assert process.stderr is not None
            # It waits for its second try when it says so.
            assert any("again in" in line for line in process.stderr)
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
        assert process.returncode == 130
        assert said == "stopped; the same command goes on from there\n"
        served.drops, served.asked = [], []
        result = finished(started(served.url, "cats", "--out", out, "--json"))
        assert result.code == 0, result.err
        assert served.asked == ["bytes=5000-"]
        assert result.json()["images"] == 300
        again = finished(started(served.url, "cats", "--out", out))
        assert (
            again.out == f"300 images are in {out} already. Next: mapcap index {out} --db out.db\n"
        )


def test_a_full_disk(tmp_path: Path) -> None:
    import resource

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, resource.RLIM_INFINITY))

    out = tmp_path / "out"
    with server(Served(BODY)) as served:
        result = finished(started(served.url, "cats", "--out", out, preexec_fn=small))
        assert result.code == 2
        assert "the disk is full" in result.err
        assert "Traceback" not in result.err
        assert finished(started(served.url, "cats", "--out", out)).code == 0
    assert len(held(out)) == 300 + 2
