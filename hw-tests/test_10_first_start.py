"""From the first start to the first mail."""

import time

import people
import pytest
from machine import Board, Qemu

pytestmark = pytest.mark.quick


def test_the_console_says_who_is_there(fresh: Qemu | Board, measured: dict[str, float]) -> None:
    fresh.console.expect("Satchel mail appliance - ")
    fresh.console.expect("Not set up yet")
    measured["seconds to the set-up's prompt"] = time.monotonic() - fresh.started
    fresh.console._at = 0


def test_the_lights_ask_for_the_set_up(fresh: Qemu | Board) -> None:
    fresh.looks_like("set-up needed", {"amber"})


def test_a_person_sets_it_up(office: Qemu | Board, measured: dict[str, float]) -> None:
    assert "All done" in office.console.heard
    assert "Traceback" not in office.console.heard
    for secret in (people.ADMIN, *people.PASSWORDS.values()):
        assert secret not in office.console.heard, "passwords do not show"


def test_the_first_mail_arrives(office: Qemu | Board, measured: dict[str, float]) -> None:
    people.first_mail(office, "the very first")
    people.wait_for(office, "anna", "the very first")


def test_the_lights_say_that_all_is_well(office: Qemu | Board) -> None:
    office.looks_like("all is well", {"green"})
