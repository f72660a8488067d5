"""MS-OXCFXICS: hierarchies down and up."""

import struct
from collections.abc import Iterator

import pytest

from tests.conformance import fxdesk, fxgrammar, fxrops, idsets
from tests.conformance.fxdesk import (
    ACCESS_DENIED,
    CLASS,
    DISPLAY,
    INVALID_PARAMETER,
    NO_PARENT,
    NONE,
    NOT_SUPPORTED,
    OBJECT_DELETED,
    OK,
    SUBJECT,
    Desk,
    change_list,
    xid,
)
from tests.conformance.fxgrammar import (
    CHANGE_KEY,
    CHANGE_NUMBER,
    COMMENT,
    FID,
    IDSET_DELETED,
    IDSET_OUT_OF_SCOPE,
    MODIFIED,
    PARENT_FID,
    PARENT_SOURCE_KEY,
    PCL,
    SOURCE_KEY,
)
from tests.conformance.fxrops import CNSET_SEEN, EID, HIERARCHY, IDSET_GIVEN, State
from tests.conformance.office import Person
from tests.conformance.wire import Reader, Value, counter

MINE = bytes.fromhex("0102030405060708090a0b0c0d0e0f10")
"""The REPLGUID of a client's own changes."""
THEN = 0x01DA123400000000


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


def hierarchy(
    desk: Desk, folder: int, state: State | None = None, flags: int = 1, extra: int = EID
) -> tuple[fxgrammar.Sync, State]:
    """A hierarchy synchronization."""
    return fxrops.sync(desk, folder, state, kind=HIERARCHY, flags=flags, extra=extra)


def names(sync: fxgrammar.Sync) -> list[object]:
    """The names of the folders, in order."""
    return [each.get(DISPLAY) for each in sync.folders]


@pytest.mark.covers(
    "MS-OXCFXICS_R1088",
    "MS-OXCFXICS_R1089",
    "MS-OXCFXICS_R1090",
    "MS-OXCFXICS_R1091",
    "MS-OXCFXICS_R1092",
    "MS-OXCFXICS_R1093",
    "MS-OXCFXICS_R1095",
    "MS-OXCFXICS_R1126",
)
@pytest.mark.covers("MS-OXCFXICS_R1127", "MS-OXCFXICS_R1128", "MS-OXCFXICS_R1129", "MS-OXCFXICS_R3322")
@pytest.mark.covers("MS-OXCFXICS_R1272", "MS-OXCFXICS_R2191", "MS-OXCFXICS_R109701", "MS-OXCFXICS_R10970102")
@pytest.mark.covers("MS-OXCFXICS_R2080", "MS-OXCFXICS_R2081")
def test_folders_come_with_parents_first(desk: Desk, place: tuple[bytes, int]) -> None:
    top, handle = place
    first, first_handle = desk.create_folder(handle, "first", comment="about it")
    second, _ = desk.create_folder(first_handle, "second")
    desk.set(handle, {COMMENT: "changed after its children"})
    sync, state = hierarchy(desk, handle)
    assert names(sync) == ["first", "second"], "the root itself is not in it"
    one, two = sync.folders
    assert one.binary(PARENT_SOURCE_KEY) == b"", "R1127: a child of the root"
    assert two.binary(PARENT_SOURCE_KEY) == one.binary(SOURCE_KEY) == desk.gid(first)
    assert struct.pack("<q", one.number(FID)) == first
    assert struct.pack("<q", one.number(PARENT_FID)) == top
    assert struct.pack("<q", two.number(PARENT_FID)) == first
    assert one.get(COMMENT) == "about it"
    kept = desk.get(first_handle, SOURCE_KEY, CHANGE_KEY, PCL, MODIFIED)
    for tag in (SOURCE_KEY, CHANGE_KEY, PCL, MODIFIED):
        assert one.get(tag) == kept[tag], hex(tag)
    assert idsets.members(state.ranges(IDSET_GIVEN, desk.replguid)) == sorted(map(counter, (first, second)))
    again, _ = hierarchy(desk, handle, state)
    assert (again.folders, again.deletions) == ([], None)


@pytest.mark.covers("MS-OXCFXICS_R716001")
def test_ids_of_folders_come_when_asked(desk: Desk, place: tuple[bytes, int]) -> None:
    desk.create_folder(place[1], "first")
    sync, _ = hierarchy(desk, place[1], extra=0)
    assert FID not in sync.folders[0]


@pytest.mark.covers("MS-OXCFXICS_R1097")
def test_parents_have_ids_where_foreign_keys_are_unwanted(desk: Desk, place: tuple[bytes, int]) -> None:
    desk.create_folder(place[1], "first")
    sync, _ = hierarchy(desk, place[1], flags=1 | fxrops.NO_FOREIGN, extra=0)
    assert struct.pack("<q", sync.folders[0].number(PARENT_FID)) == place[0]


@pytest.mark.covers("MS-OXCFXICS_R6001", "MS-OXCFXICS_R6002", "MS-OXCFXICS_R6003", "MS-OXCFXICS_R6004")
def test_what_a_folder_holds_is_not_its_own_change(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = desk.create_folder(place[1], "first")
    _, state = hierarchy(desk, place[1])
    changed, gone = 0x670A0040, 0x670B0003  # PidTagLocalCommitTimeMax, PidTagDeletedCountTotal
    handle = desk.open_folder(fid)
    before = desk.get(handle, CHANGE_NUMBER, changed, gone)
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "one"})
    assert hierarchy(desk, place[1], state)[0].folders == []
    after = desk.get(handle, CHANGE_NUMBER, changed, gone)
    assert after[CHANGE_NUMBER] == before[CHANGE_NUMBER]
    assert isinstance(before[changed], int)
    assert isinstance(after[changed], int)
    assert after[changed] > before[changed]
    desk.delete_messages(handle, [mid])
    assert hierarchy(desk, place[1], state)[0].folders == []
    last = desk.get(handle, CHANGE_NUMBER, changed, gone)
    assert last[CHANGE_NUMBER] == before[CHANGE_NUMBER]
    assert (before[gone], last[gone]) == (0, 1)


def test_renamed_and_moved_folders_come_again(desk: Desk, place: tuple[bytes, int]) -> None:
    _, handle = place
    first, first_handle = desk.create_folder(handle, "first")
    second, second_handle = desk.create_folder(handle, "second")
    _, state = hierarchy(desk, handle)
    desk.set(first_handle, {DISPLAY: "renamed"})
    sync, state = hierarchy(desk, handle, state)
    assert names(sync) == ["renamed"]
    desk.move_folder(handle, first_handle, second, "second")
    sync, state = hierarchy(desk, handle, state)
    moved = next(each for each in sync.folders if each.get(DISPLAY) == "second")
    assert moved.binary(PARENT_SOURCE_KEY) == desk.gid(first)
    assert counter(struct.pack("<q", moved.number(FID))) == counter(second)
    assert sync.deletions is None
    desk.release(second_handle)


@pytest.mark.covers("MS-OXCFXICS_R72", "MS-OXCFXICS_R7201", "MS-OXCFXICS_R2046", "MS-OXCFXICS_R1333")
@pytest.mark.parametrize("flags", [0x05, 0x15])
def test_deleted_folders_are_told(desk: Desk, place: tuple[bytes, int], flags: int) -> None:
    _, handle = place
    first, first_handle = desk.create_folder(handle, "first")
    second, _ = desk.create_folder(first_handle, "second")
    _, state = hierarchy(desk, handle)
    desk.release(first_handle)
    desk.delete_folder(handle, first, flags)
    sync, state = hierarchy(desk, handle, state)
    assert sync.deletions is not None
    assert IDSET_OUT_OF_SCOPE not in sync.deletions
    found = idsets.read_replids(sync.deletions.binary(IDSET_DELETED))
    assert idsets.members(found[int.from_bytes(desk.replid, "little")]) == sorted(
        map(counter, (first, second))
    )
    assert state.ranges(IDSET_GIVEN, desk.replguid) == []
    assert hierarchy(desk, handle, state)[0].deletions is None


def test_deleted_folders_are_not_told_unasked(desk: Desk, place: tuple[bytes, int]) -> None:
    first, _ = desk.create_folder(place[1], "first")
    _, state = hierarchy(desk, place[1])
    desk.delete_folder(place[1], first)
    sync, _ = hierarchy(desk, place[1], state, flags=1 | fxrops.NO_DELETIONS)
    assert sync.deletions is None


def test_properties_of_folders_may_be_left_out(desk: Desk, place: tuple[bytes, int]) -> None:
    desk.create_folder(place[1], "first", comment="about it")
    sync, _ = fxrops.sync(desk, place[1], kind=HIERARCHY, flags=1, tags=[COMMENT])
    assert COMMENT not in sync.folders[0]


# Uploads


class Client:
    """A client with a replica: ids from the server, changes numbered by itself."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        guid, self.first = fxrops.local_ids(desk, 64)
        assert guid == desk.replguid, "R3247: ids of this mailbox"
        self.next = self.first
        self.change = 0

    def key(self) -> bytes:
        """A SourceKey that is new."""
        self.next += 1
        return self.desk.replguid + (self.next - 1).to_bytes(6, "big")

    def version(self) -> bytes:
        """A ChangeKey that is new."""
        self.change += 1
        return xid(MINE, self.change)

    def folder(
        self,
        name: str,
        key: bytes,
        parent: bytes = b"",
        *,
        change: bytes | None = None,
        pcl: bytes | None = None,
    ) -> dict[int, Value]:
        """HierarchyValues. MS-OXCFXICS 2.2.3.2.4.3.1."""
        change = change or self.version()
        return {
            PARENT_SOURCE_KEY: parent,
            SOURCE_KEY: key,
            MODIFIED: THEN + self.change * 10**7,
            CHANGE_KEY: change,
            PCL: pcl or change_list(change),
            DISPLAY: name,
        }


def parse_fid(reader: Reader) -> bytes:
    """The response of RopSynchronizationImportHierarchyChange."""
    return reader.take(8)


@pytest.mark.covers("MS-OXCFXICS_R816", "MS-OXCFXICS_R835", "MS-OXCFXICS_R836", "MS-OXCFXICS_R2234")
@pytest.mark.covers("MS-OXCFXICS_R2235", "MS-OXCFXICS_R1910", "MS-OXCFXICS_R1911", "MS-OXCFXICS_R3505")
def test_a_new_folder_is_imported(desk: Desk, place: tuple[bytes, int]) -> None:
    _, handle = place
    client = Client(desk)
    upload = desk.must(fxrops.collector(False), [handle, NONE]).out
    key = client.key()
    values = client.folder("imported", key)
    rop = fxrops.import_hierarchy(values, {COMMENT: "with a comment", 0x3613001F: "IPF.Note"})
    assert desk.must(rop, [upload], parse_fid).value == bytes(8)
    state = fxrops.transfer_state(desk, upload)
    below = desk.open_folder(desk.fid(key))
    found = desk.get(below, DISPLAY, COMMENT, SOURCE_KEY, CHANGE_KEY, PCL, MODIFIED, CHANGE_NUMBER)
    assert (found[DISPLAY], found[COMMENT]) == ("imported", "with a comment")
    assert (found[SOURCE_KEY], found[CHANGE_KEY], found[PCL]) == (key, values[CHANGE_KEY], values[PCL])
    assert found[MODIFIED] == values[MODIFIED]
    number = found[CHANGE_NUMBER]
    assert isinstance(number, int)
    assert idsets.holds(state.ranges(CNSET_SEEN, desk.replguid), counter(struct.pack("<q", number))), "R2235"
    seen = State({CNSET_SEEN: state.props[CNSET_SEEN]})
    assert hierarchy(desk, handle, seen)[0].folders == [], "what was uploaded does not come down"


def test_a_folder_below_an_imported_one(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk)
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    outer, inner = client.key(), client.key()
    desk.must(fxrops.import_hierarchy(client.folder("outer", outer)), [upload], parse_fid)
    desk.must(fxrops.import_hierarchy(client.folder("inner", inner, outer)), [upload], parse_fid)
    sync, _ = hierarchy(desk, place[1])
    assert [(each.get(DISPLAY), each.get(PARENT_SOURCE_KEY)) for each in sync.folders] == [
        ("outer", b""),
        ("inner", outer),
    ]


@pytest.mark.covers("MS-OXCFXICS_R2450")
def test_a_parent_that_does_not_exist(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk)
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    rop = fxrops.import_hierarchy(client.folder("orphan", client.key(), client.key()))
    assert desk.call(rop, [upload]).code == NO_PARENT


@pytest.mark.covers("MS-OXCFXICS_R2463", "MS-OXCFXICS_R1826", "MS-OXCFXICS_R1791")
def test_an_imported_change_renames_and_moves(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk)
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    first, second = client.key(), client.key()
    desk.must(fxrops.import_hierarchy(client.folder("first", first)), [upload], parse_fid)
    desk.must(fxrops.import_hierarchy(client.folder("second", second)), [upload], parse_fid)
    change = client.version()
    values = client.folder("second, moved", second, first, change=change, pcl=change_list(change))
    desk.must(fxrops.import_hierarchy(values), [upload], parse_fid)
    sync, _ = hierarchy(desk, place[1])
    moved = next(each for each in sync.folders if each.get(SOURCE_KEY) == second)
    assert (moved.get(DISPLAY), moved.get(PARENT_SOURCE_KEY)) == ("second, moved", first)
    assert moved.get(CHANGE_KEY) == change


@pytest.mark.covers("MS-OXCFXICS_R2452", "MS-OXCFXICS_R1792", "MS-OXCFXICS_R1792001")
def test_an_older_change_of_a_folder_changes_nothing(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk)
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    key = client.key()
    values = client.folder("kept", key)
    desk.must(fxrops.import_hierarchy(values), [upload], parse_fid)
    answer = desk.call(fxrops.import_hierarchy(values), [upload], parse_fid)
    assert answer.code in (OK, fxdesk.IGNORE_FAILURE)
    older = {**values, DISPLAY: "older"}
    desk.call(fxrops.import_hierarchy(older), [upload], parse_fid)
    assert desk.get(desk.open_folder(desk.fid(key)), DISPLAY)[DISPLAY] == "kept"


@pytest.mark.covers(
    "MS-OXCFXICS_R2237",
    "MS-OXCFXICS_R2242",
    "MS-OXCFXICS_R1831",
    "MS-OXCFXICS_R1832",
    "MS-OXCFXICS_R1804",
    "MS-OXCFXICS_R1805",
    "MS-OXCFXICS_R2734",
    "MS-OXCFXICS_R2651",
)
@pytest.mark.parametrize("newer", [True, False])
def test_the_last_writer_of_a_folder_wins(desk: Desk, place: tuple[bytes, int], newer: bool) -> None:
    client = Client(desk)
    fid, below = desk.create_folder(place[1], "server's")
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    kept = desk.get(below, CHANGE_KEY, PCL, MODIFIED)
    values = client.folder("client's", desk.gid(fid))
    modified = kept[MODIFIED]
    assert isinstance(modified, int)
    values[MODIFIED] = modified + (10**9 if newer else -(10**9))
    assert desk.must(fxrops.import_hierarchy(values), [upload], parse_fid).value == bytes(8), "R2242"
    found = desk.get(below, DISPLAY, PCL)
    assert found[DISPLAY] == ("client's" if newer else "server's")
    assert isinstance(found[PCL], bytes)
    merged = fxdesk.read_change_list(found[PCL])
    spaces = [each[:16] for each in merged]
    assert sorted(spaces) == sorted((MINE, desk.replguid)), "R1808 to R1810: the lists are merged"


@pytest.mark.covers("MS-OXCFXICS_R2243")
def test_hierarchy_values_win_over_the_others(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk)
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    key = client.key()
    rop = fxrops.import_hierarchy(client.folder("right", key), {DISPLAY: "wrong", COMMENT: "c"})
    desk.must(rop, [upload], parse_fid)
    assert desk.get(desk.open_folder(desk.fid(key)), DISPLAY, COMMENT) == {DISPLAY: "right", COMMENT: "c"}


@pytest.mark.parametrize("missing", [PARENT_SOURCE_KEY, SOURCE_KEY, MODIFIED, CHANGE_KEY, PCL, DISPLAY])
def test_every_hierarchy_value_is_needed(desk: Desk, place: tuple[bytes, int], missing: int) -> None:
    client = Client(desk)
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    values = client.folder("incomplete", client.key())
    del values[missing]
    assert desk.call(fxrops.import_hierarchy(values), [upload]).code == INVALID_PARAMETER


def test_names_of_imported_folders_are_not_empty(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk)
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    values = client.folder("", client.key())
    assert desk.call(fxrops.import_hierarchy(values), [upload]).code == INVALID_PARAMETER


@pytest.mark.covers("MS-OXCFXICS_R901", "MS-OXCFXICS_R903", "MS-OXCFXICS_R884", "MS-OXCFXICS_R2250")
@pytest.mark.parametrize("flags", [0x01, 0x03])
def test_folders_are_deleted_by_their_keys(desk: Desk, place: tuple[bytes, int], flags: int) -> None:
    fid, below = desk.create_folder(place[1], "first")
    desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "in it"})
    desk.release(below)
    _, state = hierarchy(desk, place[1])
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    rop = fxrops.import_deletes([desk.gid(fid)], flags)
    assert desk.call(rop, [upload]).code == OK
    assert desk.call(rop, [upload]).code == OK, "R2250: it is gone already"
    sync, _ = hierarchy(desk, place[1], state)
    assert sync.deletions is not None


def test_folders_that_never_were_stay_deleted(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk)
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    key = client.key()
    assert desk.call(fxrops.import_deletes([key], 0x01), [upload]).code == OK
    answer = desk.call(fxrops.import_hierarchy(client.folder("back again", key)), [upload])
    assert answer.code == OBJECT_DELETED


@pytest.mark.covers("MS-OXCFXICS_R2254", "MS-OXCFXICS_R2254001")
def test_flags_of_deletes(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = desk.create_folder(place[1], "first")
    upload = desk.must(fxrops.collector(False), [place[1], NONE]).out
    assert desk.call(fxrops.import_deletes([desk.gid(fid)], 0x09), [upload]).code == INVALID_PARAMETER
    assert hierarchy(desk, place[1])[0].folders != []


def test_collectors_know_their_kind(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk)
    contents = desk.must(fxrops.collector(True), [place[1], NONE]).out
    folders = desk.must(fxrops.collector(False), [place[1], NONE]).out
    message: dict[int, Value] = {SOURCE_KEY: client.key(), MODIFIED: THEN, CHANGE_KEY: client.version()}
    message[PCL] = change_list(client.version())
    wrong = [
        (fxrops.import_hierarchy(client.folder("x", client.key())), [contents]),
        (fxrops.import_message(message), [folders, NONE]),
        (fxrops.import_reads([(client.key(), True)]), [folders]),
        (fxrops.import_deletes([client.key()], 0x01), [contents]),
        (fxrops.import_deletes([client.key()], 0x00), [folders]),
    ]
    assert [desk.call(rop, handles).code for rop, handles in wrong] == [NOT_SUPPORTED] * len(wrong)


@pytest.mark.covers("MS-OXCFXICS_R925", "MS-OXCFXICS_R936", "MS-OXCFXICS_R934", "MS-OXCFXICS_R2264")
def test_ranges_of_local_ids_are_apart(desk: Desk, place: tuple[bytes, int]) -> None:
    guid, first = fxrops.local_ids(desk, 10)
    other, second = fxrops.local_ids(desk, 1000)
    assert guid == other == desk.replguid
    assert second >= first + 10
    mid = desk.message(place[0], {CLASS: "IPM.Note"})
    assert not first <= counter(mid) < first + 10
    assert not second <= counter(mid) < second + 1000


def test_moderate_and_wild_numbers_of_ids(desk: Desk) -> None:
    fxrops.local_ids(desk, 0x10000)
    for many in (0, 0xFFFFFFFF):
        rop = struct.pack("<BBBI", 0x7F, 0, 0, many)
        assert desk.call(rop, [desk.logon], lambda reader: reader.take(22)).code != OK


@pytest.mark.covers("MS-OXCFXICS_R940", "MS-OXCFXICS_R957", "MS-OXCFXICS_R958", "MS-OXCFXICS_R2268")
@pytest.mark.covers("MS-OXCFXICS_R2269")
def test_ids_that_will_not_be_used(desk: Desk, place: tuple[bytes, int]) -> None:
    guid, first = fxrops.local_ids(desk, 10)
    low, high = (guid + number.to_bytes(6, "big") + b"\0\0" for number in (first, first + 9))
    assert desk.call(fxrops.midset_deleted([(low, high)]), [place[1]]).code == OK
    client = Client(desk)
    upload = desk.must(fxrops.collector(True), [place[1], NONE]).out
    change = client.version()
    values: dict[int, Value] = {
        SOURCE_KEY: low[:22],
        MODIFIED: THEN,
        CHANGE_KEY: change,
        PCL: change_list(change),
    }
    assert desk.call(fxrops.import_message(values), [upload, NONE]).code == OBJECT_DELETED


WRONG_RANGES = {"downwards": (9, 0, False), "two stores": (0, 9, True)}


@pytest.mark.parametrize("name", sorted(WRONG_RANGES))
def test_ranges_that_are_none(desk: Desk, place: tuple[bytes, int], name: str) -> None:
    low, high, foreign = WRONG_RANGES[name]
    guid, first = fxrops.local_ids(desk, 10)
    ends = [guid + (first + each).to_bytes(6, "big") + b"\0\0" for each in (low, high)]
    if foreign:
        ends[1] = MINE + ends[1][16:]
    rop = fxrops.midset_deleted([(ends[0], ends[1])])
    assert desk.call(rop, [place[1]]).code == INVALID_PARAMETER


def test_a_stranger_imports_nothing(desk: Desk, place: tuple[bytes, int], ben: Person) -> None:
    """Ben has no rights in Anna's folder: he cannot even log on, or his import is refused."""
    other = ben.mapi()
    essdn = ben.dn.encode() + b"\0"
    rop = struct.pack("<BBBBIIH", 0xFE, 0, 0, 0x01, 0x01000000, 0, len(essdn)) + essdn
    _, handles = other.execute(rop, [NONE])
    responses, _ = other.execute(struct.pack("<BBBB", 2, 0, 0, 1) + place[0] + b"\0", [handles[0], NONE])
    assert struct.unpack_from("<I", responses, 2)[0] in (fxdesk.NOT_FOUND, ACCESS_DENIED)
    other.close()
