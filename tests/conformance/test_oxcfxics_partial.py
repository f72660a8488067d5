"""MS-OXCFXICS: partial items, messages of which a download sends the groups of properties that changed.

A client is kept here that does with them what 2.2.4.3.15 asks of clients; in the end its copy must be the
message that a client without partial items is sent.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.conformance import fxdesk, fxgrammar, fxrops
from tests.conformance.fxdesk import BODY, CLASS, SUBJECT, Desk
from tests.conformance.fxgrammar import MODIFIED, PropList
from tests.conformance.fxrops import IDSET_GIVEN, PARTIAL, UNICODE
from tests.conformance.fxstream import Name, Prop
from tests.conformance.office import Person
from tests.conformance.wire import Reader, Value

RECIPIENTS, ATTACHMENTS = 0x0E12000D, 0x0E13000D
OTHERS = (0xFFFFFFFF, -1)
EMPTY = 0x00000003
FLAG_STATUS, COMPANY = 0x10900003, 0x3A16001F
FLAG_REQUEST = (bytes.fromhex("0820060000000000c000000000000046"), 0x8530)
WISHES = UNICODE | PARTIAL

Key = int | Name


@dataclass
class Mapping:
    """A PropertyGroupInfo. MS-OXCFXICS 2.2.2.8."""

    group_id: int
    groups: list[set[Key]] = field(default_factory=list)


def mapping(data: bytes) -> Mapping:
    """Read strictly."""
    reader = Reader(data)
    made = Mapping(reader.u32())
    assert reader.u32() == 0, "R242"
    count = reader.u32()
    assert count, "R245"
    for _ in range(count):
        made.groups.append(_group(reader))
    assert not reader.left, "R247"
    every = [each for group in made.groups for each in group]
    assert len(every) == len(set(every)), "a property is in one group"
    return made


def _group(reader: Reader) -> set[Key]:
    """A PropertyGroup. MS-OXCFXICS 2.2.2.8.1."""
    count = reader.u32()
    assert count, "R250"
    found: set[Key] = set()
    for _ in range(count):
        tag = reader.u32()
        assert tag & 0xFFFF, "a tag has a type"
        found.add(tag >> 16 if tag < 0x80000000 else _name(reader))
    return found


def _name(reader: Reader) -> Name:
    """A GroupPropertyName. MS-OXCFXICS 2.2.2.8.1.1."""
    guid, kind = reader.take(16), reader.u32()
    assert kind in (0, 1)
    return (guid, reader.u32() if kind == 0 else reader.take(reader.u32()).decode("utf-16-le"))


def key(prop: Prop) -> Key:
    """What a mapping knows a property by."""
    return prop.name if prop.name is not None else prop.tag >> 16


@dataclass
class Copy:
    """A client's copy of a message."""

    props: dict[Key, Value] = field(default_factory=dict)
    recipients: list[list[Prop]] = field(default_factory=list)
    attachments: list[list[Prop]] = field(default_factory=list)

    def take(self, change: fxgrammar.Change, known: dict[int, Mapping]) -> None:
        """Follow a messageChange."""
        if change.group_id is None:
            self.props = {key(each): each.value for each in change.content.props.props}
        else:
            for index, listed in change.groups:
                self._group(known[change.group_id], index, listed)
        content = change.content
        if RECIPIENTS in content.deletes:
            self.recipients = [each.props for each in content.recipients]
        if ATTACHMENTS in content.deletes:
            self.attachments = [each.props.props for each in content.attachments]

    def _group(self, used: Mapping, index: int, listed: PropList) -> None:
        brought = {key(each): each.value for each in listed.props}
        if listed.tags == [EMPTY]:
            assert listed.get(EMPTY) == 0, "R1371"
            brought = {}
        assert EMPTY >> 16 not in brought, "R1370"
        if index in OTHERS:
            mapped = {each for group in used.groups for each in group}
            assert brought, "R3310"
            assert not brought.keys() & mapped, "R3310: what is in no group"
        else:
            assert brought.keys() <= used.groups[index], "R1154"
            for each in used.groups[index]:
                self.props.pop(each, None)
        self.props |= brought


class Client:
    """A client with partial items and one without, who both follow one folder."""

    def __init__(self, desk: Desk, folder: int) -> None:
        self.desk, self.folder = desk, folder
        self.states = [fxrops.State(), fxrops.State()]
        self.copies: dict[bytes, Copy] = {}
        self.whole: dict[bytes, Copy] = {}

    def sync(self) -> list[fxgrammar.Change]:
        """The changes as the client with partial items gets them; both copies must agree after it."""
        given = self.states[0].props.get(IDSET_GIVEN, b"")
        sync, self.states[0] = fxrops.sync(self.desk, self.folder, self.states[0], options=WISHES)
        full, self.states[1] = fxrops.sync(self.desk, self.folder, self.states[1])
        known = {each.group_id: each for each in map(mapping, sync.mappings)}
        assert len(known) <= 1, "R1924: as few mappings as can be"
        for change in sync.changes:
            source = change.header.binary(fxgrammar.SOURCE_KEY)
            assert not change.partial or (given and source in self.copies), "R1136"
            assert not change.partial or change.header.get(fxgrammar.ASSOCIATED) is False, "R1137"
            self.copies.setdefault(source, Copy()).take(change, known)
        for change in full.changes:
            assert not change.partial, "R1135"
            self.whole.setdefault(change.header.binary(fxgrammar.SOURCE_KEY), Copy()).take(change, {})
        assert [each.header.props for each in sync.changes] == [each.header.props for each in full.changes]
        assert self.copies == self.whole
        assert self.states[0] == self.states[1]
        return sync.changes


@pytest.fixture
def desk(anna: Person) -> Iterator[Desk]:
    """Anna at her desk."""
    made = fxdesk.desk(anna)
    yield made
    made.mapi.close()


@pytest.fixture
def place(desk: Desk) -> tuple[bytes, int]:
    """A folder of hers: its id and handle."""
    return desk.create_folder(desk.open_folder(desk.folders["ipm"]), "Place")


@pytest.fixture
def client(desk: Desk, place: tuple[bytes, int]) -> Client:
    """Two clients of that folder."""
    return Client(desk, place[1])


def letter(desk: Desk, fid: bytes) -> bytes:
    """A message with a bit of everything."""
    message = desk.create_message(fid)
    desk.set(message, {CLASS: "IPM.Note", SUBJECT: "subject", BODY: "body", COMPANY: "company"})
    desk.recipients(message, [("One", "one@far.test"), ("Two", "two@far.test")])
    attachment = desk.create_attachment(message)
    desk.set(attachment, {0x37050003: 1, 0x3707001F: "file.bin", 0x37010102: b"bytes"})
    desk.save_attachment(message, attachment)
    mid = desk.save(message)
    desk.release(attachment)
    desk.release(message)
    return mid


def tags_sent(change: fxgrammar.Change) -> set[int]:
    """The tags in the groups of a partial change."""
    assert change.partial
    return {tag for _, listed in change.groups for tag in listed.tags}


@pytest.mark.covers("MS-OXCFXICS_R240", "MS-OXCFXICS_R241", "MS-OXCFXICS_R242", "MS-OXCFXICS_R243")
@pytest.mark.covers("MS-OXCFXICS_R244", "MS-OXCFXICS_R245", "MS-OXCFXICS_R246", "MS-OXCFXICS_R247")
@pytest.mark.covers("MS-OXCFXICS_R238", "MS-OXCFXICS_R248", "MS-OXCFXICS_R249", "MS-OXCFXICS_R250")
@pytest.mark.covers("MS-OXCFXICS_R251", "MS-OXCFXICS_R254", "MS-OXCFXICS_R3079", "MS-OXCFXICS_R3305")
@pytest.mark.covers("MS-OXCFXICS_R1116", "MS-OXCFXICS_R1120", "MS-OXCFXICS_R1121", "MS-OXCFXICS_R1122")
@pytest.mark.covers("MS-OXCFXICS_R1123", "MS-OXCFXICS_R1153", "MS-OXCFXICS_R1154", "MS-OXCFXICS_R3305001")
@pytest.mark.covers("MS-OXCFXICS_R1919", "MS-OXCFXICS_R1920", "MS-OXCFXICS_R1921", "MS-OXCFXICS_R1922")
@pytest.mark.covers("MS-OXCFXICS_R1039", "MS-OXCFXICS_R1042", "MS-OXCFXICS_R3289", "MS-OXCFXICS_R3290")
@pytest.mark.parametrize(
    ("tag", "value", "sent"),
    [
        (SUBJECT, "another", SUBJECT),
        (BODY, "another body", BODY),
        (FLAG_STATUS, 2, FLAG_STATUS),
        (COMPANY, "another company", COMPANY),
    ],
)
def test_one_property_of_a_message(
    desk: Desk, place: tuple[bytes, int], client: Client, tag: int, value: Value, sent: int
) -> None:
    fid, _ = place
    mid = letter(desk, fid)
    assert [each.partial for each in client.sync()] == [False]
    desk.touch(fid, mid, {tag: value})
    (change,) = client.sync()
    assert change.partial
    assert sent in tags_sent(change)
    assert not {SUBJECT, BODY, COMPANY} - {sent} & tags_sent(change), "what did not change is not sent"
    assert change.content.deletes == [], "nor recipients and attachments"
    assert client.sync() == []


@pytest.mark.covers("MS-OXCFXICS_R1135", "MS-OXCFXICS_R1134")
def test_whole_messages_where_partial_items_are_not_asked_for(
    desk: Desk, place: tuple[bytes, int], client: Client
) -> None:
    mid = letter(desk, place[0])
    client.sync()
    desk.touch(place[0], mid, {SUBJECT: "another"})
    sync, _ = fxrops.sync(desk, place[1], client.states[0])
    assert [each.partial for each in sync.changes] == [False]
    assert sync.mappings == []


@pytest.mark.covers("MS-OXCFXICS_R1136", "MS-OXCFXICS_R2062", "MS-OXCFXICS_R2070")
def test_messages_that_the_client_has_not_are_whole(
    desk: Desk, place: tuple[bytes, int], client: Client
) -> None:
    mid = letter(desk, place[0])
    client.sync()
    new = letter(desk, place[0])
    desk.touch(place[0], new, {SUBJECT: "new"})
    desk.touch(place[0], mid, {SUBJECT: "old"})
    found = {each.header.binary(fxgrammar.SOURCE_KEY): each.partial for each in client.sync()}
    assert found == {desk.gid(mid): True, desk.gid(new): False}


@pytest.mark.covers("MS-OXCFXICS_R1137")
def test_associated_messages_are_whole(desk: Desk, place: tuple[bytes, int], client: Client) -> None:
    mid = desk.message(place[0], {CLASS: "IPM.Settings", SUBJECT: "settings"}, True)
    client.sync()
    desk.touch(place[0], mid, {SUBJECT: "others"})
    assert [each.partial for each in client.sync()] == [False]


@pytest.mark.covers("MS-OXCFXICS_R3310")
def test_what_is_in_no_group(desk: Desk, place: tuple[bytes, int], client: Client) -> None:
    mid = letter(desk, place[0])
    client.sync()
    desk.touch(place[0], mid, {COMPANY: "another", 0x3A17001F: "a title"})
    (change,) = client.sync()
    assert any(index in OTHERS for index, _ in change.groups)
    assert {COMPANY, 0x3A17001F} <= tags_sent(change)


def test_what_is_in_no_group_and_goes_makes_the_message_whole(
    desk: Desk, place: tuple[bytes, int], client: Client
) -> None:
    mid = letter(desk, place[0])
    client.sync()
    message = desk.open_message(place[0], mid)
    desk.delete(message, [COMPANY])
    desk.save(message)
    (change,) = client.sync()
    assert not change.partial
    assert COMPANY not in change.content.props


def test_a_group_that_became_empty(desk: Desk, place: tuple[bytes, int], client: Client) -> None:
    mid = letter(desk, place[0])
    client.sync()
    message = desk.open_message(place[0], mid)
    rop = struct.pack("<BBBI", 0x0D, 0, 0, 0)
    desk.must(rop, [message])  # RopRemoveAllRecipients
    desk.save(message)
    (change,) = client.sync()
    assert change.partial
    assert change.content.deletes == [RECIPIENTS]
    assert change.content.recipients == []
    assert client.copies[desk.gid(mid)].recipients == []


@pytest.mark.covers("MS-OXCFXICS_R1370", "MS-OXCFXICS_R1371")
def test_recipients_and_attachments(desk: Desk, place: tuple[bytes, int], client: Client) -> None:
    mid = letter(desk, place[0])
    client.sync()
    message = desk.open_message(place[0], mid)
    desk.recipients(message, [("Three", "three@far.test")])
    desk.save(message)
    (change,) = client.sync()
    assert change.partial
    assert RECIPIENTS in change.content.deletes
    assert not {BODY, COMPANY, SUBJECT} & tags_sent(change)
    attachment = desk.create_attachment(message)
    desk.set(attachment, {0x37050003: 1, 0x3707001F: "second.bin", 0x37010102: b"more"})
    desk.save_attachment(message, attachment)
    desk.save(message)
    (change,) = client.sync()
    assert change.partial
    assert change.content.deletes == [ATTACHMENTS]
    assert [EMPTY] in [listed.tags for _, listed in change.groups], "attachments are no properties"
    assert [each.props.get(0x3707001F) for each in change.content.attachments] == ["file.bin", "second.bin"]
    assert not {BODY, COMPANY, SUBJECT} & tags_sent(change)


@pytest.mark.covers("MS-OXCFXICS_R252", "MS-OXCFXICS_R253", "MS-OXCFXICS_R255", "MS-OXCFXICS_R256")
@pytest.mark.covers("MS-OXCFXICS_R257", "MS-OXCFXICS_R259", "MS-OXCFXICS_R1294", "MS-OXCFXICS_R3080")
@pytest.mark.covers("MS-OXCFXICS_R258", "MS-OXCFXICS_R262", "MS-OXCFXICS_R263", "MS-OXCFXICS_R264")
@pytest.mark.covers("MS-OXCFXICS_R266", "MS-OXCFXICS_R26201", "MS-OXCFXICS_R3669", "MS-OXCFXICS_R3670")
def test_named_properties_of_a_group(desk: Desk, place: tuple[bytes, int], client: Client) -> None:
    keywords = (bytes.fromhex("2903020000000000c000000000000046"), "Keywords")
    ids = desk.named_ids([FLAG_REQUEST, keywords])
    request, words = ids[0] << 16 | 0x001F, ids[1] << 16 | 0x101F
    mid = letter(desk, place[0])
    client.sync()
    desk.touch(place[0], mid, {request: "Follow up", words: ["Red", "Blue"], FLAG_STATUS: 2})
    sync, _ = fxrops.sync(desk, place[1], client.states[0], options=WISHES)
    (used,) = [mapping(each) for each in sync.mappings]
    (group,) = [each for each in used.groups if FLAG_REQUEST in each]
    assert {keywords, FLAG_STATUS >> 16} <= group
    (change,) = sync.changes
    ((index, listed),) = change.groups
    assert used.groups[index] == group
    assert listed.named(FLAG_REQUEST) == "Follow up"
    assert listed.named(keywords) == ["Red", "Blue"]
    client.sync()


@pytest.mark.covers("MS-OXCFXICS_R1923", "MS-OXCFXICS_R1155", "MS-OXCFXICS_R3306")
@pytest.mark.covers("MS-OXCFXICS_R1117", "MS-OXCFXICS_R3307", "MS-OXCFXICS_R3434", "MS-OXCFXICS_R1915")
@pytest.mark.covers("MS-OXCFXICS_R1916", "MS-OXCFXICS_R1924")
def test_many_changes_between_two_downloads(desk: Desk, place: tuple[bytes, int], client: Client) -> None:
    fid, folder = place
    mids = [letter(desk, fid) for _ in range(4)]
    client.sync()
    desk.touch(fid, mids[0], {SUBJECT: "one", FLAG_STATUS: 1})
    desk.touch(fid, mids[1], {SUBJECT: "two"})
    desk.touch(fid, mids[1], {BODY: "two as well"})
    desk.read_flags(folder, [mids[2]], 0x00)
    desk.touch(fid, mids[3], {COMPANY: "four"})
    desk.touch(fid, mids[0], {FLAG_STATUS: 2})
    found = {each.header.binary(fxgrammar.SOURCE_KEY): each for each in client.sync()}
    assert found.keys() == {desk.gid(mids[0]), desk.gid(mids[1]), desk.gid(mids[3])}
    assert all(each.partial for each in found.values())
    assert {SUBJECT, BODY} <= tags_sent(found[desk.gid(mids[1])])
    assert BODY not in tags_sent(found[desk.gid(mids[0])])
    assert found[desk.gid(mids[0])].header.get(MODIFIED)
    assert client.sync() == []


def test_a_message_that_was_made_anew_elsewhere(desk: Desk, place: tuple[bytes, int], client: Client) -> None:
    """Soft deletion and its undoing by a copy, a client of an older state, and properties left out."""
    fid, folder = place
    mid = letter(desk, fid)
    client.sync()
    old = client.states[0]
    for subject in ("one", "two", "three"):
        desk.touch(fid, mid, {SUBJECT: subject})
        client.sync()
    sync, _ = fxrops.sync(desk, folder, old, options=WISHES, tags=[SUBJECT])
    (change,) = sync.changes
    assert change.partial
    assert SUBJECT not in tags_sent(change), "the client does not want it"
    assert [each for each in fxrops.sync(desk, folder, None, options=WISHES)[0].changes if each.partial] == []
