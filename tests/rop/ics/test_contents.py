"""Contents synchronisation downloads: what is sent, in which form, and what the client has afterwards."""

import pytest

from appliance.directory.model import Entry
from appliance.mapi import tags
from appliance.rop.ics.flags import SynchronizationFlags as Flags
from appliance.store.contents import RowFlag
from appliance.store.mailboxes import Special
from tests.rop.ics.making import Maker
from tests.rop.ics.replica import CONTENTS, DELETED, READ, UNREAD, Replica, ids, open_, wire
from tests.rop.kit import Client


@pytest.fixture
def maker(client: Client, anna: Entry) -> Maker:
    return Maker(client.engine.store, anna)


@pytest.fixture
def replica(client: Client) -> Replica:
    return Replica(client, open_(client, client.logon(), Special.INBOX))


def test_first_synchronisation_brings_everything(replica: Replica, maker: Maker) -> None:
    rows = [maker.deliver(f"message {number}") for number in range(5)]
    rows.append(maker.make("born in MAPI", associated=True))
    sync = replica.sync()
    assert {wire(row.mid) for row in rows} == set(replica.messages)
    assert {item.props[tags.PidTagSubject] for item in sync.changes} == {
        *(f"message {number}" for number in range(5)),
        "born in MAPI",
    }
    assert sync.deletions is None
    assert sync.reads is None
    again = replica.sync()
    assert not again.changes
    assert again.deletions is None
    assert again.reads is None
    assert again.state == sync.state


def test_changes_deletions_and_read_states(replica: Replica, maker: Maker) -> None:
    rows = [maker.deliver(f"message {number}") for number in range(6)]
    replica.sync()
    maker.delete(rows[0])
    maker.flag(rows[1], RowFlag.SEEN)
    maker.change(rows[2], "changed")
    maker.move(rows[3], Special.TRASH)
    new = maker.deliver("new")
    sync = replica.sync()
    assert {item.header[tags.PidTagMid] for item in sync.changes} == {wire(rows[2].mid), wire(new.mid)}
    assert sync.deletions is not None
    assert ids(sync.deletions[DELETED]) == {rows[0].mid, rows[3].mid}
    assert sync.reads is not None
    assert ids(sync.reads[READ]) == {rows[1].mid}
    maker.flag(rows[1], RowFlag.NONE)
    sync = replica.sync()
    assert sync.reads is not None
    assert ids(sync.reads[UNREAD]) == {rows[1].mid}
    assert not replica.sync().changes


@pytest.mark.parametrize("size", [64, 700, 0xBABE])
def test_buffers_of_any_size_join_to_the_same_stream(replica: Replica, maker: Maker, size: int) -> None:
    maker.deliver("one", body="x" * 5000, attachment=b"y" * 100_000)
    assert replica.stream(size=size) == replica.stream()


def test_flags_choose_what_is_sent(replica: Replica, maker: Maker) -> None:
    maker.deliver("normal")
    maker.make("associated", associated=True)
    assert [item.associated for item in replica.sync(Flags.NORMAL | Flags.UNICODE, apply=False).changes] == [
        False
    ]
    assert [item.associated for item in replica.sync(Flags.FAI | Flags.UNICODE, apply=False).changes] == [
        True
    ]
    assert not replica.sync(Flags.UNICODE, apply=False).changes
    assert len(replica.sync(CONTENTS).changes) == 2
