"""HTML of mail to plain text and back: previews, search text, PidTagBody of an HTML message.

One forward pass of a tokenizer that takes any input: linear time, no recursion, nothing raises. Script, style
and head content is left out, blocks become lines, cells are separated by tabs, list items marked, `pre`
keeps its white space. With a limit it stops as soon as enough text is there, so that a preview of a large
body costs what the preview needs.
"""

import html
import re
from collections.abc import Iterator

MAX_HIDDEN = 100_000
"""Characters of an invisible element within which its end is looked for."""

_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<end>/?)(?P<tag>[A-Za-z][A-Za-z0-9:-]*)(?P<attributes>(?:[^>\"']++|\"[^\"]*+\"|'[^']*+'|[\"'])*+)(?:>|\Z)"
    r"|<[!?/][^>]*+(?:>|\Z)"
    r"|(?P<text>[^<]++|<)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([A-Za-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_LINE_SPACE = re.compile(r"[ \t]+\n")
_SKIPPED = frozenset({"script", "style", "head", "title", "template", "noscript", "object", "svg", "math"})
_BLOCK_TAGS = (
    "address article aside blockquote body caption center dd dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header html legend li main menu nav ol option p pre section table tbody textarea "
    "tfoot thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "dl", "pre"})
_HIDDEN = re.compile(
    r"display\s*:\s*none|mso-hide\s*:\s*all|font-size\s*:\s*0(?:px|pt|em|%)?\s*(?:;|$|!)", re.I
)
_META_CHARSET = re.compile(rb"<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.I)
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff]+")
_CID = re.compile(r"""["'(=]\s*cid:([^"'()\s>]{1,400})""", re.I)
_VOID = frozenset({"br", "hr", "img", "meta", "link", "input", "wbr", "area", "base", "col", "embed"})


class _Writer:
    """Collects text with HTML's white space rules."""

    __slots__ = ("length", "out", "pending", "preformatted", "wanted")

    def __init__(self, wanted: int | None) -> None:
        self.out: list[str] = []
        self.length = 0
        self.pending = ""  # "", " ", "\t", "\n" or "\n\n": what goes before the next text
        self.preformatted = 0
        self.wanted = wanted

    def text(self, text: str) -> None:
        if self.preformatted:
            self._put(text.replace("\r\n", "\n"))
            return
        collapsed = _SPACE.sub(" ", text)
        if collapsed.startswith(" "):
            self.space(" ")
            collapsed = collapsed[1:]
        if not collapsed:
            return
        trailing = collapsed.endswith(" ")
        self._put(collapsed.removesuffix(" "))
        if trailing:
            self.space(" ")

    def space(self, kind: str) -> None:
        # The strongest wins: blank < tab < line < paragraph.
        if (
            len(kind) > len(self.pending)
            or (kind > " " and self.pending == " ")
            or (kind == "\n" and self.pending == "\t")
        ):
            self.pending = kind

    def line_break(self) -> None:
        if self.pending.startswith("\n"):
            self.pending += "\n"
        else:
            self.pending = "\n"

    def _put(self, text: str) -> None:
        if not text:
            return
        if self.pending and (self.out or self.preformatted):
            self.out.append(self.pending)
            self.length += len(self.pending)
        self.pending = ""
        self.out.append(text)
        self.length += len(text)

    @property
    def full(self) -> bool:
        return self.wanted is not None and self.length >= self.wanted


def _unescape(text: str) -> str:
    return html.unescape(text) if "&" in text else text


def attributes(text: str) -> dict[str, str]:
    """The attributes of a tag, names in lower case, entities decoded."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        value = match[2] if match[2] is not None else match[3] if match[3] is not None else match[4]
        found.setdefault(match[1].lower(), _unescape(value))
    return found


def to_text(source: str, *, limit: int | None = None, visible_only: bool = False) -> str:
    """The text of an HTML document, lines separated by LF, at most about `limit` characters.

    `visible_only` leaves out invisible elements (preheaders hidden by style) and invisible characters.
    """
    writer = _Writer(limit)
    position = 0
    end = len(source)
    unclosed: set[str] = set()
    while position < end and not writer.full:
        match = _TOKEN.match(source, position)
        if match is None:
            break
        position = match.end()
        if (text := match["text"]) is not None:
            writer.text(_unescape(text))
            continue
        if (tag := match["tag"]) is None:
            continue
        tag = tag.lower()
        closing = bool(match["end"])
        if tag in _SKIPPED and not closing:
            position = _skip(source, position, tag, unclosed)
        elif visible_only and not closing and tag not in _VOID and _hides(match["attributes"]):
            position = _skip_element(source, position, tag, unclosed)
        else:
            _element(writer, tag, closing, match["attributes"])
    result = _LINE_SPACE.sub("\n", "".join(writer.out))
    if visible_only:
        result = _INVISIBLE.sub("", result)
    result = _BLANK_LINES.sub("\n\n", result).replace("\u00a0", " ").strip("\n")
    return result if limit is None else result[:limit]


def _hides(text: str) -> bool:
    return "style" in text.lower() and bool(_HIDDEN.search(attributes(text).get("style", "")))


def _skip(source: str, position: int, tag: str, unclosed: set[str]) -> int:
    """The position after the end tag; a head without one ends where the body begins."""
    if tag in unclosed:
        return position
    close = re.compile(rf"</{tag}\b[^<>]*+>" + (r"|(?=<body\b)" if tag == "head" else ""), re.IGNORECASE)
    match = close.search(source, position)
    if match is not None:
        return match.end()
    unclosed.add(tag)  # looked for once only: the pass stays linear
    # Raw text elements without an end swallow the rest; for others the tag alone is ignored.
    return len(source) if tag in ("script", "style") else position


def _skip_element(source: str, position: int, tag: str, unclosed: set[str]) -> int:
    if tag in unclosed:
        return position
    depth = 1
    same = re.compile(rf"<(/?){re.escape(tag)}\b[^<>]*+>", re.IGNORECASE)
    for match in same.finditer(source, position, position + MAX_HIDDEN):
        depth += -1 if match[1] else 1
        if depth == 0:
            return match.end()
    unclosed.add(tag)
    return position


def _element(writer: _Writer, tag: str, closing: bool, raw_attributes: str) -> None:
    if tag == "br":
        writer.line_break()
    elif tag == "hr":
        writer.space("\n")
        writer.text("_" * 32)
        writer.space("\n")
    elif tag == "img" and not closing:
        if alt := attributes(raw_attributes).get("alt", "").strip():
            writer.text(alt)
    elif tag in ("td", "th"):
        if closing:
            writer.space("\t")
    elif tag in _BLOCKS:
        writer.space("\n\n" if tag in _PARAGRAPHS else "\n")
        if tag == "pre":
            writer.preformatted = max(writer.preformatted + (-1 if closing else 1), 0)
        if tag == "li" and not closing:
            writer.text("* ")


def from_text(text: str) -> str:
    """An HTML document that shows a plain text as it is: for PidTagHtml of a plain message."""
    lines = html.escape(text, quote=False).replace("\r\n", "\n").split("\n")
    body = "<br>\r\n".join(re.sub(r"  +|^ |\t", _keep_space, line) for line in lines)
    return f'<html><head><meta charset="utf-8"></head><body><div>{body}</div></body></html>'


def _keep_space(match: re.Match[str]) -> str:
    text = match[0].replace("\t", " " * 4)
    return "&nbsp;" * (len(text) - 1) + " " if len(text) > 1 else "&nbsp;"


def declared_charset(data: bytes) -> str | None:
    """The character set that an HTML document declares itself: byte order mark, else its meta element."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    match = _META_CHARSET.search(data[:4096])
    return match[1].decode("ascii") if match else None


def content_ids(source: str) -> Iterator[str]:
    """What the document refers to by cid: URLs, as written (percent encoding kept)."""
    return (html.unescape(match[1]) for match in _CID.finditer(source))
