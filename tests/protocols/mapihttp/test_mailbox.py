"""The mailbox endpoint over the wire: bodies byte by byte, errors, buffers, long polls."""

import struct
from collections.abc import Callable
from functools import partial

import pytest

from appliance.directory.model import Entry, Right
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.protocols.mapihttp import emsmdb
from appliance.protocols.mapihttp.bodies import emsmdb as bodies
from appliance.protocols.mapihttp.bodies.common import Failure
from appliance.protocols.mapihttp.bodies.emsmdb import ExecuteFlags
from appliance.protocols.mapihttp.server import routes
from appliance.rop import auxiliary, batch, buffers
from appliance.rop.auxiliary import Block, ExOrgInfo, OrgFlags, Type
from appliance.rop.buffers import HeaderFlags, RpcHeaderExt, Wrapping
from appliance.rop.ops import open_folder
from appliance.store.mailboxes import Special
from tests.mapiclient import MapiClient, Refused
from tests.protocols.mapihttp.conftest import BEN, entry
from tests.protocols.webserver import ANNA, Office, Running

INBOX = open_folder.Request(Special.INBOX, open_folder.OpenModeFlags(0))
NO_ROPS = bytes.fromhex("0200")
Make = Callable[..., MapiClient]


def status_of(client: MapiClient, request_type: str, body: bytes) -> int:
    """The StatusCode of a request that has the failure body, which is read byte by byte."""
    answer = client.wire.send(request_type, body)
    assert answer.code == 0
    status, size = struct.unpack("<II", answer.body[:8])
    assert status != 0
    assert len(answer.body) == 8 + size
    assert Failure.parse(answer.body).status_code == status
    return int(status)


# -- Connect -------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R181",
    "MS-OXCMAPIHTTP_R82",
    "MS-OXCMAPIHTTP_R209",
    "MS-OXCMAPIHTTP_R1349",
    "MS-OXCMAPIHTTP_R210",
    "MS-OXCMAPIHTTP_R1350",
    "MS-OXCMAPIHTTP_R211",
    "MS-OXCMAPIHTTP_R212",
    "MS-OXCMAPIHTTP_R214",
    "MS-OXCMAPIHTTP_R215",
    "MS-OXCMAPIHTTP_R216",
    "MS-OXCMAPIHTTP_R1351",
    "MS-OXCMAPIHTTP_R218",
    "MS-OXCMAPIHTTP_R1352",
    "MS-OXCMAPIHTTP_R1218",
    "MS-OXCMAPIHTTP_R1219",
    "MS-OXCMAPIHTTP_R2224",
    "MS-OXCMAPIHTTP_R1147",
    "MS-OXCRPC_R475",
    "MS-OXCRPC_R477",
    "MS-OXCRPC_R520",
    "MS-OXCRPC_R525",
    "MS-OXCRPC_R528",
    "MS-OXCRPC_R539",
    "MS-OXCRPC_R1366",
    "MS-OXCRPC_R540",
    "MS-OXCRPC_R574",
    "MS-OXCRPC_R575",
    "MS-OXCRPC_R581",
    "MS-OXCRPC_R582",
    "MS-OXCRPC_R747",
    "MS-OXCRPC_R748",
    "MS-OXCRPC_R755",
    "MS-OXCRPC_R4844",
    "MS-OXCRPC_R4847",
    "MS-OXCRPC_R722",
    "MS-OXCRPC_R727",
)
def test_the_bytes_of_connect(client_of: Make, anna: Entry) -> None:
    request = anna.legacy_dn.encode() + b"\0" + struct.pack("<5I", 0, 1252, 1033, 1033, 0)
    answer = client_of().wire.send("Connect", request)
    assert len(answer.set_cookies) == 2
    data = answer.body
    assert struct.unpack("<5I", data[:20]) == (0, 0, 60000, 6, 10000)
    prefix, _, rest = data[20:].partition(b"\0")
    assert prefix == b""
    name = "Anna Ärmel\0".encode("utf-16-le")
    assert rest.startswith(name)
    size, extended = int.from_bytes(rest[len(name) :][:4], "little"), rest[len(name) + 4 :]
    assert size == len(extended)
    version, flags, length, actual = struct.unpack("<4H", extended[:8])
    assert (version, flags) == (0, HeaderFlags.LAST)
    assert length == actual == size - 8
    assert bodies.ConnectResponse.parse(data).pack() == data


@pytest.mark.covers(
    "MS-OXCRPC_R1062",
    "MS-OXCRPC_R1065",
    "MS-OXCRPC_R1066",
    "MS-OXCRPC_R1068",
    "MS-OXCRPC_R1069",
    "MS-OXCRPC_R1590",
    "MS-OXCRPC_R1591",
    "MS-OXCRPC_R1592",
    "MS-OXCRPC_R1593",
    "MS-OXCRPC_R1595",
    "MS-OXCRPC_R1596",
    "MS-OXCRPC_R1691",
    "MS-OXCRPC_R977",
    "MS-OXCRPC_R978",
)
def test_what_connect_tells_of_the_server(client_of: Make, anna: Entry) -> None:
    response = client_of().connect(anna.legacy_dn)
    (payload,) = buffers.unpack(response.auxiliary)
    blocks = {block.type: block.data for block in auxiliary.split(payload)}
    assert set(blocks) == {
        Type.SERVER_SESSION_INFO,
        Type.CLIENT_CONTROL,
        Type.OSVERSIONINFO,
        Type.EXORGINFO,
        Type.ENDPOINT_CAPABILITIES,
        Type.SERVER_CAPABILITIES,
    }
    assert ExOrgInfo.parse(blocks[Type.EXORGINFO]).org_flags == OrgFlags(0), "nobody made a public folder"


def connect_error(client: MapiClient, dn: str, *, flags: int = 0, auxiliary: bytes = b"") -> str:
    """The ErrorCode of a Connect that is refused; it leaves nothing."""
    with pytest.raises(MapiError) as caught:
        client.connect(dn, flags=flags, auxiliary=auxiliary)
    response = bodies.ConnectResponse.parse(client.wire.answer.body)
    assert (response.display_name, response.auxiliary, response.polls_max) == ("", b"", 0)
    assert not client.wire.answer.set_cookies
    return ec.name_of(caught.value.code)


@pytest.mark.covers(
    "MS-OXCRPC_R600",
    "MS-OXCRPC_R603",
    "MS-OXCRPC_R1369",
    "MS-OXCRPC_R489",
    "MS-OXCRPC_R490",
    "MS-OXCRPC_R4888",
)
def test_who_may_not_connect(client_of: Make, anna: Entry, office: Office) -> None:
    client = client_of()
    assert connect_error(client, "/o=Example Ltd/cn=nobody") == "ecUnknownUser"
    assert connect_error(client, "") == "ecAccessDenied"
    assert connect_error(client, entry(office, BEN).legacy_dn) == "ecAccessDenied"
    assert connect_error(client, anna.legacy_dn, flags=1) == "ecLoginPerm"
    office.change(ANNA, rights=Right.ORGANIZATION_MANAGEMENT)
    assert client.connect(anna.legacy_dn, flags=1).error_code == 0


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R220",
    "MS-OXCMAPIHTTP_R223",
    "MS-OXCMAPIHTTP_R221",
    "MS-OXCMAPIHTTP_R222",
    "MS-OXCMAPIHTTP_R225",
    "MS-OXCMAPIHTTP_R2070",
    "MS-OXCMAPIHTTP_R1220",
    "MS-OXCRPC_R571",
    "MS-OXCRPC_R1367",
)
def test_auxiliary_buffers_of_connect_have_bounds(client_of: Make, anna: Entry) -> None:
    client, dn = client_of(), anna.legacy_dn
    fits = bodies.ConnectRequest(dn, 0, 1252, 1033, 1033, buffers.pack([bytes(0x1000)]))
    assert client.wire.ask("Connect", fits, bodies.ConnectResponse).error_code == 0
    long = bodies.ConnectRequest(dn, 0, 1252, 1033, 1033, buffers.pack([bytes(0x1001)]))
    assert status_of(client, "Connect", long.pack()) == 0x6F7
    assert not client.wire.answer.set_cookies
    assert connect_error(client_of(), dn, auxiliary=b"1234567") == "ecRpcFailed"
    assert connect_error(client_of(), dn, auxiliary=b"12345678") == "ecRpcFormat"


@pytest.mark.covers(
    "MS-OXCRPC_R1601",
    "MS-OXCRPC_R1013",
    "MS-OXCRPC_R1607",
    "MS-OXCRPC_R1654",
    "MS-OXCRPC_R1655",
    "MS-OXCRPC_R1254",
)
def test_what_clients_tell_costs_nothing(client_of: Make, anna: Entry) -> None:
    for block in (
        Block(0x99, b"?"),
        Block(Type.PERF_SESSIONINFO, bytes(20)),
        Block(Type.PERF_CLIENTINFO, b"x"),
    ):
        for wrapping in (Wrapping.PLAIN, Wrapping.OBFUSCATE):
            told = buffers.pack([auxiliary.join([block])], wrapping)
            client = client_of()
            assert client.connect(anna.legacy_dn, auxiliary=told).error_code == 0
            request = bodies.ExecuteRequest(ExecuteFlags(0), buffers.pack([NO_ROPS]), 0x8000, told)
            response = client.wire.ask("Execute", request, bodies.ExecuteResponse)
            assert (response.error_code, response.auxiliary) == (0, b"")


def test_names_that_are_no_text(client_of: Make) -> None:
    wire = client_of().wire
    for body in (b"\xff\xfe\0" + bytes(20), b"no end", b"\0" * 20):
        assert wire.send("Connect", body).code == 12


# -- Execute -------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R226",
    "MS-OXCMAPIHTTP_R84",
    "MS-OXCMAPIHTTP_R250",
    "MS-OXCMAPIHTTP_R1356",
    "MS-OXCMAPIHTTP_R251",
    "MS-OXCMAPIHTTP_R1357",
    "MS-OXCMAPIHTTP_R245",
    "MS-OXCMAPIHTTP_R252",
    "MS-OXCMAPIHTTP_R1358",
    "MS-OXCMAPIHTTP_R253",
    "MS-OXCMAPIHTTP_R254",
    "MS-OXCMAPIHTTP_R1360",
    "MS-OXCMAPIHTTP_R255",
    "MS-OXCMAPIHTTP_R256",
    "MS-OXCMAPIHTTP_R1361",
    "MS-OXCRPC_R1290",
    "MS-OXCRPC_R621",
    "MS-OXCRPC_R644",
    "MS-OXCRPC_R657",
    "MS-OXCRPC_R1320",
    "MS-OXCRPC_R658",
    "MS-OXCRPC_R660",
    "MS-OXCRPC_R668",
    "MS-OXCRPC_R694",
    "MS-OXCRPC_R790",
    "MS-OXCRPC_R773",
    "MS-OXCRPC_R1624",
    "MS-OXCRPC_R1629",
    "MS-OXCRPC_R1640",
    "MS-OXCRPC_R1672",
    "MS-OXCRPC_R1696",
    "MS-OXCRPC_R4858",
)
def test_the_bytes_of_execute(client: MapiClient) -> None:
    handle = client.logon()
    ask = bytes([0x02, 0, 0, 1]) + INBOX.pack()
    rops = struct.pack("<H", 2 + len(ask)) + ask + struct.pack("<II", handle, 0xFFFFFFFF)
    rop_in = struct.pack("<4H", 0, 4, len(rops), len(rops)) + rops
    answer = client.wire.send(
        "Execute", struct.pack("<II", 3, len(rop_in)) + rop_in + struct.pack("<II", 0x10008, 0)
    )
    status, code, flags, size = struct.unpack("<4I", answer.body[:16])
    assert (status, code, flags) == (0, 0, 0)
    buffer, rest = answer.body[16 : 16 + size], answer.body[16 + size :]
    assert rest == bytes(4), "AuxiliaryBufferSize, and nothing behind it"
    assert struct.unpack("<4H", buffer[:8]) == (0, 4, size - 8, size - 8)
    assert bodies.ExecuteResponse.parse(answer.body).pack() == answer.body


@pytest.mark.covers(
    "MS-OXCRPC_R634",
    "MS-OXCRPC_R638",
    "MS-OXCRPC_R1304",
    "MS-OXCRPC_R1305",
    "MS-OXCRPC_R4845",
    "MS-OXCRPC_R4861",
)
def test_how_responses_may_be_wrapped(client: MapiClient) -> None:
    request = buffers.pack([batch.pack(b"", [7] * 400)])
    seen = {}
    for flags in range(4):
        client.flags = ExecuteFlags(flags)
        data = client.execute(request)
        seen[flags] = RpcHeaderExt.parse(data[:8]).flags
        assert buffers.unpack(data) == [batch.pack(b"", [7] * 400)]
    assert seen == {
        0: HeaderFlags.COMPRESSED | HeaderFlags.LAST,
        ExecuteFlags.NO_COMPRESSION: HeaderFlags.XOR_MAGIC | HeaderFlags.LAST,
        ExecuteFlags.NO_XOR_MAGIC: HeaderFlags.COMPRESSED | HeaderFlags.LAST,
        ExecuteFlags.NO_COMPRESSION | ExecuteFlags.NO_XOR_MAGIC: HeaderFlags.LAST,
    }
    for wrapping in (Wrapping.COMPRESS, Wrapping.OBFUSCATE):
        packed = buffers.pack([batch.pack(b"", [7] * 400)], wrapping)
        assert buffers.unpack(client.execute(packed)) == [batch.pack(b"", [7] * 400)]


def execute_error(client: MapiClient, rop_buffer: bytes, max_rop_out: int = 0x8000) -> str:
    """The ErrorCode of an Execute that fails as a whole; it leaves the context usable."""
    with pytest.raises(MapiError) as caught:
        client.execute(rop_buffer, max_rop_out)
    assert len(client.wire.answer.body) == 20, "nothing but the code"
    assert buffers.unpack(client.execute(buffers.pack([NO_ROPS]))) == [NO_ROPS]
    return ec.name_of(caught.value.code)


@pytest.mark.covers(
    "MS-OXCRPC_R1379",
    "MS-OXCRPC_R663",
    "MS-OXCRPC_R697",
    "MS-OXCRPC_R698",
    "MS-OXCRPC_R669",
    "MS-OXCRPC_R1385",
)
def test_buffers_that_are_none(client: MapiClient) -> None:
    good = buffers.pack([NO_ROPS])
    for size in range(8):
        assert execute_error(client, good[:size]) == "ecRpcFailed"
        assert execute_error(client, good, size) == "ecRpcFailed"
    for wrong in (
        good[:-1],
        good + b"\0",
        b"\1" + good[1:],
        buffers.pack([b"\x02"]),
        buffers.pack([b"\x05\x00\xee\x00\x00"]),
        buffers.pack([NO_ROPS, NO_ROPS]),
        b"12345678",
    ):
        assert execute_error(client, wrong) == "ecRpcFormat"


@pytest.mark.covers("MS-OXCRPC_R4852", "MS-OXCRPC_R4851")
def test_responses_that_do_not_fit(client: MapiClient) -> None:
    handles = buffers.pack([batch.pack(b"", [1] * 10)])
    client.flags = ExecuteFlags.NO_COMPRESSION
    assert len(client.execute(handles, 50)) == 50
    assert execute_error(client, handles, 49) == "ecBufferTooSmall"
    assert execute_error(client, handles, 8) == "ecBufferTooSmall"


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R271",
    "MS-OXCMAPIHTTP_R257",
    "MS-OXCMAPIHTTP_R261",
    "MS-OXCMAPIHTTP_R264",
    "MS-OXCMAPIHTTP_R287",
    "MS-OXCMAPIHTTP_R2082",
    "MS-OXCRPC_R1373",
    "MS-OXCRPC_R666001",
    "MS-OXCRPC_R678",
)
def test_sizes_beyond_bounds_have_a_status(client: MapiClient) -> None:
    good = buffers.pack([NO_ROPS])
    plain = ExecuteFlags(0)
    for request in (
        bodies.ExecuteRequest(plain, bytes(0x40001), 0x8000),
        bodies.ExecuteRequest(plain, good, 0x100001),
        bodies.ExecuteRequest(plain, good, 0xFFFFFFFF),
        bodies.ExecuteRequest(plain, good, 0x8000, bytes(0x1009)),
    ):
        assert status_of(client, "Execute", request.pack()) == 0x6F7
    assert client.execute(good, 0x100000) != b""


def test_sizes_that_the_body_does_not_have(client: MapiClient) -> None:
    for body in (
        struct.pack("<III", 3, 100, 0),
        struct.pack("<II", 3, 0xFFFFFFFF) + bytes(50),
        struct.pack("<IIII", 3, 0, 0x8000, 0xFFFFFFFF),
        struct.pack("<IIII", 3, 0, 0x8000, 0) + b"\0",
        b"",
    ):
        assert client.wire.send("Execute", body).code == 12
    assert client.execute(buffers.pack([NO_ROPS])) != b""


def test_bodies_of_the_greatest_size(client: MapiClient) -> None:
    request = bodies.ExecuteRequest(ExecuteFlags(0), bytes(600_000), 0x8000)
    assert client.wire.send("Execute", request.pack()).code == 9


@pytest.mark.covers("MS-OXCRPC_R624", "MS-OXCRPC_R622")
def test_each_client_has_its_own_handles(client_of: Make, client: MapiClient, anna: Entry) -> None:
    other = client_of()
    other.connect(anna.legacy_dn)
    handle = client.logon()
    assert client.ask(open_folder.ROP, INBOX, on=handle).code == 0
    assert other.ask(open_folder.ROP, INBOX, on=handle).name == "ecNullObject"


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R304",
    "MS-OXCMAPIHTTP_R86",
    "MS-OXCMAPIHTTP_R281",
    "MS-OXCMAPIHTTP_R1363",
    "MS-OXCMAPIHTTP_R288",
    "MS-OXCMAPIHTTP_R1364",
    "MS-OXCMAPIHTTP_R289",
    "MS-OXCMAPIHTTP_R290",
    "MS-OXCMAPIHTTP_R1365",
    "MS-OXCMAPIHTTP_R2234",
    "MS-OXCRPC_R401",
    "MS-OXCRPC_R402",
    "MS-OXCRPC_R1300",
    "MS-OXCRPC_R408",
    "MS-OXCRPC_R476",
)
def test_the_bytes_of_disconnect(client: MapiClient) -> None:
    client.logon()
    answer = client.wire.send("Disconnect", bytes(4))
    assert answer.code == 0
    assert answer.body == bytes(12)
    with pytest.raises(Refused) as caught:
        client.logon()
    assert caught.value.code == 10


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R273",
    "MS-OXCMAPIHTTP_R282",
    "MS-OXCMAPIHTTP_R263",
    "MS-OXCMAPIHTTP_R292",
    "MS-OXCMAPIHTTP_R266",
    "MS-OXCMAPIHTTP_R291",
    "MS-OXCMAPIHTTP_R1251",
    "MS-OXCMAPIHTTP_R275",
    "MS-OXCMAPIHTTP_R284",
    "MS-OXCMAPIHTTP_R270",
    "MS-OXCMAPIHTTP_R300",
    "MS-OXCMAPIHTTP_R268",
    "MS-OXCMAPIHTTP_R299",
    "MS-OXCMAPIHTTP_R1257",
)
def test_what_fails_of_polls_and_disconnects(client: MapiClient) -> None:
    long = buffers.pack([bytes(0x1001)])
    assert status_of(client, "NotificationWait", bodies.NotificationWaitRequest(0, long).pack()) == 0x6F7
    assert status_of(client, "Disconnect", bodies.DisconnectRequest(long).pack()) == 0x6F7


# -- NotificationWait ----------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R88",
    "MS-OXCMAPIHTTP_R283",
    "MS-OXCMAPIHTTP_R1369",
    "MS-OXCMAPIHTTP_R297",
    "MS-OXCMAPIHTTP_R285",
    "MS-OXCMAPIHTTP_R1372",
    "MS-OXCMAPIHTTP_R1373",
    "MS-OXCMAPIHTTP_R298",
    "MS-OXCMAPIHTTP_R1374",
    "MS-OXCMAPIHTTP_R1215",
    "MS-OXCMAPIHTTP_R1256",
    "MS-OXCMAPIHTTP_R1259",
    "MS-OXCMAPIHTTP_R1368",
    "MS-OXCRPC_R1229",
    "MS-OXCRPC_R1230",
    "MS-OXCRPC_R1239",
    "MS-OXCRPC_R1338",
)
def test_a_poll_without_news_ends(serve: Callable[..., Running], client_of: Make, anna: Entry) -> None:
    assert emsmdb.WAIT == 300.0
    brief = serve(sites=[partial(routes, wait=0.01)])
    client = client_of(port=brief.port)
    client.connect(anna.legacy_dn)
    for flags in (0, 0xFFFFFFFF):
        answer = client.wire.send("NotificationWait", struct.pack("<II", flags, 0))
        assert answer.body == bytes(16)
        assert len(answer.set_cookies) == 2
        assert answer.headers["transfer-encoding"] == "chunked"
    assert client.execute(buffers.pack([NO_ROPS])) != b""


@pytest.mark.covers("MS-OXCMAPIHTTP_R1370", "MS-OXCRPC_R1343", "MS-OXCRPC_R1419")
def test_one_poll_at_a_time(client: MapiClient) -> None:
    first = client.poll()
    for _ in range(2):
        refused = client.poll().end()
        assert (refused.error_code, refused.event_pending) == (ec.ecRejected, 0)
    client.disconnect()
    ended = first.end()
    assert (ended.error_code, ended.event_pending) == (0, 0)
