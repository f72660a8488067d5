"""Submission and transport: MS-OXCROPS 2.2.7."""

import struct

from tests.conformance.rop import Caller
from tests.conformance.values import Reader, Value, read_tagged

PREPROCESS, NEEDS_SPOOLER = 1, 2
"""SubmitFlags. MS-OXOMSG 2.2.4.1.1."""

LOCK, UNLOCK, FINISHED = 0, 1, 2
"""LockState."""


class Transport(Caller):
    """ROPs of submission."""

    def submit(self, message: int, flags: int = 0, expect: int = 0) -> None:
        _empty(self.on(0x32, message, bytes([flags]), expect))

    def abort_submit(self, folder: int, message: int, expect: int = 0) -> None:
        _empty(self.on(0x34, self.logon, struct.pack("<QQ", folder, message), expect))

    def address_types(self, handle: int, expect: int = 0) -> list[str]:
        reader = self.on(0x49, handle, b"", expect)
        if reader is None:
            return []
        many, size = reader.u16(), reader.u16()
        start = reader.at
        found = [reader.ascii() for _ in range(many)]
        assert reader.at - start == size
        reader.end()
        return found

    def set_spooler(self, expect: int = 0) -> None:
        _empty(self.on(0x47, self.logon, b"", expect))

    def spooler_lock(self, message: int, state: int, expect: int = 0) -> None:
        _empty(self.on(0x48, self.logon, struct.pack("<QB", message, state), expect))

    def transport_send(self, message: int, expect: int = 0) -> list[tuple[int, Value]] | None:
        reader = self.on(0x4A, message, b"", expect)
        if reader is None:
            return None
        none_returned = reader.u8()
        found = [read_tagged(reader) for _ in range(reader.u16())]
        assert none_returned == (not found)
        reader.end()
        return found or None

    def new_mail(self, message: int, folder: int, name: str, flags: int, expect: int = 0) -> None:
        body = struct.pack("<QQ", message, folder) + name.encode("ascii") + b"\0" + struct.pack("<I", flags)
        _empty(self.on(0x51, self.logon, body, expect))

    def transport_folder(self, expect: int = 0) -> int:
        reader = self.on(0x6D, self.logon, b"", expect)
        if reader is None:
            return 0
        number = reader.u64()
        reader.end()
        return number

    def options_data(self, kind: str, wide: int = 1, expect: int = 0) -> tuple[bytes, bytes]:
        """OptionsInfo and HelpFile. MS-OXCROPS 2.2.7.9.2."""
        reader = self.on(0x6F, self.logon, kind.encode("ascii") + b"\0" + bytes([wide]), expect)
        if reader is None:
            return b"", b""
        assert reader.u8() == 1, "Reserved"
        options = reader.take(reader.u16())
        help_file = reader.take(reader.u16())
        if help_file:
            reader.ascii()
        reader.end()
        return options, help_file


def _empty(reader: Reader | None) -> None:
    if reader is not None:
        reader.end()
