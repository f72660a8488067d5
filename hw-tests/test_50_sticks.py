"""A USB serial adapter with a second person at it, and a USB stick: backup, factory reset, restore."""

import re
import subprocess
from pathlib import Path

import bundles
import people
import pytest
from machine import Board, Line, NotHere, Qemu, Socket, free_port

PHRASE = "a phrase for the backup"


class Plugged:
    """What is plugged in."""

    def __init__(self, machine: Qemu, adapter: int, stick: Path) -> None:
        self.machine, self._adapter, self.stick = machine, adapter, stick

    def person(self) -> Line:
        """Somebody who plugs the adapter in and sits down; `close` pulls it out."""
        line = Line(Socket(self._adapter), self.machine.folder / "console2.txt")
        line.expect("Satchel mail appliance - ")
        return line

    def on_stick(self) -> str:
        """The names on the stick."""
        said = subprocess.run(["mdir", "-b", "-i", self.stick], capture_output=True, text=True, check=True)
        return said.stdout


@pytest.fixture(scope="module")
def plugged(machine: Qemu | Board) -> Plugged:
    if not isinstance(machine, Qemu):
        raise NotHere("on a board: by hand")
    fresh = not machine.disk.exists()
    machine.cut()
    stick, adapter = bundles.stick(machine.folder / "stick.img", {}), free_port()
    machine.start(f"--stick={stick}", f"--usb-serial-port={adapter}")
    if fresh:
        people.set_up(machine)
    people.first_mail(machine, "before the backup")
    people.wait_for(machine, "anna", "before the backup")
    return Plugged(machine, adapter, stick)


def test_two_people_at_once(plugged: Plugged) -> None:
    """Each has a session; what one types the other does not see."""
    second = plugged.person()
    people.log_in(plugged.machine)
    second.type("")
    second.answer("Administrator's password: $", people.ADMIN)
    second.expect("Number: $")
    people.read(plugged.machine, "People")
    assert "-- People" not in second.heard
    second.close()


def test_a_pulled_adapter_logs_out(plugged: Plugged) -> None:
    second = plugged.person()
    second.type("")
    second.expect("Administrator's password: $")
    assert "Number: " not in second.heard, "the session of the one before is gone"
    second.close()
    people.log_out(plugged.machine)


def test_a_backup_and_the_authority_go_to_the_stick(plugged: Plugged) -> None:
    machine = plugged.machine
    people.log_in(machine)
    people.read(machine, "Network and smart host")
    assert "Written: " in people.read(machine, "Authority: its certificate to a USB stick")
    people.read(machine, "back")
    people.read(machine, "Backup and restore")
    people.choose(machine, "Back up to a USB stick")
    machine.console.answer("Passphrase .*: $", PHRASE)
    machine.console.answer("The same again: $", PHRASE)
    assert "Written: " in machine.console.expect("Number: $")
    people.log_out(machine)


def test_a_factory_reset_and_the_backup_comes_back(plugged: Plugged) -> None:
    machine = plugged.machine
    people.log_in(machine)
    people.read(machine, "Restart, shut down, factory reset")
    people.choose(machine, "Factory reset")
    machine.console.answer("to go on: $", "yes")
    assert "Nothing was erased" in machine.console.expect("Number: $")
    people.choose(machine, "Factory reset")
    machine.console.answer("to go on: $", "erase everything")
    machine.console.expect("It restarts now")
    machine.console.expect("Not set up yet")
    machine.console.answer("Press Return to begin: $", "")
    machine.console.answer(r"What shall be done \[1\]: $", "2")
    machine.console.answer(r"Which one \[1\]: $", "")
    machine.console.answer("Passphrase .*: $", PHRASE)
    machine.console.expect("The backup is back")
    people.first_mail(machine, "after the restore")
    people.wait_for(machine, "anna", "after the restore")
    assert "before the backup" in people.subjects(machine, "anna")


def test_a_long_press_shuts_it_down(plugged: Plugged) -> None:
    machine = plugged.machine
    machine.console.skip()
    machine.press(6)
    machine.console.expect("The button asks to shut down")
    assert machine.wait() == 0


def test_what_is_on_the_stick(plugged: Plugged) -> None:
    names = plugged.on_stick()
    assert "satchel-ca.crt" in names
    assert re.search(r"satchel-\d{8}-\d{6}\.satchel", names)
