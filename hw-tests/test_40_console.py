"""The menu of the console, and the button."""

import random

import people
from machine import Board, Qemu

PAGES = {
    "People": ("List",),
    "Mail under way": ("List",),
    "Network and smart host": ("Show the network", "Certificate", "Authority: show its certificate"),
    "Update": ("What runs, and what waits",),
}


def test_the_address_at_a_press_of_the_button(office: Qemu | Board) -> None:
    office.console.skip()
    office.press(0.4)
    office.console.expect("Satchel mail appliance - ", 120)


def test_a_wrong_password(office: Qemu | Board) -> None:
    office.console.skip()
    office.console.type("")
    office.console.answer("Administrator's password: $", "wrong")
    office.console.expect("That is not the password")


def test_noise_gets_nowhere(office: Qemu | Board) -> None:
    """Bytes of all kinds at the password: nobody gets in, nothing falls over, the right one still works."""
    rng = random.Random(5)
    office.console.skip()
    office.console.send(bytes(byte for byte in rng.randbytes(2000) if byte not in b"\r\n"))
    office.console.hush()
    office.console.send(b"\x15\x15\x15")
    office.console.type("")
    said = office.console.expect("Administrator's password: $")
    assert "Number" not in said
    assert "Traceback" not in office.console.heard
    assert "went wrong" not in office.console.heard


def test_the_status(office: Qemu | Board) -> None:
    people.log_in(office)
    people.choose(office, "Status")
    said = office.console.expect("Number: $")
    assert "health     ok" in said or "warning" in said, said
    assert "imap" in said


def test_every_page_of_the_menu(office: Qemu | Board) -> None:
    """What only shows something: on a screen of 80 columns, in printable characters, without a refusal."""
    begin = len(office.console.heard)
    for about in ("Status", "Log", "What to enter in mail programs and DNS"):
        people.read(office, about)
    for menu, entries in PAGES.items():
        people.read(office, menu)
        for about in entries:
            assert "Refused" not in people.read(office, about), about
        people.read(office, "back")
    heard = office.console.heard[begin:].replace("\r\n", "\n")
    assert "Traceback" not in heard
    assert all(character == "\n" or character.isprintable() for character in heard)
    assert max(len(line) for line in heard.split("\n")) <= 80


def test_it_restarts_and_mail_is_still_there(office: Qemu | Board, measured: dict[str, float]) -> None:
    people.choose(office, "Restart, shut down, factory reset")
    office.console.expect("Number: $")
    people.choose(office, "Restart")
    office.console.answer(r"Restart the machine.*: $", "yes")
    office.console.expect("It restarts now")
    office.console.expect("Administrator's password|Satchel mail appliance - ")
    people.first_mail(office, "after the restart")
    people.wait_for(office, "anna", "after the restart")
    assert "the very first" in people.subjects(office, "anna")


def test_it_switches_itself_off(office: Qemu | Board) -> None:
    people.log_in(office)
    people.choose(office, "Restart, shut down, factory reset")
    office.console.expect("Number: $")
    people.choose(office, "Shut down")
    office.console.answer(r"Shut the machine down.*: $", "yes")
    office.console.expect("It shuts down")
    assert office.wait() == 0
