"""MS-OXCFXICS: what a synchronization is configured with: progress, order, strings, wrong flags."""

from collections.abc import Iterator

import pytest

from tests.conformance import fxdesk, fxrops
from tests.conformance.fxcases import note, subjects
from tests.conformance.fxdesk import CLASS, INVALID_PARAMETER, NONE, SUBJECT, Desk
from tests.conformance.fxgrammar import (
    ASSOCIATED,
    MESSAGE_SIZE,
    SOURCE_KEY,
)
from tests.conformance.fxrops import EID, SIZE
from tests.conformance.office import Person
from tests.conformance.wire import Reader

DELIVERED = 0x0E060040


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
    "MS-OXCFXICS_R1171",
    "MS-OXCFXICS_R1174",
    "MS-OXCFXICS_R1176",
    "MS-OXCFXICS_R1179",
    "MS-OXCFXICS_R2187",
    "MS-OXCFXICS_R711",
    "MS-OXCFXICS_R222",
    "MS-OXCFXICS_R223",
    "MS-OXCFXICS_R232",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R226",
    "MS-OXCFXICS_R227",
    "MS-OXCFXICS_R229",
    "MS-OXCFXICS_R231",
    "MS-OXCFXICS_R237",
    "MS-OXCFXICS_R1376",
    "MS-OXCFXICS_R1382",
    "MS-OXCFXICS_R1383",
    "MS-OXCFXICS_R1379",
)
@pytest.mark.covers("MS-OXCFXICS_R224", "MS-OXCFXICS_R233", "MS-OXCFXICS_R2675")
def test_progress_is_told_when_asked(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    for index in range(2):
        note(desk, fid, f"number {index}")
    note(desk, fid, "hidden", associated=True)
    sync, _ = fxrops.sync(desk, folder, flags=fxrops.EVERYTHING | fxrops.PROGRESS, extra=EID | SIZE)
    assert sync.total is not None
    reader = Reader(sync.total)
    assert (reader.u16(), reader.u16()) == (0, 0), "R222, R223"
    hidden, hidden_size = reader.u32(), reader.number("<Q")
    normal, padding, normal_size = reader.u32(), reader.u32(), reader.number("<Q")
    assert (hidden, normal, padding, reader.left) == (1, 2, 0, 0)
    sizes = {False: 0, True: 0}
    for change in sync.changes:
        assert change.progress is not None
        size, associated = change.progress
        assert associated == change.header.get(ASSOCIATED)
        assert size == change.header.number(MESSAGE_SIZE)
        sizes[associated] += size
    assert sizes == {False: normal_size, True: hidden_size}


@pytest.mark.covers("MS-OXCFXICS_R1180", "MS-OXCFXICS_R1172", "MS-OXCFXICS_R2188")
def test_progress_is_not_told_unasked(desk: Desk, place: tuple[bytes, int]) -> None:
    note(desk, place[0], "one")
    sync, _ = fxrops.sync(desk, place[1])
    assert sync.total is None
    assert sync.changes[0].progress is None


def test_progress_of_nothing(desk: Desk, place: tuple[bytes, int]) -> None:
    sync, _ = fxrops.sync(desk, place[1], flags=fxrops.EVERYTHING | fxrops.PROGRESS)
    assert sync.total == bytes(32)


@pytest.mark.covers("MS-OXCFXICS_R2198", "MS-OXCFXICS_R3502", "MS-OXCFXICS_R723", "MS-OXCFXICS_R2199")
def test_the_newest_come_first_when_asked(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    base = 0x01DA000000000000
    for subject, when in (("second", 2), ("fourth", 4), ("first", 1), ("third", 3)):
        desk.message(fid, {CLASS: "IPM.Note", SUBJECT: subject, DELIVERED: base + when * 10**9})
    desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "no delivery, and changed now"})
    sync, _ = fxrops.sync(desk, folder, extra=EID | fxrops.BY_TIME)
    assert subjects(sync) == ["no delivery, and changed now", "fourth", "third", "second", "first"]


@pytest.mark.parametrize("options", [0, fxrops.UNICODE])
def test_strings_of_a_synchronization(desk: Desk, place: tuple[bytes, int], options: int) -> None:
    fid, folder = place
    note(desk, fid, "Grüße")
    flags = fxrops.EVERYTHING if options else fxrops.EVERYTHING & ~fxrops.SYNC_UNICODE
    sync, _ = fxrops.sync(desk, folder, flags=flags, options=options)
    props = sync.changes[0].content.props
    if options:
        assert props.get(SUBJECT) == "Grüße"
    else:
        assert props.get(0x0037001E) == "Grüße".encode("cp1252")
        assert SUBJECT not in props


WRONG = {
    "type 0": fxrops.configure(kind=0),
    "type 3": fxrops.configure(kind=3),
    "type 4": fxrops.configure(kind=4),
    "the reserved flag": fxrops.configure(flags=fxrops.EVERYTHING | 0x1000),
    "an unknown flag": fxrops.configure(flags=fxrops.EVERYTHING | 0x0200),
}


@pytest.mark.covers("MS-OXCFXICS_R2160", "MS-OXCFXICS_R2695", "MS-OXCFXICS_R2180", "MS-OXCFXICS_R2189")
@pytest.mark.covers("MS-OXCFXICS_R3498")
@pytest.mark.parametrize("name", sorted(WRONG))
def test_wrong_configurations(desk: Desk, place: tuple[bytes, int], name: str) -> None:
    assert desk.call(WRONG[name], [place[1], NONE]).code == INVALID_PARAMETER


@pytest.mark.covers("MS-OXCFXICS_R2178", "MS-OXCFXICS_R2079")
def test_identifiers_of_this_server_alone(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = note(desk, fid, "one")
    sync, _ = fxrops.sync(desk, folder, flags=fxrops.EVERYTHING | fxrops.NO_FOREIGN)
    assert sync.changes[0].header.binary(SOURCE_KEY) == desk.gid(mid)
