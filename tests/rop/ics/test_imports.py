"""Synchronisation uploads: folders, deletions, moves, read states, and ids of the client's own."""

from typing import Any

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.ids import LongTermId, PredecessorChangeList, Xid
from appliance.mapi.idset import IdSet
from appliance.mapi.types import Value
from appliance.rop.ops import (
    get_local_replica_ids,
    set_local_replica_midset_deleted,
    synchronization_import_deletes,
    synchronization_import_hierarchy_change,
    synchronization_import_message_move,
    synchronization_import_read_state_changes,
    synchronization_open_collector,
)
from appliance.rop.ops.synchronization_import_deletes import ImportDeleteFlags
from appliance.store import contents, folders
from appliance.store.contents import RowFlag
from appliance.store.mailboxes import Special
from tests.conftest import EPOCH
from tests.rop.ics.making import Maker
from tests.rop.ics.replica import Replica, open_, transfer_state, upload_state
from tests.rop.kit import Client, Reply

CLIENT = b"client namespace"
SECOND = 10_000_000


class Uploader:
    """A client that uploads into one folder."""

    def __init__(self, client: Client, logon: int, fid: int, *, contents: bool = True) -> None:
        self.client, self.logon = client, logon
        self.folder = open_(client, logon, fid)
        request = synchronization_open_collector.Request(contents)
        self.handle = client.do(synchronization_open_collector.ROP, request, on=self.folder).handle
        self.changes = 0

    def ids(self, count: int = 16) -> tuple[bytes, int]:
        body = self.client.do(
            get_local_replica_ids.ROP, get_local_replica_ids.Request(count), on=self.logon
        ).body
        return body.replguid, int.from_bytes(body.global_count, "big")

    def key(self) -> bytes:
        """A source key for something new."""
        guid, first = self.ids(1)
        return LongTermId(guid, first).to_gid()

    def change(self) -> bytes:
        """A change key of the client's own."""
        self.changes += 1
        return CLIENT + self.changes.to_bytes(4, "big")

    def version(self, *past: Xid) -> list[tuple[int, Value]]:
        key = self.change()
        listed = PredecessorChangeList([*past, Xid.from_bytes(key)])
        return [(tags.PidTagChangeKey, key), (tags.PidTagPredecessorChangeList, listed.pack())]

    def folder_change(
        self,
        key: bytes,
        name: str,
        *,
        parent: bytes = b"",
        modified: int = EPOCH,
        past: Any = (),
        props: Any = (),
    ) -> Reply:
        values: list[tuple[int, Value]] = [
            (tags.PidTagParentSourceKey, parent),
            (tags.PidTagSourceKey, key),
            (tags.PidTagLastModificationTime, modified),
            *self.version(*past),
            (tags.PidTagDisplayName, name),
        ]
        request = synchronization_import_hierarchy_change.Request(tuple(values), tuple(props))
        return self.client.ask(synchronization_import_hierarchy_change.ROP, request, on=self.handle)

    def delete(self, *keys: bytes, flags: ImportDeleteFlags = ImportDeleteFlags.NONE) -> Reply:
        request = synchronization_import_deletes.Request(flags, ((0x00001102, keys),))
        return self.client.ask(synchronization_import_deletes.ROP, request, on=self.handle)

    def read(self, *states: tuple[bytes, bool]) -> Reply:
        made = tuple(
            synchronization_import_read_state_changes.MessageReadState(key, read) for key, read in states
        )
        request = synchronization_import_read_state_changes.Request(made)
        return self.client.ask(synchronization_import_read_state_changes.ROP, request, on=self.handle)


@pytest.fixture
def maker(client: Client, anna: Entry) -> Maker:
    return Maker(client.engine.store, anna)


@pytest.fixture
def logon(client: Client) -> int:
    return client.logon()


def gid(maker: Maker, short_id: int) -> bytes:
    guid = (maker.mailbox + 1000).to_bytes(16, "little")
    return LongTermId(guid, short_id & (1 << 48) - 1).to_gid()


@pytest.fixture
def inbox(client: Client, logon: int) -> Uploader:
    return Uploader(client, logon, Special.INBOX)


@pytest.fixture
def tree(client: Client, logon: int) -> Uploader:
    return Uploader(client, logon, Special.IPM_SUBTREE, contents=False)


def folder_at(maker: Maker, name: str, parent: int = Special.IPM_SUBTREE) -> folders.Folder:
    with maker.store.read() as txn:
        fid = folders.lookup(txn, maker.mailbox, parent, name)
        assert fid is not None
        return folders.get(txn, maker.mailbox, fid)


@pytest.mark.covers(
    "MS-OXCROPS_2.2.13.4",
    "MS-OXCROPS_2.2.13.7",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R2235", "MS-OXCFXICS_R2243", "MS-OXCFXICS_R769", "MS-OXCFXICS_R776", "MS-OXCFXICS_R777",
    "MS-OXCFXICS_R778", "MS-OXCFXICS_R779", "MS-OXCFXICS_R816", "MS-OXCFXICS_R830", "MS-OXCFXICS_R831",
    "MS-OXCFXICS_R832", "MS-OXCFXICS_R833", "MS-OXCFXICS_R834", "MS-OXCFXICS_R835", "MS-OXCFXICS_R836",
    "MS-OXCFXICS_R2217", "MS-OXCFXICS_R2218", "MS-OXCFXICS_R2233", "MS-OXCFXICS_R2234",
)  # fmt: skip
def test_a_new_folder_has_the_client_s_id_version_and_properties(tree: Uploader, maker: Maker) -> None:
    key = tree.key()
    props = [(tags.PidTagContainerClass, "IPF.Note"), (tags.PidTagComment, "mine")]
    reply = tree.folder_change(key, "New", modified=EPOCH + SECOND, props=props)
    assert (reply.code, reply.body.folder_id) == (ec.ecNone, 0)
    made = folder_at(maker, "New")
    assert gid(maker, made.fid) == key
    assert (made.modified, made.container_class) == (EPOCH + SECOND, "IPF.Note")
    assert made.bag()[tags.PidTagComment] == "mine"
    assert made.change_key == CLIENT + (1).to_bytes(4, "big")
    # the client brought it: it is not sent it again
    state = transfer_state(tree.client, tree.handle)
    seen = IdSet.parse(state[0x67960102], by_guid=True)
    assert seen.contains((maker.mailbox + 1000).to_bytes(16, "little"), made.cn & (1 << 48) - 1)
    child = tree.key()
    assert tree.folder_change(child, "Below", parent=key).code == ec.ecNone
    assert folder_at(maker, "Below", made.fid).parent == made.fid


@pytest.mark.covers(
    "MS-OXCFXICS_R2450",
)  # fmt: skip
def test_folder_imports_that_are_refused(tree: Uploader, maker: Maker) -> None:
    key = tree.key()
    assert tree.folder_change(tree.key(), "x", parent=tree.key()).code == ec.ecSyncNoParent
    assert tree.folder_change(key, "One").code == ec.ecNone
    tree.changes = 0
    assert tree.folder_change(key, "One").code == ec.ecSyncIgnore
    assert tree.folder_change(tree.key(), "One").code == ec.ecDuplicateName
    assert tree.folder_change(gid(maker, (1 << 40)), "Two").code == ec.ecInvalidParam
    assert tree.folder_change(b"short", "Two").code == ec.ecInvalidParam
    assert tree.folder_change(tree.key(), "").code == ec.ecInvalidParam
    inbox = gid(maker, Special.INBOX)
    assert tree.folder_change(inbox, "Postfach", past=[own(maker, Special.INBOX)]).code == ec.ecAccessDenied


def own(maker: Maker, fid: int) -> Xid:
    with maker.store.read() as txn:
        cn = folders.get(txn, maker.mailbox, fid).cn
    return Xid.of_change((maker.mailbox + 1000).to_bytes(16, "little"), cn)


def test_folders_move_and_do_not_move_into_themselves(tree: Uploader, maker: Maker) -> None:
    first, second = tree.key(), tree.key()
    tree.folder_change(first, "First")
    tree.folder_change(second, "Second", parent=first)
    assert tree.folder_change(second, "Renamed").code == ec.ecNone
    assert folder_at(maker, "Renamed").parent == Special.IPM_SUBTREE
    tree.folder_change(second, "Renamed", parent=first)
    assert tree.folder_change(first, "First", parent=second).code == ec.ecSyncCycle


@pytest.mark.covers(
    "MS-OXCFXICS_R2650", "MS-OXCFXICS_R2651", "MS-OXCFXICS_R2237", "MS-OXCFXICS_R2239",
    "MS-OXCFXICS_R2239001", "MS-OXCFXICS_R2242", "MS-OXCFXICS_R2463", "MS-OXCFXICS_R1829",
)  # fmt: skip
def test_the_folder_that_was_written_last_wins_a_conflict(tree: Uploader, maker: Maker) -> None:
    key = tree.key()
    tree.folder_change(key, "Folder", modified=EPOCH)

    def annotate(edit: Any) -> None:
        folder = folders.get(edit.txn, maker.mailbox, folder_at(maker, "Folder").fid)
        folder.set_bag({tags.PidTagComment: "server"})
        folders.changed(edit.txn, edit.clock, folder, now=EPOCH + 10 * SECOND)

    maker.edit(annotate)
    fid = folder_at(maker, "Folder").fid
    assert tree.folder_change(key, "Older", modified=EPOCH + SECOND).code == ec.ecNone
    kept = folder_at(maker, "Folder")
    assert kept.bag()[tags.PidTagComment] == "server"
    assert len(PredecessorChangeList.parse(kept.predecessors)) == 2
    maker.edit(annotate)
    assert tree.folder_change(key, "Newer", modified=EPOCH + 99 * SECOND).code == ec.ecNone
    assert folder_at(maker, "Newer").fid == fid


@pytest.mark.covers(
    "MS-OXCROPS_2.2.13.5",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R35121", "MS-OXCFXICS_R2254001", "MS-OXCFXICS_R90205002", "MS-OXCFXICS_R2250",
    "MS-OXCFXICS_R3511", "MS-OXCFXICS_R3512", "MS-OXCFXICS_R2254", "MS-OXCFXICS_R884", "MS-OXCFXICS_R901",
    "MS-OXCFXICS_R902", "MS-OXCFXICS_R90205", "MS-OXCFXICS_R903", "MS-OXCFXICS_R904", "MS-OXCFXICS_R896",
    "MS-OXCFXICS_R897", "MS-OXCFXICS_R898", "MS-OXCFXICS_R2248", "MS-OXCFXICS_R2249", "MS-OXCFXICS_R2519",
)  # fmt: skip
def test_deletes(inbox: Uploader, maker: Maker) -> None:
    rows = [maker.deliver(f"m{number}") for number in range(3)]
    never = inbox.key()
    assert inbox.delete(gid(maker, rows[0].mid), never, gid(maker, rows[0].mid)).code == ec.ecNone
    assert inbox.delete(gid(maker, rows[1].mid), flags=ImportDeleteFlags.HARD_DELETE).code == ec.ecNone
    assert [row.mid for row in maker.rows()] == [rows[2].mid]
    with maker.store.read() as txn:
        assert [each.row.mid for each in contents.all_buried(txn, maker.mailbox)] == [rows[0].mid]
    assert inbox.delete(gid(maker, rows[2].mid), b"x").code == ec.ecInvalidParam
    assert len(maker.rows()) == 1
    assert inbox.delete(flags=ImportDeleteFlags(4)).code == ec.ecInvalidParam
    assert inbox.delete(flags=ImportDeleteFlags.HIERARCHY).code == ec.ecNotSupported


@pytest.mark.covers(
    "MS-OXCFXICS_R2470",
)  # fmt: skip
def test_folder_deletes(tree: Uploader, maker: Maker) -> None:
    outer = maker.folder("Outer")
    maker.deliver("inside", fid=maker.folder("Inner", outer))
    flags = ImportDeleteFlags.HIERARCHY
    assert tree.delete(gid(maker, outer), gid(maker, Special.INBOX), flags=flags).code == ec.ecAccessDenied
    assert folder_at(maker, "Outer")
    assert tree.delete(gid(maker, outer), flags=flags).code == ec.ecNone
    assert tree.delete(gid(maker, outer), flags=flags).code == ec.ecNone
    with maker.store.read() as txn:
        assert folders.lookup(txn, maker.mailbox, Special.IPM_SUBTREE, "Outer") is None


@pytest.mark.covers(
    "MS-OXCROPS_2.2.13.3",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R905", "MS-OXCFXICS_R919", "MS-OXCFXICS_R920", "MS-OXCFXICS_R921", "MS-OXCFXICS_R2255",
    "MS-OXCFXICS_R2256", "MS-OXCFXICS_R2257", "MS-OXCFXICS_R2259", "MS-OXCFXICS_R2260", "MS-OXCFXICS_R2262",
    "MS-OXCFXICS_R3513", "MS-OXCFXICS_R3513001",
)  # fmt: skip
def test_read_states(inbox: Uploader, client: Client, maker: Maker) -> None:
    rows = [maker.deliver(f"m{number}") for number in range(3)]
    replica = Replica(client, inbox.folder)
    replica.sync()
    upload_state(client, inbox.handle, replica.state)
    assert inbox.read((gid(maker, rows[0].mid), True), (gid(maker, rows[1].mid), False)).code == ec.ecNone
    assert [bool(row.flags & RowFlag.SEEN) for row in maker.rows()] == [True, False, False]
    replica.state = transfer_state(client, inbox.handle)
    sync = replica.sync()
    assert not sync.changes
    assert sync.reads is None


@pytest.mark.covers(
    "MS-OXCROPS_2.2.13.6",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R1892", "MS-OXCFXICS_R839", "MS-OXCFXICS_R870", "MS-OXCFXICS_R871", "MS-OXCFXICS_R872",
    "MS-OXCFXICS_R875", "MS-OXCFXICS_R876", "MS-OXCFXICS_R877", "MS-OXCFXICS_R878", "MS-OXCFXICS_R879",
    "MS-OXCFXICS_R879001", "MS-OXCFXICS_R880", "MS-OXCFXICS_R2244", "MS-OXCFXICS_R2245", "MS-OXCFXICS_R2246",
)  # fmt: skip
def test_a_move_gives_the_client_s_id_and_version(client: Client, logon: int, maker: Maker) -> None:
    row = maker.deliver("to be moved")
    trash = Uploader(client, logon, Special.TRASH)
    key = trash.key()
    past = Xid.of_change((maker.mailbox + 1000).to_bytes(16, "little"), row.cn)
    newer = Xid(bytes(range(16)), b"\0\0\0\7")

    def move(source: bytes, target: bytes, *listed: Xid) -> Reply:
        change = trash.change()
        request = synchronization_import_message_move.Request(
            gid(maker, Special.INBOX), source, PredecessorChangeList(listed).pack(), target, change
        )
        return client.ask(synchronization_import_message_move.ROP, request, on=trash.handle)

    reply = move(gid(maker, row.mid), key, past)
    assert reply.code == ec.ecNone
    assert reply.body.message_id == 0
    (moved,) = maker.rows(Special.TRASH)
    assert gid(maker, moved.mid) == key
    assert maker.rows() == []
    assert move(gid(maker, row.mid), trash.key(), past).code == ec.ecNotFound
    again = maker.deliver("second")
    assert move(gid(maker, again.mid), key, past).code == ec.ecSyncObjectDeleted
    past = Xid.of_change(past.namespace, again.cn)
    assert move(gid(maker, again.mid), trash.key(), newer, past).code == ec.ecSyncClientChangeNewer


@pytest.mark.covers(
    "MS-OXCROPS_2.2.13.13",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R925", "MS-OXCFXICS_R931", "MS-OXCFXICS_R932", "MS-OXCFXICS_R933", "MS-OXCFXICS_R3247",
    "MS-OXCFXICS_R934", "MS-OXCFXICS_R935", "MS-OXCFXICS_R936", "MS-OXCFXICS_R937", "MS-OXCFXICS_R940",
    "MS-OXCFXICS_R3248", "MS-OXCFXICS_R957", "MS-OXCFXICS_R958", "MS-OXCFXICS_R3249", "MS-OXCFXICS_R954",
    "MS-OXCFXICS_R955", "MS-OXCFXICS_R2263", "MS-OXCFXICS_R2264", "MS-OXCFXICS_R2266", "MS-OXCFXICS_R2267",
    "MS-OXCFXICS_R2268", "MS-OXCFXICS_R2269", "MS-OXCFXICS_R2270", "MS-OXCFXICS_R3607",
)  # fmt: skip
def test_local_replica_ids(inbox: Uploader, client: Client, maker: Maker) -> None:
    guid, first = inbox.ids(512)
    assert guid == (maker.mailbox + 1000).to_bytes(16, "little")
    row = maker.deliver("after")
    assert row.mid & (1 << 48) - 1 >= first + 512
    assert inbox.ids()[1] > first + 511
    for count in (0, 0xFFFFFFFF):
        request = get_local_replica_ids.Request(count)
        assert client.ask(get_local_replica_ids.ROP, request, on=inbox.logon).code == ec.ecInvalidParam
    low, high = LongTermId(guid, first), LongTermId(guid, first + 3)
    ranges = (set_local_replica_midset_deleted.LongTermIdRange(low, high),)
    right = set_local_replica_midset_deleted.Request(ranges)
    assert client.ask(set_local_replica_midset_deleted.ROP, right, on=inbox.folder).code == ec.ecNone
    wrong = set_local_replica_midset_deleted.Request(
        (set_local_replica_midset_deleted.LongTermIdRange(high, low),)
    )
    code = client.ask(set_local_replica_midset_deleted.ROP, wrong, on=inbox.folder).code
    assert code == ec.ecInvalidParam
