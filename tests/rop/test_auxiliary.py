"""Auxiliary buffers: what clients send is passed over where it is not known, what the server sends."""

import pytest

from appliance.rop import auxiliary, buffers
from appliance.rop.auxiliary import (
    Block,
    ClientConnectionInfo,
    ClientControl,
    ControlFlags,
    EndpointCapabilities,
    ExOrgInfo,
    OrgFlags,
    OsVersionInfo,
    PerfClientInfo,
    ServerCapabilities,
    ServerCapabilityFlags,
    Type,
    facts,
    join,
    split,
    topology,
)
from appliance.wire.errors import DecodeError


def buffer(*blocks: Block) -> bytes:
    return buffers.pack([join(blocks)])


def client_info(mode: int, reserved: int = 0, name: str = "PC-7") -> Block:
    fixed = PerfClientInfo(1000, 1, 32, 0, 0, 0, 0, 0, 0, 0, 0, mode, reserved)
    return Block(Type.PERF_CLIENTINFO, fixed.pack() + (name + "\0").encode("utf-16-le"))


def connection_info(flags: int, reserved: int = 0) -> Block:
    return Block(Type.CLIENT_CONNECTION_INFO, ClientConnectionInfo(bytes(16), 0, reserved, 1, flags).pack())


@pytest.mark.covers("MS-OXCRPC_R47", "MS-OXCRPC_R48", "MS-OXCRPC_R50", "MS-OXCRPC_R51", "MS-OXCRPC_R52")
def test_blocks_stand_behind_their_headers() -> None:
    data = join([Block(0x17, b"\x01\0\0\0"), Block(0x04, b"ab", auxiliary.VERSION_2)])
    assert data == bytes.fromhex("0800 01 17 01000000  0600 02 04 6162")
    assert split(data) == [Block(0x17, b"\x01\0\0\0"), Block(0x04, b"ab", 2)]


@pytest.mark.covers(
    "MS-OXCRPC_R1601", "MS-OXCRPC_R1602", "MS-OXCRPC_R993", "MS-OXCRPC_R994", "MS-OXCRPC_R1594"
)
def test_unknown_blocks_are_passed_over() -> None:
    strange = [Block(0x77, b"?" * 9), Block(Type.PERF_CLIENTINFO, b"", 9), Block(0xFF, b"", 7)]
    found = facts(buffer(*strange, client_info(2), *strange))
    assert found.cached
    assert found.machine == "PC-7"


@pytest.mark.covers("MS-OXCRPC_R1605", "MS-OXCRPC_R1821", "MS-OXCRPC_R1824")
def test_reserved_fields_mean_nothing() -> None:
    for reserved in (0, 1, 0xFFFF):
        assert facts(buffer(client_info(2, reserved))).cached
        assert not facts(buffer(client_info(1, reserved))).cached
        assert facts(buffer(connection_info(1, reserved))).cached
        assert not facts(buffer(connection_info(0, reserved))).cached


def test_damaged_blocks_cost_nothing() -> None:
    cut = client_info(2)
    for size in range(len(cut.data)):
        facts(buffer(Block(cut.type, cut.data[:size]), connection_info(1)))
    for offset in (1, 3, 5000, 0xFFFF):
        fixed = PerfClientInfo(0, 0, offset, 0, 0, 0, 0, 0, 0, 0, 0, 2)
        facts(buffer(Block(Type.PERF_CLIENTINFO, fixed.pack())))
    assert not facts(buffers.pack([b"\x03\x00\x01\x02"])).cached
    assert not facts(buffers.pack([b"\xff\xff\x01\x02"])).cached
    assert not facts(buffers.pack([b"\x04\x00\x01\x02" * 300])).cached
    assert facts(b"") == auxiliary.ClientFacts()
    with pytest.raises(DecodeError):
        facts(b"12345678")


@pytest.mark.covers(
    "MS-OXCRPC_R53",
    "MS-OXCRPC_R65",
    "MS-OXCRPC_R77",
    "MS-OXCRPC_R78",
    "MS-OXCRPC_R1350001",
    "MS-OXCRPC_R1518",
    "MS-OXCRPC_R1520",
    "MS-OXCRPC_R1842",
    "MS-OXCRPC_R1843",
    "MS-OXCRPC_R272",
    "MS-OXCRPC_R273",
    "MS-OXCRPC_R274",
    "MS-OXCRPC_R275",
    "MS-OXCRPC_R278",
    "MS-OXCRPC_R279",
    "MS-OXCRPC_R282",
    "MS-OXCRPC_R284",
    "MS-OXCRPC_R291002",
    "MS-OXCRPC_R291009",
    "MS-OXCRPC_R4826",
    "MS-OXCRPC_R1521",
    "MS-OXCRPC_R1535",
    "MS-OXCRPC_R1539",
    "MS-OXCRPC_R1540",
    "MS-OXCRPC_R1060",
    "MS-OXCRPC_R1061",
    "MS-OXCRPC_R1597",
    "MS-OXCRPC_R1599",
    "MS-OXCRPC_R990",
    "MS-OXCRPC_R991",
)
def test_what_the_server_tells() -> None:
    blocks = {block.type: block for block in topology("mail.example.test", public_folders=True)}
    assert all(block.version == auxiliary.VERSION_1 for block in blocks.values())
    control = ClientControl.parse(blocks[Type.CLIENT_CONTROL].data)
    assert control.enable_flags == ControlFlags.COMPRESSION
    assert control.expiry_time > 0
    system = OsVersionInfo.parse(blocks[Type.OSVERSIONINFO].data)
    assert system.size == len(blocks[Type.OSVERSIONINFO].data) == 156
    assert system.major == 10
    assert ExOrgInfo.parse(blocks[Type.EXORGINFO].data).org_flags == OrgFlags.PUBLIC_FOLDERS_ENABLED
    assert EndpointCapabilities.parse(blocks[Type.ENDPOINT_CAPABILITIES].data).flags == 1
    capabilities = ServerCapabilities.parse(blocks[Type.SERVER_CAPABILITIES].data).flags
    assert ServerCapabilityFlags.ULTRA_LARGE_PACKED_DOWNLOAD_BUFFERS in capabilities
    session = blocks[Type.SERVER_SESSION_INFO].data
    assert session[:2] == b"\x06\x00"
    assert session[2:].decode("utf-16-le") == "mail.example.test\0"
    without = {block.type: block for block in topology("", public_folders=False)}
    assert ExOrgInfo.parse(without[Type.EXORGINFO].data).org_flags == OrgFlags(0)
