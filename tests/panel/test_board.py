"""Descriptions of boards."""

from pathlib import Path

import pytest

from appliance.panel.board import DIRECTORIES, NONE, BoardError, find, parse, read

BOARDS = DIRECTORIES[1]
GOOD = "name=x\nchip=c\nlight.green=1\nbutton=2\n"


def test_every_board_of_the_image_reads() -> None:
    boards = {path.stem: read(path) for path in BOARDS.glob("*.conf")}
    assert set(boards) == {"pi3", "pi4", "pi5", "zero2w", "virt"}
    assert all(board.lights and board.button is not None and board.consoles for board in boards.values())
    words = [word for board in boards.values() for word in board.compatible]
    assert len(words) == len(set(words)), "one board for each word"


def test_a_board_is_found_by_the_device_tree(tmp_path: Path) -> None:
    tree = tmp_path / "compatible"
    tree.write_bytes(b"raspberrypi,4-model-b\0brcm,bcm2711\0")
    assert find("auto", (BOARDS,), tree).chip == "pinctrl-bcm2711"
    tree.write_bytes(b"acme,toaster\0")
    assert find("auto", (BOARDS,), tree) == NONE
    assert find("auto", (BOARDS,), tmp_path / "absent") == NONE
    assert find("zero2w", (BOARDS,)).lights == {"only": 17}
    assert find(str(BOARDS / "virt.conf")).consoles == ("ttyAMA0", "ttyUSB0")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("name=x\nlight.blue=1\n", "line 2"),
        ("name=x\nname=y\n", "given twice"),
        ("light\n", "line 1"),
        (GOOD + "light.only=7\n", "excludes"),
        (GOOD + "light.red=2\n", "twice"),
        (GOOD + "active=maybe\n", "high or low"),
        (GOOD.replace("=1", "=1024"), "GPIO line"),
        (GOOD.replace("=1", "=-1"), "GPIO line"),
        ("name=x\nlight.green=1\n", "chip"),
        ("name=x\nconsole=../etc/passwd\n", "serial line"),
        ("# nothing\n", "name is missing"),
    ],
)
def test_a_wrong_description_is_named(text: str, wrong: str) -> None:
    with pytest.raises(BoardError, match=wrong) as caught:
        parse(text, "b.conf")
    assert str(caught.value).startswith("b.conf")


def test_a_board_that_does_not_exist() -> None:
    with pytest.raises(BoardError, match="no such"):
        find("pi9", (BOARDS,))
    with pytest.raises(BoardError, match="nowhere"):
        find("/nowhere/x.conf")
