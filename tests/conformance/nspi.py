"""The address book endpoint in bytes: one function for each request body, one strict reader for each answer.

MS-OXCMAPIHTTP 2.2.5 has the bodies, MS-OXNSPI 2.2 the structures. Every reader fails on what is left over.

reply = nspi.post("QueryRows", query_rows(Stat(), columns=[DISPLAY_NAME]))
error, stat, columns, rows = rows_answer(reply.body)
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.conformance.client import Mapi

T = TypeVar("T")
Value = int | bool | str | bytes | tuple["Value", ...] | None
Row = dict[int, Value]

SUCCESS = 0
UNBIND_SUCCESS = 1
ERRORS_RETURNED = 0x00040380
GENERAL_FAILURE = 0x80004005
NOT_SUPPORTED = 0x80040102
INVALID_OBJECT = 0x80040108
OUT_OF_RESOURCES = 0x8004010E
NOT_FOUND = 0x8004010F
LOGON_FAILED = 0x80040111
TOO_COMPLEX = 0x80040117
INVALID_CODE_PAGE = 0x8004011E
INVALID_LOCALE = 0x8004011F
TABLE_TOO_BIG = 0x80040403
INVALID_BOOKMARK = 0x80040405
ACCESS_DENIED = 0x80070005
NOT_ENOUGH_MEMORY = 0x8007000E
INVALID_PARAMETER = 0x80070057

PERMITTED = frozenset(
    (
        *(SUCCESS, UNBIND_SUCCESS, 2, ERRORS_RETURNED, GENERAL_FAILURE, NOT_SUPPORTED, INVALID_OBJECT),
        *(OUT_OF_RESOURCES, NOT_FOUND, LOGON_FAILED, TOO_COMPLEX, INVALID_CODE_PAGE, INVALID_LOCALE),
        *(TABLE_TOO_BIG, INVALID_BOOKMARK, ACCESS_DENIED, NOT_ENOUGH_MEMORY, INVALID_PARAMETER),
    )
)
"""MS-OXNSPI 2.2.1.2."""

BEGINNING, CURRENT, END = 0, 1, 2
"""Positioning Minimal Entry IDs: MS-OXNSPI 2.2.1.8."""

UNRESOLVED, AMBIGUOUS, RESOLVED = 0, 1, 2
"""MS-OXNSPI 2.2.1.9."""

UNICODE = 1200
UNKNOWN_CODE_PAGE = 0xFF
SKIP_OBJECTS, EPHEMERAL = 1, 2
BY_NAME, BY_PHONETIC_NAME, BY_NAME_READ_ONLY, BY_NAME_WRITABLE = 0, 3, 1000, 1001

GUID_NSPI = bytes.fromhex("DCA740C8C042101AB4B908002B2FE182")
NO_SUCH_ID = 0x7FFFFFF0

ENTRY_ID = 0x0FFF0102
OBJECT_TYPE = 0x0FFE0003
RECORD_KEY = 0x0FF90102
MAPPING_SIGNATURE = 0x0FF80102
INSTANCE_KEY = 0x0FF60102
DISPLAY_NAME = 0x3001001F
DISPLAY_NAME_8 = 0x3001001E
ADDRESS_TYPE = 0x3002001F
EMAIL_ADDRESS = 0x3003001F
DEPTH = 0x30050003
SEARCH_KEY = 0x300B0102
CONTAINER_FLAGS = 0x36000003
CONTAINER_CONTENTS = 0x360F000D
DISPLAY_TYPE = 0x39000003
TEMPLATE_ID = 0x39020102
SMTP_ADDRESS = 0x39FE001F
PRINTABLE_NAME = 0x39FF001F
ACCOUNT = 0x3A00001F
GIVEN_NAME = 0x3A06001F
SURNAME = 0x3A11001F
TITLE = 0x3A17001F
DEPARTMENT = 0x3A18001F
OFFICE = 0x3A19001F
PHONE = 0x3A1A001F
TRANSMITTABLE_NAME = 0x3A20001F
USER_CERTIFICATE = 0x3A701102
DETAILS_PANE = 0x3F080003
MANAGER = 0x8005000D
MEMBER_OF = 0x8008000D
MEMBER = 0x8009000D
PROXY_ADDRESSES = 0x800F101F
PUBLIC_DELEGATES = 0x8015000D
OBJECT_DN = 0x803C001F
CERTIFICATE = 0x8C6A1102
PHONETIC_NAME = 0x8C92001F
IS_MASTER = 0xFFFB000B
PARENT_ENTRY_ID = 0xFFFC0102
CONTAINER_ID = 0xFFFD0003

REQUEST_TYPES = (
    *("Bind", "Unbind", "CompareMIds", "DNToMId", "GetMatches", "GetPropList", "GetProps"),
    *("GetSpecialTable", "GetTemplateInfo", "ModLinkAtt", "ModProps", "QueryColumns", "QueryRows"),
    *("ResolveNames", "ResortRestriction", "SeekEntries", "UpdateStat", "GetMailboxUrl", "GetAddressBookUrl"),
)


@dataclass(frozen=True, slots=True)
class Stat:
    """STAT: MS-OXNSPI 2.2.8."""

    sort: int = BY_NAME
    container: int = 0
    current: int = BEGINNING
    delta: int = 0
    position: int = 0
    total: int = 0
    code_page: int = 1252
    template_locale: int = 1033
    sort_locale: int = 1033

    def pack(self) -> bytes:
        """The 36 bytes."""
        return struct.pack(
            "<IIIiIIIII",
            *(self.sort, self.container, self.current, self.delta, self.position, self.total),
            *(self.code_page, self.template_locale, self.sort_locale),
        )


def u32(number: int) -> bytes:
    """Four bytes."""
    return struct.pack("<I", number)


def optional(data: bytes | None) -> bytes:
    """A presence byte, and the field where there is one."""
    return b"\0" if data is None else b"\xff" + data


def tags(wanted: Sequence[int] | None) -> bytes:
    """A LargePropertyTagArray, or ids behind their count, with the presence byte. MS-OXCMAPIHTTP 2.2.1.8."""
    return optional(None if wanted is None else numbers(wanted))


def numbers(many: Sequence[int]) -> bytes:
    """A count and the numbers."""
    return struct.pack(f"<I{len(many)}I", len(many), *many)


def state(stat: Stat | None) -> bytes:
    """HasState and State."""
    return optional(None if stat is None else stat.pack())


def auxiliary(data: bytes = b"") -> bytes:
    """AuxiliaryBufferSize and AuxiliaryBuffer."""
    return u32(len(data)) + data


def wide(text: str) -> bytes:
    """A null-terminated Unicode string."""
    return text.encode("utf-16-le") + b"\0\0"


def bind(stat: Stat | None = Stat(), flags: int = 0, aux: bytes = b"") -> bytes:
    """2.2.5.1.1."""
    return u32(flags) + state(stat) + auxiliary(aux)


def unbind(reserved: int = 0) -> bytes:
    """2.2.5.2.1."""
    return u32(reserved) + auxiliary()


def compare(stat: Stat | None, first: int, second: int, reserved: int = 0) -> bytes:
    """2.2.5.3.1."""
    return u32(reserved) + state(stat) + u32(first) + u32(second) + auxiliary()


def dn_to_id(names: Sequence[str] | None, reserved: int = 0) -> bytes:
    """2.2.5.4.1."""
    packed = None if names is None else u32(len(names)) + b"".join(n.encode() + b"\0" for n in names)
    return u32(reserved) + optional(packed) + auxiliary()


def get_matches(
    stat: Stat | None,
    restriction: bytes | None = None,
    *,
    columns: Sequence[int] | None = None,
    rows: int = 500,
    ids: Sequence[int] | None = None,
    name: bytes | None = None,
    reserved: int = 0,
    options: int = 0,
) -> bytes:
    """2.2.5.5.1. `name` is PropertyNameGuid and PropertyNameId."""
    head = u32(reserved) + state(stat) + tags(ids) + u32(options) + optional(restriction) + optional(name)
    return head + u32(rows) + tags(columns) + auxiliary()


def get_prop_list(entry: int, flags: int = 0, code_page: int = 1252) -> bytes:
    """2.2.5.6.1."""
    return u32(flags) + u32(entry) + u32(code_page) + auxiliary()


def get_props(stat: Stat | None, wanted: Sequence[int] | None, flags: int = 0) -> bytes:
    """2.2.5.7.1."""
    return u32(flags) + state(stat) + tags(wanted) + auxiliary()


def special_table(stat: Stat | None = Stat(), flags: int = 4, version: int | None = None) -> bytes:
    """2.2.5.8.1. Flags: 2 is the address creation table, 4 is Unicode."""
    return u32(flags) + state(stat) + optional(None if version is None else u32(version)) + auxiliary()


def template_info(
    display_type: int, *, flags: int = 1, dn: str | None = None, code_page: int = 1252, lcid: int = 1033
) -> bytes:
    """2.2.5.9.1."""
    packed = None if dn is None else dn.encode() + b"\0"
    return u32(flags) + u32(display_type) + optional(packed) + u32(code_page) + u32(lcid) + auxiliary()


def mod_link(tag: int, entry: int, ids: Sequence[bytes] | None, flags: int = 0) -> bytes:
    """2.2.5.10.1."""
    packed = None if ids is None else u32(len(ids)) + b"".join(u32(len(one)) + one for one in ids)
    return u32(flags) + u32(tag) + u32(entry) + optional(packed) + auxiliary()


def mod_props(
    stat: Stat | None, remove: Sequence[int] | None, values: bytes | None, reserved: int = 0
) -> bytes:
    """2.2.5.11.1. `values` is an AddressBookPropertyValueList."""
    return u32(reserved) + state(stat) + tags(remove) + optional(values) + auxiliary()


def query_rows(
    stat: Stat | None,
    *,
    columns: Sequence[int] | None = None,
    rows: int = 50,
    ids: Sequence[int] = (),
    flags: int = 0,
) -> bytes:
    """2.2.5.12.1. The explicit table has no presence byte."""
    return u32(flags) + state(stat) + numbers(ids) + u32(rows) + tags(columns) + auxiliary()


def query_columns(flags: int = 0, reserved: int = 0) -> bytes:
    """2.2.5.13.1."""
    return u32(reserved) + u32(flags) + auxiliary()


def resolve_names(
    stat: Stat | None, names: Sequence[str] | None, columns: Sequence[int] | None = None, reserved: int = 0
) -> bytes:
    """2.2.5.14.1."""
    packed = None if names is None else u32(len(names)) + b"".join(wide(name) for name in names)
    return u32(reserved) + state(stat) + tags(columns) + optional(packed) + auxiliary()


def resort(stat: Stat | None, ids: Sequence[int] | None, reserved: int = 0) -> bytes:
    """2.2.5.15.1."""
    return u32(reserved) + state(stat) + tags(ids) + auxiliary()


def seek(
    stat: Stat | None,
    target: bytes | None,
    *,
    ids: Sequence[int] | None = None,
    columns: Sequence[int] | None = None,
    reserved: int = 0,
) -> bytes:
    """2.2.5.16.1. `target` is a property with its tag."""
    return u32(reserved) + state(stat) + optional(target) + tags(ids) + tags(columns) + auxiliary()


def update_stat(stat: Stat | None, *, delta: bool = True, reserved: int = 0) -> bytes:
    """2.2.5.17.1."""
    return u32(reserved) + state(stat) + bytes((0xFF if delta else 0,)) + auxiliary()


def url_of(dn: str, flags: int = 0) -> bytes:
    """2.2.5.18.1 and 2.2.5.19.1."""
    return u32(flags) + wide(dn) + auxiliary()


def tagged(tag: int, value: str | int | bytes, *, marked: bool = True) -> bytes:
    """A property with its tag, the value with the presence byte or, as in a mailbox, without it."""
    head = u32(tag)
    if isinstance(value, int):
        return head + u32(value)
    mark = b"\xff" if marked else b""
    if isinstance(value, bytes):
        return head + mark + u32(len(value)) + value
    return head + mark + (wide(value) if tag & 0xFFFF == 0x1F else value.encode("cp1252") + b"\0")


def both(*restrictions: bytes, operator: int = 0) -> bytes:
    """All of them (0), or any (1). MS-OXCDATA 2.12.1.2: the count is of four bytes here."""
    return bytes((operator,)) + u32(len(restrictions)) + b"".join(restrictions)


def negated(restriction: bytes) -> bytes:
    """MS-OXCDATA 2.12.3."""
    return b"\x02" + restriction


def content(tag: int, text: str, fuzzy: int = 2, flags: int = 1, *, marked: bool = True) -> bytes:
    """A ContentRestriction; fuzzy 0 is the full string, 1 a part, 2 the beginning; flags 1 ignores case."""
    return struct.pack("<BHHI", 3, fuzzy, flags, tag) + tagged(tag, text, marked=marked)


def compared(tag: int, operator: int, value: str | int | bytes, *, marked: bool = True) -> bytes:
    """A PropertyRestriction: 0 <, 1 <=, 2 >, 3 >=, 4 ==, 5 !=."""
    return struct.pack("<BBI", 4, operator, tag) + tagged(tag, value, marked=marked)


def exists(tag: int) -> bytes:
    """MS-OXCDATA 2.12.9."""
    return struct.pack("<BI", 8, tag)


class Reader:
    """A body, read from its beginning."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """So many bytes."""
        taken = self.data[self.at : self.at + size]
        assert len(taken) == size, f"the body ends at {len(self.data)}, {size} bytes are read at {self.at}"
        self.at += size
        return taken

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def u32(self) -> int:
        """Four bytes."""
        return int.from_bytes(self.take(4), "little")

    def boolean(self) -> bool:
        """A presence byte."""
        byte = self.u8()
        assert byte in (0, 1, 0xFF), hex(byte)
        return byte != 0

    def optional(self, read: Callable[[], T]) -> T | None:
        """What `read` reads, behind a presence byte."""
        return read() if self.boolean() else None

    def numbers(self) -> list[int]:
        """A count and the numbers."""
        return [self.u32() for _ in range(self.u32())]

    def stat(self) -> Stat:
        """STAT."""
        return Stat(*struct.unpack("<IIIiIIIII", self.take(36)))

    def text8(self) -> bytes:
        """A null-terminated string of bytes, without its end."""
        end = self.data.index(b"\0", self.at)
        return self.take(end + 1 - self.at)[:-1]

    def text(self) -> str:
        """A null-terminated Unicode string."""
        units = bytearray()
        while (unit := self.take(2)) != b"\0\0":
            units += unit
        return units.decode("utf-16-le")

    def value(self, kind: int) -> Value:
        """An AddressBookPropertyValue. MS-OXCMAPIHTTP 2.2.1.1, MS-OXCDATA 2.11.1."""
        if kind in (0x1E, 0x1F, 0x102) or kind & 0x1000:
            marked = self.u8()
            assert marked in (0, 0xFF), f"HasValue is {marked:#x}: MS-OXCMAPIHTTP_R2005"
            if not marked:
                return None
        if kind & 0x1000:
            return tuple(self.value(kind & ~0x1000) for _ in range(self.u32()))
        if kind == 0x1E:
            return self.text8().decode("cp1252")
        if kind == 0x1F:
            return self.text()
        if kind == 0x102:
            return self.take(self.u32())
        if kind == 0x0B:
            return self.boolean()
        return int.from_bytes(
            self.take({2: 2, 3: 4, 0xA: 4, 0xD: 4, 0x14: 8, 0x40: 8, 0x48: 16}[kind]), "little"
        )

    def values(self) -> Row:
        """An AddressBookPropertyValueList; its order is the order of the keys."""
        return dict(self.pairs())

    def pairs(self) -> list[tuple[int, Value]]:
        """An AddressBookPropertyValueList."""
        found = []
        for _ in range(self.u32()):
            tag = self.u32()
            found.append((tag, self.value(tag & 0xFFFF)))
        return found

    def row(self, columns: Iterable[int]) -> list[Value]:
        """An AddressBookPropertyRow; Missing where there is no value. MS-OXCMAPIHTTP 2.2.1.7."""
        flagged = self.u8()
        assert flagged in (0, 1)
        return [self._cell(tag & 0xFFFF, flagged == 1) for tag in columns]

    def _cell(self, kind: int, flagged: bool) -> Value:
        if kind == 0:
            kind = int.from_bytes(self.take(2), "little")
        if not flagged:
            return self.value(kind)
        flag = self.u8()
        assert flag in (0, 1, 0xA)
        if flag == 1:
            return None
        return Missing(self.u32()) if flag == 0xA else self.value(kind)

    def rows(self) -> tuple[list[int], list[list[Value]]]:
        """Columns and rows."""
        columns = self.numbers()
        return columns, [self.row(columns) for _ in range(self.u32())]

    def end(self) -> None:
        """The auxiliary buffer; nothing is behind it."""
        self.take(self.u32())
        assert self.at == len(self.data), f"left over: {self.data[self.at :].hex()}"


class Missing(int):
    """The error in the place of a value."""


def opened(body: bytes) -> tuple[Reader, int]:
    """A reader behind StatusCode and ErrorCode, and the ErrorCode."""
    reader = Reader(body)
    assert reader.u32() == 0, "StatusCode"
    error = reader.u32()
    assert error in PERMITTED, f"{error:#x} is no permitted error code: MS-OXNSPI 2.2.1.2"
    return reader, error


def plain_answer(body: bytes) -> int:
    """Unbind, ModLinkAtt, ModProps: the error."""
    reader, error = opened(body)
    reader.end()
    return error


def bind_answer(body: bytes) -> tuple[int, bytes]:
    """The error and the server's GUID."""
    reader, error = opened(body)
    guid = reader.take(16)
    reader.end()
    return error, guid


def compare_answer(body: bytes) -> tuple[int, int]:
    """The error and the result."""
    reader, error = opened(body)
    result = int.from_bytes(reader.take(4), "little", signed=True)
    reader.end()
    return error, result


def ids_answer(body: bytes) -> tuple[int, list[int] | None]:
    """DNToMId, GetPropList, QueryColumns: the error and the numbers."""
    reader, error = opened(body)
    found = reader.optional(reader.numbers)
    reader.end()
    return error, found


def props_answer(body: bytes) -> tuple[int, int, list[tuple[int, Value]] | None]:
    """GetProps, GetTemplateInfo: the error, the code page, the properties in their order."""
    reader, error = opened(body)
    code_page = reader.u32()
    found = reader.optional(reader.pairs)
    reader.end()
    return error, code_page, found


def special_answer(body: bytes) -> tuple[int, int, int | None, list[list[tuple[int, Value]]] | None]:
    """The error, the code page, the version, the rows."""
    reader, error = opened(body)
    code_page = reader.u32()
    version = reader.optional(reader.u32)
    rows = reader.optional(lambda: [reader.pairs() for _ in range(reader.u32())])
    reader.end()
    return error, code_page, version, rows


def rows_answer(body: bytes) -> tuple[int, Stat | None, list[int], list[list[Value]]]:
    """QueryRows, SeekEntries: the error, the state, columns and rows (none where they are not there)."""
    reader, error = opened(body)
    stat = reader.optional(reader.stat)
    columns, rows = reader.optional(reader.rows) or ([], [])
    reader.end()
    return error, stat, columns, rows


def matches_answer(
    body: bytes,
) -> tuple[int, Stat | None, list[int] | None, tuple[list[int], list[list[Value]]] | None]:
    """The error, the state, the ids, columns and rows."""
    reader, error = opened(body)
    stat = reader.optional(reader.stat)
    ids = reader.optional(reader.numbers)
    rows = reader.optional(reader.rows)
    reader.end()
    return error, stat, ids, rows


def resolve_answer(
    body: bytes,
) -> tuple[int, int, list[int] | None, tuple[list[int], list[list[Value]]] | None]:
    """The error, the code page, the ids, columns and rows."""
    reader, error = opened(body)
    code_page = reader.u32()
    ids = reader.optional(reader.numbers)
    rows = reader.optional(reader.rows)
    reader.end()
    return error, code_page, ids, rows


def resort_answer(body: bytes) -> tuple[int, Stat | None, list[int] | None]:
    """The error, the state, the ids."""
    reader, error = opened(body)
    stat = reader.optional(reader.stat)
    ids = reader.optional(reader.numbers)
    reader.end()
    return error, stat, ids


def stat_answer(body: bytes) -> tuple[int, Stat | None, int | None]:
    """The error, the state, the distance."""
    reader, error = opened(body)
    stat = reader.optional(reader.stat)
    delta = reader.optional(lambda: int.from_bytes(reader.take(4), "little", signed=True))
    reader.end()
    return error, stat, delta


def url_answer(body: bytes) -> tuple[int, str]:
    """The error and the URL."""
    reader, error = opened(body)
    url = reader.text()
    reader.end()
    return error, url


def call(client: Mapi, request_type: str, body: bytes, read: Callable[[bytes], T]) -> T:
    """Post a request that the transport accepts; the answer as `read` reads it."""
    reply = client.post(request_type, body)
    assert reply.code == 0, f"X-ResponseCode {reply.code}"
    return read(reply.body)
