"""Two slots: a new system that stays, going back, and one that is broken on purpose. By firmware and GRUB."""

import time

import bundles
import people
import pytest
from machine import PATIENCE, ROOT, Board, NotHere, Qemu


@pytest.fixture(scope="module")
def updating(machine: Qemu | Board, tmp_path_factory: pytest.TempPathFactory) -> Qemu:
    """The machine, set up, started as a board starts, with a stick of bundles."""
    if not isinstance(machine, Qemu):
        raise NotHere("on a board: update by the console's menu with a stick, by hand")
    folder = tmp_path_factory.mktemp("bundles")
    image = machine.image or sorted((ROOT / "build" / "image").glob("satchel-*-arm64.img"))[-1]
    good = image.with_suffix(".raucb")
    broken = bundles.broken(image, folder)
    tiny = folder / "tiny.img"
    tiny.write_bytes(bytes(4096))
    files = {
        "good.raucb": good,
        "broken.raucb": broken,
        "stranger.raucb": bundles.stranger(folder, tiny, tiny),
    }
    stick = bundles.stick(folder / "stick.img", files)
    fresh = not machine.disk.exists()
    machine.cut()
    machine.start(f"--stick={stick}", boot="firmware")
    if fresh:
        people.set_up(machine)
    people.first_mail(machine, "on the first system")
    return machine


def slots(machine: Qemu) -> dict[str, str]:
    rows = (line.split("=", 1) for line in machine.shell.run("/usr/lib/appliance/slots list").splitlines())
    return dict(rows)


def running(machine: Qemu) -> str:
    (found,) = [
        word for word in machine.shell.run("cat /proc/cmdline").split() if word.startswith("rauc.slot=")
    ]
    return found.removeprefix("rauc.slot=")


def confirmed(machine: Qemu, slot: str) -> None:
    """Wait until the health check confirmed the slot."""
    deadline = time.monotonic() + PATIENCE
    while slots(machine)[f"{slot}_good"] != "1" or slots(machine)[f"{slot}_left"] != "3":
        assert time.monotonic() < deadline, slots(machine)
        time.sleep(2)


def install(machine: Qemu, name: str) -> None:
    """By the console's menu, from the stick."""
    people.log_in(machine)
    people.choose(machine, "Update")
    machine.console.expect("Number: $")
    people.choose(machine, "Install from a USB stick")
    machine.console.expect(r"Which one \[1\]: $")
    people.choose(machine, name)


def test_the_system_as_it_came(updating: Qemu) -> None:
    confirmed(updating, "A")
    assert running(updating) == "A"


def test_nobody_elses_update_is_taken(updating: Qemu) -> None:
    install(updating, "stranger.raucb")
    said = updating.console.expect("Number: $")
    assert "Installed" not in said
    assert slots(updating)["order"] == "A B"
    updating.console.type("\x04", "")


def test_a_new_system_stays(updating: Qemu) -> None:
    install(updating, "good.raucb")
    updating.console.answer(r"Restart into it now.*: $", "yes")
    updating.console.expect("It restarts now")
    updating.console.expect("Satchel: slot B")
    updating.console.expect("Satchel mail appliance - ")
    people.first_mail(updating, "on the second system")
    confirmed(updating, "B")
    assert running(updating) == "B"
    assert "on the first system" in people.subjects(updating, "anna")


def test_going_back_by_choice(updating: Qemu) -> None:
    people.log_in(updating)
    people.choose(updating, "Update")
    updating.console.expect("Number: $")
    people.choose(updating, "Back to the system before")
    updating.console.answer(r"Restart into the system before.*: $", "yes")
    updating.console.expect("Satchel: slot A")
    updating.console.expect("Satchel mail appliance - ")
    people.first_mail(updating, "back again")
    confirmed(updating, "A")


def test_a_broken_system_goes_by_itself(updating: Qemu) -> None:
    install(updating, "broken.raucb")
    updating.console.answer(r"Restart into it now.*: $", "yes")
    updating.console.expect("Satchel: slot B")
    updating.console.expect("Satchel: slot A", 2 * PATIENCE)
    people.first_mail(updating, "after the broken one")
    found = people.subjects(updating, "anna")
    for subject in ("on the first system", "on the second system", "back again", "after the broken one"):
        assert subject in found
    assert slots(updating)["B_good"] == "0"


def test_there_is_nothing_to_go_back_to(updating: Qemu) -> None:
    command = "APPLIANCE_DATA=/var/lib/appliance/data runuser -u appliance -- appliance update rollback"
    code, said = updating.shell.try_run(command)
    assert code == 1
    assert "never confirmed" in said
