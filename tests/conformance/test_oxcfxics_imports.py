"""MS-OXCFXICS: uploads of messages, and conflicts."""

import struct
from collections.abc import Iterator

import pytest

from tests.conformance import fxdesk, fxrops, idsets
from tests.conformance.fxdesk import (
    BODY,
    CLASS,
    FLAGS,
    IGNORE_FAILURE,
    INVALID_PARAMETER,
    NONE,
    NOT_FOUND,
    OBJECT_DELETED,
    SUBJECT,
    SYNC_CONFLICT,
    Desk,
    read_change_list,
    xid,
)
from tests.conformance.fxgrammar import (
    ASSOCIATED,
    CHANGE_KEY,
    CHANGE_NUMBER,
    MID,
    MODIFIED,
    PCL,
    SOURCE_KEY,
)
from tests.conformance.fxrops import CNSET_SEEN, CNSET_SEEN_FAI, IDSET_GIVEN, State
from tests.conformance.office import Person
from tests.conformance.replica import MINE, THEN, Client, binary, number
from tests.conformance.wire import counter

STATUS, MESSAGE_STATUS_IN_CONFLICT, IN_CONFLICT = 0x0E170003, 0x0800, 0x666C000B


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


@pytest.mark.covers(
    "MS-OXCFXICS_R61",
    "MS-OXCFXICS_R782",
    "MS-OXCFXICS_R805",
    "MS-OXCFXICS_R806",
    "MS-OXCFXICS_R808",
    "MS-OXCFXICS_R809",
    "MS-OXCFXICS_R1906",
    "MS-OXCFXICS_R1907",
    "MS-OXCFXICS_R1909",
    "MS-OXCFXICS_R1910",
)
@pytest.mark.covers("MS-OXCFXICS_R1911", "MS-OXCFXICS_R2220", "MS-OXCFXICS_R2449", "MS-OXCFXICS_R814")
def test_a_new_message_is_imported(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    client = Client(desk, folder)
    key = client.key()
    head = client.head(key)
    mid = client.bring(head, {SUBJECT: "imported", BODY: "text"})
    assert mid == desk.fid(key), "R1910: its id is the client's"
    found = desk.look(fid, mid, SOURCE_KEY, CHANGE_KEY, PCL, MODIFIED, CHANGE_NUMBER, SUBJECT)
    assert (found[SOURCE_KEY], found[CHANGE_KEY], found[PCL]) == (key, head[CHANGE_KEY], head[PCL])
    assert found[MODIFIED] == head[MODIFIED]
    assert found[SUBJECT] == "imported"
    state = fxrops.transfer_state(desk, client.upload)
    cn = counter(struct.pack("<q", number(found, CHANGE_NUMBER)))
    assert idsets.holds(state.ranges(CNSET_SEEN, desk.replguid), cn), "R1907"
    seen = State({tag: state.props[tag] for tag in state.props if tag != IDSET_GIVEN})
    sync, _ = fxrops.sync(desk, folder, seen)
    assert sync.changes == [], "what was uploaded does not come down"
    whole, _ = fxrops.sync(desk, folder)
    assert whole.changes[0].header.get(CHANGE_KEY) == head[CHANGE_KEY]


@pytest.mark.covers("MS-OXCFXICS_R813", "MS-OXCFXICS_R190701")
def test_an_associated_message_is_imported(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    client = Client(desk, folder)
    key = client.key()
    client.bring(client.head(key), {SUBJECT: "hidden"}, 0x10)
    found = desk.look(fid, desk.fid(key), CHANGE_NUMBER, ASSOCIATED, FLAGS)
    assert number(found, FLAGS) & 0x40, "mfFAI"
    cn = counter(struct.pack("<q", number(found, CHANGE_NUMBER)))
    state = fxrops.transfer_state(desk, client.upload)
    assert idsets.holds(state.ranges(CNSET_SEEN_FAI, desk.replguid), cn)
    assert desk.in_folder(folder, [SUBJECT]) == []
    assert desk.in_folder(folder, [SUBJECT], 0x12) == [{SUBJECT: "hidden"}]


@pytest.mark.covers("MS-OXCFXICS_R2229", "MS-OXCFXICS_R783", "MS-OXCFXICS_R1791")
def test_a_change_replaces_the_whole_message(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    client = Client(desk, folder)
    key = client.key()
    head = client.head(key)
    mid = client.bring(head, {SUBJECT: "first", BODY: "text", 0x00170003: 2})
    pcl = head[PCL]
    assert isinstance(pcl, bytes)
    again = client.head(key, pcl=pcl)
    assert client.bring(again, {SUBJECT: "second"}) == mid
    found = desk.look(fid, mid, SUBJECT, BODY, CHANGE_KEY)
    assert found[SUBJECT] == "second"
    assert found[CHANGE_KEY] == again[CHANGE_KEY]
    assert found[BODY] in (("error", NOT_FOUND), ""), "R2229: what the client did not set is gone"


def test_nothing_is_kept_before_it_is_saved(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    client = Client(desk, folder)
    key = client.key()
    mid = client.bring(client.head(key), {SUBJECT: "first"})
    pcl = binary(desk.look(fid, mid, PCL), PCL)
    handle = desk.must(
        fxrops.import_message(client.head(key, pcl=pcl)), [client.upload, NONE], lambda r: r.take(8)
    ).out
    desk.set(handle, {SUBJECT: "never saved"})
    desk.release(handle)
    assert desk.look(fid, mid, SUBJECT)[SUBJECT] == "first"


@pytest.mark.covers("MS-OXCFXICS_R2452", "MS-OXCFXICS_R1792")
def test_a_change_that_the_server_has_is_ignored(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk, place[1])
    head = client.head(client.key())
    client.bring(head, {SUBJECT: "once"})
    assert desk.call(fxrops.import_message(head), [client.upload, NONE]).code == IGNORE_FAILURE


@pytest.mark.covers("MS-OXCFXICS_R2451")
@pytest.mark.parametrize("hard", [False, True])
def test_a_change_of_a_deleted_message(desk: Desk, place: tuple[bytes, int], hard: bool) -> None:
    fid, folder = place
    client = Client(desk, folder)
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "gone"})
    desk.delete_messages(folder, [mid], hard)
    rop = fxrops.import_message(client.head(desk.gid(mid)))
    assert desk.call(rop, [client.upload, NONE]).code == OBJECT_DELETED


@pytest.mark.covers("MS-OXCFXICS_R2231", "MS-OXCFXICS_R815", "MS-OXCFXICS_R3220", "MS-OXCFXICS_R1836")
@pytest.mark.covers("MS-OXCFXICS_R3507", "MS-OXCFXICS_R1783", "MS-OXCFXICS_R1784", "MS-OXCFXICS_R1793")
def test_a_conflict_fails_where_it_must_not_be(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    client = Client(desk, folder)
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "server's"})
    rop = fxrops.import_message(client.head(desk.gid(mid)), 0x40)
    assert desk.call(rop, [client.upload, NONE]).code == SYNC_CONFLICT
    assert desk.look(fid, mid, SUBJECT)[SUBJECT] == "server's"


@pytest.mark.covers(
    "MS-OXCFXICS_R2232",
    "MS-OXCFXICS_R1811",
    "MS-OXCFXICS_R1812",
    "MS-OXCFXICS_R1814",
    "MS-OXCFXICS_R1815",
    "MS-OXCFXICS_R1820",
    "MS-OXCFXICS_R1821",
    "MS-OXCFXICS_R1822",
    "MS-OXCFXICS_R3400",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R1804",
    "MS-OXCFXICS_R1805",
    "MS-OXCFXICS_R1826",
    "MS-OXCFXICS_R1837",
    "MS-OXCFXICS_R1839",
    "MS-OXCFXICS_R2505",
    "MS-OXCFXICS_R1912",
    "MS-OXCFXICS_R1287",
    "MS-OXCFXICS_R3046",
)
@pytest.mark.parametrize("newer", [True, False])
def test_a_conflict_makes_a_conflict_resolve_message(
    desk: Desk, place: tuple[bytes, int], newer: bool
) -> None:
    fid, folder = place
    client = Client(desk, folder)
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "server's"})
    before = desk.look(fid, mid, CHANGE_KEY, PCL, MODIFIED)
    at = number(before, MODIFIED) + (10**9 if newer else -(10**9))
    head = client.head(desk.gid(mid), at=at)
    client.bring(head, {SUBJECT: "client's"})
    handle = desk.open_message(fid, mid)
    found = desk.get(handle, SUBJECT, STATUS, PCL, CHANGE_NUMBER)
    assert found[SUBJECT] == ("client's" if newer else "server's"), "R1826"
    assert number(found, STATUS) & MESSAGE_STATUS_IN_CONFLICT, "R1820"
    spaces = [each[:16] for each in read_change_list(binary(found, PCL))]
    assert sorted(spaces) == sorted((MINE, desk.replguid)), "R1815"
    versions = []
    for index in range(2):
        attachment = desk.open_attachment(handle, index)
        assert desk.get(attachment, IN_CONFLICT, 0x37050003) == {IN_CONFLICT: True, 0x37050003: 5}, "R1821"
        versions.append(desk.get(desk.embed(attachment, 0), SUBJECT)[SUBJECT])
    assert sorted(map(str, versions)) == ["client's", "server's"]


@pytest.mark.covers("MS-OXCFXICS_R1816", "MS-OXCFXICS_R1817")
def test_versions_in_conflict_are_synchronized_one_by_one(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    client = Client(desk, folder)
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "server's"})
    old = binary(desk.look(fid, mid, CHANGE_KEY), CHANGE_KEY)
    head = client.head(desk.gid(mid), at=THEN)
    client.bring(head, {SUBJECT: "client's"})
    sync, state = fxrops.sync(desk, folder)
    told = {str(each.content.props.get(SUBJECT)): each for each in sync.changes}
    assert sorted(told) == ["client's", "server's"]
    for change in sync.changes:
        assert change.header.binary(SOURCE_KEY) == desk.gid(mid)
        assert change.content.attachments == []
    assert told["client's"].header.binary(CHANGE_KEY) == head[CHANGE_KEY]
    assert told["server's"].header.binary(CHANGE_KEY) == old
    assert fxrops.sync(desk, folder, state)[0].changes == []


@pytest.mark.covers("MS-OXCFXICS_R1138")
def test_versions_in_conflict_are_no_partial_items(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    client = Client(desk, folder)
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "server's"})
    options = fxrops.UNICODE | fxrops.PARTIAL
    _, state = fxrops.sync(desk, folder, options=options)
    client.bring(client.head(desk.gid(mid), at=THEN), {SUBJECT: "client's"})
    sync, _ = fxrops.sync(desk, folder, state, options=options)
    assert [each.partial for each in sync.changes] == [False, False]


@pytest.mark.covers("MS-OXCFXICS_R3402", "MS-OXCFXICS_R3403")
def test_associated_messages_are_resolved_without_a_trace(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    client = Client(desk, folder)
    mid = desk.message(fid, {CLASS: "IPM.Configuration", SUBJECT: "server's"}, True)
    before = desk.look(fid, mid, MODIFIED)
    head = client.head(desk.gid(mid), at=number(before, MODIFIED) + 10**9)
    client.bring(head, {SUBJECT: "client's"}, 0x10)
    found = desk.look(fid, mid, SUBJECT, STATUS, 0x0E1B000B)
    assert found[SUBJECT] == "client's"
    assert found[0x0E1B000B] is False, "no attachments"


@pytest.mark.covers("MS-OXCFXICS_R1290", "MS-OXCFXICS_R135")
def test_a_folder_may_let_the_last_writer_win(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    desk.set(folder, {0x3FE70003: 1})
    client = Client(desk, folder)
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "server's"})
    before = desk.look(fid, mid, MODIFIED)
    client.bring(client.head(desk.gid(mid), at=number(before, MODIFIED) + 10**9), {SUBJECT: "client's"})
    found = desk.look(fid, mid, SUBJECT, 0x0E1B000B, PCL)
    assert (found[SUBJECT], found[0x0E1B000B]) == ("client's", False)
    assert len(read_change_list(binary(found, PCL))) == 2


@pytest.mark.covers("MS-OXCFXICS_R3509", "MS-OXCFXICS_R3509001")
def test_unknown_flags_of_an_import(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk, place[1])
    for flag in (0x01, 0x04, 0x80):
        rop = fxrops.import_message(client.head(client.key()), flag)
        assert desk.call(rop, [client.upload, NONE]).code == INVALID_PARAMETER, hex(flag)


@pytest.mark.parametrize("missing", [SOURCE_KEY, MODIFIED, CHANGE_KEY, PCL])
def test_every_value_of_an_import_is_needed(desk: Desk, place: tuple[bytes, int], missing: int) -> None:
    client = Client(desk, place[1])
    head = client.head(client.key())
    del head[missing]
    assert desk.call(fxrops.import_message(head), [client.upload, NONE]).code == INVALID_PARAMETER


def test_other_values_of_an_import_are_refused(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk, place[1])
    head = {**client.head(client.key()), SUBJECT: "not here"}
    assert desk.call(fxrops.import_message(head), [client.upload, NONE]).code == INVALID_PARAMETER


BAD_KEYS = {"short": b"abc", "of 22 bytes and foreign": MINE + bytes(5) + b"\x01", "empty": b""}


@pytest.mark.parametrize("name", sorted(BAD_KEYS))
def test_source_keys_that_are_no_ids_of_the_mailbox(desk: Desk, place: tuple[bytes, int], name: str) -> None:
    client = Client(desk, place[1])
    rop = fxrops.import_message(client.head(BAD_KEYS[name]))
    assert desk.call(rop, [client.upload, NONE]).code == INVALID_PARAMETER


def test_the_server_s_own_change_after_an_import(desk: Desk, place: tuple[bytes, int]) -> None:
    """The table of MS-OXCFXICS 3.1.5.3: an import, a change by ROPs, a download."""
    fid, folder = place
    client = Client(desk, folder)
    key = client.key()
    mid = client.bring(client.head(key), {SUBJECT: "first"})
    desk.touch(fid, mid, {SUBJECT: "second"})
    found = desk.look(fid, mid, CHANGE_NUMBER, CHANGE_KEY, PCL, SOURCE_KEY)
    own = desk.gid(struct.pack("<q", number(found, CHANGE_NUMBER)))
    assert binary(found, CHANGE_KEY) == own, "R62"
    assert sorted(read_change_list(binary(found, PCL))) == sorted([xid(MINE, 1), own]), "R65"
    sync, _ = fxrops.sync(desk, folder)
    header = sync.changes[0].header
    assert (header.get(SOURCE_KEY), header.get(CHANGE_KEY)) == (key, own)
    assert struct.pack("<q", header.number(MID)) == mid


def test_an_import_after_the_server_s_change_that_was_seen(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "server's"})
    pcl = binary(desk.look(fid, mid, PCL), PCL)
    client = Client(desk, folder)
    client.bring(client.head(desk.gid(mid), pcl=pcl), {SUBJECT: "client's, knowing it"})
    found = desk.look(fid, mid, SUBJECT, STATUS)
    assert found[SUBJECT] == "client's, knowing it"
    assert number(found, STATUS) & MESSAGE_STATUS_IN_CONFLICT == 0
