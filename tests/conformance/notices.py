"""RopNotify and RopPending responses, read strictly (MS-OXCNOTIF 2.2.1.4.1.2, MS-OXCROPS 2.2.14)."""

from dataclasses import dataclass, field

from tests.conformance.wire import Reader

NEW_MAIL, CREATED, DELETED, MODIFIED, MOVED, COPIED, SEARCHED, TABLE = (
    *(0x0002, 0x0004, 0x0008, 0x0010, 0x0020, 0x0040, 0x0080, 0x0100),
)
T, U, S, M = 0x1000, 0x2000, 0x4000, 0x8000
CHANGED, ROW_ADDED, ROW_DELETED, ROW_MODIFIED, RESTRICTED = 1, 3, 4, 5, 7
PENDING = -1


@dataclass
class Notice:
    """A notification. `kind` is its NotificationType, PENDING for RopPending, of the session `handle`."""

    handle: int
    kind: int
    flags: int = 0
    logon: int = 0
    fields: dict[str, int | bytes | str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int | bytes | str:
        return self.fields[name]


def read(data: bytes) -> list[Notice]:
    """Everything behind the ROPs' own responses."""
    reader, found = Reader(data), list[Notice]()
    while reader.left:
        rop = reader.u8()
        if rop == 0x6E:
            found.append(Notice(reader.u16(), PENDING))
            assert not reader.left, "RopPending is the last"
            continue
        assert rop == 0x2A, f"ROP {rop:#04x} where a notification is due"
        found.append(_notice(reader))
    return found


def _notice(reader: Reader) -> Notice:
    handle, logon, flags = reader.u32(), reader.u8(), reader.u16()
    kind, bits = flags & 0x0FFF, flags & 0xF000
    made = Notice(handle, kind, bits, logon)
    assert kind in (NEW_MAIL, CREATED, DELETED, MODIFIED, MOVED, COPIED, SEARCHED, TABLE), f"type {kind:#x}"
    assert not bits & (T | U) or kind == MODIFIED, "R114, R117"
    assert not bits & S or bits & M, "R120"
    if kind == TABLE:
        _table(reader, made, bits)
        return made
    take = made.fields
    take["folder"] = reader.take(8)
    if bits & M:
        take["message"] = reader.take(8)
    if kind in (CREATED, DELETED, MOVED, COPIED) and bool(bits & S) == bool(bits & M):
        take["parent"] = reader.take(8)
    if kind in (MOVED, COPIED):
        take["old_folder"] = reader.take(8)
        take["old_message" if bits & M else "old_parent"] = reader.take(8)
    if kind in (CREATED, MODIFIED):
        take["tags"] = count = reader.u16()
        if count not in (0, 0xFFFF):
            reader.take(4 * count)
    if bits & T:
        take["total"] = reader.u32()
    if bits & U:
        take["unread"] = reader.u32()
    if kind == NEW_MAIL:
        take["flags"] = reader.u32()
        wide = reader.u8()
        assert wide in (0, 1)
        take["wide"] = wide
        take["class"] = reader.until(b"\0\0").decode("utf-16-le") if wide else reader.until(b"\0").decode()
    return made


def _table(reader: Reader, made: Notice, bits: int) -> None:
    take = made.fields
    take["event"] = event = reader.u16()
    assert event in (CHANGED, ROW_ADDED, ROW_DELETED, ROW_MODIFIED, RESTRICTED), f"TableEventType {event}"
    if event in (CHANGED, RESTRICTED):
        return
    take["folder"] = reader.take(8)
    if bits & M:
        take["message"] = reader.take(8)
        take["instance"] = reader.u32()
    if event in (ROW_ADDED, ROW_MODIFIED):
        take["after_folder"] = reader.take(8)
        if bits & M:
            take["after_message"] = reader.take(8)
            take["after_instance"] = reader.u32()
        take["row"] = reader.take(reader.u16())
