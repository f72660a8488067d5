"""Wrapping HTML and text into RTF (MS-OXRTFEX 2.1.3): what PidTagRtfCompressed of such a message is.

A reader of RTF sees text, paragraphs and simple emphasis; who knows the form gets the HTML back as it was,
but for line ends, which become CRLF.
"""

import re

_PIECE = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9:]*)((?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+)>"
    r"|(&\#?\w{1,32};)"
    r"|(\r\n?|\n)"
    r"|([^<&\r\n]+|.)",
    re.DOTALL,
)
_CLOSE_RAW = {
    name: re.compile(rf"(?=</{name}\b)", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xml")
}
"""Elements whose contents are no text of the document."""

_NUMBERS = {  # MS-OXRTFEX 2.1.3.1.4.1: destination, and kind of tag; 8 more for an end tag
    "html": 19, "head": 34, "body": 50, "p": 64, "div": 96, "br": 116, "style": 241, "meta": 161,
    "title": 177, "td": 148, "tr": 148, "table": 148,
}  # fmt: skip
_OTHER = 84
_CLOSING = 8
_ENDS = {"head": 41, "html": 27, "body": 58}
_BREAKS = frozenset(
    {"p", "div", "tr", "li", "ul", "ol", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre"}
)
_TOGGLES = {"b": "b", "strong": "b", "i": "i", "em": "i", "u": "ul", "s": "strike", "strike": "strike"}
_SHOWN = {"&nbsp;": "\\~", "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"'}

_HEAD_HTML = (
    b"{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0\\uc1{\\fonttbl\r\n{\\f0\\fswiss Arial;}}\r\n"
    b"{\\colortbl\\red0\\green0\\blue0;}\r\n\\pard\\plain\\deftab360 \\f0\\fs20 {\\*\\htmltag64}"
)
_HEAD_TEXT = (
    b"{\\rtf1\\ansi\\ansicpg1252\\fromtext \\deff0\\uc1{\\fonttbl\r\n{\\f0\\fmodern Courier New;}}\r\n"
    b"{\\colortbl\\red0\\green0\\blue0;}\r\n\\pard\\plain\\deftab360 \\f0\\fs20 "
)
_SPECIAL = re.compile(r"[\\{}\t\x00-\x1f\x7f-\U0010ffff]")


def from_text(text: str) -> bytes:
    """Plain text within RTF."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return _HEAD_TEXT + "\\par\r\n".join(map(_escaped, lines)).encode("ascii") + b"}\r\n\0"


def from_html(source: str) -> bytes:
    """HTML within RTF."""
    out: list[str] = []
    position, last_comment, last_end = 0, source.rfind("-->"), source.rfind(">")
    while position < len(source):
        # what has an end is sought once, so that the time grows with the text alone
        if source.startswith("<!--", position) and position + 4 <= last_comment:
            end = source.index("-->", position + 4) + 3
            out.append(_tag(_OTHER, source[position:end]))
        elif source.startswith(("<!", "<?"), position) and position < last_end:
            end = source.index(">", position) + 1
            out.append(_tag(_OTHER, source[position:end]))
        else:
            end = _piece(source, position, out)
        position = end
    return _HEAD_HTML + "".join(out).encode("ascii") + b"}\r\n\0"


def _piece(source: str, position: int, out: list[str]) -> int:
    """A tag with what must not be looked into, an entity, or a text; where it ends."""
    match = _PIECE.match(source, position)
    assert match is not None  # the last alternative takes any character
    slash, name, entity, line, text = match[1], (match[2] or "").lower(), match[4], match[5], match[6]
    if entity:
        out.append(_tag(_OTHER, entity) + _rtf(_SHOWN.get(entity, "")))
    elif line:
        out.append(_tag(_OTHER, "\n") + _rtf(" "))
    elif text:
        out.append(_escaped(text))
    else:
        out.append(_element(match[0], name, bool(slash)))
        close = None if slash else _CLOSE_RAW.get(name)
        if close is not None:
            found = close.search(source, match.end())
            stop = found.start() if found is not None else len(source)
            out.append(_tag(_NUMBERS["style"], source[match.end() : stop]))
            return stop
    return match.end()


def _element(tag: str, name: str, closing: bool) -> str:
    number = _NUMBERS.get(name, _OTHER)
    out = _tag(_ENDS.get(name, number | _CLOSING) if closing else number, tag)
    if name == "br" and not closing:
        return out + _rtf("\\line")
    if name in _BREAKS and closing:
        return out + _rtf("\\par")
    if name in ("td", "th") and closing:
        return out + _rtf("\\tab")
    toggle = _TOGGLES.get(name)
    return out + _rtf(f"\\{toggle}{'0' if closing else ''}") if toggle else out


def _tag(number: int, content: str) -> str:
    """HTML that RTF does not show."""
    return f"{{\\*\\htmltag{number} {_escaped(content)}}}"


def _rtf(words: str) -> str:
    """RTF that the HTML does not have."""
    return f"\\htmlrtf {words}\\htmlrtf0 " if words else ""


def _escaped(text: str) -> str:
    return _SPECIAL.sub(_escape, text.replace("\r\n", "\n").replace("\r", "\n"))


def _escape(match: "re.Match[str]") -> str:
    character = match[0]
    if character in "\\{}":
        return "\\" + character
    if character == "\n":
        return "\\par "
    if character == "\t":
        return "\\tab "
    if ord(character) < 0x20:
        return f"\\'{ord(character):02x}"
    units = character.encode("utf-16-le", "surrogatepass")
    numbers = (int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2))
    return "".join(f"\\u{number}?" for number in numbers)
