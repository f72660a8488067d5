"""Restrictions: their forms on the wire, and what they mean."""

from typing import Any

import pytest

from appliance.mapi import restrictions as r
from appliance.mapi import types as t
from appliance.mapi.matching import Object, compiled, matches
from appliance.mapi.restrictions import Fuzzy, FuzzyFlags, RelOp
from appliance.mapi.tags import (
    PidTagBody,
    PidTagImportance,
    PidTagMessageAttachments,
    PidTagMessageClass,
    PidTagMessageFlags,
    PidTagMessageRecipients,
    PidTagMessageSize,
    PidTagSearchKey,
    PidTagSenderName,
    PidTagSubject,
)
from appliance.mapi.values import extended_form, rop_form
from appliance.wire.cursor import Reader
from appliance.wire.errors import DecodeError, EncodeError
from tests.kit import Codec, Vector, codec_tests
from tests.mapi.strategies import restrictions

KEYWORDS = 0x8001101F


def _codec(form: Any, vectors: list[Vector]) -> type:
    return codec_tests(
        Codec(
            decode=lambda data: r.parse(data, form),
            encode=lambda value: r.pack(value, form),
            values=restrictions,
            vectors=vectors,
        )
    )


_SUBJECT = r.Content(Fuzzy.SUBSTRING, FuzzyFlags.IGNORE_CASE, PidTagSubject, PidTagSubject, "a")
TestRop = _codec(
    rop_form(),
    [
        Vector("content", bytes.fromhex("03 0100 0100 1f003700 1f003700 61000000"), _SUBJECT),
        Vector(
            "content in a code page",
            bytes.fromhex("03 0100 0100 1e003700 1e003700 6100"),
            _SUBJECT,
            canonical=False,
        ),
        Vector(
            "and, or, not, exist",
            bytes.fromhex("00 0200 01 0000 02 08 1f003700"),
            r.And((r.Or(()), r.Not(r.Exist(PidTagSubject)))),
        ),
        Vector(
            "property",
            bytes.fromhex("04 04 03001700 03001700 02000000"),
            r.Property(RelOp.EQ, PidTagImportance, PidTagImportance, 2),
        ),
        Vector("bit mask", bytes.fromhex("06 01 0300070e 01000000"), r.BitMask(True, PidTagMessageFlags, 1)),
        Vector("size", bytes.fromhex("07 02 0300080e 00040000"), r.Size(RelOp.GT, PidTagMessageSize, 1024)),
        Vector(
            "compare",
            bytes.fromhex("05 05 1f003700 1f001a0c"),
            r.CompareProperties(RelOp.NE, PidTagSubject, PidTagSenderName),
        ),
        Vector(
            "sub-object",
            bytes.fromhex("09 0d00120e 08 1f003700"),
            r.SubObject(PidTagMessageRecipients, r.Exist(PidTagSubject)),
        ),
        Vector(
            "comment",
            bytes.fromhex("0a 01 03001700 01000000 01 08 1f003700"),
            r.Comment(((PidTagImportance, 1),), r.Exist(PidTagSubject)),
        ),
        Vector("comment alone", bytes.fromhex("0a 00 00"), r.Comment((), None)),
        Vector("count", bytes.fromhex("0b 05000000 08 1f003700"), r.Count(5, r.Exist(PidTagSubject))),
    ],
)
TestExtended = _codec(
    extended_form(),
    [
        Vector(
            "32-bit counts",
            bytes.fromhex("00 01000000 04 04 02010b30 02010b30 01000000 aa"),
            r.And((r.Property(RelOp.EQ, PidTagSearchKey, PidTagSearchKey, b"\xaa"),)),
        )
    ],
)


@pytest.mark.parametrize("data", ["0c", "ff", "04 07 03001700", "06 02 0300070e 01000000", "00 ffff", "02"])
def test_what_is_no_restriction(data: str) -> None:
    with pytest.raises(DecodeError):
        r.parse(bytes.fromhex(data), rop_form())


def test_nesting_has_an_end() -> None:
    exist = bytes.fromhex("08 1f003700")
    with pytest.raises(DecodeError, match="beyond the limits"):
        r.parse(b"\x02" * 100 + exist, rop_form())
    deep: r.Restriction = r.Exist(PidTagSubject)
    for _ in range(r.MAX_NESTING):
        deep = r.Not(deep)
    assert r.parse(r.pack(deep, rop_form()), rop_form()) == deep
    with pytest.raises(EncodeError):
        r.pack(r.Not(deep), rop_form())


def test_a_restriction_leaves_what_follows() -> None:
    reader = Reader(bytes.fromhex("08 1f003700 aabb"))
    assert r.read(reader, rop_form()) == r.Exist(PidTagSubject)
    assert reader.rest() == b"\xaa\xbb"


MESSAGE: t.Bag = {
    PidTagSubject: "Größe der Wände",
    PidTagSenderName: "GRÖSSE DER WÄNDE",
    PidTagMessageClass: "IPM.Note",
    PidTagImportance: 1,
    PidTagMessageFlags: 0x11,
    PidTagMessageSize: 2000,
    PidTagSearchKey: b"\x01\x02\x03",
    KEYWORDS: ("Red", "blue"),
    0x80021003: (3, 5),
    0x80030005: 1.5,
}


def _content(
    value: Any, fuzzy: int = Fuzzy.FULL_STRING, flags: int = 0, tag: int = PidTagSubject
) -> r.Content:
    return r.Content(fuzzy, FuzzyFlags(flags), tag, tag, value)


def _property(operator: RelOp, tag: int, value: Any) -> r.Property:
    return r.Property(operator, tag, tag, value)


@pytest.mark.parametrize(
    ("restriction", "expected"),
    [
        (r.And(()), True),
        (r.Or(()), False),
        (r.Not(r.Exist(PidTagBody)), True),
        (r.Exist(PidTagSubject), True),
        (r.And((r.Exist(PidTagSubject), r.Exist(PidTagBody))), False),
        (r.Or((r.Exist(PidTagBody), r.Exist(PidTagSubject))), True),
        (_content("Größe der Wände"), True),
        (_content("größe der wände"), False),
        (_content("größe der wände", flags=1), True),
        (_content("Große der Wande", flags=2), True),
        (_content("grosse DER wande", flags=4), True),
        (_content("der", Fuzzy.SUBSTRING), True),
        (_content("DER", Fuzzy.SUBSTRING), False),
        (_content("Grö", Fuzzy.PREFIX), True),
        (_content("der", Fuzzy.PREFIX), False),
        (_content(b"\x02", Fuzzy.SUBSTRING, tag=PidTagSearchKey), True),
        (_content("x", Fuzzy.SUBSTRING, tag=PidTagBody), False),
        (_content("x", Fuzzy.SUBSTRING, tag=PidTagImportance), False),
        (_content("RED", flags=1, tag=KEYWORDS), True),
        (_content("ed", Fuzzy.SUBSTRING, tag=KEYWORDS), True),
        (_content("green", tag=KEYWORDS), False),
        (_property(RelOp.EQ, PidTagMessageClass, "ipm.note"), True),
        (_property(RelOp.NE, PidTagMessageClass, "ipm.note"), False),
        (_property(RelOp.LT, PidTagMessageClass, "ipm.o"), True),
        (_property(RelOp.EQ, PidTagImportance, 1), True),
        (_property(RelOp.NE, PidTagImportance, 2), True),
        (_property(RelOp.LT, PidTagImportance, 2), True),
        (_property(RelOp.LE, PidTagImportance, 1), True),
        (_property(RelOp.GT, PidTagImportance, 1), False),
        (_property(RelOp.GE, PidTagImportance, 1), True),
        (_property(RelOp.RE, PidTagMessageClass, "IPM.*"), False),
        (_property(RelOp.NE, PidTagBody, "absent"), False),
        (_property(RelOp.EQ, PidTagSubject, 5), False),
        (_property(RelOp.GT, PidTagSearchKey, b"\x01\x02"), True),
        (_property(RelOp.GT, 0x80030005, 1), True),
        (r.Property(RelOp.EQ, KEYWORDS, 0x8001001F, "BLUE"), True),
        (r.Property(RelOp.GT, 0x80021003, 0x80020003, 4), True),
        (r.Property(RelOp.GT, 0x80021003, 0x80020003, 5), False),
        (_property(RelOp.EQ, KEYWORDS, ("red", "BLUE")), True),
        (_property(RelOp.EQ, KEYWORDS, ("blue", "red")), False),
        (r.CompareProperties(RelOp.EQ, PidTagSubject, PidTagSenderName), True),
        (r.CompareProperties(RelOp.EQ, PidTagSubject, PidTagBody), False),
        (r.CompareProperties(RelOp.LT, PidTagImportance, PidTagMessageSize), True),
        (r.CompareProperties(RelOp.LT, PidTagImportance, PidTagSubject), False),
        (r.BitMask(True, PidTagMessageFlags, 1), True),
        (r.BitMask(False, PidTagMessageFlags, 1), False),
        (r.BitMask(False, PidTagMessageFlags, 2), True),
        (r.BitMask(False, 0x0E1D0003, 2), False),
        (r.Size(RelOp.EQ, PidTagMessageClass, 16), True),
        (r.Size(RelOp.GT, PidTagSearchKey, 3), False),
        (r.Size(RelOp.EQ, PidTagImportance, 4), True),
        (r.Size(RelOp.EQ, KEYWORDS, 14), True),
        (r.Size(RelOp.GE, PidTagBody, 0), False),
        (r.Comment((), None), True),
        (r.Comment((), r.Exist(PidTagBody)), False),
        (r.Count(3, r.Exist(PidTagSubject)), True),
        (r.SubObject(PidTagMessageRecipients, r.And(())), False),
    ],
)
def test_meaning(restriction: r.Restriction, expected: bool) -> None:
    assert matches(restriction, MESSAGE.get) is expected


def test_sub_objects_and_lists() -> None:
    tables = {
        PidTagMessageRecipients: [{PidTagSubject: "a"}, {PidTagSubject: "b"}],
        PidTagMessageAttachments: [],
    }
    item = Object(
        MESSAGE.get,
        lambda tag: [bag.get for bag in tables.get(tag, [])],
        lambda entry_id: entry_id == b"list",
    )
    b = _property(RelOp.EQ, PidTagSubject, "b")
    assert compiled(r.SubObject(PidTagMessageRecipients, b))(item)
    assert not compiled(r.SubObject(PidTagMessageAttachments, b))(item)
    assert not compiled(b)(item)
    assert compiled(_property(RelOp.MEMBER_OF_DL, PidTagSearchKey, b"list"))(item)
    assert not compiled(_property(RelOp.MEMBER_OF_DL, PidTagSearchKey, b"other"))(item)
