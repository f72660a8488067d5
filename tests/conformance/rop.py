"""Requests and responses of one ROP: the four shapes that MS-OXCROPS has, and the error codes.

A failure has its ReturnValue and nothing behind it, whatever the ROP; a handle that was to be made is then
0xFFFFFFFF (MS-OXCROPS 3.2.5.1).
"""

import struct
from dataclasses import dataclass

from tests.conformance.client import Mapi
from tests.conformance.values import Reader

NONE = 0xFFFFFFFF

SUCCESS = 0
UNKNOWN_CODE_PAGE = 0x000003EF
NULL_OBJECT = 0x000004B9
RPC_FORMAT = 0x000004B6
NOT_EXPANDED, NOT_COLLAPSED = 0x000004F7, 0x000004F8
NULL_DESTINATION = 0x00000503
MESSAGE_CYCLE = 0x00000504
BUFFER_TOO_SMALL = 0x0000047D
STREAM_ACCESS_DENIED, STREAM_SEEK, STREAM_INVALID, STREAM_SIZE = (
    0x80030005,
    0x80030019,
    0x80030057,
    0x80030070,
)
ERROR = 0x80004005
NOT_SUPPORTED = 0x80040102
NOT_IMPLEMENTED = 0x80040FFF
INVALID_OBJECT = 0x80040108
OBJECT_MODIFIED = 0x80040109
NOT_FOUND = 0x8004010F
UNABLE_TO_ABORT = 0x80040114
TOO_BIG = 0x80040305
INVALID_BOOKMARK = 0x80040405
NOT_IN_QUEUE = 0x80040601
COLLISION = 0x80040604
FOLDER_CYCLE = 0x8004060B
ACCESS_DENIED = 0x80070005
OUT_OF_MEMORY = 0x8007000E
INVALID = 0x80070057
"""MS-OXCDATA 2.4."""

NOTIFY, PENDING = 0x2A, 0x6E
BUFFER_TOO_SMALL_ID = 0xFF


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that succeeded: what stands behind its ReturnValue, and the handle that was made."""

    reader: Reader
    handle: int


class Caller:
    """Sends one ROP after the other in one session."""

    logon: int
    """The handle of the logon, which whoever logs on sets."""

    def __init__(self, mapi: Mapi) -> None:
        self.mapi = mapi

    def batch(self, rops: bytes, *handles: int) -> tuple[Reader, list[int]]:
        """Any requests."""
        data, table = self.mapi.execute(rops, list(handles))
        return Reader(data), table

    def release(self, handle: int) -> None:
        """RopRelease, which has no response. MS-OXCROPS 2.2.15.3."""
        reader, _ = self.batch(b"\x01\0\0", handle)
        reader.end()

    def on(
        self, number: int, handle: int, body: bytes = b"", expect: int = 0, answers: int | None = None
    ) -> Reader | None:
        """A ROP on one handle. `answers` is the response's RopId where it is another."""
        reader, table = self.batch(struct.pack("<BBB", number, 0, 0) + body, handle)
        assert table[0] == handle
        return _checked(reader, number if answers is None else answers, 0, expect)

    def opening(self, number: int, handle: int, body: bytes = b"", expect: int = 0) -> Answer | None:
        """A ROP that makes a Server object of another."""
        reader, table = self.batch(struct.pack("<BBBB", number, 0, 0, 1) + body, handle, NONE)
        assert table[0] == handle
        checked = _checked(reader, number, 1, expect)
        if checked is None:
            assert table[1] == NONE, "a handle of something that was not opened"
            return None
        assert table[1] != NONE
        return Answer(checked, table[1])

    def saving(
        self, number: int, handle: int, parent: int, body: bytes = b"", expect: int = 0
    ) -> Reader | None:
        """A ROP with a ResponseHandleIndex of its own."""
        reader, _ = self.batch(struct.pack("<BBBB", number, 0, 1, 0) + body, handle, parent)
        return _checked(reader, number, 1, expect)

    def between(
        self, number: int, source: int, destination: int, body: bytes, expect: int = 0
    ) -> Reader | None:
        """A ROP from a source to a destination, which is index 1."""
        reader, _ = self.batch(struct.pack("<BBBB", number, 0, 0, 1) + body, source, destination)
        if expect != NULL_DESTINATION:
            return _checked(reader, number, 0, expect)
        assert (reader.u8(), reader.u8(), reader.u32(), reader.u32()) == (number, 0, NULL_DESTINATION, 1)
        return reader


def _checked(reader: Reader, number: int, index: int, expect: int) -> Reader | None:
    assert reader.left >= 6, f"no response: {reader.data.hex(' ')}"
    head = (reader.u8(), reader.u8(), reader.u32())
    assert head == (number, index, expect), f"{head[0]:#04x} {head[1]} {head[2]:#010x}, not {expect:#010x}"
    if expect:
        reader.end()
        return None
    return reader
