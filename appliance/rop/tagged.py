"""TaggedPropertyValues of requests that stand there without a size (MS-OXCDATA 2.11.4).

They are read before it is known on which logon, so 8-bit strings stay what they are until `values_of`.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from appliance.mapi import codepages
from appliance.mapi import types as t
from appliance.mapi.types import Value
from appliance.mapi.values import read_tagged, rop_form, write_tagged
from appliance.rop.context import RopContext
from appliance.wire.cursor import Reader, Writer
from appliance.wire.fields import Array

LATIN_1 = 28591
"""A code page in which every byte is a character: 8-bit strings pass through it unharmed."""

_FORM = rop_form(LATIN_1)


class _Tagged:
    """A tag and its value."""

    def decode(self, reader: Reader) -> tuple[int, Any]:
        return read_tagged(reader, _FORM)

    def encode(self, writer: Writer, value: tuple[int, Any]) -> None:
        write_tagged(writer, *value, _FORM)


TaggedValues = Annotated[tuple[tuple[int, Any], ...], Array(_Tagged(), 2, least=4)]


def values_of(ctx: RopContext, given: Sequence[tuple[int, Any]]) -> dict[int, Value]:
    """The values as bags hold them."""
    return {t.unicode_tag(tag): _wide(ctx, tag, value) for tag, value in given}


def _wide(ctx: RopContext, tag: int, value: Any) -> Value:
    kind = t.type_of(tag)
    if t.element_type(kind) != t.PtypString8:
        return value  # type: ignore[no-any-return]
    texts: Iterable[str] = value if kind & t.MULTIPLE_FLAG else (value,)
    wide = tuple(codepages.decode(text.encode("latin-1"), ctx.session.code_page) for text in texts)
    return wide if kind & t.MULTIPLE_FLAG else wide[0]
