"""Extended buffers: headers, compression, obfuscation, limits."""

import random

import pytest

from appliance.formats import lz77
from appliance.rop import buffers
from appliance.rop.buffers import HeaderFlags, RpcHeaderExt, Wrapping, pack, unpack
from appliance.wire.errors import DecodeError, EncodeError

TEXT = b"the same again and " * 100
NOISE = random.Random(7).randbytes(3000)


def header(data: bytes) -> RpcHeaderExt:
    return RpcHeaderExt.parse(data[: buffers.HEADER_SIZE])


@pytest.mark.covers(
    "MS-OXCRPC_R32",
    "MS-OXCRPC_R33",
    "MS-OXCRPC_R34",
    "MS-OXCRPC_R35",
    "MS-OXCRPC_R42",
    "MS-OXCRPC_R43",
    "MS-OXCRPC_R44",
    "MS-OXCRPC_R46",
    "MS-OXCRPC_R38",
    "MS-OXCRPC_R1",
)
def test_a_plain_payload() -> None:
    data = pack([b"abc"])
    assert data == bytes.fromhex("0000 0400 0300 0300") + b"abc"
    assert unpack(data) == [b"abc"]


@pytest.mark.covers(
    "MS-OXCRPC_R36",
    "MS-OXCRPC_R4794",
    "MS-OXCRPC_R740",
    "MS-OXCRPC_R768",
    "MS-OXCRPC_R780",
    "MS-OXCRPC_R1483",
    "MS-OXCRPC_R831",
    "MS-OXCRPC_R749",
)
def test_compression() -> None:
    data = pack([TEXT], Wrapping.COMPRESS)
    assert header(data).flags == HeaderFlags.COMPRESSED | HeaderFlags.LAST
    assert header(data).size == len(data) - 8 < header(data).size_actual == len(TEXT)
    assert lz77.decompress(data[8:], len(TEXT)) == TEXT
    assert unpack(data) == [TEXT]


@pytest.mark.covers(
    "MS-OXCRPC_R39",
    "MS-OXCRPC_R952",
    "MS-OXCRPC_R956",
    "MS-OXCRPC_R743",
    "MS-OXCRPC_R771",
    "MS-OXCRPC_R752",
    "MS-OXCRPC_R783",
)
def test_obfuscation() -> None:
    data = pack([b"\x00\xa5\xff"], Wrapping.OBFUSCATE)
    assert header(data).flags == HeaderFlags.XOR_MAGIC | HeaderFlags.LAST
    assert data[8:] == b"\xa5\x00\x5a"
    assert unpack(data) == [b"\x00\xa5\xff"]


@pytest.mark.covers("MS-OXCRPC_R4842", "MS-OXCRPC_R4860")
def test_both_are_undone_in_order() -> None:
    body = lz77.obfuscate(lz77.compress(TEXT))
    flags = HeaderFlags.COMPRESSED | HeaderFlags.XOR_MAGIC | HeaderFlags.LAST
    assert unpack(RpcHeaderExt(0, flags, len(body), len(TEXT)).pack() + body) == [TEXT]


@pytest.mark.covers("MS-OXCRPC_R1479", "MS-OXCRPC_R1480", "MS-OXCRPC_R1635", "MS-OXCRPC_R1637")
def test_what_gains_nothing_is_not_compressed() -> None:
    both = Wrapping.COMPRESS | Wrapping.OBFUSCATE
    assert header(pack([b"a" * 100], both)).flags == HeaderFlags.XOR_MAGIC | HeaderFlags.LAST
    assert header(pack([NOISE], both)).flags == HeaderFlags.XOR_MAGIC | HeaderFlags.LAST
    assert header(pack([TEXT], both)).flags == HeaderFlags.COMPRESSED | HeaderFlags.LAST


@pytest.mark.covers(
    "MS-OXCRPC_R40",
    "MS-OXCRPC_R41",
    "MS-OXCRPC_R775",
    "MS-OXCRPC_R777",
    "MS-OXCRPC_R778",
    "MS-OXCRPC_R779",
    "MS-OXCRPC_R786",
    "MS-OXCRPC_R787",
    "MS-OXCRPC_R1674",
    "MS-OXCRPC_R1697",
)
def test_several_payloads_each_in_its_own_way() -> None:
    data = pack([TEXT, NOISE, b""], Wrapping.COMPRESS | Wrapping.OBFUSCATE)
    first = header(data)
    assert first.flags == HeaderFlags.COMPRESSED
    second = RpcHeaderExt.parse(data[8 + first.size : 16 + first.size])
    assert second.flags == HeaderFlags.XOR_MAGIC
    assert header(data[-8:]).flags == HeaderFlags.XOR_MAGIC | HeaderFlags.LAST
    assert unpack(data) == [TEXT, NOISE, b""]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000 0400 0300",  # cut short
        "0100 0400 0000 0000",  # version
        "0000 0c00 0000 0000",  # an unknown flag
        "0000 0400 0300 0300 6162",  # less than announced
        "0000 0400 0200 0200 616263",  # something behind it
        "0000 0400 0300 0400 616263",  # two sizes
        "0000 0500 0400 0400 61626364",  # compressed, but not smaller
        "0000 0500 0400 0300 61626364",
        "0000 0500 0400 2000 61626364",  # compressed nonsense
        "0000 0000 0300 0300 616263",  # none is the last
        "0000 0400 0180 0180" + "00" * 0x8001,  # too long
    ],
)
def test_what_is_no_extended_buffer(text: str) -> None:
    with pytest.raises(DecodeError):
        unpack(bytes.fromhex(text))


@pytest.mark.covers("MS-OXCRPC_R969", "MS-OXCRPC_R726", "MS-OXCRPC_R1628")
def test_limits() -> None:
    assert len(unpack(pack([b""] * buffers.MAX_PAYLOADS))) == buffers.MAX_PAYLOADS
    with pytest.raises(DecodeError, match="payloads"):
        unpack(pack([b""] * (buffers.MAX_PAYLOADS + 1)))
    assert unpack(pack([bytes(buffers.MAX_PAYLOAD)])) == [bytes(buffers.MAX_PAYLOAD)]
    for wrong in ([], [bytes(buffers.MAX_PAYLOAD + 1)]):
        with pytest.raises(EncodeError):
            pack(wrong)
