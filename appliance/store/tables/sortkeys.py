"""Sort keys of table rows: bytes that compare as the sort order says.

Each column gives a presence byte and its value in an order-keeping form; a descending column is inverted.
Rows without the value come first when ascending. Parts end by themselves, so keys of several columns are
their parts back to back, and the key of a category is a prefix of its rows' keys.
"""

import struct

from appliance.mapi.sorts import Direction
from appliance.mapi.types import Value
from appliance.store import collation

MAX_BYTES = 160
"""Bytes of a binary value that count."""

_INVERT = bytes(255 - byte for byte in range(256))
_ABSENT, _PRESENT = b"\0", b"\1"
_SIGN = 1 << 63
_FLOAT = struct.Struct(">d")


def part(value: Value, direction: Direction) -> bytes:
    """One column of a key."""
    raw = _ABSENT if value is None else _PRESENT + _comparable(value)
    return raw.translate(_INVERT) if direction == Direction.DESCENDING else raw


def _comparable(value: Value) -> bytes:
    if isinstance(value, bool):
        return b"\1" if value else b"\0"
    if isinstance(value, int):
        return ((value + _SIGN) & ((1 << 64) - 1)).to_bytes(8, "big")
    if isinstance(value, float):
        raw = int.from_bytes(_FLOAT.pack(value), "big")
        return (raw ^ ((1 << 64) - 1) if raw & _SIGN else raw | _SIGN).to_bytes(8, "big")
    if isinstance(value, str):
        return _terminated(collation.key(value))
    if isinstance(value, bytes):
        return _terminated(value[:MAX_BYTES])
    if isinstance(value, tuple):
        return b"".join(_PRESENT + _comparable(one) for one in value[:8]) + _ABSENT
    return b""


def _terminated(raw: bytes) -> bytes:
    return raw.replace(b"\0", b"\0\xff") + b"\0\0"


def from_kept(key: bytes, direction: Direction, *, text: bool) -> bytes:
    """The part for a key of `store/views.py`."""
    # a number of 8 bytes becomes a signed one: its highest bit turns
    raw = _PRESENT + (_terminated(key) if text else bytes((key[0] ^ 0x80,)) + key[1:])
    return raw.translate(_INVERT) if direction == Direction.DESCENDING else raw


def kept_key(raw: bytes, direction: Direction, *, text: bool) -> bytes:
    """The key of `store/views.py` for a part; of one without value, the smallest."""
    if direction == Direction.DESCENDING:
        raw = raw.translate(_INVERT)
    if text:
        return raw[1:-2].replace(b"\0\xff", b"\0")
    return ((int.from_bytes(raw[1:9], "big") - _SIGN) & (1 << 64) - 1).to_bytes(8, "big") if raw[1:] else b""


def after(key: bytes) -> bytes:
    """The smallest key behind every key that begins with this one."""
    stripped = key.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else b"\xff" * (MAX_BYTES + 1)
