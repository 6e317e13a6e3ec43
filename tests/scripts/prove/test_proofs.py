"""A little of each proof, on a small store of the tests or with the tiny networks."""

import asyncio
import time
from pathlib import Path

import pytest

from db.engine import finish, open_write
from scripts.prove import browse_stores, stores
from scripts.prove.__main__ import main, proofs
from scripts.prove._calling import Call, TooSlowError, faults_of, limited_to
from scripts.prove._compare import check_file, differences
from scripts.prove._damage import DAMAGES
from scripts.prove._forked import start, wait
from scripts.prove._tally import Tally
from tests.stores import Photo, copy_run, summarize, write_run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = write_run(
        open_write(tmp_path_factory.mktemp("whole") / "whole.db"),
        {
            name: [
                Photo(path=f"{name}/{i}.jpg", predicted=(place + i // 2) % 2,
                      captions={"true": ["a red hat.", "a tree."]})
                for i in range(3)
            ]
            for place, name in enumerate(("tabby", "lynx"))
        },
    )  # fmt: skip
    for class_id in run.ids:
        summarize(run, class_id)
    finish(run.engine)
    return run.path


def test_damaged_stores_are_read_or_refused(whole: Path, tmp_path: Path) -> None:
    assert stores.prove(whole, tmp_path, count=14 * len(DAMAGES), seed=1) == 0


def test_damaged_stores_are_browsed_or_refused(whole: Path, tmp_path: Path) -> None:
    assert browse_stores.prove(whole, tmp_path, count=len(DAMAGES), seed=1) == 0


def test_a_proof_finds_what_it_is_for() -> None:
    assert faults_of(Call(0, "\x1b[2J", "", ""), ()) == ["'\\x1b' on stdout"]
    assert faults_of(Call(1, "", "", "TypeError"), ()) == ["TypeError", "exit code 1"]
    assert faults_of(Call(2, "", "a\nb\n", ""), ()) == ["2 lines on stderr: 'a\\nb\\n'"]
    assert len(faults_of(Call(0, "[NaN]", "", ""), ("show", "--json"))) == 1


def test_what_an_event_loop_swallows_is_too_slow_all_the_same() -> None:
    async def walk() -> None:
        asyncio.get_running_loop().call_soon(time.sleep, 0.5)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with pytest.raises(TooSlowError), limited_to(60, waiting=0.1):
        asyncio.run(walk())


def test_stores_that_differ_are_told_apart(whole: Path, tmp_path: Path) -> None:
    from tests.stores import StoredRun

    run = StoredRun(open_write(whole), whole, 1, [], [], {})
    copy = copy_run(run, tmp_path / "copy.db")
    finish(run.engine)
    assert differences(whole, copy.path) == []
    with copy.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE prediction SET margin = margin + 1")
    finish(copy.engine)
    assert check_file(copy.path) == []
    assert [each.partition(" ")[0] for each in differences(whole, copy.path)] == [
        "prediction.margin"
    ]


def test_a_child_keeps_what_it_learnt_only_if_its_command_went_well(tmp_path: Path) -> None:
    kept, said = tmp_path / "kept", tmp_path / "said"
    assert wait(start(["classes", "no.db"], said, last=kept.touch)) == 2
    assert not kept.exists()
    assert wait(start(["--version"], said, last=kept.touch)) == 0
    assert kept.exists()


def test_proofs_are_found_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    own = {"stores", "browse_stores", "kills", "full_disk", "same", "load"}
    assert own <= set(proofs())
    assert main(["nothing"]) == 2
    assert "kills" in capsys.readouterr().out


def test_a_fault_is_counted_and_told_with_its_seed(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally("stores")
    tally.passed("bytes")
    tally.failed("bytes", 7, "it broke")
    assert tally.report(1) == 1
    assert "--seed 7 bytes: it broke" in capsys.readouterr().out
