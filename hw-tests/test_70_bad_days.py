"""A system that hangs, and one that somebody tampered with. By firmware and GRUB."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import people
import pytest
from machine import PATIENCE, Board, NotHere, Qemu

ROOT_A = (1 + 64 + 32) << 20
OTHER = b"not what was signed"


@pytest.fixture(scope="module")
def lasting(machine: Qemu | Board) -> Qemu:
    if not isinstance(machine, Qemu):
        raise NotHere("nobody tampers with a real card here")
    if not machine.disk.exists():
        machine.start()
        people.set_up(machine)
        people.first_mail(machine, "the very first")
    machine.cut()
    machine.start(boot="firmware")
    people.first_mail(machine, "before the bad days")
    return machine


def test_the_watchdog_bites(lasting: Qemu) -> None:
    """systemd crashes and freezes; nobody feeds the watchdog any more."""
    lasting.console.skip()
    lasting.shell._line.type("kill -SEGV 1\n", "")
    lasting.console.expect("Satchel: slot ")
    people.first_mail(lasting, "after the watchdog")
    assert "before the bad days" in people.subjects(lasting, "anna")


def test_a_root_that_was_changed_does_not_start(lasting: Qemu) -> None:
    """Bytes of the first slot are changed: it is refused, and the other slot starts when there is one."""
    listed = lasting.shell.run("/usr/lib/appliance/slots list")
    other = "B_good=1" in listed
    if not other:  # a second system, by the shortest way
        lasting.shell.run(
            "cd /dev/disk/by-partlabel; for part in boot root; do dd if=${part}A of=${part}B bs=1M; done;"
            "cd /; sync; /usr/lib/appliance/slots set-state B good"
        )
    lasting.shell.run("sync")
    lasting.cut()
    places = [ROOT_A + (megabyte << 20) for megabyte in range(1, 50)]
    with changed(lasting.disk, places):
        lasting.start(boot="firmware")
        lasting.console.expect("Satchel: slot A")
        lasting.console.expect("Satchel: slot B", 2 * PATIENCE)
        tried = lasting.console.heard.count("Satchel: slot A")
        assert tried == 3, "a confirmed slot has three starts"
        people.first_mail(lasting, "from the other slot", 2 * PATIENCE)
        people.wait_for(lasting, "anna", "from the other slot")
        assert "before the bad days" in people.subjects(lasting, "anna")
        lasting.cut()


@contextlib.contextmanager
def changed(disk: Path, places: list[int]) -> Iterator[None]:
    """A disk with other bytes at these places; afterwards they are as they were."""
    with disk.open("r+b") as file:
        before = []
        for place in places:
            file.seek(place)
            before.append(file.read(len(OTHER)))
            file.seek(place)
            file.write(OTHER)
    yield
    with disk.open("r+b") as file:
        for place, data in zip(places, before, strict=True):
            file.seek(place)
            file.write(data)
