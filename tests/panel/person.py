"""A person at a session: types, reads the screen, and answers what commands would."""

import re
from collections.abc import Callable

from appliance.panel.dialogue import NO_PASSWORD, WRONG_PASSWORD, Result, Run
from appliance.panel.menu import Desk, conversation
from appliance.panel.session import Session
from appliance.panel.terminal import WIDTH

OK = Result(0)
Answer = Callable[[Run], Result]
PASSWORD = "correct horse"


class Office:
    """Stands in for the commands: remembers what was run, and is set up once `init` was."""

    def __init__(self) -> None:
        self.set_up = False
        self.password = ""
        self.ran: list[Run] = []
        self.answers: dict[str, Result] = {}

    def __call__(self, wanted: Run) -> Result:
        self.ran.append(wanted)
        words = " ".join(wanted.arguments)
        for begin, result in self.answers.items():
            if words.startswith(begin):
                return result
        if words.startswith(("init", "restore")):
            self.set_up = True
        elif words.startswith("admin passwd"):
            self.password = wanted.stdin
        elif words.startswith("admin show"):
            return OK if self.password else Result(1, "", NO_PASSWORD)
        elif words.startswith("admin verify"):
            return OK if wanted.stdin == self.password else Result(1, "", WRONG_PASSWORD)
        return OK

    def lines(self) -> list[str]:
        """The commands that were run."""
        return [" ".join(wanted.arguments) for wanted in self.ran]


class Person:
    """Somebody at one line of a desk. Every byte on the screen is checked for what a poor terminal knows."""

    def __init__(
        self, office: Office, desk: Desk | None = None, idle: float = 600, leaves: bool = False
    ) -> None:
        self.office = office
        self.desk = desk or Desk(lambda: office.set_up, lambda: ["192.0.2.7"], leaves=leaves)
        self.session = Session(lambda: conversation(self.desk), idle=idle, name="test")
        self.now = 0.0
        self.screen = ""
        self.session.start(self.now)
        self._settle()

    def _settle(self) -> None:
        """Run what is wanted, and read the screen."""
        while self.session.wanted is not None:
            self.session.finished(self.session.number, self.office(self.session.wanted))
        data = self.session.terminal.take()
        assert all(byte in b"\r\n\b\a" or byte >= 0x20 for byte in data), data
        self.screen += data.decode()

    def send(self, data: bytes) -> str:
        """Send bytes as they are; what the screen says to them."""
        before = len(self.screen)
        self.session.feed(data, self.now)
        self._settle()
        return self.screen[before:]

    def type(self, *lines: str) -> str:
        """Type lines, one key at a time; what the screen says to the last."""
        said = ""
        for line in lines:
            said = "".join(self.send(bytes([byte])) for byte in (line + "\r").encode())
        return said

    def wait(self, seconds: float) -> str:
        """Let time pass."""
        before = len(self.screen)
        self.now += seconds
        self.session.tick(self.now)
        self._settle()
        return self.screen[before:]

    def asked(self) -> str:
        """The prompt that stands at the end of the screen."""
        return self.screen.rpartition("\n")[2]

    def fits(self) -> bool:
        """Whether no line is wider than the terminal."""
        shown = re.sub(".\b \b", "", self.screen.replace("\a", ""))
        return all(len(line) < WIDTH for line in shown.replace("\r", "").split("\n"))


SETUP = ("", "1", "example.test", "", "Example Ltd", PASSWORD, PASSWORD, "1", "Europe/Berlin")
"""The wizard up to the people."""

REST = ("1", "1", "1", "yes")
"""The wizard after them: MX, directly, certificate made here, right."""


def set_up(office: Office, *people: str) -> Person:
    """Somebody who has set the machine up and is asked for the password."""
    person = Person(office)
    person.type(*SETUP, *people, *(() if people else ("", "yes")), *REST, "", "")
    return person


def logged_in() -> tuple[Person, Office]:
    """Somebody at the main menu."""
    office = Office()
    office.set_up, office.password = True, PASSWORD
    person = Person(office)
    person.type(PASSWORD)
    office.ran.clear()
    return person, office
