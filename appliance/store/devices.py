"""Devices that synchronise: one row of the server for each device of a user (MS-ASCMD, MS-ASPROV, MS-ASHTTP).

Rows are JSON, so that a later release can add a field that the one before ignores. Errors: NotFound,
LimitReached. The device's policy key and a wish to wipe it live here, because they outlast a mailbox's
client states.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from enum import IntEnum
from typing import Any

from appliance.store.errors import LimitReached, NotFound
from appliance.store.keys import SERVER, Table, head, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn

MAX_DEVICES = 100
"""Devices of one user, at most."""

MAX_ID = 32
"""Characters of a DeviceId (MS-ASHTTP 2.2.1.1.1.1.2)."""


class Wipe(IntEnum):
    """How far a remote wipe has come (MS-ASPROV 2.2.2.45)."""

    NONE = 0
    WANTED = 1
    SENT = 2
    DONE = 3


@dataclass(frozen=True, slots=True)
class Device:
    """A device. `user` is a directory id; times are FILETIMEs; texts are what the device said of itself."""

    user: int
    device: str
    kind: str = ""
    protocol: str = ""
    user_agent: str = ""
    model: str = ""
    friendly_name: str = ""
    os: str = ""
    imei: str = ""
    phone_number: str = ""
    policy_key: int = 0
    policy_acknowledged: bool = False
    wipe: int = Wipe.NONE
    blocked: bool = False
    first_seen: int = 0
    last_seen: int = 0


_KNOWN = frozenset(field.name for field in fields(Device))


def _key(user: int, device: str) -> bytes:
    return pack(SERVER, Table.DEVICES, user, device)


def _parse(raw: bytes) -> Device:
    stored: dict[str, Any] = json.loads(raw)
    return Device(**{name: value for name, value in stored.items() if name in _KNOWN})


def find(txn: ReadTxn, user: int, device: str) -> Device | None:
    """A user's device, or None."""
    raw = txn.get(_key(user, device))
    return _parse(raw) if raw is not None else None


def get(txn: ReadTxn, user: int, device: str) -> Device:
    """A user's device. Raises NotFound."""
    found = find(txn, user, device)
    if found is None:
        raise NotFound(f"device {device!r}")
    return found


def of_user(txn: ReadTxn, user: int) -> list[Device]:
    """The devices of a user."""
    prefix = pack(SERVER, Table.DEVICES, user)
    return [_parse(raw) for _, raw in txn.scan(prefix, successor(prefix))]


def put(txn: WriteTxn, device: Device) -> None:
    """Store a device. Raises LimitReached."""
    if not 0 < len(device.device) <= MAX_ID:
        raise LimitReached(f"a device id has 1 to {MAX_ID} characters")
    key = _key(device.user, device.device)
    if not txn.has(key) and len(of_user(txn, device.user)) >= MAX_DEVICES:
        raise LimitReached(f"a user has at most {MAX_DEVICES} devices")
    txn.put(key, json.dumps(asdict(device), ensure_ascii=False).encode())
    txn.touch(SERVER)


def delete(txn: WriteTxn, user: int, device: str) -> bool:
    """Forget a device; whether there was one. The caller drops its states from the mailbox."""
    return txn.delete(_key(user, device))


def drop_user(txn: WriteTxn, user: int) -> None:
    """Forget the devices of a user (who goes)."""
    prefix = pack(SERVER, Table.DEVICES, user)
    txn.delete_range(prefix, successor(prefix))


def check(txn: ReadTxn) -> Iterator[str]:
    """What is wrong with the rows."""
    prefix = head(SERVER, Table.DEVICES)
    for key, raw in txn.scan(prefix, successor(prefix)):
        try:
            device = _parse(raw)
        except (ValueError, TypeError) as error:
            yield f"device {key[5:].hex()}: {error}"
            continue
        if key != _key(device.user, device.device):
            yield f"device {device.device!r} stands under another name"
