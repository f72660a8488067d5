"""Reading RTF: tokens, groups, destinations, code pages. What text and control words mean is the caller's.

`walk` gives events in order: text that was decoded, control words and symbols, ends of groups; each with the
state that holds there. Destinations that hold no text of the document are passed over; the tables of fonts
and colours are read on the way. Damaged RTF ends where it ends.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

MAX_DEPTH: Final = 500
"""Groups within groups; deeper ones are passed over."""

MAX_FONTS: Final = 10_000
MAX_COLORS: Final = 10_000
MAX_SKIP: Final = 100
"""Characters that stand behind a Unicode one for readers that do not know it."""

_TOKEN = re.compile(
    rb"\\([A-Za-z]{1,32})(-?\d{1,10})? ?"
    rb"|\\'([0-9A-Fa-f]{2})"
    rb"|\\([^A-Za-z])"
    rb"|([{}])"
    rb"|[\r\n\x00]+"
    rb"|([^\\{}\r\n\x00]+)",
    re.DOTALL,
)

SYMBOLS: Final = {
    "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d", "bullet": "\u2022",
    "endash": "\u2013", "emdash": "\u2014", "enspace": "\u2002", "emspace": "\u2003", "qmspace": "\u2005",
    "ltrmark": "\u200e", "rtlmark": "\u200f", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
"""Control words that are a character."""

CHARSETS: Final = {
    0: "cp1252", 2: "cp1252", 77: "mac-roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk",
    136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257",
    204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp437",
}  # fmt: skip
"""By \\fcharset."""

_PAGES: Final = {
    65001: "utf-8",
    936: "gbk",
    10000: "mac-roman",
    1361: "johab",
    20127: "ascii",
    28591: "latin-1",
}
_HEADERS: Final = {"ansi": "cp1252", "mac": "mac-roman", "pc": "cp437", "pca": "cp850"}

_PASSED_OVER: Final = frozenset(
    {"stylesheet", "info", "pict", "object", "objdata", "header", "headerl", "headerr", "headerf",
     "footer", "footerl", "footerr", "footerf", "footnote", "annotation", "xe", "tc", "nonshppict",
     "listtable", "listoverridetable", "revtbl", "rsidtbl", "filetbl", "pgptbl", "themedata",
     "colorschememapping", "datastore", "latentstyles", "generator", "mmathPr", "xmlnstbl",
     "wgrffmtfilter"}
)  # fmt: skip
"""Destinations without text of the document."""

STARRED: Final = frozenset({"htmltag", "fldinst", "shpinst", "shptxt"})
"""Destinations that are marked as optional, but known."""


class Kind(Enum):
    """What an event is."""

    TEXT = "text"
    WORD = "word"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class State:
    """What holds at a place; a group begins with that around it and leaves no trace."""

    destination: str = ""
    """The destination group that this is within: empty for the document's text."""
    font: int = -1
    skip: int = 1
    """Characters behind each Unicode one that stand for it."""
    suppressed: bool = False
    """Within \\htmlrtf: for RTF alone (MS-OXRTFEX 2.1.3.1.5)."""
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    hidden: bool = False
    script: int = 0
    """1 above the line, -1 below it."""
    size: int = 24
    """Half points."""
    color: int = 0
    back: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """Something in the document. `text` is a text, or a control word's or symbol's name."""

    kind: Kind
    state: State
    text: str = ""
    number: int | None = None


@dataclass(slots=True)
class Tables:
    """What the header declares. `charsets` and `fonts` by number of the font, `colors` as #rrggbb."""

    page: str = "cp1252"
    charsets: dict[int, str] = field(default_factory=dict)
    fonts: dict[int, str] = field(default_factory=dict)
    colors: list[str] = field(default_factory=list)
    default_font: int = 0

    def codec(self, state: State) -> str:
        """The code page of a text."""
        return self.charsets.get(state.font, self.page)


class Walker:
    """One reading of a document. `tables` fill while it goes."""

    def __init__(self, rtf: bytes) -> None:
        self._rtf = rtf
        self.tables = Tables()
        self._state = State()
        self._stack: list[State] = []
        self._raw = bytearray()
        self._left = 0
        self._starred = False
        self._begins = False
        self._color: list[int | None] = [None, None, None]

    def walk(self) -> Iterator[Event]:
        """The events of the document."""
        position, size = 0, len(self._rtf)
        while position < size:
            match = _TOKEN.match(self._rtf, position)
            if match is None:
                position += 1
                continue
            position = match.end()
            word, number, code, symbol, brace, text = match.groups()
            if text is not None or code is not None:
                self._bytes(text if text is not None else bytes([int(code, 16)]))
                continue
            if word is None and symbol is None and brace is None:
                continue  # line ends of the file
            if word == b"bin":
                position += max(int(number or 0), 0)
                continue
            if word == b"u" and number is not None:
                yield from self._unicode(int(number))
                continue
            yield from self._flush()
            self._left = 0
            if brace is not None:
                yield from self._brace(brace)
            elif symbol is not None:
                yield from self._symbol(symbol)
            else:
                yield from self._word(word.decode(), int(number) if number is not None else None)
        yield from self._flush()

    # -- text -------------------------------------------------------------------------------------------

    def _bytes(self, data: bytes) -> None:
        self._begins = False
        if self._left:
            dropped = min(self._left, len(data))
            self._left -= dropped
            data = data[dropped:]
        self._raw += data

    def _unicode(self, number: int) -> Iterator[Event]:
        yield from self._flush()
        self._begins = False
        self._left = self._state.skip
        yield from self._text(chr(number & 0xFFFF))

    def _flush(self) -> Iterator[Event]:
        if self._raw:
            text = self._raw.decode(self.tables.codec(self._state), "replace")
            self._raw.clear()
            yield from self._text(text)

    def _text(self, text: str) -> Iterator[Event]:
        place = self._state.destination
        if place == "fonttbl":
            self.tables.fonts[self._state.font] = (self.tables.fonts.get(self._state.font, "") + text)[:200]
        elif place == "colortbl":
            self._colors(text)
        elif place not in _PASSED_OVER and place != "*":
            yield Event(Kind.TEXT, self._state, text)

    def _colors(self, text: str) -> None:
        for _ in range(min(text.count(";"), MAX_COLORS - len(self.tables.colors))):
            known = [part for part in self._color if part is not None]
            self.tables.colors.append(f"#{bytes(known).hex()}" if len(known) == 3 else "")
            self._color = [None, None, None]

    # -- groups -----------------------------------------------------------------------------------------

    def _brace(self, brace: bytes) -> Iterator[Event]:
        if brace == b"{":
            self._stack.append(self._state)
            if len(self._stack) > MAX_DEPTH:
                self._state = replace(self._state, destination="*")
            self._begins, self._starred = True, False
            return
        before = self._state
        if self._stack:
            self._state = self._stack.pop()
        if before.destination != self._state.destination:
            yield Event(Kind.CLOSE, before, before.destination)

    def _symbol(self, symbol: bytes) -> Iterator[Event]:
        if symbol == b"*":
            self._starred = True
            return
        self._begins = False
        text = {b"~": "\u00a0", b"_": "\u2011", b"-": "\u00ad"}.get(symbol)
        if symbol in (b"\\", b"{", b"}"):
            self._raw += symbol
        elif symbol in (b"\r", b"\n"):
            yield from self._event("par", None)
        elif symbol == b"\t":
            yield from self._event("tab", None)
        elif text is not None:
            yield from self._event(symbol.decode(), None)

    # -- control words ----------------------------------------------------------------------------------

    def _word(self, name: str, number: int | None) -> Iterator[Event]:
        begins, starred = self._begins, self._starred
        self._begins = self._starred = False
        if begins and self._destination(name, starred):
            return
        if self._state.destination == "fonttbl":
            self._font(name, number)
        elif self._state.destination == "colortbl":
            part = {"red": 0, "green": 1, "blue": 2}.get(name)
            if part is not None:
                self._color[part] = max(0, min(number or 0, 255))
        elif name in _HEADERS:
            self.tables.page = _HEADERS[name]
        elif name == "ansicpg" and number:
            self.tables.page = _known(_PAGES.get(number, f"cp{number}")) or self.tables.page
        elif name == "deff":
            self.tables.default_font = number or 0
        elif not self._formats(name, number):
            yield from self._event(name, number)

    def _destination(self, name: str, starred: bool) -> bool:
        """Whether the word names what the group that it begins is for."""
        if self._state.destination in _PASSED_OVER or self._state.destination == "*":
            return False
        if name in _PASSED_OVER or name in ("fonttbl", "colortbl") or (starred and name in STARRED):
            self._state = replace(self._state, destination=name)
            return True
        if starred:
            self._state = replace(self._state, destination="*")
        return starred

    def _font(self, name: str, number: int | None) -> None:
        if name == "f":
            self._state = replace(self._state, font=number or 0)
            if len(self.tables.fonts) < MAX_FONTS:
                self.tables.fonts[number or 0] = ""
        elif name == "fcharset" and number in CHARSETS and len(self.tables.charsets) < MAX_FONTS:
            self.tables.charsets[self._state.font] = CHARSETS[number]
        elif name == "cpg" and number:
            codec = _known(_PAGES.get(number, f"cp{number}"))
            if codec:
                self.tables.charsets[self._state.font] = codec

    def _formats(self, name: str, number: int | None) -> bool:
        """Whether the word changes the state."""
        on = number != 0
        state = self._state
        if name in _SWITCHES:
            self._state = replace(state, **{_SWITCHES[name]: on})  # type: ignore[arg-type]
        elif name == "ulnone":
            self._state = replace(state, underline=False)
        elif name in ("super", "sub", "nosupersub"):
            self._state = replace(state, script={"super": 1, "sub": -1}.get(name, 0) if on else 0)
        elif name == "plain":
            self._state = State(state.destination, self.tables.default_font, state.skip, state.suppressed)
        elif name in _NUMBERS:
            self._state = replace(state, **{_NUMBERS[name]: number or 0})  # type: ignore[arg-type]
        elif name == "uc":
            self._state = replace(state, skip=max(0, min(number if number is not None else 1, MAX_SKIP)))
        else:
            return False
        return True

    def _event(self, name: str, number: int | None) -> Iterator[Event]:
        place = self._state.destination
        if place not in _PASSED_OVER and place not in ("*", "fonttbl", "colortbl"):
            yield Event(Kind.WORD, self._state, name, number)


_SWITCHES = {
    "b": "bold", "i": "italic", "ul": "underline", "uldb": "underline", "ulw": "underline",
    "strike": "strike", "striked": "strike", "v": "hidden", "htmlrtf": "suppressed",
}  # fmt: skip
_NUMBERS = {"f": "font", "fs": "size", "cf": "color", "highlight": "back", "cb": "back"}


def _known(codec: str) -> str | None:
    try:
        codecs.lookup(codec)
    except LookupError:
        return None
    return codec


def joined(text: str) -> str:
    """Text whose surrogates, which RTF gives one by one, are pairs; lone ones are replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
