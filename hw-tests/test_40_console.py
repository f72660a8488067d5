"""The menu of the console, and the button."""

import people
from machine import Board, Qemu


def test_the_address_at_a_press_of_the_button(office: Qemu | Board) -> None:
    office.console.skip()
    office.press(True)
    office.press(False)
    office.console.expect("Satchel mail appliance - ", 120)


def test_a_wrong_password(office: Qemu | Board) -> None:
    office.console.skip()
    office.console.type("")
    office.console.answer("Administrator's password: $", "wrong")
    office.console.expect("That is not the password")


def test_the_status(office: Qemu | Board) -> None:
    people.log_in(office)
    people.choose(office, "Status")
    said = office.console.expect("Number: $")
    assert "health     ok" in said or "warning" in said, said
    assert "imap" in said


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
