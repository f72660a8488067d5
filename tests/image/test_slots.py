"""The boot loader's variables: the system's script, with GRUB's own editor as the judge."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLOTS = ROOT / "image" / "root" / "usr" / "lib" / "appliance" / "slots"


class Esp:
    """A folder that stands for the mounted ESP."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.file = folder / "EFI" / "BOOT" / "grubenv"
        self.file.parent.mkdir(parents=True)
        block = "# GRUB Environment Block\n" + text
        self.file.write_text(block + "#" * (1024 - len(block)))

    def run(self, *arguments: str, code: int = 0) -> str:
        ended = subprocess.run(
            [SLOTS, *arguments],
            env={"PATH": "/usr/bin:/bin", "SATCHEL_ESP": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        return ended.stdout.strip()

    def variables(self) -> dict[str, str]:
        rows = (line.split("=", 1) for line in self.run("list").splitlines())
        return dict(rows)


@pytest.fixture
def esp(tmp_path: Path) -> Esp:
    return Esp(tmp_path, "order=A B\nA_left=2\nA_good=1\nB_left=0\nB_good=0\n")


def test_a_new_system_has_one_start_until_it_is_good(esp: Esp) -> None:
    assert esp.run("get-primary") == "A"
    assert (esp.run("get-state", "A"), esp.run("get-state", "B")) == ("good", "bad")
    esp.run("set-state", "B", "bad")
    esp.run("set-primary", "B")
    assert esp.run("get-primary") == "B"
    assert esp.variables() == {"order": "B A", "A_left": "2", "A_good": "1", "B_left": "1", "B_good": "0"}
    esp.run("set-state", "B", "good")
    assert esp.variables() == {"order": "B A", "A_left": "2", "A_good": "1", "B_left": "3", "B_good": "1"}


def test_going_back_to_a_good_system_gives_it_all_its_starts(esp: Esp) -> None:
    esp.run("set-primary", "A")
    assert esp.variables()["A_left"] == "3"


def test_a_slot_without_starts_is_not_the_next_one(esp: Esp) -> None:
    esp.run("set-primary", "B")
    esp.run("set-state", "B", "bad")
    assert esp.run("get-primary") == "A"


@pytest.mark.parametrize("arguments", [(), ("dance",), ("set-primary",), ("set-state", "C", "good")])
def test_other_words_are_refused(esp: Esp, arguments: tuple[str, ...]) -> None:
    before = esp.file.read_bytes()
    esp.run(*arguments, code=2)
    assert esp.file.read_bytes() == before


def test_grub_reads_what_was_written_and_the_other_way(esp: Esp) -> None:
    editor = shutil.which("grub-editenv")
    if editor is None:
        pytest.skip("needs grub-editenv (apt: grub-common)")
    esp.run("set-primary", "B")
    assert esp.file.stat().st_size == 1024
    listed = subprocess.run([editor, esp.file, "list"], capture_output=True, text=True, check=True).stdout
    assert listed.splitlines() == esp.run("list").splitlines()
    subprocess.run([editor, esp.file, "set", "B_left=0"], check=True)
    assert esp.run("get-primary") == "A"


def test_the_boot_loaders_script_is_grubs(tmp_path: Path) -> None:
    checker = shutil.which("grub-script-check")
    if checker is None:
        pytest.skip("needs grub-script-check (apt: grub-common)")
    subprocess.run([checker, ROOT / "image" / "boot" / "grub.cfg"], check=True)
