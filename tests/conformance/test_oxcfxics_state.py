"""MS-OXCFXICS: states as clients give them back, their sets in every encoding, checkpoints."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.conformance import fxdesk, fxgrammar, fxrops, idsets
from tests.conformance.fxcases import ids, note, subjects
from tests.conformance.fxdesk import CLASS, INVALID_PARAMETER, NONE, OK, SUBJECT, Desk
from tests.conformance.fxgrammar import (
    CHANGE_NUMBER,
    IDSET_DELETED,
)
from tests.conformance.fxrops import CNSET_READ, CNSET_SEEN, IDSET_GIVEN
from tests.conformance.office import Person
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


@pytest.mark.covers("MS-OXCFXICS_R1882", "MS-OXCFXICS_R1883", "MS-OXCFXICS_R1879", "MS-OXCFXICS_R3355")
@pytest.mark.covers("MS-OXCFXICS_R2657", "MS-OXCFXICS_R2658", "MS-OXCFXICS_R33551", "MS-OXCFXICS_R2211")
@pytest.mark.parametrize("tag", [0x40170003, 0x40170102])
def test_both_tags_of_idset_given(desk: Desk, place: tuple[bytes, int], tag: int) -> None:
    fid, folder = place
    mid = note(desk, fid, "one")
    _, state = fxrops.sync(desk, folder)
    state.props[tag] = state.props.pop(IDSET_GIVEN)
    desk.delete_messages(folder, [mid])
    sync, _ = fxrops.sync(desk, folder, state)
    assert ids(desk, sync.deletions, IDSET_DELETED) == [counter(mid)]


@pytest.mark.covers("MS-OXCFXICS_R3392", "MS-OXCFXICS_R2007", "MS-OXCFXICS_R2012", "MS-OXCFXICS_R2014")
@pytest.mark.covers("MS-OXCFXICS_R1994", "MS-OXCFXICS_R2005", "MS-OXCFXICS_R2009", "MS-OXCFXICS_R2013")
@pytest.mark.parametrize("write", [idsets.written, idsets.written_densely])
def test_sets_in_every_command_are_understood(desk: Desk, place: tuple[bytes, int], write: object) -> None:
    assert callable(write)
    fid, folder = place
    mids = [note(desk, fid, f"number {index}") for index in range(30)]
    _, state = fxrops.sync(desk, folder)
    gone = [mids[0], *mids[3:9], mids[12], *mids[14:30]]
    desk.delete_messages(folder, gone)
    given = state.ranges(IDSET_GIVEN, desk.replguid)
    for tag in list(state.props):
        ranges = state.ranges(tag, desk.replguid)
        state.props[tag] = desk.replguid + write(ranges) if ranges else b""
    sync, after = fxrops.sync(desk, folder, state)
    assert sync.changes == []
    assert ids(desk, sync.deletions, IDSET_DELETED) == sorted(counter(mid) for mid in gone)
    left = set(idsets.members(given)) - {counter(mid) for mid in gone}
    assert idsets.members(after.ranges(IDSET_GIVEN, desk.replguid)) == sorted(left)


BAD_SETS = {
    "an unknown command": b"\x33\x00",
    "a pop of nothing": b"\x50\x00",
    "a bitmask without five bytes": b"\x03\x00\x00\x00\x42\x01\x01\x50\x00",
    "a range downwards": b"\x52" + (9).to_bytes(6, "big") + (3).to_bytes(6, "big") + b"\x00",
    "no end": b"\x52" + (3).to_bytes(6, "big") + (9).to_bytes(6, "big"),
    "an end with bytes on the stack": b"\x02\x00\x00\x00",
    "seven bytes": b"\x04\x00\x00\x00\x00\x03\x00\x00\x00\x50\x50\x00",
    "a guid cut short": None,
}


@pytest.mark.covers("MS-OXCFXICS_R3391", "MS-OXCFXICS_R2003", "MS-OXCFXICS_R3393", "MS-OXCFXICS_R2002")
@pytest.mark.parametrize("name", sorted(BAD_SETS))
def test_sets_that_cannot_be_decoded(desk: Desk, place: tuple[bytes, int], name: str) -> None:
    globset = BAD_SETS[name]
    data = desk.replguid[:9] if globset is None else desk.replguid + globset
    context = desk.must(fxrops.configure(), [place[1], NONE]).out
    desk.must(fxrops.state_begin(CNSET_SEEN, len(data)), [context])
    desk.must(fxrops.state_continue(data), [context])
    assert desk.call(fxrops.STATE_END, [context]).code == fxdesk.RPC_FORMAT


def test_a_state_property_that_is_none(desk: Desk, place: tuple[bytes, int]) -> None:
    context = desk.must(fxrops.configure(), [place[1], NONE]).out
    for tag in (SUBJECT, 0x67960003, 0x67E50102):
        assert desk.call(fxrops.state_begin(tag, 0), [context]).code == INVALID_PARAMETER, hex(tag)


def test_state_streams_are_begun_before_they_go_on(desk: Desk, place: tuple[bytes, int]) -> None:
    context = desk.must(fxrops.configure(), [place[1], NONE]).out
    assert desk.call(fxrops.state_continue(b"abc"), [context]).code != OK
    assert desk.call(fxrops.STATE_END, [context]).code != OK
    desk.must(fxrops.state_begin(CNSET_SEEN, 0), [context])
    assert desk.call(fxrops.state_begin(CNSET_READ, 0), [context]).code != OK
    desk.must(fxrops.STATE_END, [context])


@pytest.mark.covers("MS-OXCFXICS_R2216", "MS-OXCFXICS_R3503", "MS-OXCFXICS_R3506", "MS-OXCFXICS_R3592")
@pytest.mark.covers("MS-OXCFXICS_R765", "MS-OXCFXICS_R3323")
def test_the_state_before_and_after_a_download(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    note(desk, fid, "one")
    _, first = fxrops.sync(desk, folder)
    mid = note(desk, fid, "two")
    context = desk.must(fxrops.configure(), [folder, NONE]).out
    fxrops.upload_state(desk, context, first)
    before = fxrops.transfer_state(desk, context)
    assert before.ranges(IDSET_GIVEN, desk.replguid) == first.ranges(IDSET_GIVEN, desk.replguid), "R3503"
    final = fxrops.read_state(fxgrammar.contents_sync(fxrops.download(desk, context)).state)
    after = fxrops.transfer_state(desk, context)
    assert after == final, "R3506"
    assert idsets.holds(after.ranges(IDSET_GIVEN, desk.replguid), counter(mid))


@pytest.mark.covers("MS-OXCFXICS_R3337", "MS-OXCFXICS_R1858")
def test_what_happens_while_a_download_runs_is_not_lost(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    for index in range(20):
        note(desk, fid, f"number {index}")
    context = desk.must(fxrops.configure(), [folder, NONE]).out
    answer = desk.must(fxrops.get_buffer(0xBABE, 1500), [context], fxrops.parse_buffer)
    assert isinstance(answer.value, fxrops.Buffer)
    late = note(desk, fid, "late")
    buffers = [answer.value.data, *fxrops.download(desk, context)]
    sync = fxgrammar.contents_sync(buffers)
    state = fxrops.read_state(sync.state)
    told = [str(each) for each in subjects(sync)]
    given = state.ranges(IDSET_GIVEN, desk.replguid)
    assert ("late" in told) == idsets.holds(given, counter(late))
    more, _ = fxrops.sync(desk, folder, state)
    assert sorted([*told, *map(str, subjects(more))]) == sorted(
        ["late", *(f"number {index}" for index in range(20))]
    )


@pytest.mark.covers("MS-OXCFXICS_R2181", "MS-OXCFXICS_R3118002")
@pytest.mark.parametrize("flag", [0, fxrops.BEST_BODY])
def test_bodies_keep_their_form(desk: Desk, place: tuple[bytes, int], flag: int) -> None:
    fid, folder = place
    html = b"<html><body>Hello</body></html>"
    desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "html", 0x10130102: html, 0x10160003: 3})
    note(desk, fid, "plain")
    sync, _ = fxrops.sync(desk, folder, flags=fxrops.EVERYTHING | flag)
    found = {each.content.props.get(SUBJECT): each.content.props for each in sync.changes}
    assert found["html"].get(0x10130102) == html
    assert 0x10090102 not in found["html"], "no RTF where there was none"


@pytest.mark.covers("MS-OXCFXICS_R181", "MS-OXCFXICS_R2660", "MS-OXCFXICS_R2661", "MS-OXCFXICS_R1956")
@pytest.mark.covers("MS-OXCFXICS_R1983", "MS-OXCFXICS_R1987", "MS-OXCFXICS_R1989", "MS-OXCFXICS_R1936")
def test_common_bytes_are_pushed(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mids = [note(desk, fid, f"number {index}") for index in range(12)]
    desk.delete_messages(folder, [mids[3], mids[7]])
    _, state = fxrops.sync(desk, folder)
    data = state.props[IDSET_GIVEN]
    assert data[:16] == desk.replguid
    assert data[16] in range(1, 7), "R2660: common bytes are pushed first"
    assert len(data) < 16 + 6 * 10


@pytest.mark.covers("MS-OXCFXICS_R3014", "MS-OXCFXICS_R5000", "MS-OXCFXICS_R2068", "MS-OXCFXICS_R2083")
def test_the_read_set_is_of_changes_not_of_states(desk: Desk, place: tuple[bytes, int]) -> None:
    """Both ways, read and unread, take a new number; nothing leaves the set."""
    fid, folder = place
    mid = note(desk, fid, "one")
    _, state = fxrops.sync(desk, folder)
    sets = [set(idsets.members(state.ranges(CNSET_READ, desk.replguid)))]
    for flags in (0x04, 0x00, 0x04):
        before = desk.look(fid, mid, CHANGE_NUMBER)
        desk.read_flags(folder, [mid], flags)
        assert desk.look(fid, mid, CHANGE_NUMBER) == before, "another number than the message's own"
        sync, state = fxrops.sync(desk, folder, state)
        assert sync.reads is not None
        sets.append(set(idsets.members(state.ranges(CNSET_READ, desk.replguid))))
    assert all(one < two for one, two in pairwise(sets))
