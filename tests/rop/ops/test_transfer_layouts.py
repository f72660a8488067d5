"""The bytes of the ROPs of downloads, uploads and synchronisation, both ways (MS-OXCROPS 2.2.12, 2.2.13), and
of those that are read but not served (2.2.8.13, 2.2.9.10, 2.2.9.11). Rows as in `test_layouts`."""

import pytest

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.rop import batch
from appliance.rop.ops import commit_stream
from appliance.rop.table import ROPS
from appliance.wire.cursor import Reader
from tests.rop.kit import Client
from tests.rop.ops.items import create, stream

ID = "0100000000000107"
LONG = "00112233445566778899aabbccddeeff 000000000107 0000"
TAGGED = "1f003700 6100 0000"

LAYOUTS: list[tuple[int, str, str]] = [
    (0x53, "01 01", ""),
    (0x54, "0300 616263", "0100 0000 0100 00 0300"),
    (0x9D, "0300 616263", "0100 00000000 01000000 00 0300"),
    (0x4E, "0010", "0300 0100 0200 00 0300 616263"),
    (0x4E, "beba 0010", "0100 0100 0200 00 0000"),
    (0x4C, "10 01", ""),
    (0x4B, f"0200 {ID} {ID} 20 01", ""),
    (0x4D, "01 10200000 01 0100 1f003700", ""),
    (0x69, "00 01 01 0100 1f003700", ""),
    (0x86, "0f00 0080 0a00", ""),
    (0x70, "01 01 3900 0300 aabbcc 01000000 0100 1f003700", ""),
    (0x72, f"10 0100 {TAGGED}", "00" * 8),
    (0x80, "0800 0200 aabb 01 0000 00", ""),
    (0x73, f"0100 {TAGGED} 0100 {TAGGED}", "00" * 8),
    (0x74, f"02 0100 {TAGGED}", ""),
    (0x78, "01000000 aa 01000000 bb 01000000 cc 01000000 dd 01000000 ee", ID),
    (0x7E, "01", ""),
    (0x82, "", ""),
    (0x75, "02019640 03000000", ""),
    (0x76, "03000000 616263", ""),
    (0x77, "", ""),
    (0x93, f"3400 01000000 {LONG} {LONG}", ""),
    (0x7F, "10000000", "00112233445566778899aabbccddeeff 000000000107"),
    (0x50, "01", "00 01000000 02000000"),
    (0x5B, "0100000000000000 0200000000000000 01000000", ""),
    (0x5C, "0100000000000000 0200000000000000 01000000", ""),
]


@pytest.mark.covers(
    "MS-OXCROPS_2.2.8.13.1", "MS-OXCROPS_2.2.8.13.2", "MS-OXCROPS_2.2.9.10.1", "MS-OXCROPS_2.2.9.11.1",
    "MS-OXCROPS_2.2.12.1.1", "MS-OXCROPS_2.2.12.1.2", "MS-OXCROPS_2.2.12.2.1", "MS-OXCROPS_2.2.12.2.2",
    "MS-OXCROPS_2.2.12.3.1", "MS-OXCROPS_2.2.12.3.2", "MS-OXCROPS_2.2.12.4.1", "MS-OXCROPS_R3732",
    "MS-OXCROPS_R3733", "MS-OXCROPS_R3734", "MS-OXCROPS_R3736", "MS-OXCROPS_R3738", "MS-OXCROPS_R3740",
    "MS-OXCROPS_R3741", "MS-OXCROPS_R3742", "MS-OXCROPS_R3743", "MS-OXCROPS_R3744", "MS-OXCROPS_R3745",
    "MS-OXCROPS_R3746", "MS-OXCROPS_R3957", "MS-OXCROPS_2.2.12.9.1", "MS-OXCROPS_2.2.13.1.1",
    "MS-OXCROPS_2.2.13.2.1", "MS-OXCROPS_2.2.13.3.1", "MS-OXCROPS_2.2.13.3.1.1", "MS-OXCROPS_2.2.13.4.1",
    "MS-OXCROPS_2.2.13.5.1", "MS-OXCROPS_2.2.13.12.1", "MS-OXCROPS_2.2.13.12.1.1",
)  # fmt: skip
@pytest.mark.parametrize(("number", "request_hex", "response_hex"), LAYOUTS)
def test_bodies(number: int, request_hex: str, response_hex: str) -> None:
    rop = ROPS[number]
    data = bytes.fromhex(request_hex)
    frame = bytes([number, 0, *range(len(rop.handles.value))]) + data
    parsed = batch.Batch.parse(batch.pack(frame, [1, 2]), ROPS)
    assert [(call.rop.id, call.request.pack()) for call in parsed.calls] == [(number, data)]
    reader = Reader(bytes.fromhex(response_hex))
    body = rop.response.decode(reader)
    reader.expect_end()
    assert body.pack() == bytes.fromhex(response_hex)
    for cut in range(len(data)):
        with pytest.raises(MapiError):
            batch.Batch.parse(batch.pack(frame[: len(frame) - len(data) + cut], [1, 2]), ROPS)


@pytest.mark.covers(
    "MS-OXCROPS_2.2.8.13.3", "MS-OXCROPS_2.2.9.10.2", "MS-OXCROPS_2.2.9.11.2", "MS-OXCROPS_R3724",
    "MS-OXCROPS_R3725", "MS-OXCROPS_R3726", "MS-OXCROPS_R3727", "MS-OXCROPS_R3728", "MS-OXCROPS_R3730",
    "MS-OXCROPS_R3731",
)  # fmt: skip
@pytest.mark.parametrize(("number", "request_hex", "response_hex"), LAYOUTS)
def test_failures(client: Client, number: int, request_hex: str, response_hex: str) -> None:
    """A handle that is none: the fields of every response, and those of the one layout that some ROPs have
    for successes and failures alike."""
    client.logon()
    rop = ROPS[number]
    letters = rop.handles.value
    frame = bytes([number, 0, *(9 + at for at in range(len(letters)))]) + bytes.fromhex(request_hex)
    (data,) = client.raw(batch.pack(frame, [7]))
    index = 9 + letters.index("o") if "o" in letters else 9
    bodies = {0x4E: bytes(9), 0x54: bytes(9), 0x9D: bytes(13)}
    expected = bytes([number, index]) + ec.ecNullObject.to_bytes(4, "little") + bodies.get(number, b"")
    assert data == batch.pack(expected, [7])


@pytest.mark.parametrize("number", [0x50, 0x5B, 0x5C])
@pytest.mark.covers(
    "MS-OXCROPS_R3433", "MS-OXCROPS_R3434", "MS-OXCROPS_R3435", "MS-OXCROPS_R3458", "MS-OXCROPS_R3459",
    "MS-OXCROPS_R3460", "MS-OXCPRPT_R75001",
)  # fmt: skip
def test_what_is_not_implemented_says_so_and_the_rest_is_served(client: Client, number: int) -> None:
    handle = stream(client, create(client, client.logon()), tags.PidTagHtml, 2)
    body = next(bytes.fromhex(request) for id, request, _ in LAYOUTS if id == number)
    commit = bytes([commit_stream.ROP.id, 0, 0])
    (data,) = client.raw(batch.pack(bytes([number, 0, 0]) + body + commit, [handle]))
    refused = bytes([number, 0]) + ec.ecNotImplemented.to_bytes(4, "little")
    assert data == batch.pack(refused + bytes([commit_stream.ROP.id, 0, 0, 0, 0, 0]), [handle])
