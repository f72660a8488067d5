"""Recipient rows of the C beside those of `rop.recipients`, and its fuzz target."""

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import bags, recipients
from appliance.mapi import tags
from appliance.rop.recipients import own_rows
from appliance.wire.errors import DecodeError
from tests.sanitized import fuzz_driver

_texts = st.text(st.sampled_from("aAbB\0é\U0001f600\ud800ß@."), max_size=6)
_kinds = st.sampled_from(
    ["SMTP", "smtp", "EX", "Ex", "MS", "FAX", "PROFS", "MAPIPDL", "", "X400", "\u017fmtp"]
)
_numbers = st.sampled_from([-1, 0, 1, 2, 0x10000001, 255, 256])
_fields: dict[int, st.SearchStrategy[Any]] = {
    tags.PidTagAddressType: _kinds,
    tags.PidTagDisplayName: _texts,
    tags.PidTagEmailAddress: _texts,
    tags.PidTag7BitDisplayName: _texts,
    tags.PidTagTransmittableDisplayName: _texts,
    tags.PidTagRecipientType: _numbers,
    tags.PidTagDisplayType: _numbers,
    tags.PidTagSendRichInfo: st.booleans(),
    tags.PidTagResponsibility: st.booleans(),
    tags.PidTagEntryId: st.binary(max_size=4),
    tags.PidTagSearchKey: st.binary(max_size=4),
    tags.PidTagRowid: _numbers,
    tags.PidTagSmtpAddress: _texts,
    tags.PidTagRecipientOrder: _numbers,
    0x66010102: st.sampled_from([b"", b"x", bytes(600), bytes(70_000)]),
    0x6602101F: st.lists(_texts, min_size=1, max_size=2).map(tuple),
    0x66031102: st.just((b"a", b"")),
    0x66040005: st.floats(),
    0x66050040: st.just(1 << 60),
    0x66060048: st.just(bytes(range(16))),
    0x6607000D: st.just(b"object"),
}
_bags = st.fixed_dictionaries({}, optional=_fields).map(bags.pack)


@given(st.lists(_bags, max_size=4))
def test_rows_are_those_of_the_twin(packed: list[bytes]) -> None:
    made = recipients.rows(packed, 1252)
    if made is not None:
        assert made == own_rows(packed, 1252)


def plain(name: str, **more: Any) -> bytes:
    """A recipient as clients write them."""
    return bags.pack(
        {
            tags.PidTagRecipientType: 1,
            tags.PidTagDisplayName: name,
            tags.PidTagAddressType: "SMTP",
            tags.PidTagEmailAddress: "anna@example.test",
            tags.PidTagSmtpAddress: "anna@example.test",
        }
    )


def test_what_mail_is_made_of_is_not_left_to_python() -> None:
    user = bags.pack(
        {tags.PidTagAddressType: "EX", tags.PidTagEmailAddress: "/o=x/cn=y", tags.PidTagDisplayType: 6}
    )
    for packed in ([], [plain("Anna")], [plain("Änna"), user], [user] * 300):
        assert recipients.rows(packed, 65001) == own_rows(packed, 65001)


@pytest.mark.parametrize(
    "bag",
    [
        {tags.PidTagAddressType: "MAPIPDL"},
        {tags.PidTagAddressType: "EX", tags.PidTagEmailAddress: "/o=é"},
        {tags.PidTagAddressType: "é"},
        {0x66010102: bytes(70_000)},
        {tags.PidTagDisplayName: "x" * 40_000},
        {0x6607000D: b"object"},
        {0x66000003 + (number << 16): 1 for number in range(65)},
    ],
)
def test_what_is_left_to_python(bag: dict[int, Any]) -> None:
    assert recipients.rows([bags.pack(bag)], 1252) is None
    assert own_rows([bags.pack(bag)], 1252)[1]


def test_damaged_bags_are_left_to_python() -> None:
    good = plain("Anna")
    for at in range(len(good)):
        for byte in (0, 0xFF):
            packed = [good[:at] + bytes([byte]) + good[at + 1 :]]
            try:
                expected = own_rows(packed, 1252)
            except DecodeError:
                assert recipients.rows(packed, 1252) is None
            else:
                assert recipients.rows(packed, 1252) in (None, expected)
    with pytest.raises(TypeError):
        recipients.rows(["no bytes"], 1252)  # type: ignore[list-item]


def test_fuzz_target(tmp_path: Path) -> None:
    seeds = [
        b"".join(struct.pack("<H", len(each)) + each for each in (plain("Anna"), plain("é"))),
        b"\x04\x00" + bags.pack({}),
    ]
    sources = ["recipients/fuzz.c", "recipients/recipients.c", "rows/rows.c", "rows/values.c", "bags/bags.c"]
    fuzz_driver(tmp_path, sources, seeds, 2000)
