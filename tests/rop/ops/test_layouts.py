"""The bytes of messages', properties' and streams' ROPs, both ways (MS-OXCROPS 2.2.6, 2.2.8, 2.2.9).

Each row: the ROP, the body of a request as it stands on the wire, and of its success response. The frame
around them (RopId, LogonId, handle indexes, ReturnValue) is checked for each ROP through the dispatcher.
"""

import pytest

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.names import PropertyName
from appliance.rop import batch
from appliance.rop.messages import Message
from appliance.rop.model import Handles, Rop
from appliance.rop.table import ROPS
from appliance.wire.cursor import Reader
from tests.rop.kit import Client

ID = "0100000000000107"  # replica 1, counter 0x107
GUID_ = "00112233445566778899aabbccddeeff"
SUMMARY = "01 00 03 53 00 0100 0100 1f00fe39 01 01 e404 0000 0300 aabbcc"

LAYOUTS: list[tuple[int, str, str]] = [
    (0x03, f"ff0f {ID} 03 {ID}", SUMMARY),
    (0x06, f"ff0f {ID} 00", "00"),
    (0x0C, "0a", f"05 {ID}"),
    (0x0D, "00000000", ""),
    (0x0E, "0100 1f00fe39 0200 00000000 01 0200 aabb 01000000 02 0000", ""),
    (0x0F, "01000000 0000", "01 01000000 02 e404 0000 0200 aabb"),
    (0x10, "0000", SUMMARY),
    (0x20, f"{ID} 00100000 00300000", "00200000"),
    (0x1F, f"{ID}", "00200000"),
    (0x66, f"00 05 0200 {ID} {ID}", "01"),
    (0x11, "01", "00"),
    (0x22, "03 07000000", ""),
    (0x23, "", "07000000"),
    (0x24, "07000000", ""),
    (0x25, "0a", ""),
    (0x46, "ff0f 02", f"00 0000000000000000 {SUMMARY}"),
    (0x21, "40", ""),
    (0x52, "", "0200 00000000 01000000"),
    (0x56, f"02 0200 00 {GUID_} 99880000 01 {GUID_} 04 6100 0000", "0200 0180 0280"),
    (0x55, "0200 0180 0280", f"0300 00 {GUID_} 99880000 01 {GUID_} 04 6100 0000 ff {'00' * 16}"),
    (0x07, "0000 0100 0200 1f003700 03001700", "00 6100 0000 01000000"),
    (0x08, "0000 0100", "0100 03001700 01000000"),
    (0x09, "", "0200 1f003700 03001700"),
    (0x0A, "0a00 0100 03001700 01000000", "0100 0000 0300080e 1a010480"),
    (0x79, "0a00 0100 03001700 01000000", "0000"),
    (0x0B, "0100 1f003700", "0000"),
    (0x7A, "0100 1f003700", "0100 0000 0300080e 1a010480"),
    (0x5F, f"01 01 {GUID_}", f"0100 0180 00 {GUID_} 99880000"),
    (0x67, "00 02 0100 1f003700", "0000"),
    (0x39, "00 01 00 0100 1f003700", "0000"),
    (0x2B, "02010110 02", "00000100"),
    (0x2C, "0010", "0300 616263"),
    (0x2C, "beba 00000100", "0300 616263"),
    (0x2D, "0300 616263", "0300"),
    (0xA3, "0300 616263", "03000000"),
    (0x5D, "", ""),
    (0x5E, "", "00000100"),
    (0x2F, "0000010000000000", ""),
    (0x2E, "01 fbffffffffffffff", "0500000000000000"),
    (0x3A, "0500000000000000", "0500000000000000 0500000000000000"),
    (0x90, "0300 616263", "0300"),
    (0x3B, "", ""),
]


@pytest.mark.covers(
    "MS-OXCROPS_R46",
    "MS-OXCROPS_R48",
    "MS-OXCROPS_R50",
    "MS-OXCROPS_R181",
    "MS-OXCROPS_R182",
    "MS-OXCROPS_R468",
)
@pytest.mark.covers(
    "MS-OXCPRPT_2.6.1",
    "MS-OXCPRPT_2.7",
    "MS-OXCPRPT_2.8.1",
    "MS-OXCPRPT_2.9",
    "MS-OXCPRPT_2.11.4",
    "MS-OXCPRPT_2.4",
    "MS-OXCPRPT_2.4.2",
    "MS-OXCPRPT_R393",
    "MS-OXCPRPT_R39301",
    "MS-OXCPRPT_R5000",
    "MS-OXCMSG_2.11.7",
    "MS-OXCMSG_R10000",
    "MS-OXCROPS_2.2.6.1",
    "MS-OXCROPS_2.2.6.1.1",
    "MS-OXCROPS_2.2.6.1.2",
    "MS-OXCROPS_2.2.6.1.2.1",
    "MS-OXCROPS_2.2.6.1.3",
    "MS-OXCROPS_2.2.6.2",
    "MS-OXCROPS_2.2.6.2.1",
    "MS-OXCROPS_2.2.6.2.2",
    "MS-OXCROPS_2.2.6.2.3",
    "MS-OXCROPS_2.2.6.3",
    "MS-OXCROPS_2.2.6.3.1",
    "MS-OXCROPS_2.2.6.3.2",
    "MS-OXCROPS_2.2.6.3.3",
    "MS-OXCROPS_2.2.6.4",
    "MS-OXCROPS_2.2.6.4.1",
    "MS-OXCROPS_2.2.6.4.2",
    "MS-OXCROPS_2.2.6.5",
    "MS-OXCROPS_2.2.6.5.1",
    "MS-OXCROPS_2.2.6.5.1.1",
    "MS-OXCROPS_2.2.6.5.2",
    "MS-OXCROPS_2.2.6.6",
    "MS-OXCROPS_2.2.6.6.1",
    "MS-OXCROPS_2.2.6.6.2",
    "MS-OXCROPS_2.2.6.6.2.1",
    "MS-OXCROPS_2.2.6.6.3",
    "MS-OXCROPS_2.2.6.7",
    "MS-OXCROPS_2.2.6.7.1",
    "MS-OXCROPS_2.2.6.7.2",
    "MS-OXCROPS_2.2.6.7.3",
    "MS-OXCROPS_2.2.6.8",
    "MS-OXCROPS_2.2.6.8.1",
    "MS-OXCROPS_2.2.6.8.2",
    "MS-OXCROPS_2.2.6.8.3",
    "MS-OXCROPS_2.2.6.9",
    "MS-OXCROPS_2.2.6.9.1",
    "MS-OXCROPS_2.2.6.9.2",
    "MS-OXCROPS_2.2.6.10",
    "MS-OXCROPS_2.2.6.10.1",
    "MS-OXCROPS_2.2.6.10.2",
    "MS-OXCROPS_2.2.6.11",
    "MS-OXCROPS_2.2.6.11.1",
    "MS-OXCROPS_2.2.6.11.2",
    "MS-OXCROPS_2.2.6.11.3",
    "MS-OXCROPS_2.2.6.12",
    "MS-OXCROPS_2.2.6.12.1",
    "MS-OXCROPS_2.2.6.12.2",
    "MS-OXCROPS_2.2.6.13",
    "MS-OXCROPS_2.2.6.13.1",
    "MS-OXCROPS_2.2.6.13.2",
    "MS-OXCROPS_2.2.6.13.3",
    "MS-OXCROPS_2.2.6.14",
    "MS-OXCROPS_2.2.6.14.1",
    "MS-OXCROPS_2.2.6.14.2",
    "MS-OXCROPS_2.2.6.15",
    "MS-OXCROPS_2.2.6.15.1",
    "MS-OXCROPS_2.2.6.15.2",
    "MS-OXCROPS_2.2.6.16",
    "MS-OXCROPS_2.2.6.16.1",
    "MS-OXCROPS_2.2.6.16.2",
    "MS-OXCROPS_2.2.6.16.3",
    "MS-OXCROPS_2.2.6.17",
    "MS-OXCROPS_2.2.6.17.1",
    "MS-OXCROPS_2.2.6.17.2",
    "MS-OXCROPS_2.2.6.18",
    "MS-OXCROPS_2.2.6.18.1",
    "MS-OXCROPS_2.2.6.18.2",
    "MS-OXCROPS_2.2.6.18.3",
    "MS-OXCROPS_2.2.8.1",
    "MS-OXCROPS_2.2.8.1.1",
    "MS-OXCROPS_2.2.8.1.2",
    "MS-OXCROPS_2.2.8.1.3",
    "MS-OXCROPS_2.2.8.2",
    "MS-OXCROPS_2.2.8.2.1",
    "MS-OXCROPS_2.2.8.2.2",
    "MS-OXCROPS_2.2.8.2.3",
    "MS-OXCROPS_2.2.8.3",
    "MS-OXCROPS_2.2.8.3.1",
    "MS-OXCROPS_2.2.8.3.2",
    "MS-OXCROPS_2.2.8.3.3",
    "MS-OXCROPS_2.2.8.4",
    "MS-OXCROPS_2.2.8.4.1",
    "MS-OXCROPS_2.2.8.4.2",
    "MS-OXCROPS_2.2.8.4.3",
    "MS-OXCROPS_2.2.8.5",
    "MS-OXCROPS_2.2.8.5.1",
    "MS-OXCROPS_2.2.8.5.2",
    "MS-OXCROPS_2.2.8.5.3",
    "MS-OXCROPS_2.2.8.6",
    "MS-OXCROPS_2.2.8.6.1",
    "MS-OXCROPS_2.2.8.6.2",
    "MS-OXCROPS_2.2.8.6.3",
    "MS-OXCROPS_2.2.8.7",
    "MS-OXCROPS_2.2.8.7.1",
    "MS-OXCROPS_2.2.8.7.2",
    "MS-OXCROPS_2.2.8.7.3",
    "MS-OXCROPS_2.2.8.8",
    "MS-OXCROPS_2.2.8.8.1",
    "MS-OXCROPS_2.2.8.8.2",
    "MS-OXCROPS_2.2.8.8.3",
    "MS-OXCROPS_2.2.8.9",
    "MS-OXCROPS_2.2.8.9.1",
    "MS-OXCROPS_2.2.8.9.2",
    "MS-OXCROPS_2.2.8.9.3",
    "MS-OXCROPS_2.2.8.10",
    "MS-OXCROPS_2.2.8.10.1",
    "MS-OXCROPS_2.2.8.10.2",
    "MS-OXCROPS_2.2.8.10.3",
    "MS-OXCROPS_2.2.8.11",
    "MS-OXCROPS_2.2.8.11.1",
    "MS-OXCROPS_2.2.8.11.2",
    "MS-OXCROPS_2.2.8.11.3",
    "MS-OXCROPS_2.2.8.11.4",
    "MS-OXCROPS_2.2.8.12",
    "MS-OXCROPS_2.2.8.12.1",
    "MS-OXCROPS_2.2.8.12.2",
    "MS-OXCROPS_2.2.8.12.3",
    "MS-OXCROPS_2.2.8.12.4",
    "MS-OXCROPS_2.2.9.1",
    "MS-OXCROPS_2.2.9.1.1",
    "MS-OXCROPS_2.2.9.1.2",
    "MS-OXCROPS_2.2.9.1.3",
    "MS-OXCROPS_2.2.9.2",
    "MS-OXCROPS_2.2.9.2.1",
    "MS-OXCROPS_2.2.9.2.2",
    "MS-OXCROPS_2.2.9.3",
    "MS-OXCROPS_2.2.9.3.1",
    "MS-OXCROPS_2.2.9.3.2",
    "MS-OXCROPS_2.2.9.4",
    "MS-OXCROPS_2.2.9.4.1",
    "MS-OXCROPS_2.2.9.4.2",
    "MS-OXCROPS_2.2.9.5",
    "MS-OXCROPS_2.2.9.5.1",
    "MS-OXCROPS_2.2.9.5.2",
    "MS-OXCROPS_2.2.9.6",
    "MS-OXCROPS_2.2.9.6.1",
    "MS-OXCROPS_2.2.9.6.2",
    "MS-OXCROPS_2.2.9.6.3",
    "MS-OXCROPS_2.2.9.7",
    "MS-OXCROPS_2.2.9.7.1",
    "MS-OXCROPS_2.2.9.7.2",
    "MS-OXCROPS_2.2.9.8",
    "MS-OXCROPS_2.2.9.8.1",
    "MS-OXCROPS_2.2.9.8.2",
    "MS-OXCROPS_2.2.9.8.3",
    "MS-OXCROPS_2.2.9.9",
    "MS-OXCROPS_2.2.9.9.1",
    "MS-OXCROPS_2.2.9.9.2",
    "MS-OXCROPS_2.2.9.9.3",
    "MS-OXCROPS_2.2.9.12",
    "MS-OXCROPS_2.2.9.12.1",
    "MS-OXCROPS_2.2.9.12.2",
    "MS-OXCROPS_2.2.9.13",
    "MS-OXCROPS_2.2.9.13.1",
    "MS-OXCROPS_2.2.9.13.2",
)
@pytest.mark.parametrize(("number", "request_hex", "response_hex"), LAYOUTS)
def test_bodies(number: int, request_hex: str, response_hex: str) -> None:
    rop = ROPS[number]
    data = bytes.fromhex(request_hex)
    assert rop.request.parse(data).pack() == data
    frame = bytes([number, 0, *range(len(rop.handles.value))]) + data
    parsed = batch.Batch.parse(batch.pack(frame, [1, 2]), ROPS)
    assert [(call.rop.id, call.request) for call in parsed.calls] == [(number, rop.request.parse(data))]
    response = bytes.fromhex(response_hex)
    reader = Reader(response)
    body = rop.response.decode(reader)
    reader.expect_end()
    assert body.pack() == response
    for cut in range(len(data)):
        with pytest.raises(MapiError):
            batch.Batch.parse(batch.pack(frame[: len(frame) - len(data) + cut], [1, 2]), ROPS)


def _frame(rop: Rop, data: bytes) -> bytes:
    letters = rop.handles.value
    return bytes([rop.id, 0, *(9 + at for at in range(len(letters)))]) + data


@pytest.mark.parametrize(("number", "request_hex", "response_hex"), LAYOUTS)
def test_failures(client: Client, number: int, request_hex: str, response_hex: str) -> None:
    """A handle that is none: the id of the ROP's responses, the index that it names, the code, and the body
    that failures of this ROP have; nothing else."""
    client.logon()
    rop = ROPS[number]
    (data,) = client.raw(batch.pack(_frame(rop, bytes.fromhex(request_hex)), [7]))
    index = 9 + rop.handles.value.index("o") if "o" in rop.handles.value else 9
    body = rop.failure.pack() if rop.failure is not None else b""
    expected = bytes([rop.answer_id, index]) + ec.ecNullObject.to_bytes(4, "little") + body
    assert data == batch.pack(expected, [7])
    assert rop.handles in (Handles.IN, Handles.IN_OUT, Handles.SOURCE_DEST, Handles.RESPONSE_IN)


def test_names_on_the_wire() -> None:
    body = ROPS[0x55].response.parse(bytes.fromhex(f"0100 00 {GUID_} 99880000"))
    assert body.names == (PropertyName(bytes.fromhex(GUID_), 0x8899),)  # type: ignore[attr-defined]
    assert Message.kind
