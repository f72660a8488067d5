"""Streams: MS-OXCROPS 2.2.9."""

import struct

from tests.conformance.rop import NULL_DESTINATION, Caller
from tests.conformance.values import Reader

BEGINNING, CURRENT, END = 0, 1, 2
BIG_READ = 0xBABE


class Streams(Caller):
    """ROPs of streams."""

    def open_stream(self, handle: int, tag: int, mode: int, expect: int = 0) -> tuple[int, int]:
        """Handle and size."""
        answer = self.opening(0x2B, handle, struct.pack("<IB", tag, mode), expect)
        if answer is None:
            return 0, 0
        size = answer.reader.u32()
        answer.reader.end()
        return answer.handle, size

    def read(self, stream: int, many: int, maximum: int | None = None, expect: int = 0) -> bytes:
        """RopReadStream; a failure has a DataSize of zero. MS-OXCPRPT R886."""
        body = struct.pack("<H", many) + (b"" if maximum is None else struct.pack("<I", maximum))
        reader, _ = self.batch(b"\x2c\0\0" + body, stream)
        data = b""
        while True:
            assert (reader.u8(), reader.u8()) == (0x2C, 0)
            code = reader.u32()
            assert code == expect, f"{code:#010x}"
            if code:
                assert reader.u16() == 0
            else:
                data += reader.take(reader.u16())
            if not reader.left:
                return data

    def write(self, stream: int, data: bytes, expect: int = 0) -> int:
        """How many bytes were written; a failure says that as well. MS-OXCROPS 2.2.9.3.2."""
        return self._written(0x2D, "<H", stream, data, expect)

    def write_extended(self, stream: int, data: bytes, expect: int = 0) -> int:
        return self._written(0xA3, "<I", stream, data, expect)

    def write_and_commit(self, stream: int, data: bytes, expect: int = 0) -> int:
        return self._written(0x90, "<H", stream, data, expect)

    def _written(self, number: int, form: str, stream: int, data: bytes, expect: int) -> int:
        reader, _ = self.batch(struct.pack("<BBBH", number, 0, 0, len(data)) + data, stream)
        assert (reader.u8(), reader.u8()) == (number, 0)
        code = reader.u32()
        assert code == expect, f"{code:#010x}"
        written = reader.unpack(form)
        reader.end()
        return written

    def commit(self, stream: int, expect: int = 0) -> None:
        _done(self.on(0x5D, stream, b"", expect))

    def stream_size(self, stream: int, expect: int = 0) -> int:
        reader = self.on(0x5E, stream, b"", expect)
        if reader is None:
            return 0
        size = reader.u32()
        reader.end()
        return size

    def resize(self, stream: int, size: int, expect: int = 0) -> None:
        _done(self.on(0x2F, stream, struct.pack("<Q", size), expect))

    def seek(self, stream: int, origin: int, offset: int, expect: int = 0) -> int:
        """The new position."""
        reader = self.on(0x2E, stream, struct.pack("<Bq", origin, offset), expect)
        if reader is None:
            return 0
        position = reader.u64()
        reader.end()
        return position

    def copy_stream(self, source: int, destination: int, many: int, expect: int = 0) -> tuple[int, int]:
        """Bytes read and written. MS-OXCROPS 2.2.9.9."""
        raw, _ = self.batch(b"\x3a\0\0\x01" + struct.pack("<Q", many), source, destination)
        head = (raw.u8(), raw.u8(), raw.u32())
        assert head == (0x3A, 0, expect), f"{head[2]:#010x}"
        if expect == NULL_DESTINATION:
            assert raw.u32() == 1, "DestHandleIndex"
        counts = raw.u64(), raw.u64()
        raw.end()
        return counts

    def clone(self, stream: int, expect: int = 0) -> int:
        answer = self.opening(0x3B, stream, b"", expect)
        if answer is None:
            return 0
        answer.reader.end()
        return answer.handle

    def lock_region(self, stream: int, offset: int, size: int, flags: int = 1, expect: int = 0) -> None:
        _done(self.on(0x5B, stream, struct.pack("<QQI", offset, size, flags), expect))

    def unlock_region(self, stream: int, offset: int, size: int, flags: int = 1, expect: int = 0) -> None:
        _done(self.on(0x5C, stream, struct.pack("<QQI", offset, size, flags), expect))


def _done(reader: Reader | None) -> None:
    if reader is not None:
        reader.end()
