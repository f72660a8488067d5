"""The console after the set-up."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.panel.dialogue import Result, columns
from appliance.panel.menu import Desk
from tests.panel.person import PASSWORD, Office, Person, logged_in


def locked() -> Person:
    office = Office()
    office.set_up, office.password = True, PASSWORD
    return Person(office)


def test_nothing_without_the_password() -> None:
    person = locked()
    for line in ("", "1", "status", "\x1b[A", "wrong password"):
        person.type(line)
        assert person.asked() == "Administrator's password: "
    assert {line.split()[1] for line in person.office.lines()} == {"show", "verify"}
    person.wait(1000)
    person.type(PASSWORD)
    person.wait(1000)
    assert "Satchel ---" in person.screen
    assert PASSWORD not in person.screen


def test_wrong_passwords_take_longer_and_longer_on_all_lines() -> None:
    person = locked()
    for _ in range(3):
        person.type("wrong")
    tried = len(person.office.ran)
    assert "please wait" in person.type(PASSWORD)
    other = Person(person.office, person.desk)
    assert "please wait" in other.type(PASSWORD)
    assert len(person.office.ran) == tried + 1, "only what the other line showed at its start"
    person.wait(4.9)
    assert person.type("1", "1") == "", "what is typed meanwhile waits"
    assert "Status" in person.wait(0.2)


def test_a_store_without_a_password_asks_for_one_first() -> None:
    office = Office()
    office.set_up = True
    person = Person(office)
    person.type(PASSWORD, PASSWORD)
    assert office.password == PASSWORD
    assert person.asked() == "Number: "


@pytest.mark.parametrize(
    "failure", ["it took longer than 120 seconds and was ended", "the store is damaged", ""]
)
def test_nobody_gets_in_because_nothing_is_known_about_the_password(failure: str) -> None:
    """A machine that is too busy to tell whether a password is set, or a store that cannot be read."""
    office = Office()
    office.set_up, office.password = True, PASSWORD
    office.answers = {"admin show": Result(1, "", failure), "admin verify": Result(1, "", failure)}
    person = Person(office)
    assert person.asked() == "Administrator's password: "
    assert "Refused: " in person.type(PASSWORD)
    assert person.asked() == "Administrator's password: "
    assert office.password == PASSWORD
    office.answers = {}
    person.type(PASSWORD)
    assert person.asked() == "Number: "


def test_a_password_that_could_not_be_kept_is_asked_for_again() -> None:
    office = Office()
    office.set_up = True
    office.answers = {"admin passwd": Result(1, "", "no space left on the device")}
    person = Person(office)
    person.type(PASSWORD, PASSWORD)
    assert person.asked() == "New password: "


def test_silence_and_control_d_log_out() -> None:
    person, _ = logged_in()
    person.type("2")
    assert "Logged out." in person.send(b"\x04")
    assert person.asked() == "Administrator's password: "
    person, _ = logged_in()
    assert "Logged out." in person.wait(600)
    assert person.asked() == "Administrator's password: "


def test_a_lost_line_logs_out() -> None:
    person, office = logged_in()
    person.type("2", "2", "anna@example.test", "Anna")
    person.session.hang_up()
    person.session.start(person.now)
    person.wait(0)
    assert person.asked() == "Administrator's password: "
    assert office.lines() == ["admin show"]


@pytest.mark.parametrize(
    ("typed", "commands"),
    [
        (("1",), ["status"]),
        (("2", "1"), ["user list"]),
        (("2", "4", "anna@example.test"), ["user disable -- anna@example.test"]),
        (("2", "5", "anna@example.test"), ["user enable -- anna@example.test"]),
        (("2", "6", "anna@example.test", "yes"), ["user del -- anna@example.test"]),
        (("2", "6", "anna@example.test", ""), []),
        (
            ("2", "3", "-rf@example.test", "new secret", "new secret"),
            ["user passwd --password-stdin -- -rf@example.test"],
        ),
        (("3", "1"), ["queue list"]),
        (("3", "2", ""), ["queue retry"]),
        (("3", "3", "7"), ["queue hold 7"]),
        (("3", "4", "7", "y"), ["queue drop 7"]),
        (("3", "4", "7", "n"), []),
        (("3", "4", "--all", ""), []),
        (("4", "1"), ["network show"]),
        (("4", "2", ""), ["network test"]),
        (("4", "2", "example.org"), ["network test --domain=example.org"]),
        (("4", "3", "1"), ["network dhcp"]),
        (("4", "4", "UTC"), ["timezone UTC"]),
        (("4", "5", ""), ["clock"]),
        (("4", "5", "2026-05-04 12:30"), ["clock", "clock -- 2026-05-04 12:30"]),
        (("4", "6", "relay.example.net", ""), ["smarthost set -- relay.example.net", "smarthost test"]),
        (("4", "7"), ["smarthost clear"]),
        (("4", "8"), ["tls show"]),
        (("4", "9"), ["tls export-ca"]),
        (("4", "10"), ["stick list", "tls export-ca /run/appliance-stick/satchel-ca.crt"]),
        (("6",), []),
        (("7",), ["log"]),
        (("8", ""), ["advice clients", "advice dns"]),
        (("9", "new password", "new password"), ["admin passwd --password-stdin"]),
        (("10", "1", "yes"), ["reboot --yes"]),
        (("10", "2", "yes"), ["shutdown --yes"]),
        (("10", "2", "no"), []),
        (("10", "3", "erase everything"), ["factory-reset --yes"]),
        (("10", "3", "yes"), []),
    ],
)
def test_every_entry_is_a_command(typed: tuple[str, ...], commands: list[str]) -> None:
    person, office = logged_in()
    person.type(*typed)
    assert office.lines() == commands
    assert person.fits()


def test_a_backup_to_the_stick() -> None:
    person, office = logged_in()
    person.desk.now = lambda: datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    person.type("5", "1", "a phrase", "another")
    assert "Nothing was backed up" in person.screen
    person.type("1", "a phrase", "a phrase")
    name = "/run/appliance-stick/satchel-20260504-030201.satchel"
    assert office.lines() == ["stick list", f"backup --passphrase-stdin -- {name}"]
    assert office.ran[1].stdin == "a phrase"
    assert office.ran[1].seconds > 3600


def test_danger_is_not_pasted() -> None:
    person, office = logged_in()
    person.send(b"10\r1\ryes\r")
    assert person.asked() == "Restart the machine (yes/no) [no]: "
    assert office.ran == []
    person.type("maybe")
    assert office.ran == []


def test_a_refusal_is_one_sentence() -> None:
    person, office = logged_in()
    office.answers = {"user disable": Result(1, "", "no such address")}
    assert "Refused: No such address." in person.type("2", "4", "nobody@example.test")


def test_long_output_comes_in_pages() -> None:
    person, office = logged_in()
    office.answers = {"log": Result(0, "".join(f"line {n}\n" for n in range(50)))}
    said = person.type("7")
    assert "line 20" in said
    assert "line 21" not in said
    assert person.asked() == "-- 29 more lines: Return goes on, q ends -- "
    assert "line 41" in person.type("")
    assert "line 42" not in person.type("q")
    assert person.asked() == "Number: "


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    person, office = logged_in()
    office.answers = {"queue list": Result(0, "1\t\x1b[2J\x07evil\x9b\tb@example.test\n")}
    assert "[2Jevil" in person.type("3", "1")


def test_columns() -> None:
    assert columns("a\tbb\nccc\td\nplain\n") == "a    bb\nccc  d\nplain"
    assert max(map(len, columns("\t".join(["x" * 60] * 5)).splitlines())) == 79


def test_a_fault_is_never_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    office.set_up, office.password = True, PASSWORD
    faults = [ZeroDivisionError("ouch")]

    def addresses() -> list[str]:
        if len(faults) == 1 and office.ran:
            raise faults.pop()
        return []

    person = Person(office, Desk(lambda: True, addresses))
    person.type(PASSWORD)
    said = person.send(b"\x04")
    assert "went wrong here" in said
    assert "Traceback" not in person.screen
    assert "ZeroDivision" not in person.screen
    assert "ouch" in caplog.text
    assert "Administrator's password: " in person.wait(5)


def test_the_address_on_the_button() -> None:
    person, _ = logged_in()
    person.send(b"ha")
    person.session.notice("Satchel mail appliance - 192.0.2.7")
    assert "192.0.2.7" in person.wait(0)
    assert person.asked() == "Number: "


def test_a_terminal_that_belongs_to_somebody_ends() -> None:
    office = Office()
    office.set_up, office.password = True, PASSWORD
    person = Person(office, leaves=True)
    person.type(PASSWORD, "11")
    assert person.session.ended
    for data in (b"x\r", b"\x03"):
        assert person.send(data) == ""


def test_late_results_belong_to_nobody() -> None:
    person, _ = logged_in()
    session = person.session
    session.feed(b"1\r", 0)
    number = session.number
    session.hang_up()
    session.start(0)
    assert session.number != number
    session.finished(number, Result(0, "secret status"))
    person.wait(0)
    assert "secret status" not in person.screen


@given(
    st.lists(
        st.binary(max_size=60) | st.sampled_from([b"\r", b"1\r", b"\x03", b"\x04", b"yes\r"]), max_size=30
    )
)
def test_noise_on_the_line_breaks_nothing(noise: list[bytes]) -> None:
    """Whatever comes, nothing raises, the screen stays plain, and the password works afterwards."""
    office = Office()
    office.set_up, office.password = True, PASSWORD
    person = Person(office)
    for data in noise:
        person.send(data)
        person.wait(1)
    assert {line.split()[1] for line in office.lines()} <= {"show", "verify"}
    person.session.hang_up()
    person.session.start(person.now)
    person.type(PASSWORD)
    person.wait(200)
    assert "-- Satchel --" in person.screen
