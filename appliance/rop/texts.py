"""Strings of requests whose form another field chooses: Unicode, or 8 bits in the session's code page."""

from collections.abc import Callable
from typing import Any

from appliance.mapi import codepages
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.wire.fields import NUL_BYTES, NUL_UTF16, Variant


def chosen_text(is_unicode: Callable[[Any], bool]) -> Variant:
    """A string that ends with a zero: str where it is Unicode, else its bytes."""
    return Variant(lambda request: bool(is_unicode(request)), {True: NUL_UTF16, False: NUL_BYTES})


def text_of(ctx: RopContext, given: str | bytes) -> str:
    """The string. Raises ecInvalidParam for what is none."""
    text = codepages.decode(given, ctx.session.code_page) if isinstance(given, bytes) else given
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise MapiError(ec.ecInvalidParam) from None
    return text
