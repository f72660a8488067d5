"""A logged-on session for the tests of MS-OXCFXICS, MS-OXCNOTIF and MS-OXORULE, and common ROPs in bytes.

`Desk.call` runs one ROP and reads its response strictly: id, index, return value, what the caller's parser
reads, and behind it nothing but notifications, which are gathered in `Desk.notices`.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tests.conformance import notices
from tests.conformance.client import Mapi
from tests.conformance.office import Person
from tests.conformance.wire import Reader, Value, packed, property_row, tagged, tags_of

T = TypeVar("T")

NONE = 0xFFFFFFFF
OK = 0
NOT_FOUND = 0x8004010F
INVALID_PARAMETER = 0x80070057
NOT_SUPPORTED = 0x80040102
NULL_OBJECT = 0x000004B9
ACCESS_DENIED = 0x80070005
RPC_FORMAT = 0x000004B6
ERROR = 0x80004005
BUFFER_TOO_SMALL = 0x0000047D
OBJECT_DELETED, IGNORE_FAILURE, SYNC_CONFLICT, NO_PARENT = 0x80040800, 0x80040801, 0x80040802, 0x80040803
NEWER_CLIENT_CHANGE = 0x00040821

SUBJECT, CLASS, BODY, FLAGS = 0x0037001F, 0x001A001F, 0x1000001F, 0x0E070003
DISPLAY = 0x3001001F
PRIVATE = (
    *("root", "deferred", "spooler", "ipm", "inbox", "outbox", "sent", "deleted"),
    *("common", "schedule", "finder", "views", "shortcuts"),
)
"""The folders of RopLogon's response. MS-OXCSTOR 2.2.1.1.3."""


@dataclass(frozen=True)
class Answer:
    """A ROP's return value, the handles behind it, and what its parser read."""

    code: int
    handles: list[int]
    value: object = None

    @property
    def out(self) -> int:
        """The handle at index 1."""
        return self.handles[1]


class Failed(AssertionError):
    """A ROP that had to succeed did not."""


class Desk:
    """A session that is logged on to a mailbox."""

    def __init__(self, mapi: Mapi, dn: str, *, code_page: int | None = None) -> None:
        self.mapi = mapi
        self.notices: list[notices.Notice] = []
        self.folders: dict[str, bytes] = {}
        self.replid = b""
        self.replguid = b""
        self.logon = self._logon(dn)

    def _logon(self, dn: str) -> int:
        essdn = dn.encode("ascii") + b"\0"
        head = struct.pack("<BBBBIIH", 0xFE, 0, 0, 0x01, 0x01000000, 0, len(essdn))
        responses, handles = self.mapi.execute(head + essdn, [NONE])
        reader = Reader(responses)
        assert struct.unpack("<BBIB", reader.take(7)) == (0xFE, 0, 0, 0x01)
        self.folders = {name: reader.take(8) for name in PRIVATE}
        reader.take(1 + 16)
        self.replid, self.replguid = reader.take(2), reader.take(16)
        return handles[0]

    def gid(self, identifier: bytes) -> bytes:
        """The GID of one of this mailbox's own ids. MS-OXCDATA 2.2.1.3."""
        assert identifier[:2] == self.replid
        return self.replguid + identifier[2:]

    def fid(self, gid: bytes) -> bytes:
        """The id of a GID of this mailbox."""
        assert gid[:16] == self.replguid
        return self.replid + gid[16:]

    def call(
        self,
        rop: bytes,
        handles: list[int],
        parse: Callable[[Reader], object] | None = None,
        *,
        always: bool = False,
        max_out: int = 0x10008,
    ) -> Answer:
        """Run one ROP; `parse` reads what follows a success, or with `always` what follows at all."""
        responses, after = self.mapi.execute(rop, handles, max_out)
        reader = Reader(responses)
        assert reader.u8() == rop[0], "the response is of another ROP"
        index = reader.u8()
        code = reader.u32()
        has_output = rop[0] in _OUTPUT
        assert index == (rop[3] if has_output else rop[2]), "the index of the handle"
        if has_output and code != OK:
            assert after[index] == NONE, "a handle for nothing"
        value = parse(reader) if parse is not None and (code == OK or always) else None
        self.notices += notices.read(reader.rest())
        return Answer(code, after, value)

    def must(self, rop: bytes, handles: list[int], parse: Callable[[Reader], object] | None = None) -> Answer:
        """Run one ROP that succeeds."""
        answer = self.call(rop, handles, parse)
        if answer.code != OK:
            raise Failed(f"ROP {rop[0]:#04x} returned {answer.code:#010x}")
        return answer

    def poll(self) -> list["notices.Notice"]:
        """An Execute without a ROP: what was pending. The notices gathered so far are taken away."""
        responses, _ = self.mapi.execute(b"", [])
        found = self.notices + notices.read(responses)
        self.notices = []
        return found

    def release(self, handle: int) -> None:
        """RopRelease: there is no response."""
        responses, _ = self.mapi.execute(struct.pack("<BBB", 0x01, 0, 0), [handle])
        self.notices += notices.read(responses)

    # Folders

    def open_folder(self, fid: bytes, flags: int = 0) -> int:
        """RopOpenFolder. MS-OXCROPS 2.2.4.1."""

        def parse(reader: Reader) -> None:
            reader.u8()
            if reader.u8():  # ghosted
                count, _ = reader.u16(), reader.u16()
                for _ in range(count):
                    reader.until(b"\0")

        rop = struct.pack("<BBBB", 0x02, 0, 0, 1) + fid + bytes([flags])
        return self.must(rop, [self.logon, NONE], parse).out

    def create_folder(self, parent: int, name: str, kind: int = 1, comment: str = "") -> tuple[bytes, int]:
        """RopCreateFolder: its id and handle. MS-OXCROPS 2.2.4.2."""

        def parse(reader: Reader) -> bytes:
            fid = reader.take(8)
            assert reader.u8() == 0, "it did not exist"
            return fid

        text = name.encode("utf-16-le") + b"\0\0" + comment.encode("utf-16-le") + b"\0\0"
        answer = self.must(
            struct.pack("<BBBBBBBB", 0x1C, 0, 0, 1, kind, 1, 0, 0) + text, [parent, NONE], parse
        )
        assert isinstance(answer.value, bytes)
        return answer.value, answer.out

    def delete_folder(self, parent: int, fid: bytes, flags: int = 0x05) -> None:
        """RopDeleteFolder. MS-OXCROPS 2.2.4.3."""
        answer = self.must(
            struct.pack("<BBBB", 0x1D, 0, 0, flags) + fid, [parent], lambda reader: reader.u8()
        )
        assert answer.value == 0, "PartialCompletion"

    def move_folder(self, source: int, target: int, fid: bytes, name: str) -> None:
        """RopMoveFolder. MS-OXCROPS 2.2.4.7."""
        rop = struct.pack("<BBBBBB", 0x35, 0, 0, 1, 0, 1) + fid + name.encode("utf-16-le") + b"\0\0"
        answer = self.must(rop, [source, target], lambda reader: reader.u8())
        assert answer.value == 0

    def delete_messages(self, folder: int, mids: list[bytes], hard: bool = False) -> None:
        """RopDeleteMessages, RopHardDeleteMessages. MS-OXCROPS 2.2.4.11, 2.2.4.12."""
        head = struct.pack("<BBBBBH", 0x91 if hard else 0x1E, 0, 0, 0, 0, len(mids))
        answer = self.must(head + b"".join(mids), [folder], lambda reader: reader.u8())
        assert answer.value == 0

    def move_messages(self, source: int, target: int, mids: list[bytes], copy: bool = False) -> None:
        """RopMoveCopyMessages. MS-OXCROPS 2.2.4.6."""
        head = struct.pack("<BBBBH", 0x33, 0, 0, 1, len(mids)) + b"".join(mids)
        answer = self.must(head + bytes([0, copy]), [source, target], lambda reader: reader.u8())
        assert answer.value == 0

    # Messages

    def create_message(self, fid: bytes, associated: bool = False) -> int:
        """RopCreateMessage. MS-OXCROPS 2.2.6.2."""

        def parse(reader: Reader) -> None:
            if reader.u8():
                reader.take(8)

        rop = struct.pack("<BBBBH", 0x06, 0, 0, 1, 0x0FFF) + fid + bytes([associated])
        return self.must(rop, [self.logon, NONE], parse).out

    def open_message(self, fid: bytes, mid: bytes, flags: int = 0x03) -> int:
        """RopOpenMessage. MS-OXCROPS 2.2.6.1."""
        rop = struct.pack("<BBBBH", 0x03, 0, 0, 1, 0x0FFF) + fid + bytes([flags]) + mid
        return self.must(rop, [self.logon, NONE], lambda reader: opened_message(reader)).out

    def save(self, message: int, flags: int = 0x0A) -> bytes:
        """RopSaveChangesMessage: the message's id. MS-OXCROPS 2.2.6.3."""
        answer = self.try_save(message, flags)
        if answer.code != OK:
            raise Failed(f"saving returned {answer.code:#010x}")
        assert isinstance(answer.value, bytes)
        return answer.value

    def try_save(self, message: int, flags: int = 0x0A) -> Answer:
        """RopSaveChangesMessage, which may fail."""

        def parse(reader: Reader) -> bytes:
            assert reader.u8() == 1, "InputHandleIndex"
            return reader.take(8)

        return self.call(struct.pack("<BBBBB", 0x0C, 0, 0, 1, flags), [NONE, message], parse)

    def message(self, fid: bytes, values: dict[int, Value], associated: bool = False) -> bytes:
        """A saved message with these properties; its id."""
        handle = self.create_message(fid, associated)
        self.set(handle, values)
        mid = self.save(handle)
        self.release(handle)
        return mid

    def touch(self, fid: bytes, mid: bytes, values: dict[int, Value]) -> None:
        """Change a saved message."""
        handle = self.open_message(fid, mid)
        self.set(handle, values)
        self.save(handle)
        self.release(handle)

    def read_flag(self, message: int, flags: int) -> None:
        """RopSetMessageReadFlag in a private mailbox. MS-OXCROPS 2.2.6.11."""
        rop = struct.pack("<BBBBB", 0x11, 0, 0, 1, flags)
        self.must(rop, [NONE, message], lambda reader: reader.u8())

    def read_flags(self, folder: int, mids: list[bytes], flags: int) -> None:
        """RopSetReadFlags. MS-OXCROPS 2.2.6.10."""
        head = struct.pack("<BBBBBH", 0x66, 0, 0, 0, flags, len(mids))
        answer = self.must(head + b"".join(mids), [folder], lambda reader: reader.u8())
        assert answer.value == 0

    def recipients(self, message: int, people: list[tuple[str, str]]) -> None:
        """RopModifyRecipients with SMTP people. MS-OXCROPS 2.2.6.5, MS-OXCDATA 2.8.3."""
        rows = b""
        for number, (name, address) in enumerate(people):
            flags = 0x0003 | 0x0200 | 0x0010 | 0x0008  # SMTP, Unicode, display name, address
            row = struct.pack("<H", flags)
            row += address.encode("utf-16-le") + b"\0\0" + name.encode("utf-16-le") + b"\0\0"
            row += struct.pack("<HB", 0, 0)
            rows += struct.pack("<IBH", number, 1, len(row)) + row
        self.must(struct.pack("<BBBHH", 0x0E, 0, 0, 0, len(people)) + rows, [message])

    def create_attachment(self, message: int) -> int:
        """RopCreateAttachment. MS-OXCROPS 2.2.6.13."""
        return self.must(
            struct.pack("<BBBB", 0x23, 0, 0, 1), [message, NONE], lambda reader: reader.u32()
        ).out

    def open_attachment(self, message: int, number: int) -> int:
        """RopOpenAttachment. MS-OXCROPS 2.2.6.12."""
        return self.must(struct.pack("<BBBBBI", 0x22, 0, 0, 1, 1, number), [message, NONE]).out

    def save_attachment(self, message: int, attachment: int) -> None:
        """RopSaveChangesAttachment. MS-OXCROPS 2.2.6.15."""
        self.must(struct.pack("<BBBBB", 0x25, 0, 0, 1, 0x0A), [message, attachment])

    def embed(self, attachment: int, flags: int = 0x02) -> int:
        """RopOpenEmbeddedMessage, which creates by default. MS-OXCROPS 2.2.6.16."""

        def parse(reader: Reader) -> None:
            assert reader.u8() == 0
            reader.take(8)
            opened_message(reader)

        return self.must(struct.pack("<BBBBHB", 0x46, 0, 0, 1, 0x0FFF, flags), [attachment, NONE], parse).out

    # Properties

    def set(self, handle: int, values: dict[int, Value]) -> None:
        """RopSetProperties without problems. MS-OXCROPS 2.2.8.6."""
        body = struct.pack("<H", len(values)) + tagged(values)
        rop = struct.pack("<BBBH", 0x0A, 0, 0, len(body)) + body
        answer = self.must(rop, [handle], lambda reader: problems(reader))
        assert answer.value == [], f"problems {answer.value}"

    def delete(self, handle: int, tags: list[int]) -> None:
        """RopDeleteProperties. MS-OXCROPS 2.2.8.8."""
        answer = self.must(struct.pack("<BBB", 0x0B, 0, 0) + tags_of(tags), [handle], problems)
        assert answer.value == []

    def get(self, handle: int, *tags: int) -> dict[int, Value]:
        """RopGetPropertiesSpecific with Unicode strings. MS-OXCROPS 2.2.8.3."""
        rop = struct.pack("<BBBHH", 0x07, 0, 0, 0, 1) + tags_of(tags)
        answer = self.must(rop, [handle], lambda reader: property_row(reader, tags))
        assert isinstance(answer.value, dict)
        return answer.value

    def look(self, fid: bytes, mid: bytes, *tags: int) -> dict[int, Value]:
        """Properties of a saved message."""
        handle = self.open_message(fid, mid, 0)
        found = self.get(handle, *tags)
        self.release(handle)
        return found

    def named_ids(self, names: list[tuple[bytes, int | str]]) -> list[int]:
        """RopGetPropertyIdsFromNames, creating. MS-OXCROPS 2.2.8.1."""
        body = b""
        for guid, name in names:
            if isinstance(name, int):
                body += b"\0" + guid + struct.pack("<I", name)
            else:
                text = name.encode("utf-16-le") + b"\0\0"
                body += b"\1" + guid + bytes([len(text)]) + text
        rop = struct.pack("<BBBBH", 0x56, 0, 0, 2, len(names)) + body
        answer = self.must(rop, [self.logon], lambda reader: [reader.u16() for _ in range(reader.u16())])
        assert isinstance(answer.value, list)
        assert len(answer.value) == len(names)
        return answer.value

    # Tables

    def contents_table(self, folder: int, flags: int = 0) -> int:
        """RopGetContentsTable. MS-OXCROPS 2.2.4.14."""
        return self.must(struct.pack("<BBBBB", 0x05, 0, 0, 1, flags), [folder, NONE], lambda r: r.u32()).out

    def hierarchy_table(self, folder: int, flags: int = 0) -> int:
        """RopGetHierarchyTable. MS-OXCROPS 2.2.4.13."""
        return self.must(struct.pack("<BBBBB", 0x04, 0, 0, 1, flags), [folder, NONE], lambda r: r.u32()).out

    def columns(self, table: int, tags: list[int]) -> None:
        """RopSetColumns. MS-OXCROPS 2.2.5.1."""
        rop = struct.pack("<BBBB", 0x12, 0, 0, 0) + tags_of(tags)
        assert self.must(rop, [table], lambda reader: reader.u8()).value == 0

    def rows(self, table: int, tags: list[int], most: int = 200) -> list[dict[int, Value]]:
        """RopQueryRows. MS-OXCROPS 2.2.5.4."""

        def parse(reader: Reader) -> list[dict[int, Value]]:
            reader.u8()
            return [property_row(reader, tags) for _ in range(reader.u16())]

        answer = self.must(struct.pack("<BBBBBH", 0x15, 0, 0, 0, 1, most), [table], parse)
        assert isinstance(answer.value, list)
        return answer.value

    def in_folder(self, folder: int, tags: list[int], flags: int = 0x10) -> list[dict[int, Value]]:
        """The rows of a contents table, in a table of its own that does not notify."""
        table = self.contents_table(folder, flags)
        self.columns(table, tags)
        found = self.rows(table, tags)
        self.release(table)
        return found


_OUTPUT = frozenset(
    (
        *(0x02, 0x03, 0x04, 0x05, 0x06, 0x1C, 0x22, 0x23, 0x29, 0x3F, 0x46, 0x2B),
        *(0x4B, 0x4C, 0x4D, 0x53, 0x69, 0x70, 0x72, 0x7E, 0x82),
    )
)
"""ROPs whose response repeats the index of the output handle."""


def problems(reader: Reader) -> list[tuple[int, int, int]]:
    """PropertyProblem structures. MS-OXCDATA 2.7."""
    return [(reader.u16(), reader.u32(), reader.u32()) for _ in range(reader.u16())]


def typed_string(reader: Reader) -> str | None:
    """A TypedString. MS-OXCDATA 2.11.7."""
    kind = reader.u8()
    assert kind in (0, 1, 2, 3, 4)
    if kind in (0, 1):
        return None if kind == 0 else ""
    return reader.until(b"\0\0").decode("utf-16-le") if kind == 4 else reader.until(b"\0").decode("latin-1")


def opened_message(reader: Reader) -> None:
    """What RopOpenMessage tells. MS-OXCROPS 2.2.6.1.2."""
    reader.u8()
    typed_string(reader)
    typed_string(reader)
    reader.u16()
    reader.take(4 * reader.u16())
    for _ in range(reader.u8()):
        reader.take(1 + 2 + 2)
        reader.take(reader.u16())


def desk(person: Person) -> Desk:
    """Somebody at their desk."""
    return Desk(person.mapi(), person.dn)


class PublicDesk(Desk):
    """A session that is logged on to the public folders."""

    def _logon(self, dn: str) -> int:
        head = struct.pack("<BBBBIIH", 0xFE, 0, 0, 0x00, 0x01000002, 0, 0)
        responses, handles = self.mapi.execute(head, [NONE])
        reader = Reader(responses)
        assert struct.unpack("<BBIB", reader.take(7)) == (0xFE, 0, 0, 0x00)
        listed = [reader.take(8) for _ in PRIVATE]
        self.folders = {"root": listed[0], "ipm": listed[1]}
        self.replid, self.replguid = reader.take(2), reader.take(16)
        reader.take(16)
        assert not reader.left
        return handles[0]


def xid(guid: bytes, number: int, size: int = 4) -> bytes:
    """An XID. MS-OXCFXICS 2.2.2.2."""
    return guid + number.to_bytes(size, "big")


def change_list(*xids: bytes) -> bytes:
    """A PredecessorChangeList. MS-OXCFXICS 2.2.2.3."""
    return b"".join(bytes([len(each)]) + each for each in sorted(xids))


def read_change_list(data: bytes) -> list[bytes]:
    """The XIDs of a PredecessorChangeList, which must be sorted and lean. MS-OXCFXICS 2.2.2.3."""
    reader = Reader(data)
    found = []
    while reader.left:
        size = reader.u8()
        assert 17 <= size <= 24, "R157"
        found.append(reader.take(size))
    spaces = [each[:16] for each in found]
    assert spaces == sorted(set(spaces)), "R169: sorted, and one XID a namespace"
    return found


__all__ = ["Answer", "Desk", "Failed", "change_list", "desk", "packed", "read_change_list", "xid"]
