"""TNEF there and back, as its specification's sample begins, and damaged."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.formats import tnef
from appliance.mapi import tags, times
from appliance.mapi.names import PS_PUBLIC_STRINGS, PropertyName
from appliance.mapi.objects import AttachmentObject, BytesContent, MessageObject, chunks
from appliance.mapi.types import PtypInteger32, PtypMultipleString
from appliance.wire.errors import DecodeError
from tests.kit import outcome

COMMON = UUID("00062008-0000-0000-C000-000000000046").bytes_le


def attribute(level: int, number: int, data: bytes) -> bytes:
    head = bytes([level]) + number.to_bytes(4, "little") + len(data).to_bytes(4, "little")
    return head + data + (sum(data) & 0xFFFF).to_bytes(2, "little")


HEAD = bytes.fromhex("789f3e220100") + attribute(1, 0x00089006, b"\0\0\1\0")


def test_the_older_attributes_are_read() -> None:
    """The form of MS-OXTNEF 3.1."""
    date = b"".join(n.to_bytes(2, "little") for n in (2004, 2, 17, 11, 25, 35, 2))
    data = (
        HEAD
        + attribute(1, 0x00069007, (1251).to_bytes(8, "little"))
        + attribute(1, 0x00078008, b"IPM.Microsoft Mail.Note\0")
        + attribute(1, 0x0004800D, b"\1\0")
        + attribute(1, 0x00018004, "\u041f\u0440\u0438\u0432\u0435\u0442".encode("cp1251") + b"\0")
        + attribute(1, 0x00038005, date)
        + attribute(1, 0x12345678, b"unknown")
        + attribute(2, 0x00069002, bytes.fromhex("01000a0000002000200000000000"))
        + attribute(2, 0x00018010, b"a.txt\0")
        + attribute(2, 0x0006800F, b"content")
    )
    made = tnef.decode(data)
    assert made.props[tags.PidTagMessageClass] == "IPM.Note"
    assert made.props[tags.PidTagImportance] == 2
    assert made.props[tags.PidTagSubject] == "\u041f\u0440\u0438\u0432\u0435\u0442"
    sent = made.props[tags.PidTagClientSubmitTime]
    assert isinstance(sent, int)
    assert times.format_utc(sent).startswith("2004-02-17")
    (attachment,) = made.attachments
    assert attachment.props[tags.PidTagAttachFilename] == "a.txt"
    assert attachment.props[tags.PidTagRenderingPosition] == 10
    assert attachment.content is not None
    assert attachment.content.read(0, 100) == b"content"


def test_properties_win_over_attributes() -> None:
    listed = tnef.encode(MessageObject({tags.PidTagSubject: "new"}))[len(HEAD) :]
    made = tnef.decode(HEAD + listed + attribute(1, 0x00018004, b"old\0"))
    assert made.props[tags.PidTagSubject] == "new"


def whole() -> MessageObject:
    inner = MessageObject({tags.PidTagSubject: "inside", tags.PidTagMessageClass: "IPM.Note"})
    return MessageObject(
        {
            tags.PidTagMessageClass: "IPM.Appointment",
            tags.PidTagSubject: "Gr\u00fc\u00dfe",
            tags.PidTagImportance: -2,
            tags.PidTagReadReceiptRequested: True,
            tags.PidTagClientSubmitTime: 133_000_000_000_000_001,
            tags.PidTagRtfCompressed: b"xyz",
        },
        {
            (PropertyName(COMMON, 0x8501), PtypInteger32): 15,
            (PropertyName(PS_PUBLIC_STRINGS, "Keywords"), PtypMultipleString): ("a", "\u00e4\u00f6"),
        },
        [{tags.PidTagDisplayName: "Anna", tags.PidTagRecipientType: 1}, {tags.PidTagDisplayName: "Ben"}],
        [
            AttachmentObject(
                {
                    tags.PidTagAttachMethod: 1,
                    tags.PidTagAttachLongFilename: "x.bin",
                    tags.PidTagRenderingPosition: -1,
                },
                content=BytesContent(bytes(range(256))),
            ),
            AttachmentObject({tags.PidTagAttachMethod: 5, tags.PidTagRenderingPosition: -1}, embedded=inner),
        ],
    )


def same(left: MessageObject, right: MessageObject) -> None:
    assert left.props == right.props
    assert left.named == right.named
    assert left.recipients == right.recipients
    assert len(left.attachments) == len(right.attachments)
    for one, other in zip(left.attachments, right.attachments, strict=True):
        assert one.props == other.props
        assert (one.content is None) == (other.content is None)
        if one.content is not None and other.content is not None:
            assert b"".join(chunks(one.content)) == b"".join(chunks(other.content))
        if one.embedded is not None and other.embedded is not None:
            same(one.embedded, other.embedded)


def test_there_and_back() -> None:
    same(tnef.decode(tnef.encode(whole())), whole())


def test_every_truncation_is_refused_or_shorter() -> None:
    data = tnef.encode(whole())
    for end in range(len(data)):
        kind, found = outcome(tnef.decode, data[:end], (DecodeError,))
        assert kind in ("value", "error"), found


@settings(deadline=None)
@given(st.data())
def test_changed_bytes_are_refused_or_read(data: st.DataObject) -> None:
    raw = bytearray(tnef.encode(whole()))
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        tnef.decode(bytes(raw))
    except DecodeError:
        return


@pytest.mark.parametrize("data", [b"", b"x" * 10, HEAD[:4], HEAD + b"\3" + bytes(10)])
def test_what_is_no_tnef_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        tnef.decode(data)


def test_the_work_is_bounded() -> None:
    listed = (15_000).to_bytes(4, "little") + bytes.fromhex("0300170001000000") * 15_000
    with pytest.raises(DecodeError, match="more than"):
        tnef.decode(HEAD + attribute(1, 0x00069003, listed) * 10)
    with pytest.raises(DecodeError, match="more than"):
        tnef.decode(HEAD + attribute(1, 0x12345678, b"") * 200_000)
