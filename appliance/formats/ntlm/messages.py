"""The three messages of NTLM and the AV pairs, both ways (MS-NLMP 2.2).

A message is a fixed head, in which pointers (length, maximal length, offset) lead into the payload behind
it. Each message's head is declared once (`_Layout`); packing writes the payload in the declared order,
unpacking takes it from wherever the pointers say. Old clients leave out the head's last fields.

Unpacking raises DecodeError. Limit: MAX_MESSAGE bytes.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

from appliance.wire.errors import DecodeError, EncodeError

SIGNATURE = b"NTLMSSP\0"
MAX_MESSAGE = 0x4000
"""Bytes of a message, at most: names, two responses and a target info leave much of it unused."""

VERSION = bytes.fromhex("0a00614a0000000f")
"""Version 10.0, build 19041, revision NTLMSSP_REVISION_W2K3 (MS-NLMP 2.2.2.10); for debugging only."""

MIC_OFFSET = 72
MIC_SIZE = 16
_OEM = "cp850"


class Flag(IntFlag):
    """NEGOTIATE flags (MS-NLMP 2.2.2.5)."""

    NEGOTIATE_56 = 0x80000000
    NEGOTIATE_KEY_EXCH = 0x40000000
    NEGOTIATE_128 = 0x20000000
    NEGOTIATE_VERSION = 0x02000000
    NEGOTIATE_TARGET_INFO = 0x00800000
    REQUEST_NON_NT_SESSION_KEY = 0x00400000
    NEGOTIATE_IDENTIFY = 0x00100000
    NEGOTIATE_EXTENDED_SESSIONSECURITY = 0x00080000
    TARGET_TYPE_SERVER = 0x00020000
    TARGET_TYPE_DOMAIN = 0x00010000
    NEGOTIATE_ALWAYS_SIGN = 0x00008000
    NEGOTIATE_OEM_WORKSTATION_SUPPLIED = 0x00002000
    NEGOTIATE_OEM_DOMAIN_SUPPLIED = 0x00001000
    ANONYMOUS = 0x00000800
    NEGOTIATE_NTLM = 0x00000200
    NEGOTIATE_LM_KEY = 0x00000080
    NEGOTIATE_DATAGRAM = 0x00000040
    NEGOTIATE_SEAL = 0x00000020
    NEGOTIATE_SIGN = 0x00000010
    REQUEST_TARGET = 0x00000004
    NEGOTIATE_OEM = 0x00000002
    NEGOTIATE_UNICODE = 0x00000001


class AvId(IntEnum):
    """Kinds of AV pairs (MS-NLMP 2.2.2.1)."""

    EOL = 0
    NB_COMPUTER_NAME = 1
    NB_DOMAIN_NAME = 2
    DNS_COMPUTER_NAME = 3
    DNS_DOMAIN_NAME = 4
    DNS_TREE_NAME = 5
    FLAGS = 6
    TIMESTAMP = 7
    SINGLE_HOST = 8
    TARGET_NAME = 9
    CHANNEL_BINDINGS = 10


class AvFlag(IntFlag):
    """Bits of MsvAvFlags (MS-NLMP 2.2.2.1)."""

    CONSTRAINED = 1
    MIC_PRESENT = 2
    UNTRUSTED_SPN = 4


@dataclass(frozen=True, slots=True)
class Negotiate:
    """NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.1). `domain` and `workstation` in the OEM character set."""

    flags: int
    domain: bytes = b""
    workstation: bytes = b""
    version: bytes = bytes(8)


@dataclass(frozen=True, slots=True)
class Challenge:
    """CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2)."""

    flags: int
    challenge: bytes
    target_name: bytes = b""
    target_info: bytes = b""
    reserved: bytes = bytes(8)
    version: bytes = bytes(8)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3). `mic` is None where the head has no room for it, as old
    clients send it."""

    flags: int
    lm_response: bytes
    nt_response: bytes
    domain: bytes
    user: bytes
    workstation: bytes
    session_key: bytes = b""
    version: bytes = bytes(8)
    mic: bytes | None = None


_POINTER = "HHI"


@dataclass(frozen=True, slots=True)
class _Layout:
    """The head after signature and type: (field, struct code). `least`: how many fields are always
    there. `payload`: the order in which we write what pointers lead to."""

    kind: type[Any]
    type: int
    head: tuple[tuple[str, str], ...]
    least: int
    payload: tuple[str, ...]


_LAYOUTS: Mapping[type[Any], _Layout] = {
    Negotiate: _Layout(
        Negotiate,
        1,
        (("flags", "I"), ("domain", _POINTER), ("workstation", _POINTER), ("version", "8s")),
        1,
        ("domain", "workstation"),
    ),
    Challenge: _Layout(
        Challenge,
        2,
        (
            ("target_name", _POINTER),
            ("flags", "I"),
            ("challenge", "8s"),
            ("reserved", "8s"),
            ("target_info", _POINTER),
            ("version", "8s"),
        ),
        3,
        ("target_name", "target_info"),
    ),
    Authenticate: _Layout(
        Authenticate,
        3,
        (
            ("lm_response", _POINTER),
            ("nt_response", _POINTER),
            ("domain", _POINTER),
            ("user", _POINTER),
            ("workstation", _POINTER),
            ("session_key", _POINTER),
            ("flags", "I"),
            ("version", "8s"),
            ("mic", "16s"),
        ),
        5,
        ("domain", "user", "workstation", "lm_response", "nt_response", "session_key"),
    ),
}
_DEFAULTS = {"flags": 0, "mic": None, "version": bytes(8), "reserved": bytes(8)}
Message = Negotiate | Challenge | Authenticate


def pack(message: Message) -> bytes:
    """A message's bytes. Raises EncodeError for a value that does not fit."""
    layout = _LAYOUTS[type(message)]
    head = [(name, code) for name, code in layout.head if getattr(message, name) is not None]
    at = 12 + sum(struct.calcsize("<" + code) for _, code in head)
    payload, places = b"", dict[str, int]()
    for name in layout.payload:
        places[name] = at + len(payload)
        payload += getattr(message, name)
    out = SIGNATURE + struct.pack("<I", layout.type)
    try:
        for name, code in head:
            value = getattr(message, name)
            values = (len(value), len(value), places[name]) if code == _POINTER else (value,)
            out += struct.pack("<" + code, *values)
    except struct.error as error:
        raise EncodeError(f"{type(message).__name__}: {error}") from None
    return out + payload


def unpack(data: bytes) -> Message:
    """A message of any type. Raises DecodeError."""
    if len(data) > MAX_MESSAGE:
        raise DecodeError(f"an NTLM message of {len(data)} bytes", MAX_MESSAGE)
    if not data.startswith(SIGNATURE) or len(data) < 12:
        raise DecodeError("not an NTLM message", 0)
    (number,) = struct.unpack_from("<I", data, 8)
    for layout in _LAYOUTS.values():
        if layout.type == number:
            message: Message = layout.kind(**_unpack_fields(layout, data))
            return message
    raise DecodeError(f"NTLM message type {number}", 8)


def _unpack_fields(layout: _Layout, data: bytes) -> dict[str, Any]:
    at, end, fields = 12, len(data), dict[str, Any]()
    for index, (name, code) in enumerate(layout.head):
        size = struct.calcsize("<" + code)
        if at + size > end:
            if index < layout.least:
                raise DecodeError(f"{layout.kind.__name__}.{name} is missing", at)
            fields[name] = _DEFAULTS.get(name, b"")
            continue
        values = struct.unpack_from("<" + code, data, at)
        if code == _POINTER:
            fields[name] = _follow(data, values[0], values[2], at, f"{layout.kind.__name__}.{name}")
            if fields[name] and values[2] >= 12:
                end = min(end, values[2])  # the head ends where the payload begins
        else:
            fields[name] = values[0]
        at += size
    return fields


def _follow(data: bytes, size: int, offset: int, at: int, what: str) -> bytes:
    if size == 0:
        return b""
    if offset < 12 or offset + size > len(data):
        raise DecodeError(f"{what}: {size} bytes at {offset} of {len(data)}", at)
    return data[offset : offset + size]


def text(data: bytes, flags: int) -> str:
    """A name of a message in the negotiated character set. Raises DecodeError."""
    try:
        return data.decode("utf-16-le" if flags & Flag.NEGOTIATE_UNICODE else _OEM)
    except UnicodeDecodeError as error:
        raise DecodeError("a name that is no UTF-16", error.start) from None


def name_bytes(name: str, flags: int) -> bytes:
    """A name for a message in the negotiated character set; what the OEM set lacks becomes "?"."""
    if flags & Flag.NEGOTIATE_UNICODE:
        return name.encode("utf-16-le", "surrogatepass")
    return name.encode(_OEM, "replace")


def pack_pairs(pairs: Mapping[int, bytes]) -> bytes:
    """AV pairs, in order, with MsvAvEOL at their end."""
    parts = [struct.pack("<HH", key, len(value)) + value for key, value in pairs.items()]
    return b"".join(parts) + bytes(4)


def unpack_pairs(data: bytes) -> dict[int, bytes]:
    """AV pairs up to MsvAvEOL. Raises DecodeError for what is cut short or comes twice."""
    pairs, at = dict[int, bytes](), 0
    while True:
        if at + 4 > len(data):
            raise DecodeError("AV pairs without an end", at)
        key, size = struct.unpack_from("<HH", data, at)
        if key == AvId.EOL:
            return pairs
        if at + 4 + size > len(data):
            raise DecodeError(f"AV pair {key}: {size} bytes, {len(data) - at - 4} left", at)
        if key in pairs:
            raise DecodeError(f"AV pair {key} twice", at)
        pairs[key] = data[at + 4 : at + 4 + size]
        at += 4 + size


def with_mic(message: bytes, mic: bytes) -> bytes:
    """A packed AUTHENTICATE_MESSAGE with another MIC: 16 bytes, zero while it is computed."""
    return message[:MIC_OFFSET] + mic + message[MIC_OFFSET + MIC_SIZE :]
