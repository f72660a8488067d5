"""The ROPs of MS-OXCFXICS in bytes, and what clients do with them (MS-OXCROPS 2.2.12, 2.2.13)."""

import struct
from dataclasses import dataclass, field

from tests.conformance import fxgrammar, fxstream, idsets
from tests.conformance.fxdesk import BUFFER_TOO_SMALL, NONE, OK, Answer, Desk, Failed
from tests.conformance.wire import Reader, Value, tagged, tags_of

UNICODE, USE_CPID, RECOVER, FORCE_UNICODE, PARTIAL = 0x01, 0x02, 0x04, 0x08, 0x10
"""SendOptions. MS-OXCFXICS 2.2.3.1.1.1.1."""

CONTENTS, HIERARCHY = 1, 2
SYNC_UNICODE, NO_DELETIONS, IGNORE_SCOPE, READ_STATE, FAI, NORMAL = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
ONLY_SPECIFIED, NO_FOREIGN, BEST_BODY, IGNORE_ON_FAI, PROGRESS = 0x80, 0x100, 0x2000, 0x4000, 0x8000
EVERYTHING = SYNC_UNICODE | READ_STATE | FAI | NORMAL
EID, SIZE, CN, BY_TIME = 1, 2, 4, 8

IDSET_GIVEN, CNSET_SEEN = fxstream.IDSET_GIVEN, fxstream.CNSET_SEEN
CNSET_SEEN_FAI, CNSET_READ = fxstream.CNSET_SEEN_FAI, fxstream.CNSET_READ

PARTIAL_STATUS, DONE = 1, 3


# FastTransfer


def copy_to(
    level: int = 0, flags: int = 0, options: int = UNICODE, tags: list[int] | tuple[int, ...] = ()
) -> bytes:
    """RopFastTransferSourceCopyTo."""
    return struct.pack("<BBBBBIB", 0x4D, 0, 0, 1, level, flags, options) + tags_of(tags)


def copy_properties(tags: list[int], level: int = 0, flags: int = 0, options: int = UNICODE) -> bytes:
    """RopFastTransferSourceCopyProperties."""
    return struct.pack("<BBBBBBB", 0x69, 0, 0, 1, level, flags, options) + tags_of(tags)


def copy_messages(mids: list[bytes], flags: int = 0, options: int = UNICODE) -> bytes:
    """RopFastTransferSourceCopyMessages."""
    return struct.pack("<BBBBH", 0x4B, 0, 0, 1, len(mids)) + b"".join(mids) + bytes([flags, options])


def copy_folder(flags: int = 0, options: int = UNICODE) -> bytes:
    """RopFastTransferSourceCopyFolder."""
    return struct.pack("<BBBBBB", 0x4C, 0, 0, 1, flags, options)


def get_buffer(size: int = 0xBABE, most: int = 0x7FFF) -> bytes:
    """RopFastTransferSourceGetBuffer."""
    rop = struct.pack("<BBBH", 0x4E, 0, 0, size)
    return rop + struct.pack("<H", most) if size == 0xBABE else rop


@dataclass(frozen=True)
class Buffer:
    """A response to RopFastTransferSourceGetBuffer behind its return value."""

    status: int
    done: int
    steps: int
    data: bytes


def parse_buffer(reader: Reader) -> Buffer:
    """MS-OXCROPS 2.2.12.4.2."""
    status, done, steps, reserved = reader.u16(), reader.u16(), reader.u16(), reader.u8()
    assert status in (0, 1, 2, 3)
    assert reserved == 0, "R551"
    return Buffer(status, done, steps, reader.take(reader.u16()))


def download(desk: Desk, context: int, size: int = 0xBABE, most: int = 0x7FFF) -> list[bytes]:
    """Every buffer of a download."""
    buffers: list[bytes] = []
    while True:
        answer = desk.call(get_buffer(size, most), [context], parse_buffer, always=True)
        if answer.code != OK:
            raise Failed(f"the download returned {answer.code:#010x}")
        found = answer.value
        assert isinstance(found, Buffer)
        assert len(found.data) <= (most if size == 0xBABE else size), "R2138, R2142"
        buffers.append(found.data)
        assert len(buffers) < 20000, "a download without an end"
        if found.status == DONE:
            assert found.done <= found.steps or found.steps == 0
            return buffers
        assert found.status == PARTIAL_STATUS, f"TransferStatus {found.status}"
        assert found.data, "a part of nothing"


def source(desk: Desk, rop: bytes, handle: int, size: int = 0xBABE, most: int = 0x7FFF) -> list[bytes]:
    """Configure a download and fetch it."""
    context = desk.must(rop, [handle, NONE]).out
    buffers = download(desk, context, size, most)
    desk.release(context)
    return buffers


def destination(operation: int, flags: int = 0) -> bytes:
    """RopFastTransferDestinationConfigure: CopyTo 1, CopyProperties 2, CopyMessages 3, CopyFolder 4."""
    return struct.pack("<BBBBBB", 0x53, 0, 0, 1, operation, flags)


def put_buffer(data: bytes, extended: bool = False) -> bytes:
    """RopFastTransferDestinationPutBuffer, RopFastTransferDestinationPutBufferExtended."""
    return struct.pack("<BBBH", 0x9D if extended else 0x54, 0, 0, len(data)) + data


@dataclass(frozen=True)
class Put:
    """A response to RopFastTransferDestinationPutBuffer(Extended) behind its return value."""

    status: int
    done: int
    steps: int
    used: int


def parse_put(reader: Reader) -> Put:
    """MS-OXCROPS 2.2.12.2.2."""
    made = Put(reader.u16(), reader.u16(), reader.u16(), -1)
    assert reader.u8() == 0, "R3179"
    return Put(made.status, made.done, made.steps, reader.u16())


def parse_put_extended(reader: Reader) -> Put:
    """MS-OXCROPS 2.2.12.3.2."""
    made = Put(reader.u16(), reader.u32(), reader.u32(), -1)
    assert reader.u8() == 0, "R3183027"
    return Put(made.status, made.done, made.steps, reader.u16())


def put(desk: Desk, context: int, data: bytes, extended: bool = False) -> Answer:
    """Upload a part."""
    parse = parse_put_extended if extended else parse_put
    return desk.call(put_buffer(data, extended), [context], parse, always=True)


def upload(desk: Desk, operation: int, handle: int, stream: bytes, part: int = 4000) -> None:
    """A whole upload, in parts."""
    context = desk.must(destination(operation), [handle, NONE]).out
    for at in range(0, len(stream), part):
        answer = put(desk, context, stream[at : at + part])
        if answer.code != OK:
            raise Failed(f"the upload returned {answer.code:#010x} at {at}")
    desk.release(context)


def tell_version(version: tuple[int, int, int] = (15, 0, 1497)) -> bytes:
    """RopTellVersion."""
    return struct.pack("<BBBHHH", 0x86, 0, 0, *version)


# Synchronization


def configure(
    kind: int = CONTENTS,
    flags: int = EVERYTHING,
    extra: int = EID | CN,
    tags: list[int] | tuple[int, ...] = (),
    options: int = UNICODE,
    restriction: bytes = b"",
) -> bytes:
    """RopSynchronizationConfigure."""
    head = struct.pack("<BBBBBBHH", 0x70, 0, 0, 1, kind, options, flags, len(restriction))
    return head + restriction + struct.pack("<I", extra) + tags_of(tags)


def state_begin(tag: int, size: int) -> bytes:
    """RopSynchronizationUploadStateStreamBegin."""
    return struct.pack("<BBBII", 0x75, 0, 0, tag, size)


def state_continue(data: bytes) -> bytes:
    """RopSynchronizationUploadStateStreamContinue."""
    return struct.pack("<BBBI", 0x76, 0, 0, len(data)) + data


STATE_END = struct.pack("<BBB", 0x77, 0, 0)
"""RopSynchronizationUploadStateStreamEnd."""

GET_STATE = struct.pack("<BBBB", 0x82, 0, 0, 1)
"""RopSynchronizationGetTransferState."""


def collector(contents: bool = True) -> bytes:
    """RopSynchronizationOpenCollector."""
    return struct.pack("<BBBBB", 0x7E, 0, 0, 1, contents)


@dataclass
class State:
    """An ICS state as a client keeps it: properties in bytes."""

    props: dict[int, bytes] = field(default_factory=dict)

    def ranges(self, tag: int, guid: bytes) -> idsets.Ranges:
        """The ranges of one REPLGUID."""
        return idsets.read_replguids(self.props.get(tag, b"")).get(guid, [])


def read_state(props: "fxgrammar.PropList | None") -> State:
    """The state that a stream ends with; its sets are parsed strictly."""
    assert props is not None
    state = State({tag: props.binary(tag) for tag in props.tags})
    for data in state.props.values():
        idsets.read_replguids(data)
    return state


def upload_state(desk: Desk, context: int, state: State) -> None:
    """MS-OXCFXICS 3.3.4.3.1."""
    for tag, data in state.props.items():
        desk.must(state_begin(tag, len(data)), [context])
        for at in range(0, len(data), 700):
            desk.must(state_continue(data[at : at + 700]), [context])
        desk.must(STATE_END, [context])


def sync(
    desk: Desk,
    folder: int,
    state: State | None = None,
    *,
    kind: int = CONTENTS,
    flags: int = EVERYTHING,
    extra: int = EID | CN,
    tags: list[int] | tuple[int, ...] = (),
    options: int = UNICODE,
    restriction: bytes = b"",
    size: int = 0xBABE,
    most: int = 0x7FFF,
) -> tuple[fxgrammar.Sync, State]:
    """A whole synchronization download: what came, and the final state."""
    context = desk.must(configure(kind, flags, extra, tags, options, restriction), [folder, NONE]).out
    upload_state(desk, context, state or State())
    buffers = download(desk, context, size, most)
    desk.release(context)
    read = fxgrammar.contents_sync if kind == CONTENTS else fxgrammar.hierarchy_sync
    found = read(buffers)
    return found, read_state(found.state)


def transfer_state(desk: Desk, context: int) -> State:
    """RopSynchronizationGetTransferState and its stream."""
    handle = desk.must(GET_STATE, [context, NONE]).out
    buffers = download(desk, handle)
    desk.release(handle)
    return read_state(fxgrammar.state(buffers))


def import_message(values: dict[int, Value], flags: int = 0) -> bytes:
    """RopSynchronizationImportMessageChange."""
    return struct.pack("<BBBBBH", 0x72, 0, 0, 1, flags, len(values)) + tagged(values)


def import_hierarchy(hierarchy: dict[int, Value], values: dict[int, Value] | None = None) -> bytes:
    """RopSynchronizationImportHierarchyChange."""
    values = values or {}
    head = struct.pack("<BBBH", 0x73, 0, 0, len(hierarchy)) + tagged(hierarchy)
    return head + struct.pack("<H", len(values)) + tagged(values)


def import_deletes(keys: list[bytes], flags: int = 0) -> bytes:
    """RopSynchronizationImportDeletes."""
    values = struct.pack("<BBBBHII", 0x74, 0, 0, flags, 1, 0x00001102, len(keys))
    return values + b"".join(struct.pack("<H", len(key)) + key for key in keys)


def import_move(source_folder: bytes, message: bytes, pcl: bytes, target: bytes, change: bytes) -> bytes:
    """RopSynchronizationImportMessageMove."""
    parts = (source_folder, message, pcl, target, change)
    return struct.pack("<BBB", 0x78, 0, 0) + b"".join(struct.pack("<I", len(each)) + each for each in parts)


def import_reads(states: list[tuple[bytes, bool]]) -> bytes:
    """RopSynchronizationImportReadStateChanges."""
    body = b"".join(struct.pack("<H", len(key)) + key + bytes([read]) for key, read in states)
    return struct.pack("<BBBH", 0x80, 0, 0, len(body)) + body


def local_ids(desk: Desk, many: int) -> tuple[bytes, int]:
    """RopGetLocalReplicaIds: the REPLGUID and the first counter."""
    rop = struct.pack("<BBBI", 0x7F, 0, 0, many)
    answer = desk.must(rop, [desk.logon], lambda reader: (reader.take(16), reader.take(6)))
    assert isinstance(answer.value, tuple)
    guid, first = answer.value
    return guid, int.from_bytes(first, "big")


def midset_deleted(ranges: list[tuple[bytes, bytes]]) -> bytes:
    """RopSetLocalReplicaMidsetDeleted, of LongTermIDs."""
    body = struct.pack("<I", len(ranges)) + b"".join(low + high for low, high in ranges)
    return struct.pack("<BBBH", 0x93, 0, 0, len(body)) + body


__all__ = ["BUFFER_TOO_SMALL", "State", "sync"]
