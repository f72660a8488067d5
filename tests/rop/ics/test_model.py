"""Random changes, and a client that keeps up with them: after each synchronisation it has what the folder
has."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.directory.model import Entry
from appliance.mapi import tags
from appliance.rop.ics.flags import SynchronizationExtraFlags as Extra
from appliance.store import contents, messages
from appliance.store.contents import Row, RowFlag
from appliance.store.mailboxes import Special
from tests.rop.ics.making import Maker
from tests.rop.ics.replica import Replica, open_, wire
from tests.rop.kit import Client

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "deliver",
                "make",
                "fai",
                "change",
                "delete",
                "purge",
                "read",
                "unread",
                "flag",
                "out",
                "in",
                "restore",
                "sync",
            )
        ),
        st.integers(0, 1000),
    ),
    max_size=25,
)


class World:
    """The folder, and what is done to it."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker
        self.count = 0

    def rows(self, associated: bool | None = False, fid: int = Special.INBOX) -> list[Row]:
        return [row for row in self.maker.rows(fid) if associated is None or row.associated is associated]

    def pick(self, rows: list[Row], seed: int) -> Row | None:
        return rows[seed % len(rows)] if rows else None

    def do(self, what: str, seed: int) -> None:
        self.count += 1
        name = f"{what} {self.count}"
        if what == "deliver":
            self.maker.deliver(name)
        elif what in ("make", "fai"):
            self.maker.make(name, associated=what == "fai")
        elif what == "in":
            self.maker.move(self.maker.deliver(name, fid=Special.DRAFTS), Special.INBOX)
        elif what == "restore":
            self.restore(seed)
        else:
            row = self.pick(self.rows(None if what in ("change", "delete", "purge") else False), seed)
            if row is not None:
                self.touch(what, row, name)

    def touch(self, what: str, row: Row, name: str) -> None:
        if what == "change":
            self.maker.change(row, name)
        elif what == "delete":
            self.maker.delete(row)
        elif what == "purge":
            self.maker.edit(lambda edit: messages.purge(edit, row))
        elif what == "out":
            self.maker.move(row, Special.TRASH)
        else:
            flags = {"read": row.flags | RowFlag.SEEN, "unread": row.flags & ~RowFlag.SEEN}
            self.maker.flag(row, RowFlag(flags.get(what, row.flags ^ RowFlag.FLAGGED)))

    def restore(self, seed: int) -> None:
        with self.maker.store.read() as txn:
            found = list(contents.all_buried(txn, self.maker.mailbox, Special.INBOX))
        if found:
            mid = found[seed % len(found)].row.mid
            self.maker.edit(lambda edit: messages.restore(edit, Special.INBOX, mid))


def agree(replica: Replica, world: World) -> None:
    """The replica has exactly what the folder has."""
    rows = world.rows(None)
    assert set(replica.messages) == {wire(row.mid) for row in rows}
    with world.maker.store.read() as txn:
        for row in rows:
            item = replica.messages[wire(row.mid)]
            cold = messages.load(txn, world.maker.mailbox, row.mid)
            assert item.props[tags.PidTagSubject] == cold.get(tags.PidTagSubject)
            assert item.associated is row.associated
            assert (item.props.get(tags.PidTagFlagStatus) == 2) is bool(row.flags & RowFlag.FLAGGED)
            if not row.associated:
                assert replica.read[wire(row.mid)] is bool(row.flags & RowFlag.SEEN)


@pytest.mark.covers(
    "MS-OXCFXICS_R3419", "MS-OXCFXICS_R2052", "MS-OXCFXICS_R2053", "MS-OXCFXICS_R2054", "MS-OXCFXICS_R2055",
    "MS-OXCFXICS_R2057", "MS-OXCFXICS_R2058", "MS-OXCFXICS_R2059", "MS-OXCFXICS_R2063", "MS-OXCFXICS_R2015",
    "MS-OXCFXICS_R2016", "MS-OXCFXICS_R2017", "MS-OXCFXICS_R2018", "MS-OXCFXICS_R2020", "MS-OXCFXICS_R2022",
    "MS-OXCFXICS_R2023", "MS-OXCFXICS_R2024", "MS-OXCFXICS_R2025", "MS-OXCFXICS_R2026", "MS-OXCFXICS_R3396",
    "MS-OXCFXICS_R1890", "MS-OXCFXICS_R3361", "MS-OXCFXICS_R1890001", "MS-OXCFXICS_R1893",
    "MS-OXCFXICS_R1895", "MS-OXCFXICS_R1896", "MS-OXCFXICS_R1897", "MS-OXCFXICS_R1898",
)  # fmt: skip
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, ordered=st.booleans())
def test_a_replica_equals_the_folder(
    client: Client, anna: Entry, steps: list[tuple[str, int]], ordered: bool
) -> None:
    world = World(Maker(client.engine.store, anna))
    replica = Replica(client, open_(client, client.logon(), Special.INBOX))
    extra = Extra.EID | (Extra.ORDER_BY_DELIVERY_TIME if ordered else Extra.NONE)
    replica.sync(extra=extra)
    for what, seed in steps:
        if what == "sync":
            replica.sync(extra=extra)
            agree(replica, world)
        else:
            world.do(what, seed)
    replica.sync(extra=extra)
    agree(replica, world)
    again = replica.sync(extra=extra)
    assert not again.changes
    assert again.deletions is None
    assert again.reads is None
