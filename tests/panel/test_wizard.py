"""The first set-up, driven like a person does: in order, with typos, backwards, and not at all."""

import pytest

from appliance.panel.dialogue import Result
from appliance.panel.menu import Desk
from tests.panel.person import PASSWORD, REST, SETUP, Office, Person, set_up


def test_the_shortest_way() -> None:
    office = Office()
    person = set_up(office)
    assert office.lines() == [
        "init --domain=example.test --hostname=mail.example.test --organization=Example Ltd",
        "admin passwd --password-stdin",
        "network dhcp --hostname=mail.example.test",
        "timezone Europe/Berlin",
        "setting set clock.wait_for_sync on",
        "setting set auth.plain_on_loopback off",
        "advice clients",
        "advice dns",
        "admin show",
    ]
    assert office.password == PASSWORD
    assert person.asked() == "Administrator's password: "
    assert person.fits()
    assert PASSWORD not in person.screen


def test_everything() -> None:
    office = Office()
    person = Person(office)
    person.type("", "1", "Example.TEST", "box.example.test", "", PASSWORD, PASSWORD)
    person.type("2", "192.168.1.10/24", "192.168.1.1", "9.9.9.9, 192.168.1.1", "utc")
    person.type("anna", "Anna Ito", "anna's secret", "anna's secret", "bob@example.test", "")
    person.type("bob's secret", "bob's secret", "")
    person.type("2", "2", "smtp.example.net:465", "me", "smart secret")
    person.type("2", "/run/appliance-stick/mail.pem", "/run/appliance-stick/mail.key")
    assert "192.168.1.10/24" in person.screen
    person.type("yes", "")
    assert office.lines()[:11] == [
        "init --domain=example.test --hostname=box.example.test --organization=example.test",
        "admin passwd --password-stdin",
        (
            "network static --hostname=box.example.test --gateway=192.168.1.1 "
            "--dns=9.9.9.9 --dns=192.168.1.1 -- 192.168.1.10/24"
        ),
        "timezone UTC",
        "setting set clock.wait_for_sync on",
        "setting set auth.plain_on_loopback off",
        "user add --name=Anna Ito --password-stdin -- anna@example.test",
        "user add --name=Bob --password-stdin -- bob@example.test",
        "smarthost set --user=me --password-stdin -- smtp.example.net:465",
        "smarthost test",
        "tls import /run/appliance-stick/mail.pem /run/appliance-stick/mail.key",
    ]
    assert [office.ran[index].stdin for index in (6, 7, 8)] == [
        "anna's secret",
        "bob's secret",
        "smart secret",
    ]
    assert "secret" not in person.screen
    assert person.fits()


@pytest.mark.parametrize(
    ("before", "wrong", "said"),
    [
        (2, "example", "a dot in it"),
        (2, "exa mple.test", ""),
        (2, "192.168.1.1", "a dot in it"),
        (2, "-rf.test", ""),
        (2, "?", "behind the @"),
        (4, "a/b", "no slash"),
        (5, "short", "8 to 256"),
        (7, "3", "from 1 to 2"),
        (7, "-1", "from 1 to 2"),
        (7, "\u00b2", "from 1 to 2"),
        (8, "Europe/Berln", "no time zone"),
        (8, "../../etc/passwd", "no time zone"),
        (9, "an na", ""),
        (9, "anna@elsewhere.test", "end in @example.test"),
    ],
)
def test_a_wrong_answer_is_said_and_asked_again(before: int, wrong: str, said: str) -> None:
    office = Office()
    person = Person(office)
    person.type(*SETUP[:before])
    prompt = person.asked()
    answer = person.type(wrong)
    assert said.lower() in answer.lower()
    assert person.asked() == prompt
    person.type(*SETUP[before:], "", "yes", *REST, "", "")
    assert office.set_up
    assert person.fits()


@pytest.mark.parametrize(
    ("address", "router"),
    [("192.168.1.10", ""), ("300.1.1.1/24", ""), ("192.168.1.0/24", ""), ("127.0.0.1/8", "")],
)
def test_addresses_that_cannot_be(address: str, router: str) -> None:
    person = Person(Office())
    person.type(*SETUP[:7], "2")
    person.type(address)
    assert person.asked() == "Address with prefix length: "


def test_a_router_that_is_out_of_reach() -> None:
    person = Person(Office())
    person.type(*SETUP[:7], "2", "192.168.1.10/24", "192.168.2.1")
    assert person.asked() == "Router: "
    assert "not another machine in 192.168.1.0/24" in person.screen


def test_passwords_that_differ_are_asked_again() -> None:
    office = Office()
    person = Person(office)
    person.type(*SETUP[:5], PASSWORD, "correct hose")
    assert "not the same" in person.screen
    person.type(PASSWORD, PASSWORD)
    assert person.asked() == "Network [1]: "


def test_going_back_keeps_what_was_answered() -> None:
    person = Person(Office())
    person.type(*SETUP[:5], "<")
    assert person.asked() == "Mail domain [example.test]: "
    person.type("", "<")
    assert person.asked() == "Mail domain [example.test]: "


def test_no_at_the_summary_begins_anew_with_the_answers() -> None:
    office = Office()
    person = Person(office)
    person.type(*SETUP, "", "yes", *REST[:3], "no")
    assert person.asked() == "Mail domain [example.test]: "
    assert office.ran == []


def test_a_pasted_answer_sheet() -> None:
    office = Office()
    person = Person(office)
    sheet = "\r\n".join([*SETUP, "", "yes", *REST[:3]]) + "\r\n"
    person.send(sheet.encode())
    assert person.asked() == "Is this right (yes/no): "
    person.type("yes", "", "")
    assert office.set_up


def test_a_paste_that_goes_wrong_does_not_run_on() -> None:
    """After a wrong answer the rest was meant for other questions; and nothing is confirmed by a paste."""
    person = Person(Office())
    person.send(b"\r1\rexample\rmail.example.test\rExample Ltd\r")
    assert person.asked() == "Mail domain: "
    person = Person(Office())
    person.send("\r".join([*SETUP, "", "yes", *REST[:3], "yes", "", ""]).encode())
    assert person.asked() == "Is this right (yes/no): "
    assert person.office.ran == []


@pytest.mark.parametrize("lines", range(0, 15, 2))
def test_leaving_in_the_middle_changes_nothing(lines: int) -> None:
    office = Office()
    person = Person(office)
    person.type(*(*SETUP, "", "yes", *REST)[:lines])
    person.send(b"\x03")
    assert person.asked() == "Press Return to begin: "
    person.session.hang_up()
    person.session.start(person.now)
    assert person.wait(1).endswith("Press Return to begin: ")
    assert office.ran == []
    assert person.desk.setting_up is None


def test_silence_in_the_middle_forgets_everything() -> None:
    person = Person(Office(), idle=60)
    person.type(*SETUP[:4])
    assert person.wait(59) == ""
    assert "Press Return to begin" in person.wait(1)
    assert person.office.ran == []


def test_a_second_person_is_told() -> None:
    office = Office()
    desk = Desk(lambda: office.set_up, list)
    first, second = Person(office, desk), Person(office, desk)
    first.type(*SETUP[:3])
    assert "on another line" in second.type("")
    second.type("no")
    assert second.asked() == "Press Return to begin: "
    first.type(*SETUP[3:], "", "yes", *REST, "", "")
    second.type("")
    assert "password" in second.asked().lower(), "set up meanwhile: now it is locked"


def test_a_step_that_fails_is_said_and_the_others_go_on() -> None:
    office = Office()
    office.answers = {"network": Result(1, "", "this machine is not run by the appliance's system")}
    person = set_up(office)
    assert "FAILED: This machine is not run" in person.screen
    assert "1 of these did not work" in person.screen
    assert "timezone Europe/Berlin" in office.lines()
    assert person.fits()


def test_when_nothing_can_be_made_it_begins_anew() -> None:
    office = Office()
    office.answers = {"init": Result(1, "", "no space left on the device")}
    person = Person(office)
    person.type(*SETUP, "", "yes", *REST)
    assert "No space left on the device." in person.screen
    assert person.asked() == "Press Return to begin: "
    assert office.lines() == [office.lines()[0]]


def test_bringing_back_a_backup() -> None:
    office = Office()
    path = "/run/appliance-stick/satchel-20260101-120000.satchel"
    office.answers = {"stick list": Result(0, f"{path}\t1000\n")}
    person = Person(office)
    person.type("", "2", "1", "a passphrase", "new password", "new password")
    assert office.lines()[:2] == ["stick list", f"restore --passphrase-stdin -- {path}"]
    assert office.ran[1].stdin == "a passphrase"
    assert office.password == "new password"
    assert person.asked() == "Administrator's password: "


def test_no_stick() -> None:
    office = Office()
    office.answers = {"stick list": Result(1, "", "there is no USB stick (FAT or exFAT) plugged in")}
    person = Person(office)
    assert "There is no USB stick" in person.type("", "2")
    assert person.asked() == "Press Return to begin: "
