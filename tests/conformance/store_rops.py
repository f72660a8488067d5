"""Requests and responses of logon, folder and permission ROPs, as bytes. MS-OXCROPS 2.2.3, 2.2.4, 2.2.10.

Functions named as their ROP give the request; `Store` sends one in an Execute of its own and reads the answer
to its last byte. A failure is the six bytes that every response begins with, and nothing behind them, except
where the document gives a response one layout for both outcomes (`ONE_LAYOUT`).
"""

import struct
from dataclasses import dataclass

from tests.conformance.client import Mapi
from tests.conformance.office import Person
from tests.conformance.values import Reader, read_row

NONE = 0xFFFFFFFF
"""A handle that is no handle. MS-OXCROPS 3.2.5.1."""

SUCCESS = 0
EC_ERROR = 0x80004005
EC_NOT_SUPPORTED = 0x80040102
EC_INVALID_OBJECT = 0x80040108
EC_NOT_FOUND = 0x8004010F
EC_LOGIN_FAILURE = 0x80040111
EC_RPC_FAILED = 0x80040115
EC_CORRUPT_DATA = 0x8004011B
EC_DUPLICATE_NAME = 0x80040604
EC_NOT_INITIALIZED = 0x80040605
EC_NOT_IMPLEMENTED = 0x80040FFF
EC_ACCESS_DENIED = 0x80070005
EC_INVALID_PARAM = 0x80070057
EC_UNKNOWN_USER = 0x000003EB
EC_UNKNOWN_CODE_PAGE = 0x000003EF
EC_LOGIN_PERM = 0x000003F2
EC_PARAMETER_OVERFLOW = 0x00000450
EC_SEARCH_FOLDER = 0x00000460
EC_NOT_SEARCH_FOLDER = 0x00000461
EC_WRONG_SERVER = 0x00000478
EC_BUFFER_TOO_SMALL = 0x0000047D
EC_SCOPE_VIOLATION = 0x00000490
EC_RPC_FORMAT = 0x000004B6
EC_NULL_OBJECT = 0x000004B9
EC_DST_NULL_OBJECT = 0x00000503

ONE_LAYOUT = frozenset((0x1D, 0x33, 0x35, 0x36, 0x58, 0x92, 0x1E, 0x91))
"""ROPs whose PartialCompletion follows whatever the outcome is."""

ROOT, DEFERRED, SPOOLER, IPM, INBOX, OUTBOX, SENT, DELETED, COMMON, SCHEDULE, SEARCH, VIEWS, SHORTCUTS = (
    range(13)
)
"""Positions in FolderIds of a private logon. MS-OXCSTOR 2.2.1.1.3."""

PRIVATE = 0x01
ADMIN = 0x00000001
PUBLIC = 0x00000002
NO_LOCALIZATION = 0x01000000
"""USE_PER_MDB_REPLID_MAPPING, which every Outlook since 2007 sets."""

DISPLAY_NAME = 0x3001001F
COMMENT = 0x3004001F
CONTAINER_CLASS = 0x3613001F
FOLDER_ID = 0x67480014
PARENT_FID = 0x67490014
MID = 0x674A0014
COUNT = 0x36020003
UNREAD = 0x36030003
SUBFOLDERS = 0x360A000B
KIND = 0x36010003
ACCESS = 0x0FF40003
RIGHTS = 0x66390003
HIERARCHY_CHANGES = 0x663E0003
SIZE = 0x0E080014
SUBJECT = 0x0037001F
"""Properties of folders and messages."""


class Fields(Reader):
    """What is left of a response."""

    def numbers(self, layout: str) -> tuple[int, ...]:
        """The next numbers, little-endian."""
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def number(self, layout: str) -> int:
        """The next number."""
        return self.unpack("<" + layout)

    @property
    def rest(self) -> bytes:
        """What was not read."""
        return self.data[self.at :]


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to one ROP: its head is read, `fields` are the rest."""

    rop: int
    index: int
    value: int
    fields: Fields
    handles: list[int]

    def end(self) -> "Answer":
        """Nothing may be left over."""
        self.fields.end()
        return self


def read(responses: bytes, handles: list[int]) -> Answer:
    """The only response of a batch; a failure is checked to be nothing but one."""
    fields = Fields(responses)
    rop, index, value = fields.numbers("BBI")
    if value != SUCCESS and rop not in ONE_LAYOUT and (rop, value) != (0xFE, EC_WRONG_SERVER):
        fields.end()
    return Answer(rop, index, value, fields, handles)


def head(rop: int, hin: int = 0, logon: int = 0) -> bytes:
    """RopId, LogonId, InputHandleIndex."""
    return struct.pack("<BBB", rop, logon, hin)


def logon(
    essdn: str, flags: int = PRIVATE, open_flags: int = NO_LOCALIZATION, logon_id: int = 0, hout: int = 0
) -> bytes:
    """RopLogon: 2.2.3.1.1. No name: EssdnSize is zero."""
    name = essdn.encode("ascii") + b"\0" if essdn else b""
    return struct.pack("<BBBBIIH", 0xFE, logon_id, hout, flags, open_flags, 0, len(name)) + name


def release(hin: int = 0, logon: int = 0) -> bytes:
    """RopRelease: 2.2.15.3.1. There is no response."""
    return head(0x01, hin, logon)


def open_folder(fid: int, mode: int = 0, hin: int = 0, hout: int = 1, logon: int = 0) -> bytes:
    """RopOpenFolder: 2.2.4.1.1."""
    return head(0x02, hin, logon) + struct.pack("<BQB", hout, fid, mode)


def create_folder(
    name: str,
    comment: str = "",
    *,
    kind: int = 1,
    unicode: bool = True,
    existing: bool = False,
    reserved: int = 0,
    hin: int = 0,
    hout: int = 1,
    logon: int = 0,
) -> bytes:
    """RopCreateFolder: 2.2.4.2.1."""
    coding, end = ("utf-16-le", b"\0\0") if unicode else ("cp1252", b"\0")
    numbers = struct.pack("<BBBBB", hout, kind, unicode, existing, reserved)
    return head(0x1C, hin, logon) + numbers + b"".join(text.encode(coding) + end for text in (name, comment))


def delete_folder(fid: int, flags: int = 0, hin: int = 0) -> bytes:
    """RopDeleteFolder: 2.2.4.3.1."""
    return head(0x1D, hin) + struct.pack("<BQ", flags, fid)


def set_search_criteria(restriction: bytes, fids: list[int], flags: int, hin: int = 0) -> bytes:
    """RopSetSearchCriteria: 2.2.4.4.1."""
    scope = struct.pack(f"<H{len(fids)}Q", len(fids), *fids)
    return (
        head(0x30, hin) + struct.pack("<H", len(restriction)) + restriction + scope + struct.pack("<I", flags)
    )


def get_search_criteria(unicode: int = 1, restriction: int = 1, folders: int = 1, hin: int = 0) -> bytes:
    """RopGetSearchCriteria: 2.2.4.5.1."""
    return head(0x31, hin) + struct.pack("<BBB", unicode, restriction, folders)


def move_copy_messages(mids: list[int], copy: bool, source: int = 0, target: int = 1, wait: int = 0) -> bytes:
    """RopMoveCopyMessages: 2.2.4.6.1."""
    ids = struct.pack(f"<H{len(mids)}Q", len(mids), *mids)
    return head(0x33, source) + struct.pack("<B", target) + ids + struct.pack("<BB", wait, copy)


def move_folder(fid: int, name: str, source: int = 0, target: int = 1, unicode: bool = True) -> bytes:
    """RopMoveFolder: 2.2.4.7.1."""
    text = (name + "\0").encode("utf-16-le" if unicode else "cp1252")
    return head(0x35, source) + struct.pack("<BBBQ", target, 0, unicode, fid) + text


def copy_folder(fid: int, name: str, recursive: bool, source: int = 0, target: int = 1) -> bytes:
    """RopCopyFolder: 2.2.4.8.1."""
    text = (name + "\0").encode("utf-16-le")
    return head(0x36, source) + struct.pack("<BBBBQ", target, 0, recursive, 1, fid) + text


def empty_folder(associated: bool = False, hard: bool = False, hin: int = 0, wait: int = 0) -> bytes:
    """RopEmptyFolder, RopHardDeleteMessagesAndSubfolders: 2.2.4.9.1, 2.2.4.10.1."""
    return head(0x92 if hard else 0x58, hin) + struct.pack("<BB", wait, associated)


def delete_messages(mids: list[int], hard: bool = False, hin: int = 0, wait: int = 0) -> bytes:
    """RopDeleteMessages, RopHardDeleteMessages: 2.2.4.11.1, 2.2.4.12.1."""
    ids = struct.pack(f"<H{len(mids)}Q", len(mids), *mids)
    return head(0x91 if hard else 0x1E, hin) + struct.pack("<BB", wait, 0) + ids


def get_hierarchy_table(flags: int = 0, hin: int = 0, hout: int = 1) -> bytes:
    """RopGetHierarchyTable: 2.2.4.13.1."""
    return head(0x04, hin) + struct.pack("<BB", hout, flags)


def get_contents_table(flags: int = 0, hin: int = 0, hout: int = 1) -> bytes:
    """RopGetContentsTable: 2.2.4.14.1."""
    return head(0x05, hin) + struct.pack("<BB", hout, flags)


def get_permissions_table(flags: int = 0, hin: int = 0, hout: int = 1) -> bytes:
    """RopGetPermissionsTable: 2.2.10.2.1."""
    return head(0x3E, hin) + struct.pack("<BB", hout, flags)


def modify_permissions(rows: list[bytes], flags: int = 0, hin: int = 0) -> bytes:
    """RopModifyPermissions: 2.2.10.1.1; each row is a `permission`."""
    return head(0x40, hin) + struct.pack("<BH", flags, len(rows)) + b"".join(rows)


def permission(flags: int, *values: bytes) -> bytes:
    """A PermissionData structure: MS-OXCPERM 2.2.2.1.1."""
    return struct.pack("<BH", flags, len(values)) + b"".join(values)


def set_columns(tags: list[int], hin: int = 0) -> bytes:
    """RopSetColumns: 2.2.5.1.1."""
    return head(0x12, hin) + struct.pack(f"<BH{len(tags)}I", 0, len(tags), *tags)


def query_rows(count: int = 0xFFFF, hin: int = 0, flags: int = 0) -> bytes:
    """RopQueryRows, forward: 2.2.5.4.1."""
    return head(0x15, hin) + struct.pack("<BBH", flags, 1, count)


def create_message(fid: int, associated: bool = False, hin: int = 0, hout: int = 1) -> bytes:
    """RopCreateMessage: 2.2.6.2.1."""
    return head(0x06, hin) + struct.pack("<BHQB", hout, 0x0FFF, fid, associated)


def save_message(hin: int = 1, response: int = 0, flags: int = 0x0A) -> bytes:
    """RopSaveChangesMessage: 2.2.6.3.1; `response` is the index of the folder or logon."""
    return struct.pack("<BBBBB", 0x0C, 0, response, hin, flags)


def open_message(fid: int, mid: int, hin: int = 0, hout: int = 1, mode: int = 0) -> bytes:
    """RopOpenMessage: 2.2.6.1.1."""
    return head(0x03, hin) + struct.pack("<BHQBQ", hout, 0x0FFF, fid, mode, mid)


def get_properties(tags: list[int], hin: int = 0, limit: int = 0, unicode: int = 1) -> bytes:
    """RopGetPropertiesSpecific: 2.2.8.3.1."""
    return head(0x07, hin) + struct.pack(f"<HHH{len(tags)}I", limit, unicode, len(tags), *tags)


def set_properties(values: list[bytes], hin: int = 0) -> bytes:
    """RopSetProperties: 2.2.8.6.1; each value is a `tagged`."""
    joined = b"".join(values)
    return head(0x0A, hin) + struct.pack("<HH", len(joined) + 2, len(values)) + joined


def delete_properties(tags: list[int], hin: int = 0) -> bytes:
    """RopDeleteProperties: 2.2.8.8.1."""
    return head(0x0B, hin) + struct.pack(f"<H{len(tags)}I", len(tags), *tags)


def get_receive_folder(message_class: bytes, hin: int = 0) -> bytes:
    """RopGetReceiveFolder: 2.2.3.2.1."""
    return head(0x27, hin) + message_class + b"\0"


def set_receive_folder(fid: int, message_class: bytes, hin: int = 0) -> bytes:
    """RopSetReceiveFolder: 2.2.3.3.1."""
    return head(0x26, hin) + struct.pack("<Q", fid) + message_class + b"\0"


def get_receive_folder_table(hin: int = 0) -> bytes:
    """RopGetReceiveFolderTable: 2.2.3.4.1."""
    return head(0x68, hin)


def get_store_state(hin: int = 0) -> bytes:
    """RopGetStoreState: 2.2.3.5.1."""
    return head(0x7B, hin)


def get_owning_servers(fid: int, hin: int = 0) -> bytes:
    """RopGetOwningServers: 2.2.3.6.1."""
    return head(0x42, hin) + struct.pack("<Q", fid)


def public_folder_is_ghosted(fid: int, hin: int = 0) -> bytes:
    """RopPublicFolderIsGhosted: 2.2.3.7.1."""
    return head(0x45, hin) + struct.pack("<Q", fid)


def long_term_id_from_id(number: int, hin: int = 0) -> bytes:
    """RopLongTermIdFromId: 2.2.3.8.1."""
    return head(0x43, hin) + struct.pack("<Q", number)


def id_from_long_term_id(data: bytes, hin: int = 0) -> bytes:
    """RopIdFromLongTermId: 2.2.3.9.1; 24 bytes."""
    return head(0x44, hin) + data


def get_per_user_long_term_ids(guid: bytes, hin: int = 0) -> bytes:
    """RopGetPerUserLongTermIds: 2.2.3.10.1; 16 bytes."""
    return head(0x60, hin) + guid


def get_per_user_guid(folder: bytes, hin: int = 0) -> bytes:
    """RopGetPerUserGuid: 2.2.3.11.1; a LongTermID."""
    return head(0x61, hin) + folder


def read_per_user(folder: bytes, offset: int = 0, most: int = 0, hin: int = 0) -> bytes:
    """RopReadPerUserInformation: 2.2.3.12.1."""
    return head(0x63, hin) + folder + struct.pack("<BIH", 0, offset, most)


def write_per_user(
    folder: bytes, data: bytes, *, offset: int = 0, finished: int = 1, guid: bytes = b"", hin: int = 0
) -> bytes:
    """RopWritePerUserInformation: 2.2.3.13.1; `guid` for the first piece on a private logon."""
    return head(0x64, hin) + folder + struct.pack("<BIH", finished, offset, len(data)) + data + guid


class Store:
    """A logon: handle 0 of every batch is its own, others are given by the caller."""

    def __init__(
        self, mapi: Mapi, essdn: str, flags: int = PRIVATE, open_flags: int = NO_LOCALIZATION
    ) -> None:
        self.mapi = mapi
        answer = self.send(logon(essdn, flags, open_flags), NONE)
        assert answer.value == SUCCESS, hex(answer.value)
        fields = answer.fields
        assert fields.number("B") == flags & 7, "LogonFlags come back unchanged"
        self.folders = fields.numbers("13Q")
        self.handle = answer.handles[0]
        self.per_user_guid: bytes | None = None
        if flags & PRIVATE:
            self.response_flags = fields.number("B")
            self.mailbox_guid = fields.take(16)
        self.replid = fields.number("H")
        self.replguid = fields.take(16)
        if flags & PRIVATE:
            self.logon_time = fields.numbers("BBBBBBH")
            self.gwart_time, self.store_state = fields.numbers("QI")
        else:
            self.per_user_guid = fields.take(16)
        answer.end()

    def send(self, rop: bytes, *handles: int) -> Answer:
        """One ROP in an Execute; `handles` are the table."""
        return read(*self.mapi.execute(rop, list(handles)))

    def call(self, rop: bytes, *more: int) -> Answer:
        """One ROP on the logon; `more` handles follow it."""
        return self.send(rop, self.handle, *more)

    def release(self, *handles: int) -> None:
        """Release handles; nothing comes back."""
        responses, _ = self.mapi.execute(
            b"".join(release(index) for index in range(len(handles))), list(handles)
        )
        assert responses == b""

    def open(self, fid: int) -> int:
        """The handle of an open folder."""
        answer = self.call(open_folder(fid), NONE)
        assert answer.value == SUCCESS, hex(answer.value)
        answer.fields.take(2)
        answer.end()
        return answer.handles[1]

    def create(self, parent: int, name: str, *, kind: int = 1) -> tuple[int, int]:
        """A new folder in an open one: its id and its handle."""
        answer = self.send(create_folder(name, kind=kind), parent, NONE)
        assert answer.value == SUCCESS, hex(answer.value)
        fid, existing = answer.fields.numbers("QB")
        assert existing == 0, "MS-OXCFOLD R1197"
        answer.end()
        return fid, answer.handles[1]

    def message(self, folder: int, fid: int, *values: bytes, associated: bool = False) -> int:
        """The id of a new message in an open folder."""
        answer = self.send(create_message(fid, associated), folder, NONE)
        assert answer.value == SUCCESS, hex(answer.value)
        handle = answer.handles[1]
        if values:
            assert self.send(set_properties(list(values)), handle).value == SUCCESS
        saved = self.send(save_message(0, 1), handle, folder)
        assert saved.value == SUCCESS, hex(saved.value)
        index, mid = saved.fields.numbers("BQ")
        assert index == 0
        saved.end()
        self.release(handle)
        return mid

    def properties(self, handle: int, *tags: int) -> list[object]:
        """The values of an object, with what is missing in its place."""
        answer = self.send(get_properties(list(tags)), handle)
        assert answer.value == SUCCESS, hex(answer.value)
        row = read_row(answer.fields, list(tags))
        answer.end()
        return row

    def table(self, request: bytes, folder: int, *tags: int) -> list[list[object]]:
        """Every row of a table that a ROP opens on an object; the count is checked against RowCount."""
        answer = self.send(request, folder, NONE)
        assert answer.value == SUCCESS, hex(answer.value)
        count = answer.fields.number("I") if answer.rop in (0x04, 0x05) else None
        answer.end()
        rows = self.rows(answer.handles[1], *tags)
        assert count is None or count == len(rows)
        self.release(answer.handles[1])
        return rows

    def rows(self, table: int, *tags: int) -> list[list[object]]:
        """The rows of an open table from where it stands."""
        columns = self.send(set_columns(list(tags)), table)
        assert columns.value == SUCCESS, hex(columns.value)
        assert columns.fields.number("B") == 0, "TBLSTAT_COMPLETE"
        columns.end()
        answer = self.send(query_rows(), table)
        assert answer.value == SUCCESS, hex(answer.value)
        _, count = answer.fields.numbers("BH")
        rows = [read_row(answer.fields, list(tags)) for _ in range(count)]
        answer.end()
        return rows


def private(mapi: Mapi, person: Person) -> Store:
    """A person's own mailbox."""
    return Store(mapi, person.dn)


def public(mapi: Mapi) -> Store:
    """The public folders."""
    return Store(mapi, "", 0, NO_LOCALIZATION | PUBLIC)


def names(store: Store, folder: int, flags: int = 0) -> list[object]:
    """Names in a hierarchy table, in its order."""
    return [row[0] for row in store.table(get_hierarchy_table(flags), folder, DISPLAY_NAME)]
