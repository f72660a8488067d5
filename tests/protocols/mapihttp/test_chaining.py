"""Responses in several extended buffers (MS-OXCRPC 3.1.4.2.1.2.2), over the wire."""

import pytest

from appliance.directory.model import Entry
from appliance.mapi import tags
from appliance.protocols.mapihttp.bodies.emsmdb import ExecuteFlags
from appliance.rop import batch, buffers
from appliance.rop.buffers import HeaderFlags, RpcHeaderExt
from appliance.rop.ops import get_contents_table, open_folder, query_rows, set_columns
from appliance.store.mailboxes import Special
from tests.mapiclient import MapiClient
from tests.protocols.webserver import Office
from tests.rop import mail
from tests.rop.kit import Ask, unpack

COUNT = 280
PACKED = query_rows.QueryRowsFlags.ENABLE_PACKED_BUFFERS
ROW = 1 + 2 * 241
"""Bytes of a row: its flag, and a subject of 240 characters."""


@pytest.fixture
def table(client: MapiClient, office: Office, anna: Entry) -> int:
    """The inbox with long subjects."""
    for number in range(COUNT):
        raw = f"Subject: {number:03}{'x' * 237}\r\nMessage-ID: <{number}@x.test>\r\n\r\nbody\r\n"
        mail.append(office, anna, raw=raw.encode())  # type: ignore[arg-type]
    mode = open_folder.OpenModeFlags(0)
    folder = client.do(open_folder.ROP, open_folder.Request(Special.INBOX, mode), on=client.logon()).handle
    flags = get_contents_table.TableFlags(0)
    handle = client.do(get_contents_table.ROP, get_contents_table.Request(flags), on=folder).handle
    client.do(set_columns.ROP, set_columns.Request(0, (tags.PidTagSubject,)), on=handle)
    return handle


def headers(data: bytes) -> list[RpcHeaderExt]:
    """The headers of a buffer, one after the other."""
    found: list[RpcHeaderExt] = []
    while data:
        found.append(RpcHeaderExt.parse(data[:8]))
        data = data[8 + found[-1].size :]
    return found


def query(
    client: MapiClient, table: int, count: int, room: int, flags: ExecuteFlags
) -> tuple[bytes, list[int]]:
    """RopQueryRows: the response's buffer, and the rows of each of its payloads."""
    ask = Ask(query_rows.ROP, query_rows.Request(PACKED, True, count))
    client.flags = flags
    data = client.execute(buffers.pack([batch.pack(ask.pack(), [table])]), room)
    client.flags = ExecuteFlags(0)
    counts = []
    for payload in buffers.unpack(data):
        (reply,) = unpack(payload, [ask]).replies
        assert len(reply.body.row_data) == reply.body.row_count * ROW
        counts.append(reply.body.row_count)
    return data, counts


@pytest.mark.covers(
    "MS-OXCRPC_R642",
    "MS-OXCRPC_R958",
    "MS-OXCRPC_R959",
    "MS-OXCRPC_R961",
    "MS-OXCRPC_R962",
    "MS-OXCRPC_R963",
    "MS-OXCRPC_R964",
    "MS-OXCRPC_R965",
    "MS-OXCRPC_R966",
    "MS-OXCRPC_R967",
    "MS-OXCRPC_R970",
    "MS-OXCRPC_R972",
    "MS-OXCRPC_R973",
)
@pytest.mark.parametrize("flags", [ExecuteFlags(0), ExecuteFlags.NO_COMPRESSION, ExecuteFlags(3)])
def test_rows_go_on_while_there_is_room(client: MapiClient, table: int, flags: ExecuteFlags) -> None:
    data, counts = query(client, table, COUNT, 0x40000, flags | ExecuteFlags.CHAIN)
    found = headers(data)
    assert len(found) == len(counts) == 5
    assert sum(counts) == COUNT
    assert [HeaderFlags.LAST in header.flags for header in found] == [False, False, False, False, True]
    assert all(header.size_actual <= 0x8000 for header in found)
    assert counts[0] == (0x7FFF - 2 - 4 - 6 - 3) // ROW, "each is as full as it can be"
    _, rest = query(client, table, COUNT, 0x40000, flags | ExecuteFlags.CHAIN)
    assert rest == [0]


@pytest.mark.covers("MS-OXCRPC_R968")
def test_rows_end_where_the_room_does(client: MapiClient, table: int) -> None:
    seen = 0
    plain = ExecuteFlags.NO_COMPRESSION | ExecuteFlags.NO_XOR_MAGIC
    for room, expected in ((0xF000, 1), (0x8000, 1), (0x10000, 2)):
        data, counts = query(client, table, COUNT, room, plain | ExecuteFlags.CHAIN)
        assert len(data) <= room
        assert len(counts) == expected, "a further one only where 32 KB are left"
        seen += sum(counts)
    _, counts = query(client, table, 3, 0x40000, plain | ExecuteFlags.CHAIN)
    assert counts == [min(3, COUNT - seen)], "no more than was asked for"


def test_without_leave_there_is_one_buffer(client: MapiClient, table: int) -> None:
    data, counts = query(client, table, COUNT, 0x40000, ExecuteFlags(0))
    assert len(headers(data)) == len(counts) == 1
    assert counts[0] < COUNT
