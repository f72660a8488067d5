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


@pytest.mark.covers(
    "MS-OXCROPS_2.2.13.1",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R3321", "MS-OXCFXICS_R3323", "MS-OXCFXICS_R331", "MS-OXCFXICS_R333", "MS-OXCFXICS_R336",
    "MS-OXCFXICS_R337", "MS-OXCFXICS_R351", "MS-OXCFXICS_R355", "MS-OXCFXICS_R356", "MS-OXCFXICS_R641",
    "MS-OXCFXICS_R642", "MS-OXCFXICS_R643", "MS-OXCFXICS_R644", "MS-OXCFXICS_R667", "MS-OXCFXICS_R668",
    "MS-OXCFXICS_R669", "MS-OXCFXICS_R670", "MS-OXCFXICS_R1057", "MS-OXCFXICS_R1130", "MS-OXCFXICS_R1131",
    "MS-OXCFXICS_R1132", "MS-OXCFXICS_R1133", "MS-OXCFXICS_R1144", "MS-OXCFXICS_R1147", "MS-OXCFXICS_R1852",
    "MS-OXCFXICS_R3339", "MS-OXCFXICS_R3341", "MS-OXCFXICS_R3344", "MS-OXCFXICS_R5001", "MS-OXCFXICS_R3347",
    "MS-OXCFXICS_R3349", "MS-OXCFXICS_R1859", "MS-OXCFXICS_R3411", "MS-OXCFXICS_R3412", "MS-OXCFXICS_R1863",
    "MS-OXCFXICS_R1864", "MS-OXCFXICS_R3320", "MS-OXCFXICS_R1203", "MS-OXCFXICS_R962", "MS-OXCFXICS_R964",
    "MS-OXCFXICS_R965", "MS-OXCFXICS_R967", "MS-OXCFXICS_R970", "MS-OXCFXICS_R971", "MS-OXCFXICS_R67",
    "MS-OXCFXICS_R1275", "MS-OXCFXICS_R2186", "MS-OXCFXICS_R532", "MS-OXCFXICS_R536", "MS-OXCFXICS_R538",
)  # fmt: skip
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


@pytest.mark.covers(
    "MS-OXCROPS_2.2.13.9",
    "MS-OXCROPS_2.2.13.10",
    "MS-OXCROPS_2.2.13.11",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R2666", "MS-OXCFXICS_R2045", "MS-OXCFXICS_R2046", "MS-OXCFXICS_R2071", "MS-OXCFXICS_R2072",
    "MS-OXCFXICS_R2075", "MS-OXCFXICS_R2076", "MS-OXCFXICS_R3315", "MS-OXCFXICS_R3030", "MS-OXCFXICS_R3662",
    "MS-OXCFXICS_R1276", "MS-OXCFXICS_R72", "MS-OXCFXICS_R7201", "MS-OXCFXICS_R72001",
    "MS-OXCFXICS_R7200101", "MS-OXCFXICS_R3035", "MS-OXCFXICS_R3665", "MS-OXCFXICS_R3036",
    "MS-OXCFXICS_R84", "MS-OXCFXICS_R3037", "MS-OXCFXICS_R3666", "MS-OXCFXICS_R3038", "MS-OXCFXICS_R87",
    "MS-OXCFXICS_R1059", "MS-OXCFXICS_R1063", "MS-OXCFXICS_R1337", "MS-OXCFXICS_R133703",
    "MS-OXCFXICS_R1190", "MS-OXCFXICS_R3316", "MS-OXCFXICS_R3317", "MS-OXCFXICS_R3318", "MS-OXCFXICS_R3319",
    "MS-OXCFXICS_R2083", "MS-OXCFXICS_R2087", "MS-OXCFXICS_R3031", "MS-OXCFXICS_R3663", "MS-OXCFXICS_R3032",
    "MS-OXCFXICS_R78", "MS-OXCFXICS_R1278", "MS-OXCFXICS_R1279",
)  # fmt: skip
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


@pytest.mark.covers(
    "MS-OXCFXICS_R2135", "MS-OXCFXICS_R2136", "MS-OXCFXICS_R3490", "MS-OXCFXICS_R3491", "MS-OXCFXICS_R540",
    "MS-OXCFXICS_R541", "MS-OXCFXICS_R543", "MS-OXCFXICS_R3148", "MS-OXCFXICS_R568", "MS-OXCFXICS_R571",
    "MS-OXCFXICS_R545", "MS-OXCFXICS_R546", "MS-OXCFXICS_R547", "MS-OXCFXICS_R548", "MS-OXCFXICS_R551",
    "MS-OXCFXICS_R552", "MS-OXCFXICS_R553", "MS-OXCFXICS_R554",
)  # fmt: skip
@pytest.mark.parametrize("size", [64, 700, 0xBABE])
def test_buffers_of_any_size_join_to_the_same_stream(replica: Replica, maker: Maker, size: int) -> None:
    maker.deliver("one", body="x" * 5000, attachment=b"y" * 100_000)
    assert replica.stream(size=size) == replica.stream()


@pytest.mark.covers(
    "MS-OXCFXICS_R2172", "MS-OXCFXICS_R2173", "MS-OXCFXICS_R2174", "MS-OXCFXICS_R2175", "MS-OXCFXICS_R690",
    "MS-OXCFXICS_R693", "MS-OXCFXICS_R2043", "MS-OXCFXICS_R2044",
)  # fmt: skip
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
