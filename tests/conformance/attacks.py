"""Requests that may be wrong in any way, and what must be right about their answers."""

import struct

from tests.conformance.client import Mapi, Reply, execute_body, execute_parts, rop_buffer

CODES = frozenset(range(19)) - {1}
"""X-ResponseCodes but for Unknown Failure. MS-OXCMAPIHTTP 2.2.3.3.3."""


def attack(mapi: Mapi, body: bytes, kind: str = "Execute") -> Reply:
    """A request that the server must answer in its own words."""
    reply = mapi.exchange(kind, body)
    assert reply.status == 200
    assert reply.code in CODES
    mapi.cookies.update(reply.cookies)
    return reply


def run(mapi: Mapi, rops: bytes, handles: list[int]) -> tuple[int, bytes]:
    """A batch that may be wrong: the error of the Execute, and the ROP responses."""
    reply = attack(mapi, execute_body(rop_buffer(rops, handles)))
    if reply.code != 0:
        return reply.code or 0, b""
    status, error, flags, buffer, _ = execute_parts(reply.body)
    assert (status, flags) == (0, 0)
    if error:
        assert buffer == b""
        return error, b""
    _, _, size, actual = struct.unpack_from("<HHHH", buffer)
    assert len(buffer) == 8 + size
    assert size == actual
    (length,) = struct.unpack_from("<H", buffer, 8)
    return 0, buffer[10 : 8 + length]
