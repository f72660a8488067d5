"""Auxiliary buffers: what client and server tell each other about themselves (MS-OXCRPC 2.2.2.2, 3.1.4.1.2).

A buffer is one payload (`buffers`) of blocks, each behind an AUX_HEADER. What clients send is diagnostic: a
block of a kind that is not known, or that is damaged, is passed over and never costs the request
(3.1.4.1.2.2). What the server sends are the records of the second part.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated

from appliance.rop import buffers
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError
from appliance.wire.fields import U32, FixedBytes, Flags, Guid, UInt8, UInt16, UInt32
from appliance.wire.record import Record

HEADER_SIZE = 4
MAX_BLOCKS = 256
VERSION_1, VERSION_2 = 0x01, 0x02


class Type(IntEnum):
    """Kinds of blocks in version 1 (2.2.2.2)."""

    PERF_REQUESTID = 0x01
    PERF_CLIENTINFO = 0x02
    PERF_SERVERINFO = 0x03
    PERF_SESSIONINFO = 0x04
    PERF_DEFMDB_SUCCESS = 0x05
    PERF_DEFGC_SUCCESS = 0x06
    PERF_MDB_SUCCESS = 0x07
    PERF_GC_SUCCESS = 0x08
    PERF_FAILURE = 0x09
    CLIENT_CONTROL = 0x0A
    PERF_PROCESSINFO = 0x0B
    OSVERSIONINFO = 0x16
    EXORGINFO = 0x17
    PERF_ACCOUNTINFO = 0x18
    SERVER_CAPABILITIES = 0x46
    ENDPOINT_CAPABILITIES = 0x48
    CLIENT_CONNECTION_INFO = 0x4A
    SERVER_SESSION_INFO = 0x4B
    PROTOCOL_DEVICE_IDENTIFICATION = 0x4E


class AuxHeader(Record):
    """MS-OXCRPC 2.2.2.2. `size` counts the header too."""

    size: UInt16
    version: UInt8
    type: UInt8


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its kind, and what stands behind the header."""

    type: int
    data: bytes
    version: int = VERSION_1


def split(payload: bytes) -> list[Block]:
    """The blocks of a payload. Raises DecodeError."""
    reader = Reader(payload)
    blocks: list[Block] = []
    while reader.remaining:
        if len(blocks) == MAX_BLOCKS:
            raise DecodeError(f"more than {MAX_BLOCKS} blocks", reader.pos)
        at = reader.pos
        header = AuxHeader.decode(reader)
        if header.size < HEADER_SIZE:
            raise DecodeError(f"a block of {header.size} bytes", at)
        blocks.append(Block(header.type, reader.take(header.size - HEADER_SIZE, "block"), header.version))
    return blocks


def join(blocks: Iterable[Block]) -> bytes:
    """A payload of blocks."""
    writer = Writer()
    for block in blocks:
        AuxHeader(HEADER_SIZE + len(block.data), block.version, block.type).encode(writer)
        writer.put(block.data)
    return writer.getvalue()


# -- what clients send ---------------------------------------------------------------------------------


class PerfClientInfo(Record):
    """AUX_PERF_CLIENTINFO (2.2.2.2.4), up to the texts, which stand where the offsets say."""

    adapter_speed: UInt32
    client_id: UInt16
    machine_name_offset: UInt16
    user_name_offset: UInt16
    client_ip_size: UInt16
    client_ip_offset: UInt16
    client_ip_mask_size: UInt16
    client_ip_mask_offset: UInt16
    adapter_name_offset: UInt16
    mac_address_size: UInt16
    mac_address_offset: UInt16
    client_mode: UInt16
    reserved: UInt16 = 0


class ClientConnectionInfo(Record):
    """AUX_CLIENT_CONNECTION_INFO (2.2.2.2.21), up to the text."""

    connection_guid: Guid
    context_info_offset: UInt16
    reserved: UInt16
    connection_attempts: UInt32
    connection_flags: UInt32


CLIENT_MODE_CACHED = 0x02
CONNECTION_CACHED = 0x0001


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """What a client told of itself. `cached`: it keeps a copy of the mailbox."""

    machine: str = ""
    cached: bool = False


def facts(data: bytes) -> ClientFacts:
    """What an auxiliary buffer of a client tells, b"" for none. Raises DecodeError where it is no extended
    buffer; what its blocks hold is never an error."""
    if not data:
        return ClientFacts()
    machine, cached = "", False
    for block in _legible(buffers.unpack(data)[0]):
        try:
            if block.version == VERSION_1 and block.type == Type.PERF_CLIENTINFO:
                info = PerfClientInfo.decode(Reader(block.data))
                machine = _text(block, info.machine_name_offset) or machine
                cached = cached or info.client_mode == CLIENT_MODE_CACHED
            elif block.version == VERSION_1 and block.type == Type.CLIENT_CONNECTION_INFO:
                connection = ClientConnectionInfo.decode(Reader(block.data))
                cached = cached or bool(connection.connection_flags & CONNECTION_CACHED)
        except DecodeError:
            continue
    return ClientFacts(machine, cached)


def _legible(payload: bytes) -> list[Block]:
    try:
        return split(payload)
    except DecodeError:
        return []


def _text(block: Block, offset: int) -> str:
    """The text at an offset from the block's header; empty for none."""
    if offset < HEADER_SIZE or offset - HEADER_SIZE > len(block.data):
        return ""
    return Reader(block.data, offset - HEADER_SIZE).nul_utf16()


# -- what the server sends -----------------------------------------------------------------------------


class ControlFlags(IntFlag):
    """EnableFlags (2.2.2.2.15): what a client is asked to do."""

    PERF_SENDTOSERVER = 0x00000001
    COMPRESSION = 0x00000004
    HTTP_TUNNELING = 0x00000008
    PERF_SENDGCDATA = 0x00000010


class ClientControl(Record):
    """AUX_CLIENT_CONTROL (2.2.2.2.15). `expiry_time`: milliseconds for which a client keeps measurements."""

    enable_flags: Annotated[ControlFlags, Flags(ControlFlags, U32)]
    expiry_time: UInt32


class OsVersionInfo(Record):
    """AUX_OSVERSIONINFO (2.2.2.2.16)."""

    size: UInt32
    major: UInt32
    minor: UInt32
    build: UInt32
    reserved1: Annotated[bytes, FixedBytes(132)]
    service_pack_major: UInt16
    service_pack_minor: UInt16
    reserved2: UInt32


class OrgFlags(IntFlag):
    """OrgFlags (2.2.2.2.17)."""

    PUBLIC_FOLDERS_ENABLED = 0x00000001
    USE_AUTODISCOVER_FOR_PUBLIC_FOLDER_CONFIGURATION = 0x00000002


class ExOrgInfo(Record):
    """AUX_EXORGINFO (2.2.2.2.17)."""

    org_flags: Annotated[OrgFlags, Flags(OrgFlags, U32)]


class ServerCapabilityFlags(IntFlag):
    """ServerCapabilityFlags (2.2.2.2.19)."""

    PACKED_FAST_TRANSFER_UPLOAD_BUFFERS = 0x00000001
    PACKED_WRITE_STREAM_UPLOAD_BUFFERS = 0x00000002
    ULTRA_LARGE_PACKED_DOWNLOAD_BUFFERS = 0x00000008


class ServerCapabilities(Record):
    """AUX_SERVER_CAPABILITIES (2.2.2.2.19)."""

    flags: Annotated[ServerCapabilityFlags, Flags(ServerCapabilityFlags, U32)]


SINGLE_ENDPOINT = 0x00000001
"""EndpointCapabilityFlag (2.2.2.2.20): mailbox and address book are reached over one HTTP endpoint."""


class EndpointCapabilities(Record):
    """AUX_ENDPOINT_CAPABILITIES (2.2.2.2.20)."""

    flags: UInt32


_OS_SIZE = 4 * 4 + 132 + 2 * 2 + 4
_OS_VERSION = (10, 0, 14393)
"""What clients compare with are versions of Windows Server; there is none for this system, so they are told
one on which servers of our version run."""

CONTROL_EXPIRY = 14 * 86400 * 1000
_CAPABILITIES = ServerCapabilityFlags.ULTRA_LARGE_PACKED_DOWNLOAD_BUFFERS


def topology(session: str, *, public_folders: bool) -> Iterator[Block]:
    """What a server tells who connects (3.1.4.1.2.1). `session` is for the client's log."""
    text = (session + "\0").encode("utf-16-le")
    yield Block(Type.SERVER_SESSION_INFO, (HEADER_SIZE + 2).to_bytes(2, "little") + text)
    control = ClientControl(ControlFlags.COMPRESSION, CONTROL_EXPIRY)
    yield Block(Type.CLIENT_CONTROL, control.pack())
    yield Block(Type.OSVERSIONINFO, OsVersionInfo(_OS_SIZE, *_OS_VERSION, bytes(132), 0, 0, 0).pack())
    org = OrgFlags.PUBLIC_FOLDERS_ENABLED if public_folders else OrgFlags(0)
    yield Block(Type.EXORGINFO, ExOrgInfo(org).pack())
    yield Block(Type.ENDPOINT_CAPABILITIES, EndpointCapabilities(SINGLE_ENDPOINT).pack())
    yield Block(Type.SERVER_CAPABILITIES, ServerCapabilities(_CAPABILITIES).pack())
