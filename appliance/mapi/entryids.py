"""Entry IDs: every kind that clients store, send and get (MS-OXCDATA 2.2.4, 2.2.5; MS-OXNSPI 2.2.9).

Each kind has `pack`; `parse` tells the kinds apart by their provider and returns None for providers that are
not known here. Layouts that are known but broken raise DecodeError.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final
from uuid import UUID

from appliance.mapi import codepages
from appliance.mapi.ids import LongTermId
from appliance.wire import fields as f
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError

# Providers (MS-OXCDATA 2.2): 16 bytes in wire order.
MUIDEMSAB: Final = bytes.fromhex("dca740c8c042101ab4b908002b2fe182")  # address book, 2.2.5.2
ONE_OFF_PROVIDER: Final = bytes.fromhex("812b1fa4bea310199d6e00dd010f5402")  # 2.2.5.1
CONTACT_PROVIDER: Final = bytes.fromhex("fe42aa0a18c71a10e8850b651c240000")  # 2.2.5.3
STORE_PROVIDER: Final = bytes.fromhex("38a1bb1005e5101aa1bb08002b2a56c2")  # 2.2.4.3
PRIVATE_STORE: Final = bytes.fromhex("1b55fa20aa6611cd9bc800aa002fc45a")
PUBLIC_STORE: Final = bytes.fromhex("1c830210aa6611cd9bc800aa002fc45a")
PUBLIC_FOLDERS: Final = bytes.fromhex("1a447390aa6611cd9bc800aa002fc45a")  # ProviderUID of public objects
WRAPPED_PROVIDER: Final = UUID("d3ad91c0-9d51-11cf-a4a9-00aa0047faa4").bytes_le  # MS-OXOCNTC 2.2.2.4.1.2


class ObjectType(IntEnum):
    """The type of a messaging object (MS-OXCDATA 2.2.4)."""

    PRIVATE_FOLDER = 0x0001
    PUBLIC_FOLDER = 0x0003
    MAPPED_PUBLIC_FOLDER = 0x0005
    PRIVATE_MESSAGE = 0x0007
    PUBLIC_MESSAGE = 0x0009
    MAPPED_PUBLIC_MESSAGE = 0x000B
    PUBLIC_NEWSGROUP_FOLDER = 0x000C


FOLDER_TYPES = frozenset(
    {
        ObjectType.PRIVATE_FOLDER,
        ObjectType.PUBLIC_FOLDER,
        ObjectType.MAPPED_PUBLIC_FOLDER,
        ObjectType.PUBLIC_NEWSGROUP_FOLDER,
    }
)


class OneOffFlags(IntFlag):
    """The Flags of a one-off entry id (MS-OXCDATA 2.2.5.1), as a little-endian number."""

    NO_RICH_INFO = 0x0001
    DONT_LOOK_UP = 0x1000
    UNICODE = 0x8000


class AddressBookType(IntEnum):
    """The Type of a permanent entry id, the DisplayType of an ephemeral one (MS-OXCDATA 2.2.5.2)."""

    LOCAL_USER = 0x000
    DISTRIBUTION_LIST = 0x001
    FORUM = 0x002
    AGENT = 0x003
    ORGANIZATION = 0x004
    PRIVATE_DISTRIBUTION_LIST = 0x005
    REMOTE_USER = 0x006
    CONTAINER = 0x100
    TEMPLATE = 0x101
    ONE_OFF_USER = 0x102
    SEARCH = 0x200


@dataclass(frozen=True, slots=True)
class FolderEntryId:
    """Folder EntryID (MS-OXCDATA 2.2.4.1): 46 bytes. `provider` is the mailbox's GUID or PUBLIC_FOLDERS."""

    provider: bytes
    type: ObjectType
    folder: LongTermId

    def pack(self) -> bytes:
        """The bytes of PidTagEntryId."""
        return _head(self.provider) + self.type.to_bytes(2, "little") + self.folder.to_long_term()


@dataclass(frozen=True, slots=True)
class MessageEntryId:
    """Message EntryID (MS-OXCDATA 2.2.4.2): 70 bytes."""

    provider: bytes
    type: ObjectType
    folder: LongTermId
    message: LongTermId

    def pack(self) -> bytes:
        """The bytes of PidTagEntryId."""
        ids = self.folder.to_long_term() + self.message.to_long_term()
        return _head(self.provider) + self.type.to_bytes(2, "little") + ids


@dataclass(frozen=True, slots=True)
class StoreEntryId:
    """Store Object EntryID (MS-OXCDATA 2.2.4.3); for a public store without mailbox DN.

    `server_dn` and `server_fqdn` make the longer form that Outlook has written since 2003 (MDB_STORE_EID_V2).
    """

    server: str
    mailbox_dn: str = ""
    public: bool = False
    server_dn: str | None = None
    server_fqdn: str = ""

    def pack(self) -> bytes:
        """The bytes of PidTagStoreEntryId."""
        writer = Writer()
        writer.put(_head(STORE_PROVIDER) + b"\0\0" + _DLL + bytes(4))
        writer.put(PUBLIC_STORE if self.public else PRIVATE_STORE)
        writer.u32(_PUBLIC_TYPE if self.public else _PRIVATE_TYPE)
        writer.nul_bytes(f.bytes_of(self.server, "ascii"))
        if not self.public or self.mailbox_dn:
            writer.nul_bytes(f.bytes_of(self.mailbox_dn, "ascii"))
        if self.server_dn is not None:
            self._pack_v2(writer)
        return writer.getvalue()

    def _pack_v2(self, writer: Writer) -> None:
        dn = f.bytes_of(self.server_dn or "", "ascii") + b"\0"
        fqdn = f.bytes_of(self.server_fqdn, "utf-16-le") + b"\0\0"
        size = _V2_HEADER + len(dn) + len(fqdn) + 2
        for number in (_V2_MAGIC, size, 1, _V2_HEADER, _V2_HEADER + len(dn)):
            writer.u32(number)
        writer.put(dn + fqdn + b"\0\0")


_DLL = b"EMSMDB.DLL\0\0\0\0"
_PRIVATE_TYPE, _PUBLIC_TYPE = 0x0000000C, 0x00000006
_V2_MAGIC, _V2_HEADER = 0xF32135D8, 20


@dataclass(frozen=True, slots=True)
class OneOffEntryId:
    """One-Off EntryID (MS-OXCDATA 2.2.5.1): a recipient outside any address book. `page` if not Unicode."""

    name: str
    address_type: str
    address: str
    flags: OneOffFlags = OneOffFlags.UNICODE | OneOffFlags.NO_RICH_INFO
    page: int = codepages.DEFAULT

    def pack(self) -> bytes:
        """The bytes of PidTagEntryId of a recipient."""
        writer = Writer()
        writer.put(_head(ONE_OFF_PROVIDER))
        writer.u16(0)
        writer.u16(int(self.flags))
        for text in (self.name, self.address_type, self.address):
            if OneOffFlags.UNICODE in self.flags:
                writer.nul_utf16(text)
            else:
                writer.nul_bytes(codepages.encode(text, self.page))
        return writer.getvalue()


@dataclass(frozen=True, slots=True)
class PermanentEntryId:
    """Address Book EntryID (MS-OXCDATA 2.2.5.2), PermanentEntryID (MS-OXNSPI 2.2.9.3): by X.500 name."""

    dn: str
    type: int = AddressBookType.LOCAL_USER

    def pack(self) -> bytes:
        """The bytes of PidTagEntryId in the address book."""
        head = _head(MUIDEMSAB) + struct.pack("<II", 1, self.type)
        return head + f.bytes_of(self.dn, "ascii") + b"\0"


@dataclass(frozen=True, slots=True)
class EphemeralEntryId:
    """EphemeralEntryID (MS-OXNSPI 2.2.9.2): valid for one session with one server. 32 bytes."""

    server: bytes  # the GUID that NspiBind gave
    mid: int
    type: int = AddressBookType.LOCAL_USER

    def pack(self) -> bytes:
        """The bytes of PidTagEntryId in the address book."""
        return _EPHEMERAL + self.server + struct.pack("<III", 1, self.type, self.mid)


_EPHEMERAL = b"\x87\0\0\0"


@dataclass(frozen=True, slots=True)
class ContactEntryId:
    """Contact Address EntryID (2.2.5.3), or Personal Distribution List EntryID (2.2.5.4) with index 255."""

    entry_id: bytes  # of the Contact or distribution list object
    index: int = 0  # 0 to 2 e-mail addresses, 3 to 5 faxes

    def pack(self) -> bytes:
        """The bytes of PidTagEntryId of a recipient."""
        kind = _LIST_TYPE if self.index == LIST_INDEX else _CONTACT_TYPE
        head = struct.pack("<IIII", 3, kind, self.index, len(self.entry_id))
        return _head(CONTACT_PROVIDER) + head + self.entry_id


_CONTACT_TYPE, _LIST_TYPE = 4, 5
LIST_INDEX = 255


@dataclass(frozen=True, slots=True)
class WrappedEntryId:
    """WrappedEntryId (MS-OXOCNTC 2.2.2.4.1.2): a member of a personal distribution list."""

    kind: int  # the whole Type byte: kind of the inner id, e-mail index, and 0x80
    entry_id: bytes

    def pack(self) -> bytes:
        """The bytes of a member."""
        return _head(WRAPPED_PROVIDER) + bytes([self.kind]) + self.entry_id


EntryId = (
    FolderEntryId
    | MessageEntryId
    | StoreEntryId
    | OneOffEntryId
    | PermanentEntryId
    | EphemeralEntryId
    | ContactEntryId
    | WrappedEntryId
)


def _head(provider: bytes) -> bytes:
    if len(provider) != 16:
        raise EncodeError(f"a provider of {len(provider)} bytes")
    return bytes(4) + provider


def parse(data: bytes, page: int = codepages.DEFAULT) -> EntryId | None:
    """The entry id in the bytes; None for providers and short-term forms that are not known here."""
    if len(data) < 20:
        raise DecodeError("entry id", len(data))
    if data[0] == _EPHEMERAL[0]:
        return _parse_ephemeral(Reader(data, 4))
    provider = data[4:20]
    reader = Reader(data, 20)
    special = _PARSERS.get(provider)
    if special is not None:
        return special(reader, page)
    if data[:4] != bytes(4) or len(data) not in (_FOLDER_SIZE, _MESSAGE_SIZE):
        return None
    return _parse_object(reader, provider)


_FOLDER_SIZE, _MESSAGE_SIZE = 46, 70


def _parse_object(reader: Reader, provider: bytes) -> FolderEntryId | MessageEntryId | None:
    number = reader.u16("object type")
    if number not in ObjectType.__members__.values():
        return None
    kind = ObjectType(number)
    folder = LongTermId.from_gid(reader.take(24, "folder"))
    if kind in FOLDER_TYPES:
        reader.expect_end("folder entry id")
        return FolderEntryId(provider, kind, folder)
    message = LongTermId.from_gid(reader.take(24, "message"))
    return MessageEntryId(provider, kind, folder, message)


def _parse_ephemeral(reader: Reader) -> EphemeralEntryId:
    server = reader.take(16, "provider")
    at = reader.pos
    if reader.u32("version") != 1:
        raise DecodeError("version of an ephemeral entry id", at)
    kind, mid = reader.u32("type"), reader.u32("minimal id")
    reader.expect_end("entry id")
    return EphemeralEntryId(server, mid, kind)


def _parse_permanent(reader: Reader, _page: int) -> PermanentEntryId:
    at = reader.pos
    if reader.u32("version") != 1:
        raise DecodeError("version of an address book entry id", at)
    kind = reader.u32("type")
    at = reader.pos
    return PermanentEntryId(f.text_of(reader.nul_bytes("name"), "ascii", at), kind)


def _parse_one_off(reader: Reader, page: int) -> OneOffEntryId:
    at = reader.pos
    if reader.u16("version") != 0:
        raise DecodeError("version of a one-off entry id", at)
    flags = OneOffFlags(reader.u16("flags"))
    if OneOffFlags.UNICODE in flags:
        name, kind, address = (reader.nul_utf16() for _ in range(3))
        return OneOffEntryId(name, kind, address, flags)
    name, kind, address = (codepages.decode(reader.nul_bytes(), page) for _ in range(3))
    return OneOffEntryId(name, kind, address, flags, page)


def _parse_contact(reader: Reader, _page: int) -> ContactEntryId:
    at = reader.pos
    if reader.u32("version") != 3:
        raise DecodeError("version of a contact entry id", at)
    at = reader.pos
    kind, index = reader.u32("type"), reader.u32("index")
    if (kind, index == LIST_INDEX) not in ((_CONTACT_TYPE, False), (_LIST_TYPE, True)):
        raise DecodeError(f"type {kind} with index {index} in a contact entry id", at)
    entry_id = reader.take(reader.u32("size"), "entry id")
    return ContactEntryId(entry_id, index)


def _parse_wrapped(reader: Reader, _page: int) -> WrappedEntryId:
    return WrappedEntryId(reader.u8("type"), reader.rest())


def _parse_store(reader: Reader, _page: int) -> StoreEntryId:
    reader.need(2 + len(_DLL) + 4, "store entry id")
    at = reader.pos
    provider = reader.take(16, "wrapped provider")
    if provider not in (PRIVATE_STORE, PUBLIC_STORE):
        raise DecodeError("provider of a store", at)
    reader.u32("wrapped type")
    public = provider == PUBLIC_STORE
    at = reader.pos
    server = f.text_of(reader.nul_bytes("server"), "ascii", at)
    mailbox = ""
    if reader.remaining and not (public and _at_v2(reader)):
        at = reader.pos
        mailbox = f.text_of(reader.nul_bytes("mailbox"), "ascii", at)
    if not _at_v2(reader):
        return StoreEntryId(server, mailbox, public)
    block = reader.sub(reader.remaining)
    start = block.pos
    _, _, _, dn_at, fqdn_at = (block.u32("store block") for _ in range(5))
    dn = _inside(block, start, dn_at).nul_bytes("server name")
    fqdn = _inside(block, start, fqdn_at).nul_utf16("server host")
    return StoreEntryId(server, mailbox, public, f.text_of(dn, "ascii", start + dn_at), fqdn)


def _at_v2(reader: Reader) -> bool:
    return reader.data[reader.pos : reader.pos + 4] == _V2_MAGIC.to_bytes(4, "little")


def _inside(block: Reader, start: int, offset: int) -> Reader:
    if not _V2_HEADER <= offset <= block.end - start:
        raise DecodeError(f"offset {offset} in a store block", start)
    return Reader(block.data, start + offset, block.end)


_PARSERS: dict[bytes, Callable[[Reader, int], EntryId]] = {
    MUIDEMSAB: _parse_permanent,
    ONE_OFF_PROVIDER: _parse_one_off,
    CONTACT_PROVIDER: _parse_contact,
    STORE_PROVIDER: _parse_store,
    WRAPPED_PROVIDER: _parse_wrapped,
}
