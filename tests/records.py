"""Hypothesis strategies from declarations: values for any field codec, instances for any Record."""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from appliance.wire import fields as f
from appliance.wire.record import Nested, Record

MAX_ELEMENTS = 4
MAX_BLOB = 40

# Codecs of other packages give their values here: strategy(..., {MyCodec: lambda codec: st...}).
Extra = dict[type, Callable[[Any], st.SearchStrategy[Any]]]

_NO_NUL = st.characters(min_codepoint=1)
_FLOATS = {"f": st.floats(width=32, allow_nan=False), "d": st.floats(allow_nan=False)}


def records(kind: type[Record], extra: Extra | None = None) -> st.SearchStrategy[Any]:
    """Instances of a record, every field drawn from its codec, conditions kept."""
    extra = extra or {}

    @st.composite
    def build(draw: st.DrawFn) -> Any:
        record = object.__new__(kind)
        for name, codec in kind.FIELDS:
            chosen = _contextual(codec, record, extra)
            setattr(record, name, draw(values(codec, extra) if chosen is None else chosen))
        return record

    return build()


def values(codec: Any, extra: Extra | None = None) -> st.SearchStrategy[Any]:
    """Values that a codec can encode."""
    extra = extra or {}
    own = extra.get(type(codec))
    if own is not None:
        return own(codec)
    if isinstance(codec, f.Packed):
        return _packed(codec)
    if isinstance(codec, Nested):
        return records(codec.record, extra)
    if isinstance(codec, f.Array):
        return st.lists(values(codec.element, extra), max_size=MAX_ELEMENTS).map(tuple)
    if isinstance(codec, f.CountedText):
        return _texts(codec.encoding)
    if isinstance(codec, f.NulText):
        return _texts(codec.encoding)
    if isinstance(codec, f.CountedBytes) or codec is f.REST:
        return st.binary(max_size=MAX_BLOB)
    if codec is f.NUL_BYTES:
        return st.binary(max_size=MAX_BLOB).map(lambda data: data.replace(b"\0", b"x"))
    if codec is f.NUL_UTF16:
        return st.text(_NO_NUL, max_size=MAX_BLOB)
    raise TypeError(f"no strategy for {codec!r}: give one in extra")


def _contextual(codec: Any, record: Any, extra: Extra) -> st.SearchStrategy[Any] | None:
    if isinstance(codec, f.When):
        return values(codec.codec, extra) if codec.condition(record) else st.none()
    if isinstance(codec, f.SizedBytes):
        size = codec.length(record)
        return st.binary(min_size=size, max_size=size)
    if isinstance(codec, f.SizedArray):
        count = codec.count(record)
        return st.lists(values(codec.element, extra), min_size=count, max_size=count).map(tuple)
    if isinstance(codec, f.Variant):
        case = codec.cases.get(codec.tag(record))
        return st.nothing() if case is None else values(case, extra)
    return None


def _texts(encoding: str) -> st.SearchStrategy[str]:
    if encoding.startswith("utf"):
        return st.text(_NO_NUL, max_size=MAX_BLOB)
    return st.text(st.characters(codec=encoding, min_codepoint=1), max_size=MAX_BLOB)


@lru_cache(maxsize=1024)
def _packed(codec: f.Packed) -> st.SearchStrategy[Any]:
    raw: st.SearchStrategy[Any]
    if codec.code in _FLOATS:
        raw = _FLOATS[codec.code]
    elif codec.code.endswith("s"):
        raw = st.binary(min_size=codec.size, max_size=codec.size)
    else:
        bits = 8 * struct.calcsize("<" + codec.code)
        signed = codec.code.islower()
        raw = st.integers(-(1 << bits - 1) if signed else 0, (1 << (bits - 1 if signed else bits)) - 1)
    if codec.check is None:
        return raw

    def legal(number: Any) -> bool:
        try:
            codec.check(number)  # type: ignore[misc]
        except ValueError:
            return False
        return True

    candidates = [number for number in range(256) if codec.size == 1 and legal(number)]
    if candidates:
        raw = st.sampled_from(candidates)
    elif codec.size <= 2 and not codec.code.endswith("s"):
        small = [number for number in range(1 << 16) if legal(number)]
        raw = st.sampled_from(small) if len(small) < 1 << 16 else raw
    return raw.filter(legal).map(codec.check)
