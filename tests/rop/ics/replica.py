"""A client with a replica: it synchronises folders as clients do, and keeps what it was sent."""

from dataclasses import dataclass, field
from typing import Any

from appliance.mapi import tags
from appliance.mapi.idset import IdSet
from appliance.mapi.types import Value
from appliance.rop.fasttransfer.pen import SendOptions
from appliance.rop.ics.flags import SynchronizationExtraFlags as Extra
from appliance.rop.ics.flags import SynchronizationFlags as Flags
from appliance.rop.ops import (
    fast_transfer_source_get_buffer as get_buffer,
)
from appliance.rop.ops import (
    open_folder,
    release,
    synchronization_configure,
    synchronization_get_transfer_state,
)
from appliance.rop.ops import (
    synchronization_upload_state_stream as state_stream,
)
from tests.rop.fasttransfer.parsing import Item, Parser, Props, Sync
from tests.rop.kit import Client

STATE = (0x40170003, 0x67960102, 0x67DA0102, 0x67D20102)
DELETED, NO_LONGER, READ, UNREAD = 0x67E50102, 0x40210102, 0x402D0102, 0x402E0102
CONTENTS = Flags.UNICODE | Flags.FAI | Flags.NORMAL | Flags.READ_STATE
HIERARCHY = Flags.UNICODE


def pull(client: Client, handle: int, *, size: int = get_buffer.SERVER_CHOOSES, most: int = 31000) -> bytes:
    """A whole download."""
    out = bytearray()
    while True:
        chosen = size == get_buffer.SERVER_CHOOSES
        request = get_buffer.Request(size, most if chosen else None)
        body = client.do(get_buffer.ROP, request, on=handle).body
        assert len(body.transfer_buffer) <= (most if chosen else size)
        out += body.transfer_buffer
        if body.transfer_status == get_buffer.TransferStatus.DONE:
            return bytes(out)
        assert body.transfer_status == get_buffer.TransferStatus.PARTIAL
        assert body.transfer_buffer


def open_(client: Client, logon: int, fid: int) -> int:
    """A handle of a folder."""
    request = open_folder.Request(fid, open_folder.OpenModeFlags(0))
    return client.do(open_folder.ROP, request, on=logon).handle


def upload_state(client: Client, handle: int, state: dict[int, bytes]) -> None:
    """All of a state, in two pieces each."""
    for tag, data in state.items():
        client.do(state_stream.BEGIN, state_stream.BeginRequest(tag, len(data)), on=handle)
        half = len(data) // 2
        for piece in (data[:half], data[half:]):
            if piece:
                client.do(state_stream.CONTINUE, state_stream.ContinueRequest(piece), on=handle)
        client.do(state_stream.END, on=handle)


def transfer_state(client: Client, handle: int) -> dict[int, bytes]:
    """RopSynchronizationGetTransferState, downloaded."""
    made = client.do(synchronization_get_transfer_state.ROP, on=handle).handle
    parser = Parser(pull(client, made))
    found = parser.state()
    parser.end()
    client.ask(release.ROP, on=made)
    return by_upload_tag(found)


def by_upload_tag(state: Props) -> dict[int, bytes]:
    """IdsetGiven under the tag that it goes over the wire with."""
    return {(0x40170003 if tag == 0x40170102 else tag): value for tag, value in state.items()}


@dataclass
class Replica:
    """What one client has of one folder. Messages by their MID."""

    client: Client
    folder: int
    state: dict[int, bytes] = field(default_factory=lambda: dict.fromkeys(STATE, b""))
    messages: dict[int, Item] = field(default_factory=dict)
    read: dict[int, bool] = field(default_factory=dict)
    last: Sync = field(default_factory=Sync)

    def configure(
        self,
        flags: Flags = CONTENTS,
        *,
        kind: int = 1,
        extra: Extra = Extra.EID | Extra.CN | Extra.MESSAGE_SIZE,
        options: SendOptions = SendOptions.UNICODE | SendOptions.RECOVER_MODE,
        restriction: bytes = b"",
        tags: tuple[int, ...] = (),
    ) -> int:
        request = synchronization_configure.Request(kind, options, flags, restriction, extra, tags)
        return self.client.do(synchronization_configure.ROP, request, on=self.folder).handle

    def stream(self, flags: Flags = CONTENTS, *, size: int = 0xBABE, **settings: Any) -> bytes:
        """The bytes of a contents synchronisation from the state of the replica."""
        handle = self.configure(flags, **settings)
        upload_state(self.client, handle, self.state)
        data = pull(self.client, handle, size=size)
        after = transfer_state(self.client, handle)
        parsed = Parser(data)
        sync = parsed.contents_sync() if settings.get("kind", 1) == 1 else parsed.hierarchy_sync()
        assert by_upload_tag(sync.state) == after
        self.client.ask(release.ROP, on=handle)
        return data

    def sync(self, flags: Flags = CONTENTS, *, apply: bool = True, page: int = 1252, **settings: Any) -> Sync:
        """Synchronise contents, and keep what came."""
        self.last = sync = Parser(self.stream(flags, **settings), page).contents_sync()
        if apply:
            self.apply(sync)
        return sync

    def apply(self, sync: Sync) -> None:
        for item in sync.changes:
            mid = item.header[tags.PidTagMid]
            self.messages[mid] = item
            self.read[mid] = bool(item.props[tags.PidTagMessageFlags] & 1)
        for tag, value in (sync.deletions or {}).items():
            assert tag in (DELETED, NO_LONGER)
            for mid in IdSet.parse(value, by_guid=False).ids():
                self.messages.pop(wire(mid), None)
                self.read.pop(wire(mid), None)
        for tag, value in (sync.reads or {}).items():
            for mid in IdSet.parse(value, by_guid=False).ids():
                self.read[wire(mid)] = tag == READ
        self.state = by_upload_tag(sync.state)


def wire(short_id: int) -> int:
    """A MID as PidTagMid shows it."""
    counter = (short_id & (1 << 48) - 1).to_bytes(6, "big")
    return int.from_bytes((short_id >> 48).to_bytes(2, "little") + counter, "little", signed=True)


def ids(value: Value) -> set[int]:
    """The ids of a set by replica id."""
    assert isinstance(value, bytes)
    return set(IdSet.parse(value, by_guid=False).ids())
