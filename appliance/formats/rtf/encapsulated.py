"""RTF that was HTML or text before: giving back what it was (MS-OXRTFEX 2.2.3).

Within `\\*\\htmltag` stands HTML that RTF has no word for, between `\\htmlrtf` and `\\htmlrtf0` RTF that the
HTML does not have; the rest is text of both.
"""

import re
from enum import Enum

from appliance.formats.rtf.reader import SYMBOLS, Event, Kind, Walker, joined

MAX_RECOGNIZED = 10
"""Tokens among which the word stands that tells the origin (MS-OXRTFEX 2.2.3.1)."""

_FIRST = re.compile(rb"\s*(?:([{}])|\\([a-z]+)(-?\d+)? ?|\\(\*))")

_WORDS = {"par": "\r\n", "line": "\r\n", "tab": "\t"}
_ENTITIES = {  # MS-OXRTFEX 2.2.3.2
    "lquote": "&lsquo;", "rquote": "&rsquo;", "ldblquote": "&ldquo;", "rdblquote": "&rdquo;",
    "bullet": "&bull;", "endash": "&ndash;", "emdash": "&mdash;", "~": "&nbsp;", "_": "&shy;",
}  # fmt: skip
_CHARACTERS = {**SYMBOLS, "~": "\u00a0", "_": "\u2011", "-": "\u00ad"}


class Origin(Enum):
    """What RTF was written as."""

    RTF = "rtf"
    HTML = "html"
    TEXT = "text"


def origin(rtf: bytes) -> Origin:
    """What RTF was made from, as it says itself."""
    position = 0
    for _ in range(MAX_RECOGNIZED):
        match = _FIRST.match(rtf, position)
        if match is None:
            break
        if match[2] == b"fromhtml" and match[3] in (None, b"1"):
            return Origin.HTML
        if match[2] == b"fromtext":
            return Origin.TEXT
        position = match.end()
    return Origin.RTF


def original(rtf: bytes) -> str:
    """The HTML or the text that RTF was made from; lines end with CRLF."""
    names = _ENTITIES if origin(rtf) is Origin.HTML else {}
    return joined("".join(_written(event, names) for event in Walker(rtf).walk()))


def _written(event: Event, names: dict[str, str]) -> str:
    state = event.state
    if state.suppressed or state.destination not in ("", "htmltag"):
        return ""
    if event.kind is Kind.TEXT:
        return event.text
    if event.kind is Kind.CLOSE:
        return ""
    return _WORDS.get(event.text) or names.get(event.text) or _CHARACTERS.get(event.text, "")
