"""What `mapcap index` says of photos and file before anything is loaded."""

import io
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from db.records import Run
from mapcap.datasets import Dataset
from mapcap.datasets.records import ClassLabel
from mapcap.indexing.logs import Logged, logging_to
from mapcap.indexing.start import photo_lines
from mapcap.printing.progress import Bars
from mapcap.runs.standing import PROCESS, standing

RUN = Run(
    1, "hash", {}, "mini", "photos", {}, {PROCESS: str(os.getpid())}, socket.gethostname(), "cpu",
    datetime.now(UTC), None, "running", [],
)  # fmt: skip


def test_folders_without_images_and_a_single_class_are_said() -> None:
    passed = {"hidden": 2, "no pictures": 1}
    dataset = Dataset("photos", (ClassLabel("a", "a"),), (), passed, ("no images", "tree"))
    lines = [line for line, _ in photo_lines(dataset)]
    assert lines[0] == "photos: 0 images of 1 class: a 0"
    assert lines[1] == "passed over: 2 hidden, 1 no pictures"
    assert lines[2] == "2 folders without images left out: no images, tree"
    assert "accuracy says nothing" in lines[3]
    two = replace(dataset, classes=dataset.classes * 2, empty=(), passed={}, notes=("guessed",))
    assert [line for line, _ in photo_lines(two)] == [
        "photos: 0 images of 2 classes: a 0, a 0", "guessed",
    ]  # fmt: skip


def test_the_first_line_waits_for_no_network() -> None:
    script = (
        "import sys, mapcap.indexing.start, mapcap.commands.index; "
        "print(*{'torch', 'transformers', 'open_clip', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_that_torch_is_being_loaded_is_said_before_it_is(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from rich.console import Console\n"
        "from mapcap.config import IndexConfig\n"
        "from mapcap.indexing.start import index_photos\n"
        "class Ended(Exception): ...\n"
        "class Heard(Console):\n"
        "    def status(self, status, **options):\n"
        "        if 'torch' not in status: return super().status(status, **options)\n"
        "        print(status, *{'torch', 'transformers'} & set(sys.modules))\n"
        "        raise Ended\n"
        "try: index_photos(IndexConfig(photos='sample'), Path(sys.argv[1]), device='cpu',\n"
        "                  dtype='auto', batch_size=1, console=Heard(stderr=True))\n"
        "except Ended: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "x.db"], capture_output=True, text=True
    )
    assert done.stdout.strip() == "loading torch", done.stderr


def test_a_run_whose_process_is_gone_is_stopped() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    gone = {PROCESS: str(process.pid)}
    assert standing(RUN) == "running"
    assert standing(replace(RUN, versions=gone)) == "stopped"
    assert standing(replace(RUN, versions=gone, status="done")) == "done"
    assert standing(replace(RUN, versions=gone, host="elsewhere.example")) == "running"
    for odd in ({}, {PROCESS: "x"}, {PROCESS: 7}, {PROCESS: "9" * 30}):
        assert standing(replace(RUN, versions=odd)) == "running"


def test_the_log_tells_of_stages_and_of_what_ended_the_run(tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    console = Console(file=io.StringIO())
    with pytest.raises(ZeroDivisionError), logging_to(file), Bars(console) as bars:
        progress = Logged(bars)
        progress.begin("scan", "files", 2, 5)
        progress.advance(3)
        progress.end()
        progress.begin("a\x1b[31m\nb", "files", 0, 1)
        print(1 / 0)
    text = file.read_text()
    assert "INFO    scan begins: 2 of 5 files are stored" in text
    assert "INFO    scan done: 5 of 5 files" in text
    assert "a\ufffd[31m b begins" in text and "\x1b" not in text
    assert "ERROR   ended by ZeroDivisionError" in text and "Traceback" in text
    before = text
    with logging_to(None):
        Logged(Bars(console))
    assert file.read_text() == before
