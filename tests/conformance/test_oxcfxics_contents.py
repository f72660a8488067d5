"""MS-OXCFXICS: downloads of the changes of a folder's contents."""

import struct
from collections.abc import Iterator

import pytest

from tests.conformance import fxdesk, fxrops, idsets
from tests.conformance.fxcases import IMPORTANCE, ids, note, subjects
from tests.conformance.fxdesk import BODY, CLASS, SUBJECT, Desk
from tests.conformance.fxgrammar import (
    ASSOCIATED,
    CHANGE_KEY,
    CHANGE_NUMBER,
    IDSET_DELETED,
    IDSET_OUT_OF_SCOPE,
    IDSET_READ,
    IDSET_UNREAD,
    MESSAGE_SIZE,
    MID,
    MODIFIED,
    PCL,
    SOURCE_KEY,
)
from tests.conformance.fxrops import CN, CNSET_READ, CNSET_SEEN, CNSET_SEEN_FAI, EID, IDSET_GIVEN, SIZE
from tests.conformance.office import Person
from tests.conformance.wire import counter

RECIPIENTS = 0x0E12000D


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
    "MS-OXCFXICS_R1352",
    "MS-OXCFXICS_R1354",
    "MS-OXCFXICS_R1356",
    "MS-OXCFXICS_R1358",
    "MS-OXCFXICS_R1360",
    "MS-OXCFXICS_R1353",
    "MS-OXCFXICS_R1355",
    "MS-OXCFXICS_R1357",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R1359",
    "MS-OXCFXICS_R1361",
    "MS-OXCFXICS_R1368",
    "MS-OXCFXICS_R2078",
    "MS-OXCFXICS_R2079",
    "MS-OXCFXICS_R62",
    "MS-OXCFXICS_R1273",
    "MS-OXCFXICS_R1271",
)
def test_the_header_of_a_change(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = note(desk, fid, "one")
    sync, _ = fxrops.sync(desk, folder, extra=EID | CN | SIZE)
    (change,) = sync.changes
    header = change.header
    assert header.tags == [
        SOURCE_KEY,
        MODIFIED,
        CHANGE_KEY,
        PCL,
        ASSOCIATED,
        MID,
        MESSAGE_SIZE,
        CHANGE_NUMBER,
    ]
    kept = desk.look(fid, mid, SOURCE_KEY, MODIFIED, CHANGE_KEY, PCL, CHANGE_NUMBER, MESSAGE_SIZE)
    for tag in (SOURCE_KEY, MODIFIED, CHANGE_KEY, PCL, CHANGE_NUMBER):
        assert header.get(tag) == kept[tag], hex(tag)
    assert header.binary(SOURCE_KEY) == desk.gid(mid)
    assert struct.pack("<q", header.number(MID)) == mid
    assert header.binary(CHANGE_KEY) == desk.gid(struct.pack("<q", header.number(CHANGE_NUMBER))), "R62"
    assert fxdesk.read_change_list(header.binary(PCL)) == [header.binary(CHANGE_KEY)]
    assert header.get(ASSOCIATED) is False
    assert change.content.props.get(SUBJECT) == "one"


EXTRAS = [(0, []), (EID, [MID]), (SIZE, [MESSAGE_SIZE]), (CN, [CHANGE_NUMBER])]


@pytest.mark.covers(
    "MS-OXCFXICS_R1363",
    "MS-OXCFXICS_R1365",
    "MS-OXCFXICS_R1367",
    "MS-OXCFXICS_R2195",
    "MS-OXCFXICS_R2196",
    "MS-OXCFXICS_R2197",
    "MS-OXCFXICS_R2761",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R716002", "MS-OXCFXICS_R718001", "MS-OXCFXICS_R721", "MS-OXCFXICS_R718", "MS-OXCFXICS_R716"
)
@pytest.mark.parametrize(("extra", "tags"), EXTRAS)
def test_extra_flags_decide_about_the_header(
    desk: Desk, place: tuple[bytes, int], extra: int, tags: list[int]
) -> None:
    fid, folder = place
    note(desk, fid, "one")
    sync, _ = fxrops.sync(desk, folder, extra=extra)
    assert sync.changes[0].header.tags[5:] == tags
    assert MID not in sync.changes[0].content.props


@pytest.mark.covers("MS-OXCFXICS_R2201", "MS-OXCFXICS_R2730")
def test_unknown_extra_flags_are_ignored(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    note(desk, fid, "one")
    found = [fxrops.sync(desk, folder, extra=extra)[0].changes[0] for extra in (EID, EID | 0x10 | 0x80000000)]
    assert found[0].header.tags == found[1].header.tags


@pytest.mark.covers(
    "MS-OXCFXICS_R2042",
    "MS-OXCFXICS_R2043",
    "MS-OXCFXICS_R2044",
    "MS-OXCFXICS_R2065",
    "MS-OXCFXICS_R2066",
    "MS-OXCFXICS_R2067",
    "MS-OXCFXICS_R3417",
    "MS-OXCFXICS_R1859",
)
def test_a_state_that_is_given_back_brings_nothing(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mids = [note(desk, fid, f"number {index}") for index in range(3)]
    hidden = note(desk, fid, "hidden", associated=True)
    sync, state = fxrops.sync(desk, folder)
    assert sorted(map(str, subjects(sync))) == ["hidden", "number 0", "number 1", "number 2"]
    given = state.ranges(IDSET_GIVEN, desk.replguid)
    assert idsets.members(given) == sorted(counter(mid) for mid in [*mids, hidden])
    for change in sync.changes:
        number = counter(struct.pack("<q", change.header.number(CHANGE_NUMBER)))
        tag = CNSET_SEEN_FAI if change.header.get(ASSOCIATED) else CNSET_SEEN
        assert idsets.holds(state.ranges(tag, desk.replguid), number)
    again, same = fxrops.sync(desk, folder, state)
    assert (again.changes, again.deletions, again.reads) == ([], None, None)
    assert same.props.keys() == {IDSET_GIVEN, CNSET_SEEN, CNSET_SEEN_FAI, CNSET_READ}
    assert same.ranges(IDSET_GIVEN, desk.replguid) == given


@pytest.mark.covers("MS-OXCFXICS_R3349", "MS-OXCFXICS_R1261", "MS-OXCFXICS_R1262", "MS-OXCFXICS_R33541")
def test_an_empty_folder_has_a_state(desk: Desk, place: tuple[bytes, int]) -> None:
    sync, state = fxrops.sync(desk, place[1])
    assert (sync.changes, sync.deletions, sync.reads) == ([], None, None)
    assert IDSET_GIVEN in state.props, "with the tag of a PtypInteger32"
    assert state.props[IDSET_GIVEN] == b""


@pytest.mark.covers("MS-OXCFXICS_R1898", "MS-OXCFXICS_R1896", "MS-OXCFXICS_R65")
def test_a_changed_message_comes_again_and_alone(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    first, _second = note(desk, fid, "first"), note(desk, fid, "second")
    before, state = fxrops.sync(desk, folder)
    desk.touch(fid, first, {SUBJECT: "first again"})
    sync, state = fxrops.sync(desk, folder, state)
    assert subjects(sync) == ["first again"]
    old = next(each for each in before.changes if each.content.props.get(SUBJECT) == "first").header
    new = sync.changes[0].header
    assert counter(struct.pack("<q", new.number(CHANGE_NUMBER))) > counter(
        struct.pack("<q", old.number(CHANGE_NUMBER))
    )
    assert new.binary(SOURCE_KEY) == old.binary(SOURCE_KEY)
    assert fxdesk.read_change_list(new.binary(PCL)) == [new.binary(CHANGE_KEY)], "one XID a namespace"
    assert fxrops.sync(desk, folder, state)[0].changes == []


@pytest.mark.covers(
    "MS-OXCFXICS_R2045",
    "MS-OXCFXICS_R72001",
    "MS-OXCFXICS_R7200101",
    "MS-OXCFXICS_R1278",
    "MS-OXCFXICS_R1279",
    "MS-OXCFXICS_R1276",
    "MS-OXCFXICS_R3030",
)
@pytest.mark.covers("MS-OXCFXICS_R2167", "MS-OXCFXICS_R78", "MS-OXCFXICS_R2073")
@pytest.mark.parametrize("way", ["soft", "hard", "moved"])
def test_what_is_gone_is_deleted(desk: Desk, place: tuple[bytes, int], way: str) -> None:
    fid, folder = place
    mids = [note(desk, fid, f"number {index}") for index in range(3)]
    _, state = fxrops.sync(desk, folder)
    if way == "moved":
        desk.move_messages(folder, desk.open_folder(desk.folders["inbox"]), mids[:2])
    else:
        desk.delete_messages(folder, mids[:2], hard=way == "hard")
    sync, state = fxrops.sync(desk, folder, state)
    assert sync.changes == []
    assert ids(desk, sync.deletions, IDSET_DELETED) == sorted(counter(mid) for mid in mids[:2])
    assert idsets.members(state.ranges(IDSET_GIVEN, desk.replguid)) == [counter(mids[2])], "R2065"
    assert fxrops.sync(desk, folder, state)[0].deletions is None


@pytest.mark.covers("MS-OXCFXICS_R2165", "MS-OXCFXICS_R2166", "MS-OXCFXICS_R1062", "MS-OXCFXICS_R1061")
def test_no_deletions_when_none_are_wanted(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = note(desk, fid, "one")
    _, state = fxrops.sync(desk, folder)
    desk.delete_messages(folder, [mid])
    sync, after = fxrops.sync(desk, folder, state, flags=fxrops.EVERYTHING | fxrops.NO_DELETIONS)
    assert sync.deletions is None
    assert idsets.members(after.ranges(IDSET_GIVEN, desk.replguid)) == [counter(mid)], "not told, still given"
    later, _ = fxrops.sync(desk, folder, after)
    assert ids(desk, later.deletions, IDSET_DELETED) == [counter(mid)]


IMPORTANT = struct.pack("<BBIIi", 0x04, 0x04, IMPORTANCE, IMPORTANCE, 2)
"""A RES_PROPERTY restriction: PidTagImportance equals 2. MS-OXCDATA 2.12.5."""


@pytest.mark.covers("MS-OXCFXICS_R75", "MS-OXCFXICS_R76", "MS-OXCFXICS_R2047", "MS-OXCFXICS_R2169")
@pytest.mark.covers("MS-OXCFXICS_R133301", "MS-OXCFXICS_R644")
def test_a_restriction_is_the_scope(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    high = note(desk, fid, "high", importance=2)
    note(desk, fid, "low", importance=0)
    sync, state = fxrops.sync(desk, folder, restriction=IMPORTANT)
    assert subjects(sync) == ["high"]
    desk.touch(fid, high, {IMPORTANCE: 0})
    sync, after = fxrops.sync(desk, folder, state, restriction=IMPORTANT)
    assert sync.changes == []
    assert ids(desk, sync.deletions, IDSET_OUT_OF_SCOPE) == [counter(high)]
    assert ids(desk, sync.deletions, IDSET_DELETED) == []
    assert after.ranges(IDSET_GIVEN, desk.replguid) == []
    again, _ = fxrops.sync(desk, folder, after, restriction=IMPORTANT)
    assert (again.changes, again.deletions) == ([], None)


@pytest.mark.covers("MS-OXCFXICS_R2168", "MS-OXCFXICS_R1334")
def test_leaving_the_scope_may_be_ignored(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    high = note(desk, fid, "high", importance=2)
    gone = note(desk, fid, "gone", importance=2)
    _, state = fxrops.sync(desk, folder, restriction=IMPORTANT)
    desk.touch(fid, high, {IMPORTANCE: 0})
    desk.delete_messages(folder, [gone])
    flags = fxrops.EVERYTHING | fxrops.IGNORE_SCOPE
    sync, _ = fxrops.sync(desk, folder, state, restriction=IMPORTANT, flags=flags)
    assert ids(desk, sync.deletions, IDSET_DELETED) == [counter(gone)]
    assert ids(desk, sync.deletions, IDSET_OUT_OF_SCOPE) == []


@pytest.mark.covers(
    "MS-OXCFXICS_R2048",
    "MS-OXCFXICS_R2068",
    "MS-OXCFXICS_R2071",
    "MS-OXCFXICS_R2072",
    "MS-OXCFXICS_R2076",
    "MS-OXCFXICS_R2083",
    "MS-OXCFXICS_R2084",
    "MS-OXCFXICS_R2170",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R84",
    "MS-OXCFXICS_R87",
    "MS-OXCFXICS_R3315",
    "MS-OXCFXICS_R3035",
    "MS-OXCFXICS_R3037",
    "MS-OXCFXICS_R2665",
    "MS-OXCFXICS_R2666",
    "MS-OXCFXICS_R42",
    "MS-OXCFXICS_R3317",
)
def test_read_states_come_apart_from_changes(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mids = [note(desk, fid, f"number {index}") for index in range(3)]
    desk.read_flags(folder, mids, 0x04)
    first, state = fxrops.sync(desk, folder)
    assert first.reads is None, "R2076: told with the message"
    desk.read_flags(folder, mids[:2], 0x00)
    sync, state = fxrops.sync(desk, folder, state)
    assert sync.changes == [], "R2084: the change number stays"
    assert ids(desk, sync.reads, IDSET_READ) == sorted(counter(mid) for mid in mids[:2])
    assert ids(desk, sync.reads, IDSET_UNREAD) == []
    desk.read_flags(folder, mids[:1], 0x04)
    sync, state = fxrops.sync(desk, folder, state)
    assert ids(desk, sync.reads, IDSET_UNREAD) == [counter(mids[0])]
    assert ids(desk, sync.reads, IDSET_READ) == []
    assert fxrops.sync(desk, folder, state)[0].reads is None


@pytest.mark.covers("MS-OXCFXICS_R2171", "MS-OXCFXICS_R1192", "MS-OXCFXICS_R1193")
def test_read_states_are_not_told_unasked(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = note(desk, fid, "one")
    desk.read_flags(folder, [mid], 0x04)
    _, state = fxrops.sync(desk, folder)
    desk.read_flags(folder, [mid], 0x00)
    sync, after = fxrops.sync(desk, folder, state, flags=fxrops.EVERYTHING & ~fxrops.READ_STATE)
    assert (sync.changes, sync.reads) == ([], None)
    later, _ = fxrops.sync(desk, folder, after)
    assert ids(desk, later.reads, IDSET_READ) == [counter(mid)], "what was not told comes later"


@pytest.mark.covers(
    "MS-OXCFXICS_R2173",
    "MS-OXCFXICS_R2174",
    "MS-OXCFXICS_R2175",
    "MS-OXCFXICS_R690",
    "MS-OXCFXICS_R693",
    "MS-OXCFXICS_R2172",
)
@pytest.mark.parametrize(("flags", "wanted"), [(fxrops.NORMAL, ["normal"]), (fxrops.FAI, ["hidden"])])
def test_kinds_of_messages_are_asked_for(
    desk: Desk, place: tuple[bytes, int], flags: int, wanted: list[str]
) -> None:
    fid, folder = place
    normal, hidden = note(desk, fid, "normal"), note(desk, fid, "hidden", associated=True)
    sync, state = fxrops.sync(desk, folder, flags=fxrops.SYNC_UNICODE | flags)
    assert subjects(sync) == wanted
    given = idsets.members(state.ranges(IDSET_GIVEN, desk.replguid))
    assert given == [counter(normal if flags == fxrops.NORMAL else hidden)]
    everything, _ = fxrops.sync(desk, folder, state)
    assert len(everything.changes) == 1, "what was not asked for then was not seen"


def test_neither_kind_is_only_a_state(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    note(desk, fid, "one")
    sync, state = fxrops.sync(desk, folder, flags=fxrops.SYNC_UNICODE)
    assert sync.changes == []
    assert state.ranges(IDSET_GIVEN, desk.replguid) == []


@pytest.mark.covers(
    "MS-OXCFXICS_R2176",
    "MS-OXCFXICS_R2204",
    "MS-OXCFXICS_R2646",
    "MS-OXCFXICS_R2205",
    "MS-OXCFXICS_R2647",
    "MS-OXCFXICS_R696",
)
def test_only_specified_properties(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    message = desk.create_message(fid)
    desk.set(message, {CLASS: "IPM.Note", SUBJECT: "one", BODY: "body"})
    desk.recipients(message, [("Ben", "ben@example.test")])
    attachment = desk.create_attachment(message)
    desk.set(attachment, {0x37010102: b"x", 0x37050003: 1})
    desk.save_attachment(message, attachment)
    desk.save(message)
    flags = fxrops.EVERYTHING | fxrops.ONLY_SPECIFIED
    sync, _ = fxrops.sync(desk, folder, flags=flags, tags=[SUBJECT])
    (change,) = sync.changes
    assert change.content.props.tags == [SUBJECT]
    assert (change.content.recipients, change.content.attachments) == ([], [])
    assert change.content.deletes == []
    sync, _ = fxrops.sync(desk, folder, flags=flags, tags=[SUBJECT, RECIPIENTS])
    (change,) = sync.changes
    assert change.content.props.tags == [SUBJECT]
    assert (len(change.content.recipients), change.content.attachments) == (1, [])
    assert change.content.deletes == [RECIPIENTS]


@pytest.mark.covers("MS-OXCFXICS_R2177", "MS-OXCFXICS_R2203", "MS-OXCFXICS_R2206", "MS-OXCFXICS_R2642")
@pytest.mark.covers("MS-OXCFXICS_R2645", "MS-OXCFXICS_R2648", "MS-OXCFXICS_R144")
def test_properties_that_are_listed_are_left_out(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    message = desk.create_message(fid)
    desk.set(message, {CLASS: "IPM.Note", SUBJECT: "one", BODY: "body"})
    desk.recipients(message, [("Ben", "ben@example.test")])
    desk.save(message)
    sync, _ = fxrops.sync(desk, folder, tags=[SUBJECT, RECIPIENTS])
    (change,) = sync.changes
    assert SUBJECT not in change.content.props
    assert change.content.props.get(BODY) == "body"
    assert change.content.recipients == []
    assert RECIPIENTS not in change.content.deletes


@pytest.mark.covers(
    "MS-OXCFXICS_R2183001",
    "MS-OXCFXICS_R2183004",
    "MS-OXCFXICS_R2183005",
    "MS-OXCFXICS_R2183006",
    "MS-OXCFXICS_R708",
)
def test_associated_messages_may_come_whole(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    note(desk, fid, "normal", importance=2)
    note(desk, fid, "hidden", associated=True, importance=2)
    flags = fxrops.EVERYTHING | fxrops.ONLY_SPECIFIED
    sync, _ = fxrops.sync(desk, folder, flags=flags, tags=[SUBJECT])
    assert [each.content.props.tags for each in sync.changes] == [[SUBJECT], [SUBJECT]]
    sync, _ = fxrops.sync(desk, folder, flags=flags | fxrops.IGNORE_ON_FAI, tags=[SUBJECT])
    by_kind = {each.header.get(ASSOCIATED): each.content.props for each in sync.changes}
    assert by_kind[False].tags == [SUBJECT]
    assert by_kind[True].get(IMPORTANCE) == 2


@pytest.mark.covers("MS-OXCFXICS_R2183003", "MS-OXCFXICS_R218300301")
def test_ignoring_on_associated_alone_means_nothing(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    note(desk, fid, "hidden", associated=True)
    found = [
        fxrops.sync(desk, folder, flags=fxrops.EVERYTHING | more, tags=[SUBJECT])[0]
        .changes[0]
        .content.props.tags
        for more in (0, fxrops.IGNORE_ON_FAI)
    ]
    assert found[0] == found[1]
    assert SUBJECT not in found[0]
