"""One wake-up for many commits, each subscriber told of its own mailbox."""

import asyncio
from pathlib import Path

from appliance.net.bridge import write
from appliance.net.watch import Watches
from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import WriteTxn
from appliance.store.store import Store


def test_subscribers_hear_of_their_mailbox_only(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "data")

    def change(mailbox: int):  # type: ignore[no-untyped-def]
        def fn(txn: WriteTxn) -> None:
            txn.put(pack(SERVER, Table.SETTINGS, f"m{mailbox}"), b"")
            txn.touch(mailbox)

        return fn

    async def run() -> None:
        watches = Watches(store)
        told: list[int] = []
        ends = [watches.subscribe(n % 2, lambda n=n: told.append(n)) for n in range(4)]  # type: ignore[misc]
        await write(store, change(1))
        await asyncio.sleep(0)
        assert told == [1, 3]
        told.clear()
        await asyncio.gather(*(write(store, change(0)) for _ in range(50)))
        await asyncio.sleep(0)
        assert sorted(set(told)) == [0, 2]
        ends[0]()
        told.clear()
        watches.changed(frozenset({0, 1, 7}))
        watches.changed(frozenset({0}))
        await asyncio.sleep(0)
        assert sorted(told) == [1, 2, 3]
        for end in ends:
            end()
            end()
        assert watches.count == 0
        watches.close()
        await write(store, change(0))

    asyncio.run(run())
    store.close()
