"""MS-OXCFXICS: synchronization of public folders, where everybody has an own read state."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.conformance import fxrops, idsets
from tests.conformance.fxdesk import CLASS, DISPLAY, FLAGS, NONE, SUBJECT, Desk, PublicDesk
from tests.conformance.fxgrammar import IDSET_READ, IDSET_UNREAD, Sync
from tests.conformance.fxrops import CNSET_READ, NORMAL, SYNC_UNICODE, State
from tests.conformance.office import Office, Person

READ, UNREAD = 0x00, 0x04
FOLDER_ID = 0x67480014


@pytest.fixture
def name(office: Office) -> str:
    """A new public folder."""
    made = f"Board {uuid.uuid4()}"
    office.command("public-folder", "create", made)
    return made


@dataclass
class Reading:
    """Somebody with a replica of a public folder."""

    desk: Desk
    fid: bytes
    folder: int
    state: State = field(default_factory=State)

    def sync(self) -> Sync:
        """The next download."""
        found, self.state = fxrops.sync(self.desk, self.folder, self.state)
        return found

    def told(self) -> tuple[list[int], list[int]]:
        """The counters of what the next download tells to be read and unread; nothing else may come."""
        found = self.sync()
        assert found.changes == []
        assert found.deletions is None
        if found.reads is None:
            return [], []
        listed = []
        for tag in (IDSET_READ, IDSET_UNREAD):
            sets = idsets.read_replids(found.reads.binary(tag)) if tag in found.reads else {}
            listed.append([each for ranges in sets.values() for each in idsets.members(ranges)])
        return listed[0], listed[1]

    def mark(self, mids: list[bytes], flags: int) -> None:
        """RopSetReadFlags."""
        self.desk.read_flags(self.folder, mids, flags)


def reading(person: Person, name: str) -> Reading:
    """Somebody who reads the public folder of this name."""
    desk = PublicDesk(person.mapi(), person.dn)
    below = desk.hierarchy_table(desk.open_folder(desk.folders["ipm"]))
    desk.columns(below, [FOLDER_ID, DISPLAY])
    rows = desk.rows(below, [FOLDER_ID, DISPLAY])
    (number,) = [row[FOLDER_ID] for row in rows if row[DISPLAY] == name]
    assert isinstance(number, int)
    fid = number.to_bytes(8, "little", signed=True)
    return Reading(desk, fid, desk.open_folder(fid))


@pytest.fixture
def first(anna: Person, name: str) -> Iterator[Reading]:
    """Anna."""
    made = reading(anna, name)
    yield made
    made.desk.mapi.close()


@pytest.fixture
def second(anna: Person, name: str) -> Iterator[Reading]:
    """Anna at another computer."""
    made = reading(anna, name)
    yield made
    made.desk.mapi.close()


def note(where: Reading, subject: str) -> bytes:
    """A message."""
    return where.desk.message(where.fid, {CLASS: "IPM.Post", SUBJECT: subject})


def counter_of(mid: bytes) -> int:
    """The counter of an id."""
    return int.from_bytes(mid[2:], "big")


def states(found: Sync) -> dict[object, bool]:
    """The read states that changes bring."""
    return {
        each.content.props.get(SUBJECT): bool(each.content.props.get(FLAGS) or 0)
        and bool(int(str(each.content.props.get(FLAGS))) & 1)
        for each in found.changes
    }


def test_read_states_of_another_session(first: Reading, second: Reading) -> None:
    mids = [note(first, subject) for subject in ("a", "b", "c")]
    assert states(first.sync()) == {"a": False, "b": False, "c": False}
    assert states(second.sync()) == {"a": False, "b": False, "c": False}
    second.mark(mids[:2], READ)
    assert first.told() == ([counter_of(mid) for mid in mids[:2]], [])
    assert first.told() == ([], []), "told once"
    second.mark(mids[:1], UNREAD)
    assert first.told() == ([], [counter_of(mids[0])])
    assert first.told() == ([], [])


def test_read_states_of_others_are_theirs(first: Reading, ben: Person, name: str) -> None:
    mid = note(first, "a")
    first.sync()
    stranger = reading(ben, name)
    stranger.sync()
    stranger.mark([mid], READ)
    assert first.told() == ([], [])
    assert stranger.told() == ([counter_of(mid)], [])
    assert states(reading(ben, name).sync()) == {"a": True}
    stranger.desk.mapi.close()


def test_a_changed_message_is_unread_again(first: Reading, second: Reading) -> None:
    mid = note(first, "a")
    first.mark([mid], READ)
    assert states(second.sync()) == {"a": True}
    assert second.told() == ([], [])
    first.desk.touch(first.fid, mid, {SUBJECT: "b"})
    assert states(second.sync()) == {"b": False}
    assert second.told() == ([], [])
    first.mark([mid], READ)
    assert second.told() == ([counter_of(mid)], [])


@pytest.mark.covers("MS-OXCFXICS_R2260", "MS-OXCFXICS_R2258")
def test_read_states_that_are_imported_are_not_told(first: Reading, second: Reading) -> None:
    mids = [note(first, subject) for subject in ("a", "b")]
    first.sync()
    second.sync()
    upload = first.desk.must(fxrops.collector(), [first.folder, NONE]).out
    fxrops.upload_state(first.desk, upload, first.state)
    gids = [first.desk.gid(mid) for mid in mids]
    first.desk.must(fxrops.import_reads([(gids[0], True), (gids[1], True), (gids[1], False)]), [upload])
    first.state = fxrops.transfer_state(first.desk, upload)
    assert first.told() == ([], [])
    assert second.told() == ([counter_of(mids[0])], [])


@pytest.mark.covers("MS-OXCFXICS_R2171")
def test_read_states_that_nobody_asked_for(first: Reading, second: Reading) -> None:
    mid = note(first, "a")
    second.sync()
    first.mark([mid], READ)
    found, state = fxrops.sync(second.desk, second.folder, second.state, flags=SYNC_UNICODE | NORMAL)
    assert found.reads is None
    assert state.props[CNSET_READ] == second.state.props[CNSET_READ]
    assert second.told() == ([counter_of(mid)], [])
