"""Messages, recipients, attachments, states: MS-OXCROPS 2.2.6."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conformance.rop import Caller
from tests.conformance.values import Reader, Recipient, read_recipient, read_typed_string, smtp_row

if TYPE_CHECKING:
    from tests.conformance.desk import Folder

READ_ONLY, READ_WRITE, CREATE, BEST_ACCESS, SOFT_DELETED = 0, 1, 2, 3, 4
"""OpenModeFlags."""

KEEP_READ_ONLY, KEEP_READ_WRITE, FORCE = 1, 2, 4
"""SaveFlags."""

TO, CC, BCC = 1, 2, 3
LOGON_CODE_PAGE = 0x0FFF


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening or reloading a message tells."""

    handle: int
    named: bool
    prefix: str | None
    subject: str | None
    recipient_count: int
    columns: list[int]
    recipients: list[tuple[int, Recipient]]
    id: int = 0

    @property
    def addresses(self) -> list[tuple[int, str | None]]:
        return [(kind, row.email) for kind, row in self.recipients]


@dataclass(frozen=True, slots=True)
class Row:
    """A recipient to write: `data` empty deletes it."""

    number: int
    kind: int
    data: bytes

    @property
    def packed(self) -> bytes:
        return struct.pack("<IBH", self.number, self.kind, len(self.data)) + self.data


def person(number: int, kind: int, who: str) -> Row:
    """A recipient by SMTP address, without further columns."""
    return Row(number, kind, smtp_row(f"{who}@example.test", who.title()))


class Messages(Caller):
    """ROPs of messages."""

    def create_message(
        self, folder: "Folder", associated: int = 0, code_page: int = LOGON_CODE_PAGE, expect: int = 0
    ) -> int:
        answer = self.opening(
            0x06, folder.handle, struct.pack("<HQB", code_page, folder.id, associated), expect
        )
        if answer is None:
            return 0
        has_id = answer.reader.u8()
        if has_id:
            answer.reader.take(8)
        answer.reader.end()
        return answer.handle

    def open_message(
        self,
        folder: "Folder",
        number: int,
        mode: int = READ_WRITE,
        code_page: int = LOGON_CODE_PAGE,
        expect: int = 0,
        through: int | None = None,
    ) -> Opened | None:
        body = struct.pack("<HQBQ", code_page, folder.id, mode, number)
        answer = self.opening(0x03, folder.handle if through is None else through, body, expect)
        return None if answer is None else _opened(answer.reader, answer.handle)

    def opened(self, folder: "Folder", number: int, mode: int = READ_WRITE) -> int:
        """The handle of a message that is there."""
        made = self.open_message(folder, number, mode)
        assert made is not None
        return made.handle

    def reload(self, message: int, expect: int = 0) -> Opened | None:
        reader = self.on(0x10, message, b"\0\0", expect)
        return None if reader is None else _opened(reader, message)

    def save(
        self, message: int, flags: int = KEEP_READ_WRITE, parent: int | None = None, expect: int = 0
    ) -> int:
        """The message's id."""
        reader = self.saving(0x0C, message, message if parent is None else parent, bytes([flags]), expect)
        if reader is None:
            return 0
        assert reader.u8() == 0, "InputHandleIndex"
        number = reader.u64()
        reader.end()
        return number

    def write_recipients(
        self, message: int, rows: Sequence[Row], columns: Sequence[int] = (), expect: int = 0
    ) -> None:
        head = struct.pack("<H", len(columns)) + struct.pack(f"<{len(columns)}I", *columns)
        body = head + struct.pack("<H", len(rows)) + b"".join(row.packed for row in rows)
        reader = self.on(0x0E, message, body, expect)
        if reader is not None:
            reader.end()

    def remove_recipients(self, message: int, reserved: int = 0, expect: int = 0) -> None:
        reader = self.on(0x0D, message, struct.pack("<I", reserved), expect)
        if reader is not None:
            reader.end()

    def read_recipients(
        self, message: int, row: int = 0, columns: Sequence[int] = (), expect: int = 0
    ) -> list[tuple[int, int, Recipient]]:
        """RowId, RecipientType and row. The columns are those that opening the message told."""
        reader = self.on(0x0F, message, struct.pack("<IH", row, 0), expect)
        if reader is None:
            return []
        found = []
        for _ in range(reader.u8()):
            number, kind = reader.u32(), reader.u8()
            reader.u16()
            assert reader.u16() == 0, "Reserved"
            found.append((number, kind, read_recipient(reader.take(reader.u16()), columns)))
        reader.end()
        return found

    def set_status(self, folder: int, number: int, flags: int, mask: int, expect: int = 0) -> int:
        """The status before."""
        return _one_u32(self.on(0x20, folder, struct.pack("<QII", number, flags, mask), expect))

    def get_status(self, folder: int, number: int, expect: int = 0) -> int:
        """The response is one of RopSetMessageStatus. MS-OXCROPS 2.2.6.9.2."""
        return _one_u32(self.on(0x1F, folder, struct.pack("<Q", number), expect, answers=0x20))

    def set_read(
        self, folder: int, numbers: Sequence[int], flags: int, asynchronous: int = 0, expect: int = 0
    ) -> int:
        """PartialCompletion, which a failure has as well. MS-OXCROPS 2.2.6.10.2."""
        body = struct.pack("<BBH", asynchronous, flags, len(numbers)) + struct.pack(
            f"<{len(numbers)}Q", *numbers
        )
        reader, _ = self.batch(b"\x66\0\0" + body, folder)
        head = reader.u8(), reader.u8(), reader.u32()
        assert head == (0x66, 0, expect), f"{head[2]:#010x}"
        partial = reader.u8()
        reader.end()
        return partial

    def set_message_read(self, message: int, folder: int, flags: int, expect: int = 0) -> int:
        """ReadStatusChanged, in a private mailbox."""
        reader = self.saving(0x11, message, folder, bytes([flags]), expect)
        if reader is None:
            return 0
        changed = reader.u8()
        reader.end()
        return changed

    # attachments

    def create_attachment(self, message: int, expect: int = 0) -> tuple[int, int]:
        """Handle and number."""
        answer = self.opening(0x23, message, b"", expect)
        if answer is None:
            return 0, 0
        number = answer.reader.u32()
        answer.reader.end()
        return answer.handle, number

    def open_attachment(self, message: int, number: int, mode: int = READ_WRITE, expect: int = 0) -> int:
        answer = self.opening(0x22, message, struct.pack("<BI", mode, number), expect)
        if answer is None:
            return 0
        answer.reader.end()
        return answer.handle

    def delete_attachment(self, message: int, number: int, expect: int = 0) -> None:
        reader = self.on(0x24, message, struct.pack("<I", number), expect)
        if reader is not None:
            reader.end()

    def save_attachment(
        self, attachment: int, message: int, flags: int = KEEP_READ_WRITE, expect: int = 0
    ) -> None:
        reader = self.saving(0x25, attachment, message, bytes([flags]), expect)
        if reader is not None:
            reader.end()

    def attachment_table(self, message: int, flags: int = 0, expect: int = 0) -> int:
        answer = self.opening(0x21, message, bytes([flags]), expect)
        if answer is None:
            return 0
        answer.reader.end()
        return answer.handle

    def open_embedded(
        self, attachment: int, mode: int = READ_WRITE, code_page: int = LOGON_CODE_PAGE, expect: int = 0
    ) -> Opened | None:
        answer = self.opening(0x46, attachment, struct.pack("<HB", code_page, mode), expect)
        if answer is None:
            return None
        assert answer.reader.u8() == 0, "Reserved"
        number = answer.reader.u64()
        return _opened(answer.reader, answer.handle, number)


def _one_u32(reader: Reader | None) -> int:
    if reader is None:
        return 0
    number = reader.u32()
    reader.end()
    return number


def _opened(reader: Reader, handle: int, number: int = 0) -> Opened:
    """MS-OXCROPS 2.2.6.1.2; RowCount is at most RecipientCount (MS-OXCMSG R684)."""
    named = reader.u8() != 0
    prefix, subject = read_typed_string(reader), read_typed_string(reader)
    recipient_count = reader.u16()
    columns = [reader.u32() for _ in range(reader.u16())]
    rows = []
    for _ in range(reader.u8()):
        kind = reader.u8()
        reader.u16()
        assert reader.u16() == 0, "Reserved"
        rows.append((kind, read_recipient(reader.take(reader.u16()), columns)))
    reader.end()
    assert len(rows) <= recipient_count
    return Opened(handle, named, prefix, subject, recipient_count, columns, rows, number)
