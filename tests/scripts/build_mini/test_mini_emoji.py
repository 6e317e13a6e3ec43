"""The emoji that are drawn, as stamps among stamps."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from scripts.build_mini.classes import FILE, read_classes, split_classes
from scripts.build_mini.emoji import PAINTERS, drawings, drawn_emoji, read_table
from scripts.build_mini.stamps import EMOJI_RENDERS, RENDERS, renders, training_stamps
from tests.scripts.build_mini.test_mini_cache import write_stamp
from tests.scripts.build_mini.test_mini_classes import DATA


def test_the_table_says_what_each_emoji_is() -> None:
    table = read_table()
    assert len({icon for icon, _, _ in table}) == len(table) > 600
    assert ("owl", "an owl", "bird") in table and ("zebra", "a zebra", "") in table
    assert all(said and said == said.strip() for _, said, _ in table)


def test_no_emoji_is_of_a_kept_out_class() -> None:
    if not (DATA / FILE).is_file():
        pytest.skip("needs the classes of TinyImageNet")
    classes = read_classes(DATA / FILE)
    with tarfile.open(DATA / "mission25.tar") as archive:
        mission = {Path(name).parent.name for name in archive.getnames() if name.endswith("JPEG")}
    split = split_classes([each.name for each in classes], sorted(mission))
    hidden = {classes[i].name for i in split.kept_out}
    said = {said.removeprefix("a ").removeprefix("an ") for _, said, _ in read_table()}
    assert not said & hidden


def test_emoji_are_stamps_with_fewer_renders(tmp_path: Path) -> None:
    write_stamp(tmp_path / "stamps", "animals/birds/red_bird.png", "A red bird.")
    for painter in PAINTERS[:2]:
        write_stamp(tmp_path / "emoji", f"{painter.name}/owl.png", "")
    write_stamp(tmp_path / "emoji", "noto/of-no-table.png", "")
    assert [each.said for each in drawn_emoji(tmp_path / "emoji")] == ["an owl", "an owl"]
    bird, owl, _ = found = training_stamps(tmp_path / "stamps", tmp_path / "emoji")
    assert owl.texts == ("an owl.", "a photo of a bird", "bird") and owl.called.name == "bird"
    assert (bird.renders, owl.renders) == (RENDERS, EMOJI_RENDERS)
    listed = renders(found)
    assert [number for number, _ in listed].count(1) == EMOJI_RENDERS
    assert sorted(turn for number, turn in listed if number == 0) == list(range(RENDERS))


def test_icons_are_drawn_with_what_is_not_theirs_left_clear(tmp_path: Path) -> None:
    body = '<path fill="#f00" d="M0 0h8v16H0z"/>'
    icons = {"width": 16, "icons": {"owl": {"body": body}, "of-no-table": {"body": body}}}
    file = json.dumps(icons).encode()
    with tarfile.open(tmp_path / "set.tgz", "w:gz") as archive:
        told = tarfile.TarInfo("package/icons.json")
        told.size = len(file)
        archive.addfile(told, io.BytesIO(file))
    ((name, png),) = drawings(tmp_path / "set.tgz")
    with Image.open(io.BytesIO(png)) as drawn:
        left, right = (drawn.convert("RGBA").getpixel((x, 80)) for x in (40, 120))
    assert name == "owl" and left == (255, 0, 0, 255) and right == (0, 0, 0, 0)
