"""Which parts of a MIME message are its body, and which are attachments (MS-OXCMAIL 2.2.3.3.2).

The first part that qualifies is the body; alternatives are taken together, what a related body refers to is
marked, inline texts that follow the body are joined to it (2.2.3.3.2.2). Every leaf of the message is in the
result once: as body or as attachment. An embedded message is one leaf.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.convert.mime.source import Source, is_attachment, is_body_text, text_kind
from appliance.formats.mime.scan import Kind, Part

MAX_TEXTS = 32
"""Inline texts joined to one body; further ones become attachments."""


@dataclass(slots=True)
class Placed:
    """An attachment: its part, and whether a related HTML body may show it inline."""

    part: Part
    related: bool


@dataclass(slots=True)
class Layout:
    """The roles of a message's parts."""

    plain: Part | None = None
    html: Part | None = None
    enriched: Part | None = None
    calendar: Part | None = None
    """text/calendar that stands where a body would (MS-OXCICAL 2.1.3)."""
    more: list[Part] = field(default_factory=list)
    """Inline texts that follow the body, in order."""
    attachments: list[Placed] = field(default_factory=list)

    @property
    def best(self) -> Part | None:
        """The part that the message's body comes from."""
        return self.html or self.enriched or self.plain

    @property
    def has_body(self) -> bool:
        """Whether a body was found."""
        return self.best is not None or self.calendar is not None

    def texts(self) -> Iterator[Part]:
        """The parts to be shown as the body: the best of the alternatives, then what was joined to it."""
        if self.best is not None:
            yield self.best
        yield from self.more


def layout(source: Source, part: Part | None = None) -> Layout:
    """The roles of the parts of a message, or of one entity in it."""
    result = Layout()
    _place(source, source.root if part is None else part, result, False)
    return result


def _place(source: Source, part: Part, result: Layout, related: bool) -> None:
    if part.kind is Kind.MULTIPART and part.children:
        subtype = part.subtype
        if subtype == "alternative" and not result.has_body:
            _alternative(source, part, result, related)
        elif subtype == "related":
            _related(source, part, result)
        elif subtype == "appledouble":
            result.attachments.append(Placed(part, related))
        else:
            for child in source.children(part):
                _place(source, child, result, related)
        return
    if is_body_text(part) and not related:
        if not result.has_body:
            _take(part, result)
            return
        joinable = part.filename is None and text_kind(part) in ("plain", "html")
        if joinable and result.best is not None and len(result.more) < MAX_TEXTS:
            # Footers of lists and texts between pictures: 2.2.3.3.2.2. A text with a name is a file.
            result.more.append(part)
            return
    elif part.content.value == "text/calendar" and not is_attachment(part) and not result.has_body:
        result.calendar = part
    result.attachments.append(Placed(part, related))


def _take(part: Part, result: Layout) -> None:
    kind = text_kind(part)
    if kind == "html":
        result.html = part
    elif kind == "plain":
        result.plain = part
    else:
        result.enriched = part


def _alternative(source: Source, part: Part, result: Layout, related: bool) -> None:
    """The alternatives of one body; the last of a kind is the richest (RFC 2046 5.1.4)."""
    extra: list[Placed] = []
    for child in source.children(part):
        if child.kind is Kind.MULTIPART and child.children:
            inner = Layout()
            _place(source, child, inner, False)
            if inner.best is not None and inner.calendar is None:
                _adopt(inner, result, extra)
            else:
                extra.extend(inner.attachments)
                result.calendar = result.calendar or inner.calendar
        elif is_body_text(child):
            taken = Layout()
            _take(child, taken)
            _adopt(taken, result, extra)
        elif child.content.value == "text/calendar" and not is_attachment(child):
            result.calendar = result.calendar or child
            extra.append(Placed(child, related))
        else:
            extra.append(Placed(child, related))
    result.attachments.extend(extra)


def _adopt(inner: Layout, result: Layout, extra: list[Placed]) -> None:
    for name in ("plain", "html", "enriched"):
        part = getattr(inner, name)
        if part is None:
            continue
        before = getattr(result, name)
        if before is not None:
            extra.append(Placed(before, False))
        setattr(result, name, part)
    result.more.extend(inner.more)
    extra.extend(inner.attachments)


def _related(source: Source, part: Part, result: Layout) -> None:
    """A root and what it refers to (RFC 2387): the start parameter names the root, else it is the first."""
    children = list(source.children(part))
    start = part.content.get("start")
    root = children[0]
    if start:
        wanted = start.strip().strip("<>").encode("utf-8", "replace")
        root = next((c for c in children if (c.content_id or b"").strip(b"<> ") == wanted), root)
    had_body = result.has_body
    _place(source, root, result, False)
    shown = not had_body and result.has_body
    for child in children:
        if child is not root:
            _place(source, child, result, shown)
