"""Fuzz targets of packed structures and of lines made of columns: the twins agree on whatever they get."""

from typing import Any

from appliance.formats import columns, structures
from appliance.formats.columns import reference as readable_columns
from appliance.formats.columns import steps
from appliance.formats.structures import SUBJECT, Piece, Verdict
from appliance.formats.structures import reference as readable_structures
from appliance.wire.errors import DecodeError
from tests.fuzz.runner import Target

_TEXT = b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "quoted-printable" NIL NIL)'
_NATIVE, _READABLE = structures.Codec(_TEXT), readable_structures.Codec(_TEXT)
_ENVELOPE = b'("date" "a subject" (("Ann" NIL "ann" "a.test")) NIL NIL NIL NIL NIL NIL "<id>")'
_STEPS = (
    steps.serial(),
    steps.number((0, 2)),
    steps.hexadecimal((1, 3), b"(", b")", zero=b"NIL"),
    steps.words((0, 1), (b"", b"x"), 4, b"last"),
    steps.date((2, 8)),
    steps.piece(0, Piece.BODYSTRUCTURE, b"NIL"),
    steps.literal(0),
)


def _outcome(work: Any) -> Any:
    try:
        return work()
    except DecodeError as error:
        return error.what, error.offset


def unpack(data: bytes) -> None:
    """A row, and the block in it."""
    for piece in Piece:
        found = _outcome(lambda piece=piece: _NATIVE.pieces([data], piece))  # type: ignore[misc]
        assert found == _outcome(lambda piece=piece: _READABLE.pieces([data], piece))  # type: ignore[misc]
    found = _outcome(lambda: _NATIVE.decompress(data, 500, 200))
    assert found == _outcome(lambda: _READABLE.decompress(data, 500, 200))
    packed = _NATIVE.compress(data)
    assert _NATIVE.decompress(packed, len(data)) == data


def judge(data: bytes) -> None:
    """An envelope: who knows an answer knows the same."""
    rows: list[bytes | None] = [_NATIVE.pack((data, b"", b""))]
    for member in (SUBJECT, 2, 5):
        answers = {_NATIVE.judge(rows, member, b"a")[0], _READABLE.judge(rows, member, b"a")[0]}
        assert len(answers - {Verdict.UNKNOWN}) <= 1


def line(data: bytes) -> None:
    """A record and an entry of a column, the same bytes."""
    found = _outcome(lambda: columns.lines(_STEPS, [len(data)], [data], ([data],), _NATIVE))
    assert found == _outcome(
        lambda: readable_columns.lines(_STEPS, [len(data)], [data], ([data],), _READABLE)
    )


def _rows() -> list[bytes]:
    return [_NATIVE.pack((_ENVELOPE, _TEXT * 3, b"scan")), _NATIVE.pack((b"", b"ab" * 200, b""))]


STRUCTURE_TARGETS = (
    Target("structures", unpack, _rows, ()),
    Target("structures-judge", judge, lambda: [_ENVELOPE], ()),
    Target("columns", line, lambda: [*_rows(), bytes(range(20)) + b" words here"], ()),
)
