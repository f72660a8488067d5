"""From the first start to the first mail."""

import random
import time

import people
import pytest
from machine import Board, Qemu

quick = pytest.mark.quick


@quick
def test_the_console_says_who_is_there(fresh: Qemu | Board, measured: dict[str, float]) -> None:
    fresh.console.expect("Satchel mail appliance - ")
    fresh.console.expect("Not set up yet")
    measured["seconds to the set-up's prompt"] = time.monotonic() - fresh.started
    fresh.console.rewind()


@quick
def test_the_lights_ask_for_the_set_up(fresh: Qemu | Board) -> None:
    fresh.looks_like("set-up needed", {"amber"})


def test_noise_changes_nothing(fresh: Qemu | Board) -> None:
    """A bad cable: bytes of all kinds, among them Returns and Control-C. Then somebody with a good one."""
    rng = random.Random(4)
    for _ in range(20):
        fresh.console.send(rng.randbytes(100))
    fresh.console.hush()
    fresh.console.send(b"\x15\x15\x15\x04")
    fresh.console.expect("Press Return to begin: $")
    assert "Traceback" not in fresh.console.heard
    assert "went wrong" not in fresh.console.heard


def test_a_paste_ends_at_its_first_wrong_answer(fresh: Qemu | Board) -> None:
    """Some answers are pasted at once; what stands behind the wrong one is not taken for other questions."""
    fresh.console.send(b"\r1\roffice.test\rmail.office.test\rExample / Ltd\rnot this\rnor this\r")
    fresh.console.expect("no slash")
    fresh.console.hush()
    fresh.console.send(b"\x0c")
    fresh.console.expect(r"Organization \[office.test\]: $")
    assert "nor this" not in fresh.console.heard.rpartition("no slash")[2]


def test_somebody_leaves_in_the_middle(fresh: Qemu | Board) -> None:
    """Control-C in the middle of the questions: nothing was changed, and the next person begins anew."""
    fresh.console.send(b"\x03")
    fresh.console.expect("Nothing was changed")
    fresh.console.expect("Not set up yet.*Press Return to begin: $")
    if isinstance(fresh, Qemu):
        assert fresh.shell.run("ls /var/lib/appliance/data 2>&1 || true").endswith(
            "No such file or directory"
        )
    fresh.console.rewind("Satchel mail appliance - ")


@quick
def test_a_person_sets_it_up(office: Qemu | Board, measured: dict[str, float]) -> None:
    assert "All done" in office.console.heard
    assert "Traceback" not in office.console.heard
    for secret in (people.ADMIN, *people.PASSWORDS.values()):
        assert secret not in office.console.heard, "passwords do not show"


@quick
def test_the_first_mail_arrives(office: Qemu | Board, measured: dict[str, float]) -> None:
    people.first_mail(office, "the very first")
    people.wait_for(office, "anna", "the very first")


@quick
def test_the_lights_say_that_all_is_well(office: Qemu | Board) -> None:
    office.looks_like("all is well", {"green"})
