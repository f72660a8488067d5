"""MS-OXCFXICS: synchronization of public folders, where everybody has an own read state."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.conformance import fxdesk, fxrops, idsets
from tests.conformance.fxdesk import CLASS, DISPLAY, FLAGS, NONE, SUBJECT, Desk, PublicDesk
from tests.conformance.fxgrammar import IDSET_READ, IDSET_UNREAD, Sync
from tests.conformance.fxrops import CNSET_READ, NORMAL, SYNC_UNICODE, State
from tests.conformance.office import Office, Person
from tests.conformance.replica import THEN, Client

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
    """A message that its author has not read: who writes one has, until it is marked."""
    mid = where.desk.message(where.fid, {CLASS: "IPM.Post", SUBJECT: subject})
    where.mark([mid], UNREAD)
    return mid


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


def test_a_changed_message_is_unread_again(
    first: Reading, second: Reading, ben: Person, office: Office, name: str
) -> None:
    office.command("folder", "permission", "public", name, ben.address, "editor")
    editor = reading(ben, name)
    mid = note(first, "a")
    first.mark([mid], READ)
    assert states(second.sync()) == {"a": True}
    assert second.told() == ([], [])
    editor.desk.touch(first.fid, mid, {SUBJECT: "b"})
    editor.desk.mapi.close()
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


RESOLVE_METHOD, CONFLICT_ENTRY_ID, ORIGINAL_SUBJECT, SENDER = 0x3FE70003, 0x3FF00102, 0x0049001F, 0x0C1A001F
NO_NOTIFICATION = 0x02


def conflict(where: Reading) -> bytes:
    """A conflict in the folder: the id of the message."""
    mid = note(where, "server's")
    client = Client(where.desk, where.folder)
    client.bring(client.head(where.desk.gid(mid), at=THEN), {SUBJECT: "client's"})
    return mid


@pytest.mark.covers("MS-OXCFXICS_R1845", "MS-OXCFXICS_R1846", "MS-OXCFXICS_R3404", "MS-OXCFXICS_R34041")
@pytest.mark.covers("MS-OXCFXICS_R1849", "MS-OXCFXICS_R1850", "MS-OXCFXICS_R1851", "MS-OXCFXICS_R3043")
@pytest.mark.covers("MS-OXCFXICS_R3044", "MS-OXCFXICS_R1834")
def test_owners_hear_of_conflicts(first: Reading, anna: Person, office: Office, name: str) -> None:
    office.command("folder", "permission", "public", name, anna.address, "owner")
    mid = conflict(first)
    own = fxdesk.desk(anna)
    wanted = [CLASS, SUBJECT, SENDER, ORIGINAL_SUBJECT, CONFLICT_ENTRY_ID]
    (row,) = own.in_folder(own.open_folder(own.folders["inbox"]), wanted)
    assert row[CLASS] == "IPM.Conflict.Message"
    assert row[SENDER] == name
    assert row[ORIGINAL_SUBJECT] in ("server's", "client's")
    handle = first.desk.open_message(first.fid, mid, 0)
    assert first.desk.get(handle, 0x0FFF0102)[0x0FFF0102] == row[CONFLICT_ENTRY_ID]
    own.mapi.close()


@pytest.mark.covers("MS-OXCFXICS_R1847", "MS-OXCFXICS_R1292")
def test_owners_may_not_want_to_hear(first: Reading, anna: Person, office: Office, name: str) -> None:
    office.command("folder", "permission", "public", name, anna.address, "owner")
    first.desk.set(first.folder, {RESOLVE_METHOD: NO_NOTIFICATION})
    mid = conflict(first)
    assert first.desk.look(first.fid, mid, 0x0E170003)[0x0E170003] == 0x0800, "msgStatus: in conflict"
    own = fxdesk.desk(anna)
    assert own.in_folder(own.open_folder(own.folders["inbox"]), [CLASS]) == []
    own.mapi.close()
