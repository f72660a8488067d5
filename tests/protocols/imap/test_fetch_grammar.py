"""The grammar of FETCH and the labels of its answers."""

import pytest

from appliance.protocols.imap.errors import Bad
from appliance.protocols.imap.fetch_grammar import BodyItem, Fact, Form, Part, Section, parse_fetch
from appliance.protocols.imap.tokens import Cursor


def items(raw: bytes) -> tuple[object, ...]:
    return parse_fetch(Cursor((b" 1 " + raw,)), uid=False).items


def test_macros_and_single_items() -> None:
    assert items(b"fast") == (Fact.FLAGS, Fact.INTERNALDATE, Fact.SIZE)
    assert items(b"ALL")[-1] is Fact.ENVELOPE
    assert items(b"FULL")[-1] is Fact.BODY
    assert items(b"uid") == (Fact.UID,)
    assert items(b"(UID FLAGS UID)") == (Fact.UID, Fact.FLAGS)
    assert items(b"PREVIEW (LAZY)") == (Fact.PREVIEW_LAZY,)
    assert items(b"(PREVIEW FLAGS)") == (Fact.PREVIEW, Fact.FLAGS)


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        (b"BODY[]", b"BODY[]"),
        (b"body.peek[header]<0.100>", b"BODY[HEADER]<0>"),
        (b"BODY[1.2.MIME]", b"BODY[1.2.MIME]"),
        (b'BODY[3.HEADER.FIELDS (Date "a b")]', b'BODY[3.HEADER.FIELDS (Date "a b")]'),
        (b"BODY[HEADER.FIELDS.NOT (Received)]", b"BODY[HEADER.FIELDS.NOT (Received)]"),
        (b"BINARY[1]<5.6>", b"BINARY[1]<5>"),
        (b"BINARY.PEEK[]", b"BINARY[]"),
        (b"BINARY.SIZE[1.2]", b"BINARY.SIZE[1.2]"),
        (b"RFC822.HEADER", b"RFC822.HEADER"),
        (b"RFC822", b"RFC822"),
    ],
)
def test_labels(raw: bytes, label: bytes) -> None:
    (item,) = items(raw)
    assert isinstance(item, BodyItem)
    assert item.label() == label


def test_sections() -> None:
    (item,) = items(b"BODY[1.TEXT]<3.4>")
    assert item == BodyItem(Section((1,), Part.TEXT), Form.BODY, False, (3, 4))


@pytest.mark.parametrize(
    "raw",
    [
        b"()",
        b"FOO",
        b"BODY[",
        b"BODY[MIME]",
        b"BODY[0]",
        b"BODY[1.]",
        b"BODY[]<1.0>",
        b"BODY[]<1>",
        b"BODY[HEADER.FIELDS ()]",
        b"BODY[HEADER.FIELDS]",
        b"BINARY[HEADER]",
        b"(FLAGS",
        b"FLAGS UID",
        b"(FAST)",
        b"FLAGS (FOO)",
        b"FLAGS (CHANGEDSINCE 0)",
        b"FLAGS (CHANGEDSINCE 5 VANISHED)",
        b"PREVIEW (EAGER)",
    ],
)
def test_malformed(raw: bytes) -> None:
    with pytest.raises(Bad):
        items(raw)


def test_modifiers() -> None:
    request = parse_fetch(Cursor((b" 1:* (FLAGS) (CHANGEDSINCE 12345 VANISHED)",)), uid=True)
    assert request.changed_since == 12345
    assert request.vanished
