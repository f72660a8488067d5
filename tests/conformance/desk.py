"""One logon and its ROPs: every call is an Execute with one request, and its response read to the last byte.

desk = Desk(anna.mapi(), anna.dn)
message = desk.create_message(desk.inbox)
desk.set(message, {SUBJECT: "hello"})
mid = desk.save(message)
desk.open_message(desk.inbox, mid + 1, expect=NOT_FOUND)

Every method takes `expect`, the ReturnValue that must come (0), and gives the response's fields where it is
0, None elsewhere. A failure must have nothing behind its ReturnValue, and leave no handle.
"""

import struct
from dataclasses import dataclass

from tests.conformance.client import Mapi
from tests.conformance.messages import Messages
from tests.conformance.properties import Properties
from tests.conformance.rop import NONE, Caller
from tests.conformance.streams import Streams
from tests.conformance.tables import Tables
from tests.conformance.tags import SUBJECT
from tests.conformance.transport import Transport
from tests.conformance.values import Reader

PRIVATE, PUBLIC = 0x01, 0x00
_OPEN_FLAGS = 0x01000000
"""USE_PER_MDB_REPLID_MAPPING: MS-OXCSTOR 2.2.1.1.1."""

PROGRESS = 0x20000000
"""SUPPORT_PROGRESS."""

PUBLIC_LOGON = 0x00000002
ROOT, DEFERRED, SPOOLER, TOP, INBOX, OUTBOX, SENT, DELETED = range(8)
"""Positions in the folder ids of a private logon. MS-OXCSTOR 2.2.1.1.3."""

PUBLIC_TOP = 1
"""The IPM subtree in a public logon. MS-OXCSTOR 2.2.1.1.4."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder."""

    handle: int
    id: int


class Desk(Messages, Properties, Streams, Tables, Transport):
    """A mailbox that somebody is logged on to."""

    def __init__(self, mapi: Mapi, dn: str, flags: int = PRIVATE, open_flags: int = 0) -> None:
        Caller.__init__(self, mapi)
        essdn = dn.encode("ascii") + b"\0" if flags & PRIVATE else b""
        if not flags & PRIVATE:
            open_flags |= PUBLIC_LOGON
        body = struct.pack("<BIIH", flags, _OPEN_FLAGS | open_flags, 0, len(essdn)) + essdn
        data, handles = mapi.execute(b"\xfe\0\0" + body, [NONE])
        reader = Reader(data)
        assert (reader.u8(), reader.u8(), reader.u32()) == (0xFE, 0, 0)
        assert reader.u8() & PRIVATE == flags & PRIVATE
        self.folders = [reader.u64() for _ in range(13)]
        self.logon = handles[0]

    def folder(self, which: int) -> Folder:
        """One of the logon's folders, opened."""
        return self.open_folder(self.folders[which])

    def open_folder(self, number: int, expect: int = 0) -> Folder:
        """RopOpenFolder. MS-OXCROPS 2.2.4.1."""
        answer = self.opening(0x02, self.logon, struct.pack("<QB", number, 0), expect)
        if answer is None:
            return Folder(NONE, number)
        answer.reader.u8()
        assert answer.reader.u8() in (0, 1), "IsGhosted"
        if answer.reader.data[answer.reader.at - 1]:
            many = answer.reader.u16()
            answer.reader.u16()
            for _ in range(many):
                answer.reader.ascii()
        answer.reader.end()
        return Folder(answer.handle, number)

    def saved(self, folder: Folder, subject: str = "first") -> tuple[int, int]:
        """A new message with a subject: its handle and id."""
        message = self.create_message(folder)
        self.set(message, {SUBJECT: subject})
        return message, self.save(message)

    def create_folder(self, parent: Folder, name: str, kind: int = 1) -> Folder:
        """RopCreateFolder, of a generic folder that is not there. MS-OXCROPS 2.2.4.2."""
        strings = name.encode("utf-16-le") + b"\0\0" + b"\0\0"
        answer = self.opening(0x1C, parent.handle, struct.pack("<BBBB", kind, 1, 0, 0) + strings)
        assert answer is not None
        number = answer.reader.u64()
        assert answer.reader.u8() == 0, "IsExistingFolder"
        answer.reader.end()
        return Folder(answer.handle, number)

    def soft_delete(self, folder: Folder, *messages: int) -> None:
        """RopDeleteMessages. MS-OXCROPS 2.2.4.11."""
        body = struct.pack("<BBH", 0, 0, len(messages)) + struct.pack(f"<{len(messages)}Q", *messages)
        reader = self.on(0x1E, folder.handle, body)
        assert reader is not None
        assert reader.u8() == 0, "PartialCompletion"
        reader.end()
