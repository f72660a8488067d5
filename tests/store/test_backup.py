"""Backups come back, whole or one upon another; what is not whole is refused."""

import io
import random
from pathlib import Path

import pytest

from appliance.store import backup, contents, folders, mailboxes
from appliance.store.backup import BadBackup
from appliance.store.check import check
from appliance.store.edit import editing
from appliance.store.keys import SERVER, Table, pack
from appliance.store.mailboxes import Special
from appliance.store.messages import purge
from appliance.store.store import Store
from tests.store.test_messages import insert

SECRET = pack(SERVER, Table.SETTINGS, "secret")


def dump(store: Store, **more: object) -> bytes:
    out = io.BytesIO()
    backup.dump(store, out, is_secret=lambda key: key == SECRET, **more)  # type: ignore[arg-type]
    return out.getvalue()


def load(path: Path, raw: bytes, base: bytes | None = None, **more: object) -> tuple[Store, backup.Loaded]:
    store = Store.create(path)
    base_file = io.BytesIO(base) if base is not None else None
    try:
        guids = iter(bytes([n]) * 16 for n in range(200, 255))
        loaded = backup.load(
            store,
            io.BytesIO(raw),
            base=base_file,
            new_guid=lambda: next(guids),
            **more,  # type: ignore[arg-type]
        )
    except BaseException:
        store.close()
        raise
    return store, loaded


def state(store: Store, mailbox: int) -> dict[int, tuple[object, ...]]:
    with store.read() as txn:
        return {
            row.mid: (row.fid, row.uid, row.flags, row.size, row.received)
            for fid in (Special.INBOX, Special.SENT)
            for row in contents.rows(txn, mailbox, fid)
        }


def test_full_and_incremental(store: Store, mailbox: int, tmp_path: Path) -> None:
    rng = random.Random(5)
    for number in range(20):
        insert(store, mailbox, Special.INBOX, rng.randbytes(rng.choice((100, 90_000))), f"m{number}")
    store.write(lambda txn: txn.put(SECRET, b"hush")).result()
    full = dump(store)
    have = frozenset(backup.manifest_of(io.BytesIO(full)).blobs)
    assert len(have) == 20
    insert(store, mailbox, Special.SENT, rng.randbytes(200_000), "later")
    with store.read() as txn:
        first = next(contents.rows(txn, mailbox, Special.INBOX))

    def fn(txn: object) -> None:
        with editing(txn, mailbox, now=1) as edit:  # type: ignore[arg-type]
            purge(edit, first)

    store.write(fn).result()
    more = dump(store, have=have, seal=lambda data: data[::-1])
    assert len(more) < len(full) // 2
    with pytest.raises(BadBackup, match="incremental"):
        load(tmp_path / "no-base", more)
    restored, loaded = load(tmp_path / "restored", more, full, unseal=lambda data: data[::-1])
    try:
        assert (loaded.mailboxes, loaded.secrets, loaded.dropped) == (1, True, 0)
        assert check(restored) == []
        assert state(restored, mailbox) == state(store, mailbox)
        with restored.read() as txn, store.read() as old:
            assert txn.get(SECRET) == b"hush"
            before, after = mailboxes.get(old, mailbox), mailboxes.get(txn, mailbox)
            assert after.counter > before.counter
            now = folders.get(txn, mailbox, Special.INBOX)
            assert now.uidvalidity > folders.get(old, mailbox, Special.INBOX).uidvalidity
            assert mailboxes.identity(txn, mailbox).replica_guid == bytes([200]) * 16
    finally:
        restored.close()
    plain, loaded = load(tmp_path / "plain", full)
    with plain.read() as txn:
        assert txn.get(SECRET) is None
    assert not loaded.secrets
    plain.close()


@pytest.mark.parametrize("cut", [0, 5, 40, -8, -40])
def test_what_is_not_whole_is_refused(store: Store, mailbox: int, tmp_path: Path, cut: int) -> None:
    insert(store, mailbox, Special.INBOX, b"x" * 5000)
    whole = dump(store)
    with pytest.raises(BadBackup):
        backup.manifest_of(io.BytesIO(whole[:cut]))
    with pytest.raises(BadBackup):
        load(tmp_path / "cut", whole[:cut])
