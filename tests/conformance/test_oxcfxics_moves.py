"""MS-OXCFXICS: uploads of deletes, moves and read states."""

import struct
from collections.abc import Iterator

import pytest

from tests.conformance import fxdesk, fxrops, idsets
from tests.conformance.fxdesk import (
    CLASS,
    FLAGS,
    INVALID_PARAMETER,
    NEWER_CLIENT_CHANGE,
    NONE,
    NOT_FOUND,
    OBJECT_DELETED,
    OK,
    SUBJECT,
    Desk,
)
from tests.conformance.fxgrammar import (
    CHANGE_KEY,
    CHANGE_NUMBER,
    IDSET_DELETED,
    PCL,
    SOURCE_KEY,
)
from tests.conformance.fxrops import CNSET_READ, CNSET_SEEN, CNSET_SEEN_FAI, IDSET_GIVEN, State
from tests.conformance.office import Person
from tests.conformance.replica import Client, binary, merged, number
from tests.conformance.wire import counter


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


@pytest.mark.covers("MS-OXCFXICS_R902", "MS-OXCFXICS_R904", "MS-OXCFXICS_R2250", "MS-OXCFXICS_R90205002")
@pytest.mark.parametrize("flags", [0x00, 0x02])
def test_deletes_are_imported(desk: Desk, place: tuple[bytes, int], flags: int) -> None:
    fid, folder = place
    mids = [desk.message(fid, {CLASS: "IPM.Note", SUBJECT: f"number {index}"}) for index in range(3)]
    _, state = fxrops.sync(desk, folder)
    client = Client(desk, folder)
    rop = fxrops.import_deletes([desk.gid(mid) for mid in mids[:2]], flags)
    assert desk.call(rop, [client.upload]).code == OK
    assert desk.call(rop, [client.upload]).code == OK, "R2250"
    assert desk.in_folder(folder, [SUBJECT]) == [{SUBJECT: "number 2"}]
    soft = desk.in_folder(folder, [SUBJECT], 0x30)
    assert len(soft) == (2 if flags == 0 else 0)
    sync, _ = fxrops.sync(desk, folder, state)
    assert sync.deletions is not None
    found = idsets.read_replids(sync.deletions.binary(IDSET_DELETED))
    assert idsets.members(found[int.from_bytes(desk.replid, "little")]) == sorted(map(counter, mids[:2]))


@pytest.mark.covers("MS-OXCFXICS_R2251", "MS-OXCFXICS_R2652")
def test_messages_that_never_were_stay_deleted(desk: Desk, place: tuple[bytes, int]) -> None:
    client = Client(desk, place[1])
    key = client.key()
    assert desk.call(fxrops.import_deletes([key]), [client.upload]).code == OK
    assert desk.call(fxrops.import_message(client.head(key)), [client.upload, NONE]).code == OBJECT_DELETED


def test_deletes_of_what_is_no_key(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "kept"})
    client = Client(desk, folder)
    rop = fxrops.import_deletes([desk.gid(mid), b"nonsense"])
    assert desk.call(rop, [client.upload]).code == INVALID_PARAMETER
    assert len(desk.in_folder(folder, [SUBJECT])) == 1, "R3512: nothing is done by halves"


@pytest.mark.covers(
    "MS-OXCFXICS_R839", "MS-OXCFXICS_R879001", "MS-OXCFXICS_R880", "MS-OXCFXICS_R2245", "MS-OXCFXICS_R2246"
)
@pytest.mark.covers("MS-OXCFXICS_R1892", "MS-OXCFXICS_R78")
def test_a_move_is_imported(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    inbox = desk.folders["inbox"]
    mid = desk.message(inbox, {CLASS: "IPM.Note", SUBJECT: "moving"})
    source = desk.open_folder(inbox)
    _, inbox_state = fxrops.sync(desk, source)
    before = desk.look(inbox, mid, PCL, CHANGE_KEY)
    client = Client(desk, folder)
    target, change = client.key(), client.version()
    pcl = binary(before, PCL)
    rop = fxrops.import_move(desk.gid(inbox), desk.gid(mid), pcl, target, change)
    answer = desk.call(rop, [client.upload], lambda reader: reader.take(8))
    assert (answer.code, answer.value) == (OK, bytes(8)), "R879001"
    found = desk.look(fid, desk.fid(target), SUBJECT, CHANGE_NUMBER, SOURCE_KEY, PCL)
    assert (found[SUBJECT], found[SOURCE_KEY]) == ("moving", target)
    cn = counter(struct.pack("<q", number(found, CHANGE_NUMBER)))
    state = fxrops.transfer_state(desk, client.upload)
    assert idsets.holds(state.ranges(CNSET_SEEN, desk.replguid), cn), "R2246"
    sync, _ = fxrops.sync(desk, source, inbox_state)
    assert sync.deletions is not None
    seen = State({tag: data for tag, data in state.props.items() if tag != IDSET_GIVEN})
    assert fxrops.sync(desk, folder, seen)[0].changes == []


@pytest.mark.covers("MS-OXCFXICS_R2247")
def test_a_move_of_an_associated_message(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    inbox = desk.folders["inbox"]
    mid = desk.message(inbox, {CLASS: "IPM.Configuration", SUBJECT: "moving"}, True)
    before = desk.look(inbox, mid, PCL)
    client = Client(desk, folder)
    target, change = client.key(), client.version()
    rop = fxrops.import_move(desk.gid(inbox), desk.gid(mid), binary(before, PCL), target, change)
    desk.must(rop, [client.upload], lambda reader: reader.take(8))
    found = desk.look(fid, desk.fid(target), CHANGE_NUMBER)
    cn = counter(struct.pack("<q", number(found, CHANGE_NUMBER)))
    assert idsets.holds(fxrops.transfer_state(desk, client.upload).ranges(CNSET_SEEN_FAI, desk.replguid), cn)


@pytest.mark.covers("MS-OXCFXICS_R875", "MS-OXCFXICS_R876")
def test_a_move_by_a_client_that_has_a_newer_version(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    inbox = desk.folders["inbox"]
    mid = desk.message(inbox, {CLASS: "IPM.Note", SUBJECT: "moving"})
    pcl = binary(desk.look(inbox, mid, PCL), PCL)
    client = Client(desk, folder)
    newer = merged(pcl, client.version())
    target, change = client.key(), client.version()
    rop = fxrops.import_move(desk.gid(inbox), desk.gid(mid), newer, target, change)
    answer = desk.call(rop, [client.upload], lambda reader: reader.take(8), always=True)
    assert (answer.code, answer.value) == (NEWER_CLIENT_CHANGE, bytes(8))
    assert desk.look(fid, desk.fid(target), SUBJECT)[SUBJECT] == "moving"


def test_moves_that_cannot_be(desk: Desk, place: tuple[bytes, int]) -> None:
    inbox = desk.folders["inbox"]
    mid = desk.message(inbox, {CLASS: "IPM.Note", SUBJECT: "staying"})
    pcl = binary(desk.look(inbox, mid, PCL), PCL)
    client = Client(desk, place[1])
    nowhere, nothing = client.key(), client.key()
    change = client.version()
    wrong = [
        ((nowhere, desk.gid(mid), pcl, client.key(), change), NOT_FOUND),
        ((desk.gid(inbox), nothing, pcl, client.key(), change), NOT_FOUND),
        ((b"x", desk.gid(mid), pcl, client.key(), change), INVALID_PARAMETER),
        ((desk.gid(inbox), desk.gid(mid), b"\x05abc", client.key(), change), INVALID_PARAMETER),
    ]
    for parts, code in wrong:
        answer = desk.call(fxrops.import_move(*parts), [client.upload])
        assert answer.code == code
    assert desk.look(inbox, mid, SUBJECT)[SUBJECT] == "staying"


@pytest.mark.covers("MS-OXCFXICS_R905", "MS-OXCFXICS_R2256", "MS-OXCFXICS_R2257", "MS-OXCFXICS_R2258")
@pytest.mark.covers("MS-OXCFXICS_R2260", "MS-OXCFXICS_R2259", "MS-OXCFXICS_R2083")
def test_read_states_are_imported(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mids = [desk.message(fid, {CLASS: "IPM.Note", SUBJECT: f"number {index}"}) for index in range(2)]
    hidden = desk.message(fid, {CLASS: "IPM.Configuration", SUBJECT: "hidden"}, True)
    desk.read_flags(folder, mids[:1], 0x04)
    desk.read_flags(folder, mids[1:], 0x00)
    _, state = fxrops.sync(desk, folder)
    numbers = [desk.look(fid, mid, CHANGE_NUMBER)[CHANGE_NUMBER] for mid in mids]
    client = Client(desk, folder)
    hidden_before = desk.look(fid, hidden, FLAGS)
    reads = [(desk.gid(mids[0]), True), (desk.gid(mids[1]), False), (desk.gid(hidden), False)]
    assert desk.call(fxrops.import_reads(reads), [client.upload]).code == OK
    flags = [number(desk.look(fid, mid, FLAGS), FLAGS) & 1 for mid in mids]
    assert flags == [1, 0]
    assert desk.look(fid, hidden, FLAGS) == hidden_before, "R2259"
    assert [desk.look(fid, mid, CHANGE_NUMBER)[CHANGE_NUMBER] for mid in mids] == numbers, "R2084"
    after = fxrops.transfer_state(desk, client.upload)
    seen = State({**state.props, CNSET_READ: _union(desk, state, after)})
    assert fxrops.sync(desk, folder, seen)[0].reads is None, "R2260"


def _union(desk: Desk, one: State, two: State) -> bytes:
    """The read states that either state has seen."""
    ranges = sorted(one.ranges(CNSET_READ, desk.replguid) + two.ranges(CNSET_READ, desk.replguid))
    joined: idsets.Ranges = []
    for low, high in ranges:
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return desk.replguid + idsets.written(joined)


def test_read_states_of_what_is_not_there(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "unread"})
    desk.read_flags(folder, [mid], 0x04)
    client = Client(desk, folder)
    rop = fxrops.import_reads([(desk.gid(mid), True), (b"short", True)])
    assert desk.call(rop, [client.upload]).code == INVALID_PARAMETER
    assert number(desk.look(fid, mid, FLAGS), FLAGS) & 1 == 0, "R3513"


@pytest.mark.covers("MS-OXCFXICS_R778", "MS-OXCFXICS_R2218", "MS-OXCFXICS_R1884", "MS-OXCFXICS_R3415")
def test_a_state_may_be_uploaded_to_a_collector(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "one"})
    _, state = fxrops.sync(desk, folder)
    client = Client(desk, folder)
    fxrops.upload_state(desk, client.upload, state)
    key = client.key()
    client.bring(client.head(key), {SUBJECT: "two"})
    final = fxrops.transfer_state(desk, client.upload)
    cn = number(desk.look(fid, desk.fid(key), CHANGE_NUMBER), CHANGE_NUMBER)
    seen = final.ranges(CNSET_SEEN, desk.replguid)
    assert idsets.holds(seen, counter(struct.pack("<q", cn)))
    for low, high in state.ranges(CNSET_SEEN, desk.replguid):
        assert idsets.holds(seen, low)
        assert idsets.holds(seen, high)
