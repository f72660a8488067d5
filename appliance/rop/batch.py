"""A ROP buffer taken apart, and put together again (MS-OXCROPS 2.2.1).

    RopSize (2, with itself) | RopsList | ServerObjectHandleTable (4 each)

The whole buffer is read before anything runs: what cannot be told apart, an unknown RopId or a body that does
not end where it should, fails the Execute as a whole (ecRpcFormat, MS-OXCROPS 2.2.2). Bodies with a size of
their own for what is hard to read (restrictions, actions) keep it as bytes and read it when they run, so that
nonsense there costs that ROP alone.
"""

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.model import Handles, Rop
from appliance.wire.cursor import Reader
from appliance.wire.errors import DecodeError

NO_HANDLE = 0xFFFFFFFF
ROP_LOGON, PRIVATE = 0xFE, 0x01
MAX_ROPS = 4096
"""ROPs of one buffer, at most."""

MAX_HANDLE_SLOTS = 256
"""Entries of a handle table that an index of one byte can name; more are carried along."""

HEADER = 2
"""Bytes of RopSize, which counts itself."""


@dataclass(slots=True)
class Call:
    """One request: its row, the LogonId, its handle indexes in wire order, the body, and where it stands.

    What the indexes are: `input` the slot of the object that the ROP works on; `other` that of the
    destination, or of the handle that the response names; `output` the slot that gets the new object's
    handle; None where the ROP has no such index."""

    rop: Rop
    logon_id: int
    indexes: tuple[int, ...]
    request: Any
    start: int
    end: int
    input: int | None = None
    other: int | None = None
    output: int | None = None

    def __post_init__(self) -> None:
        for name, index in zip(_ROLES[self.rop.handles], self.indexes, strict=True):
            if name == "input":
                self.input = index
            elif name == "other":
                self.other = index
            else:
                self.output = index

    @property
    def answered(self) -> int:
        """The handle index that the response names: the output's, the response's, else the first."""
        if self.output is not None:
            return self.output
        return self.indexes[0] if self.indexes else 0


_ROLE = {"i": "input", "s": "input", "d": "other", "r": "other", "o": "output"}
_ROLES = {handles: tuple(_ROLE[letter] for letter in handles.value) for handles in Handles}


@dataclass(slots=True)
class Batch:
    """The requests of one buffer and its handle table, which the calls fill."""

    calls: list[Call]
    handles: list[int]
    rops: bytes

    @classmethod
    def parse(cls, data: bytes, table: Mapping[int, Rop], public: Collection[int] = frozenset()) -> "Batch":
        """`public`: the ids of logons to public folders. Raises MapiError ecRpcFormat."""
        try:
            reader = Reader(data)
            size = reader.u16("RopSize")
            if size < HEADER or size > len(data) or (len(data) - size) % 4:
                raise DecodeError(f"RopSize {size} in {len(data)} bytes", 0)
            rops = Reader(data, HEADER, size)
            calls: list[Call] = []
            public = set(public)
            while rops.remaining:
                if len(calls) == MAX_ROPS:
                    raise DecodeError(f"more than {MAX_ROPS} ROPs", rops.pos)
                calls.append(_read(rops, table, public))
                if calls[-1].rop.id == ROP_LOGON:  # what follows in this buffer may be on that logon
                    is_private = calls[-1].request.logon_flags & PRIVATE
                    (public.discard if is_private else public.add)(calls[-1].logon_id)
        except DecodeError as error:
            raise MapiError(ec.ecRpcFormat, str(error)) from None
        handles = struct.unpack(f"<{(len(data) - size) // 4}I", data[size:])
        return cls(calls, list(handles), data)

    def rest(self, call: Call) -> bytes:
        """The requests from `call` on, as they came."""
        return self.rops[call.start : self.calls[-1].end]


def _read(reader: Reader, table: Mapping[int, Rop], public: Collection[int]) -> Call:
    start = reader.pos
    rop = table.get(reader.u8("RopId"))
    if rop is None:
        raise DecodeError("unknown RopId", start)
    logon_id = reader.u8("LogonId")
    indexes = tuple(reader.take(len(_ROLES[rop.handles]), "handle indexes"))
    layout = rop.request
    if rop.request_public is not None and logon_id in public:
        layout = rop.request_public
    return Call(rop, logon_id, indexes, layout.decode(reader), start, reader.pos)


def pack(rops: bytes, handles: list[int]) -> bytes:
    """A ROP buffer of responses (or requests) and the handle table."""
    return struct.pack("<H", HEADER + len(rops)) + rops + struct.pack(f"<{len(handles)}I", *handles)
