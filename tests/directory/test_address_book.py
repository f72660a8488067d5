"""Address lists, properties, ambiguous names, collation."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.directory import anr, domains, entries, links, lists, model, properties, resolve
from appliance.directory.anr import Outcome
from appliance.directory.links import Link
from appliance.directory.model import Entry, Kind, Person
from appliance.directory.sort import fold, sort_key, words
from appliance.mapi import entryids, tags, types
from tests.directory.conftest import Directory


class Office:
    """A few of each kind."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        add = directory.add
        self.alice = add(
            "alice@example.test",
            name="Alice Ångström",
            aliases=("aa@example.test",),
            person=Person(given_name="Alice", surname="Ångström", title="Chief", office="Room 5"),
        )
        self.albert = add("albert@example.test", name="Albert Angler")
        self.al = add("al@example.test", name="Al")
        self.ghost = add("ghost@example.test", name="Albrecht Ghost", hidden=True)
        self.den = add("den@example.test", Kind.ROOM, "The Den", capacity=8)
        self.beamer = add("beamer@example.test", Kind.EQUIPMENT, "Beamer")
        self.carol = add("carol@elsewhere.test", Kind.CONTACT, "Carol")
        self.staff = add("staff@example.test", Kind.GROUP, "Staff")
        self.all = add("all@example.test", Kind.DYNAMIC_GROUP, "Everybody", filter="kind=user")
        self.news = add("news@example.test", Kind.PUBLIC_FOLDER, "News", mailbox=0, folder=77)
        for member in (self.alice, self.carol):
            directory.write(lambda txn, m=member: resolve.add_member(txn, self.staff, m))  # type: ignore[misc]
        directory.write(lambda txn: links.add(txn, Link.MANAGER, self.albert.id, self.alice.id))
        directory.write(lambda txn: links.add(txn, Link.ASSISTANT, self.alice.id, self.albert.id))

    def find(self, text: str) -> tuple[Outcome, list[str]]:
        with self.directory.store.read() as txn:
            outcome, found = anr.resolve(txn, text)
        return outcome, [entry.display_name for entry in found]

    def bag(self, entry: Entry) -> dict[int, properties.Value]:
        with self.directory.store.read() as txn:
            return properties.bag(txn, entries.get(txn, entry.id))


@pytest.fixture
def office(directory: Directory) -> Office:
    return Office(directory)


@pytest.mark.parametrize(
    ("text", "outcome", "names"),
    [
        ("alice@EXAMPLE.test", Outcome.RESOLVED, ["Alice Ångström"]),
        ("SMTP:aa@example.test", Outcome.RESOLVED, ["Alice Ångström"]),
        ("nobody@example.test", Outcome.UNRESOLVED, []),
        ("ali", Outcome.RESOLVED, ["Alice Ångström"]),
        ("alb", Outcome.RESOLVED, ["Albert Angler"]),
        ("AN", Outcome.AMBIGUOUS, ["Albert Angler", "Alice Ångström"]),
        ("ang al", Outcome.AMBIGUOUS, ["Albert Angler", "Alice Ångström"]),
        ("angstrom, alice", Outcome.RESOLVED, ["Alice Ångström"]),
        ("al", Outcome.RESOLVED, ["Al"]),
        ("=al", Outcome.RESOLVED, ["Al"]),
        ("=ali", Outcome.UNRESOLVED, []),
        ("=ALICE ÅNGSTRÖM", Outcome.RESOLVED, ["Alice Ångström"]),
        ("room 5", Outcome.RESOLVED, ["Alice Ångström"]),
        ("ghost", Outcome.UNRESOLVED, []),
        ("ghost@example.test", Outcome.RESOLVED, ["Albrecht Ghost"]),
        ("den", Outcome.RESOLVED, ["The Den"]),
        ("", Outcome.UNRESOLVED, []),
        ("...", Outcome.UNRESOLVED, []),
        ("zoe", Outcome.UNRESOLVED, []),
    ],
)
def test_names(office: Office, text: str, outcome: Outcome, names: list[str]) -> None:
    assert office.find(text) == (outcome, names)


def test_distinguished_names(office: Office) -> None:
    for text in (office.alice.legacy_dn, f"EX:{office.alice.legacy_dn.upper()}"):
        assert office.find(text) == (Outcome.RESOLVED, ["Alice Ångström"])


def test_lists(office: Office) -> None:
    with office.directory.store.read() as txn:
        named = {
            item.name: [entry.display_name for entry in lists.members(txn, item)] for item in lists.LISTS
        }
    assert named == {
        "Global Address List": [
            "Al",
            "Albert Angler",
            "Alice Ångström",
            "Beamer",
            "Carol",
            "Everybody",
            "News",
            "Staff",
            "The Den",
        ],
        "All Users": ["Al", "Albert Angler", "Alice Ångström"],
        "All Rooms": ["Beamer", "The Den"],
        "All Contacts": ["Carol"],
        "All Groups": ["Everybody", "Staff"],
        "Public Folders": ["News"],
    }
    for item in lists.LISTS:
        assert lists.by_container(item.container_id) is lists.by_dn(item.dn.lower()) is item
    assert lists.by_container(17) is lists.by_dn("/guid=00") is None


def test_properties_of_a_user(office: Office) -> None:
    values = office.bag(office.alice)
    dn = office.alice.legacy_dn
    assert values[tags.PidTagDisplayName] == "Alice Ångström"
    assert values[tags.PidTag7BitDisplayName] == "Alice ?ngstr?m"
    assert (values[tags.PidTagAddressType], values[tags.PidTagEmailAddress]) == ("EX", dn)
    assert values[tags.PidTagSmtpAddress] == "alice@example.test"
    assert values[tags.PidTagEmsAbProxyAddresses] == ("SMTP:alice@example.test", "smtp:aa@example.test")
    assert values[tags.PidTagAccount] == "alice"
    assert (values[tags.PidTagTitle], values[tags.PidTagSurname]) == ("Chief", "Ångström")
    assert values[tags.PidTagAssistant] == "Albert Angler"
    assert values[tags.PidTagSearchKey] == b"EX:" + dn.upper().encode() + b"\0"
    home = values[tags.PidTagAddressBookHomeMessageDatabase]
    assert home == (
        "/o=Example Ltd/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
        "/cn=Configuration/cn=Servers/cn=MAIL/cn=Microsoft Private MDB"
    )
    key = values[tags.PidTagEntryId]
    assert isinstance(key, bytes)
    parsed = entryids.parse(key)
    assert isinstance(parsed, entryids.PermanentEntryId)
    assert (parsed.dn, parsed.type) == (dn, 0)
    assert office.bag(office.albert)[tags.PidTagAddressBookManagerDistinguishedName] == dn


def test_every_property_has_the_type_of_its_tag(office: Office) -> None:
    def write_blobs() -> None:
        for part in (entries.Part.PHOTO, entries.Part.CERTIFICATE):
            office.directory.write(lambda txn, p=part: entries.set_blob(txn, office.alice.id, p, b"blob"))  # type: ignore[misc]

    write_blobs()
    kinds: dict[int, type] = {
        types.PtypString: str,
        types.PtypBinary: bytes,
        types.PtypInteger32: int,
        types.PtypTime: int,
        types.PtypBoolean: bool,
        types.PtypMultipleString: tuple,
        types.PtypMultipleBinary: tuple,
    }
    with office.directory.store.read() as txn:
        everybody = list(entries.list_entries(txn))
    for entry in everybody:
        values = office.bag(entry)
        for tag, value in values.items():
            assert type(value) is kinds[types.type_of(tag)], tags.name_of(tag)
        for required in (
            tags.PidTagEntryId,
            tags.PidTagObjectType,
            tags.PidTagDisplayType,
            tags.PidTagTemplateid,
        ):
            assert required in values


def test_kinds_look_as_they_should(office: Office) -> None:
    def shape(entry: Entry) -> tuple[object, ...]:
        values = office.bag(entry)
        wanted = (tags.PidTagObjectType, tags.PidTagDisplayType, tags.PidTagDisplayTypeEx)
        return tuple(values[tag] for tag in wanted)

    assert shape(office.alice) == (6, 0, 0x40000000)
    assert shape(office.den) == (6, 0, 7)
    assert shape(office.beamer) == (6, 0, 8)
    assert shape(office.carol) == (6, 6, 6)
    assert shape(office.staff) == (8, 1, 0x40000009)
    assert shape(office.all) == (8, 3, 3)
    assert shape(office.news) == (3, 2, 2)
    assert office.bag(office.den)[tags.PidTagAddressBookRoomCapacity] == 8
    assert office.bag(office.carol)[tags.PidTagAddressBookTargetAddress] == "SMTP:carol@elsewhere.test"
    staff = office.bag(office.staff)
    assert staff[tags.PidTagAddressBookDistributionListMemberCount] == 2
    assert staff[tags.PidTagAddressBookDistributionListExternalMemberCount] == 1


def test_related(office: Office) -> None:
    def names(entry: Entry, tag: int) -> list[str]:
        with office.directory.store.read() as txn:
            return [other.display_name for other in properties.related(txn, entry, tag)]

    assert names(office.staff, tags.PidTagAddressBookMember) == ["Alice Ångström", "Carol"]
    assert names(office.alice, 0x8008000D) == ["Staff", "Everybody"]
    assert names(office.alice, tags.PidTagAddressBookReports) == ["Albert Angler"]
    assert names(office.albert, tags.PidTagAddressBookManager) == ["Alice Ångström"]
    assert names(office.all, tags.PidTagAddressBookMember) == ["Al", "Albert Angler", "Alice Ångström"]
    assert names(office.alice, tags.PidTagAddressBookMember) == []


def test_groups_for_folder_rights(office: Office) -> None:
    outer = office.directory.add("outer@example.test", Kind.GROUP)
    office.directory.write(lambda txn: resolve.add_member(txn, outer, office.staff))
    with office.directory.store.read() as txn:
        assert resolve.group_ids(txn, office.alice.id) == {office.staff.id, outer.id, office.all.id}
        assert resolve.group_ids(txn, 99999) == set()


def test_distinguished_names_are_ascii(directory: Directory) -> None:
    directory.write(lambda txn: domains.put(txn, replace(domains.get(txn), name="Büro 東京 & Söhne")))
    entry = directory.add("jürgen@example.test", name="Jürgen")
    assert entry.legacy_dn.startswith("/o=Buro -- & Sohne/ou=")
    assert entry.legacy_dn.endswith("-jurgen")
    with directory.store.read() as txn:
        assert entryids.parse(properties.entry_id(entry)) == entryids.PermanentEntryId(entry.legacy_dn, 0)
        assert properties.bag(txn, entry)[tags.PidTagDisplayName] == "Jürgen"


def test_folding() -> None:
    assert fold("  Ærøskøbing\tSTRASSE ß ") == "aeroskobing strasse ss"
    assert words("O'Neil-Smith, J. R.") == ["o", "neil", "smith", "j", "r"]


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20), max_size=6))
def test_the_sort_key_is_a_total_order_that_ignores_case_first(names: list[str]) -> None:
    ordered = sorted(names, key=sort_key)
    assert [fold(name) for name in ordered] == sorted(fold(name) for name in names)


def test_many_matches(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among more than can be looked at, who is named exactly is found all the same."""
    monkeypatch.setattr(anr, "MAX_FOUND", 1)
    assert office.find("al") == (Outcome.RESOLVED, ["Al"])
    assert office.find("an")[0] is Outcome.AMBIGUOUS or len(office.find("an")[1]) == 1
    for name in ("AL", "albert  angler", "albert"):
        with office.directory.store.read() as txn:
            (found,) = set(entries.ids_of_name(txn, name))
            assert fold(name) in (
                fold(entries.get(txn, found).display_name),
                fold(entries.get(txn, found).account),
            )


def test_glance(office: Office) -> None:
    """What tables read of a row is what the entry says."""
    with office.directory.store.read() as txn:
        for id, raw in entries.raw_rows(txn):
            entry, seen = model.unpack(id, raw), model.glance(raw)
            assert (seen.kind, seen.hidden, seen.name) == (entry.kind, entry.hidden, entry.display_name)
            assert seen.phonetic == entry.person.phonetic_name
