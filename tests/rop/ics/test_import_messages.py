"""Imports of messages: new ones, newer ones, older ones, and conflicts of every kind."""

from typing import Any

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.ids import PredecessorChangeList, Xid
from appliance.mapi.types import Value
from appliance.mapi.values import rop_form
from appliance.rop.ops import save_changes_message, set_properties
from appliance.rop.ops import synchronization_import_message_change as import_change
from appliance.rop.ops.save_changes_message import SaveFlags
from appliance.rop.ops.synchronization_import_message_change import ImportFlag
from appliance.store import folders, messages
from appliance.store.contents import Row, RowFlag
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special, changing
from tests.conftest import EPOCH
from tests.rop.ics.making import Maker
from tests.rop.ics.replica import Replica, transfer_state
from tests.rop.ics.test_imports import SECOND, Uploader, gid
from tests.rop.kit import Client, Reply


@pytest.fixture
def maker(client: Client, anna: Entry) -> Maker:
    return Maker(client.engine.store, anna)


class Importer(Uploader):
    """A client that uploads messages."""

    def open(
        self,
        key: bytes,
        *past: Xid,
        modified: int = EPOCH,
        flags: ImportFlag = ImportFlag.NONE,
        change: bytes = b"",
    ) -> Reply:
        change = change or self.change()
        listed = PredecessorChangeList([*past, Xid.from_bytes(change)])
        values: tuple[tuple[int, Value], ...] = (
            (tags.PidTagSourceKey, key),
            (tags.PidTagLastModificationTime, modified),
            (tags.PidTagChangeKey, change),
            (tags.PidTagPredecessorChangeList, listed.pack()),
        )
        return self.client.ask(import_change.ROP, import_change.Request(flags, values), on=self.handle)

    def fill(self, handle: int, **props: Any) -> None:
        values = [(tags.BY_NAME[name], value) for name, value in props.items()]
        request = set_properties.Request.of(values, rop_form(1252))
        assert self.client.do(set_properties.SET, request, on=handle).body.problems == ()

    def save(self, handle: int) -> Reply:
        request = save_changes_message.Request(SaveFlags.KEEP_OPEN_READ_WRITE)
        return self.client.ask(save_changes_message.ROP, request, on=handle)

    def bring(self, key: bytes, subject: str, *past: Xid, **more: Any) -> Reply:
        opened = self.open(key, *past, **more)
        assert opened.code == ec.ecNone, opened.name
        assert opened.body.message_id == 0
        self.fill(opened.handle, PidTagSubject=subject, PidTagMessageClass="IPM.Note")
        return self.save(opened.handle)


@pytest.fixture
def inbox(client: Client) -> Importer:
    return Importer(client, client.logon(), Special.INBOX)


def subject_of(maker: Maker, row: Row) -> Value:
    with maker.store.read() as txn:
        return messages.load(txn, maker.mailbox, row.mid).get(tags.PidTagSubject)


def xid(maker: Maker, row: Row) -> Xid:
    return Xid.of_change((maker.mailbox + 1000).to_bytes(16, "little"), row.cn)


@pytest.mark.covers(
    "MS-OXCROPS_2.2.13.2",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R1906", "MS-OXCFXICS_R1908", "MS-OXCFXICS_R1909", "MS-OXCFXICS_R1910", "MS-OXCFXICS_R1911",
    "MS-OXCFXICS_R61", "MS-OXCFXICS_R349", "MS-OXCFXICS_R357", "MS-OXCFXICS_R782", "MS-OXCFXICS_R813",
    "MS-OXCFXICS_R814", "MS-OXCFXICS_R3216", "MS-OXCFXICS_R800", "MS-OXCFXICS_R801", "MS-OXCFXICS_R802",
    "MS-OXCFXICS_R805", "MS-OXCFXICS_R806", "MS-OXCFXICS_R807", "MS-OXCFXICS_R808", "MS-OXCFXICS_R809",
    "MS-OXCFXICS_R2219", "MS-OXCFXICS_R2220", "MS-OXCFXICS_R3507", "MS-OXCFXICS_R2232",
)  # fmt: skip
def test_a_new_message_has_the_client_s_id_and_version(inbox: Importer, client: Client, maker: Maker) -> None:
    key = inbox.key()
    opened = inbox.open(key, modified=EPOCH + SECOND)
    inbox.fill(opened.handle, PidTagSubject="offline", PidTagMessageClass="IPM.Note", PidTagMessageFlags=1)
    assert inbox.save(opened.handle).code == ec.ecNone
    (row,) = maker.rows()
    assert gid(maker, row.mid) == key
    assert row.modified == EPOCH + SECOND
    assert row.flags & RowFlag.SEEN
    replica = Replica(client, inbox.folder)
    replica.state = transfer_state(client, inbox.handle)
    assert not replica.sync(apply=False).changes
    replica = Replica(client, inbox.folder)
    (item,) = replica.sync().changes
    assert item.header[tags.PidTagChangeKey] == b"client namespace\0\0\0\1"
    assert item.header[tags.PidTagSourceKey] == key
    assert item.header[tags.PidTagLastModificationTime] == EPOCH + SECOND


@pytest.mark.covers(
    "MS-OXCFXICS_R2229", "MS-OXCFXICS_R783", "MS-OXCFXICS_R1791",
)  # fmt: skip
def test_a_change_replaces_the_whole_message(inbox: Importer, maker: Maker) -> None:
    row = maker.make("first", props={tags.PidTagBody: "old body"})
    assert inbox.bring(gid(maker, row.mid), "second", xid(maker, row)).code == ec.ecNone
    (now,) = maker.rows()
    assert (now.mid, subject_of(maker, now)) == (row.mid, "second")
    assert now.cn > row.cn
    with maker.store.read() as txn:
        assert messages.load(txn, maker.mailbox, row.mid).get(tags.PidTagBody) is None


@pytest.mark.covers(
    "MS-OXCFXICS_R2452", "MS-OXCFXICS_R2449", "MS-OXCFXICS_R1792", "MS-OXCFXICS_R1792001",
)  # fmt: skip
def test_what_the_server_has_is_ignored(inbox: Importer, maker: Maker) -> None:
    key, change = inbox.key(), inbox.change()
    assert inbox.bring(key, "one", change=change).code == ec.ecNone
    assert inbox.open(key, change=change).code == ec.ecSyncIgnore
    assert inbox.bring(key, "two", Xid.from_bytes(change)).code == ec.ecNone
    assert inbox.open(key, change=change).code == ec.ecSyncIgnore


@pytest.mark.covers(
    "MS-OXCFXICS_R2652", "MS-OXCFXICS_R2251", "MS-OXCFXICS_R2451",
)  # fmt: skip
def test_what_is_gone_does_not_come_back(inbox: Importer, maker: Maker) -> None:
    row = maker.deliver("x")
    maker.delete(row)
    assert inbox.open(gid(maker, row.mid)).code == ec.ecSyncObjectDeleted
    never = inbox.key()
    inbox.delete(never)
    assert inbox.open(never).code == ec.ecSyncObjectDeleted


@pytest.mark.covers(
    "MS-OXCFXICS_R3509", "MS-OXCFXICS_R3509001", "MS-OXCFXICS_R3215",
)  # fmt: skip
def test_malformed_imports(inbox: Importer, client: Client, maker: Maker) -> None:
    assert inbox.open(inbox.key(), flags=ImportFlag(2)).code == ec.ecInvalidParam
    assert inbox.open(b"x" * 22).code == ec.ecInvalidParam
    row = maker.make("fai", associated=True)
    assert inbox.open(gid(maker, row.mid), xid(maker, row)).code == ec.ecInvalidParam
    request = import_change.Request(ImportFlag.NONE, ((tags.PidTagSourceKey, inbox.key()),))
    assert client.ask(import_change.ROP, request, on=inbox.handle).code == ec.ecInvalidParam


@pytest.mark.covers(
    "MS-OXCFXICS_R2655", "MS-OXCFXICS_R1836", "MS-OXCFXICS_R2231", "MS-OXCFXICS_R815", "MS-OXCFXICS_R3220",
    "MS-OXCFXICS_R3219",
)  # fmt: skip
def test_a_client_may_want_no_conflict(inbox: Importer, maker: Maker) -> None:
    row = maker.deliver("first")
    reply = inbox.open(gid(maker, row.mid), flags=ImportFlag.FAIL_ON_CONFLICT)
    assert reply.code == ec.ecSyncConflict


@pytest.mark.covers(
    "MS-OXCFXICS_R1287", "MS-OXCFXICS_R2734", "MS-OXCFXICS_R2735", "MS-OXCFXICS_R1907",
    "MS-OXCFXICS_R190701", "MS-OXCFXICS_R2505", "MS-OXCFXICS_R1285", "MS-OXCFXICS_R3041",
    "MS-OXCFXICS_R135", "MS-OXCFXICS_R1286", "MS-OXCFXICS_R3045", "MS-OXCFXICS_R3046", "MS-OXCFXICS_R1778",
    "MS-OXCFXICS_R1779", "MS-OXCFXICS_R1783", "MS-OXCFXICS_R1784", "MS-OXCFXICS_R1787", "MS-OXCFXICS_R1788",
    "MS-OXCFXICS_R1789", "MS-OXCFXICS_R1793", "MS-OXCFXICS_R1794", "MS-OXCFXICS_R1796", "MS-OXCFXICS_R1797",
    "MS-OXCFXICS_R1798", "MS-OXCFXICS_R1799", "MS-OXCFXICS_R1801", "MS-OXCFXICS_R1803", "MS-OXCFXICS_R1804",
    "MS-OXCFXICS_R1805", "MS-OXCFXICS_R1806", "MS-OXCFXICS_R1807", "MS-OXCFXICS_R1808", "MS-OXCFXICS_R1809",
    "MS-OXCFXICS_R1810", "MS-OXCFXICS_R1811", "MS-OXCFXICS_R1812", "MS-OXCFXICS_R1814", "MS-OXCFXICS_R1815",
    "MS-OXCFXICS_R1816", "MS-OXCFXICS_R1817", "MS-OXCFXICS_R3397", "MS-OXCFXICS_R3398", "MS-OXCFXICS_R3399",
    "MS-OXCFXICS_R1820", "MS-OXCFXICS_R1821", "MS-OXCFXICS_R1822", "MS-OXCFXICS_R3400", "MS-OXCFXICS_R1826",
    "MS-OXCFXICS_R1827", "MS-OXCFXICS_R1828", "MS-OXCFXICS_R1830", "MS-OXCFXICS_R7942", "MS-OXCFXICS_R7943",
)  # fmt: skip
@pytest.mark.parametrize("newer", [True, False])
def test_a_conflict_makes_a_conflict_resolve_message(
    inbox: Importer, client: Client, maker: Maker, newer: bool
) -> None:
    row = maker.deliver("of the server", attachment=b"bytes")
    modified = row.modified + (SECOND if newer else -SECOND)
    assert inbox.bring(gid(maker, row.mid), "of the client", modified=modified).code == ec.ecNone
    (now,) = maker.rows()
    assert now.flags & RowFlag.IN_CONFLICT
    assert subject_of(maker, now) == ("of the client" if newer else "of the server")
    replica = Replica(client, inbox.folder)
    replica.state = transfer_state(client, inbox.handle)
    sync = replica.sync(apply=False)
    # each version is sent as a message of its own
    assert [item.props[tags.PidTagSubject] for item in sync.changes] == ["of the server", "of the client"]
    lists = [item.header[tags.PidTagPredecessorChangeList] for item in sync.changes]
    assert len(set(lists)) == 2
    # who has seen both may bring their successor
    merged = [each for data in lists for each in PredecessorChangeList.parse(data)]
    assert inbox.bring(gid(maker, row.mid), "resolved", *merged).code == ec.ecNone
    (now,) = maker.rows()
    assert not now.flags & RowFlag.IN_CONFLICT
    assert subject_of(maker, now) == "resolved"


def test_a_second_conflict_adds_a_third_version(inbox: Importer, client: Client, maker: Maker) -> None:
    row = maker.make("one")
    inbox.bring(gid(maker, row.mid), "two")
    key = b"other namespace!" + b"\0\0\0\1"
    assert inbox.bring(gid(maker, row.mid), "three", change=key).code == ec.ecNone
    sync = Replica(client, inbox.folder).sync(apply=False)
    assert [item.props[tags.PidTagSubject] for item in sync.changes] == ["one", "two", "three"]


@pytest.mark.covers(
    "MS-OXCFXICS_R3402", "MS-OXCFXICS_R3403", "MS-OXCFXICS_R1831", "MS-OXCFXICS_R1832", "MS-OXCFXICS_R1290",
    "MS-OXCFXICS_R1841",
)  # fmt: skip
@pytest.mark.parametrize("newer", [True, False])
def test_associated_messages_and_such_folders_keep_the_last_writer_s(
    inbox: Importer, maker: Maker, newer: bool
) -> None:
    def method(txn: WriteTxn) -> None:
        with changing(txn, maker.mailbox) as clock:
            folder = folders.get(txn, maker.mailbox, Special.INBOX)
            folder.set_bag({**folder.bag(), tags.PidTagResolveMethod: 1})
            folders.changed(txn, clock, folder, now=EPOCH)

    for associated in (True, False):
        row = maker.make("of the server", associated=associated)
        if not associated:
            maker.store.write(method).result()
        modified = row.modified + (SECOND if newer else -SECOND)
        flags = ImportFlag.ASSOCIATED if associated else ImportFlag.NONE
        reply = inbox.bring(gid(maker, row.mid), "of the client", modified=modified, flags=flags)
        assert reply.code == ec.ecNone
        (now,) = [each for each in maker.rows() if each.mid == row.mid]
        assert subject_of(maker, now) == ("of the client" if newer else "of the server")
        assert not now.flags & RowFlag.IN_CONFLICT
        assert now.cn > row.cn
