"""The office whose address book the NSPI tests read: few people, all known, nobody else while they run."""

from dataclasses import dataclass

from tests.conformance.client import NSPI, Mapi
from tests.conformance.nspi import Stat, bind, bind_answer, call, dn_to_id, ids_answer
from tests.conformance.office import Office, Person

PEOPLE = (
    ("anna", "Anna Berger", "--given-name", "Anna", "--surname", "Berger", "--title", "Director",
     "--department", "Sales", "--office", "12 North", "--phone", "+43 1 2345", "--company", "Example Ltd"),
    ("ben", "Ben Adler", "--given-name", "Ben", "--surname", "Adler", "--department", "Sales"),
    ("bernd", "Bernd Adler", "--given-name", "Bernd", "--surname", "Adler", "--department", "Support"),
    ("clara", "clara zimmer", "--given-name", "Clara", "--surname", "Zimmer"),
    ("oe", "Örn Ægisson", "--given-name", "Örn", "--surname", "Ægisson"),
)  # fmt: skip
TEAM = "team@example.test"
ROOM = "hall@example.test"
OUTSIDE = "partner@elsewhere.test"


@dataclass(frozen=True, slots=True)
class Book:
    """An office with a known address book. `me` is somebody whose own entry tests may change."""

    office: Office
    me: Person

    def client(self) -> Mapi:
        """A client that has not bound yet."""
        return self.me.session(NSPI)

    def bound(self, person: Person | None = None) -> Mapi:
        """A client with a Session Context of the address book endpoint."""
        made = (person or self.me).session(NSPI)
        error, _ = call(made, "Bind", bind(Stat()), bind_answer)
        assert error == 0
        return made


def make_book(office: Office) -> Book:
    """Write everybody into the directory."""
    for user, name, *attributes in PEOPLE:
        office.command("user", "add", f"{user}@example.test", "--name", name, "--password", "x", *attributes)
    office.command("alias", "add", "anna@example.test", "chief@example.test")
    office.command("room", "add", ROOM, "--name", "Great Hall")
    office.command("contact", "add", OUTSIDE, "--name", "Paula Partner")
    office.command("group", "add", TEAM, "--name", "Team of All", "--managed-by", "anna@example.test")
    for member in ("anna@example.test", "ben@example.test"):
        office.command("group", "member-add", TEAM, member)
    return Book(office, office.person())


def id_of(client: Mapi, dn: str) -> int:
    """The Minimal Entry ID behind a distinguished name."""
    error, ids = call(client, "DNToMId", dn_to_id([dn]), ids_answer)
    assert error == 0
    assert ids
    return ids[0]
