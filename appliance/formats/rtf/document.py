"""RTF that was written as RTF: a simple HTML document that shows it, and its text.

Paragraphs, line ends, emphasis, fonts, sizes, colours, links and lists as they are written come through;
cells of tables are separated by tabs, rows are lines; pictures and objects are left out.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.formats.rtf.reader import SYMBOLS, Event, Kind, State, Tables, Walker, joined

DEFAULT_SIZE = 24
_LINK = re.compile(r'HYPERLINK\s+(?:\\[a-z]\s+)*"?([^"\s]+)', re.IGNORECASE)
_ALLOWED = re.compile(r"(?:https?|mailto|ftp|file|tel|cid|news|callto|sip):", re.IGNORECASE)
_WORDS = {**SYMBOLS, "~": "\u00a0", "_": "\u2011", "-": "\u00ad", "tab": "\t", "cell": "\t", "nestcell": "\t"}
_PARAGRAPHS = frozenset({"par", "sect", "page", "row", "nestrow"})
_ALIGNMENTS = {"ql": "", "qc": "center", "qr": "right", "qj": "justify"}


@dataclass(slots=True)
class _Paragraph:
    """Runs of text that look alike, and what they look like."""

    runs: list[tuple[State, str, str]] = field(default_factory=list)
    """(state, link, text); a line end within is LF."""
    align: str = ""


def _paragraphs(walker: Walker) -> Iterator[_Paragraph]:
    now, link, instruction = _Paragraph(), "", ""
    for event in walker.walk():
        state = event.state
        if state.destination == "fldinst":
            if event.kind is Kind.TEXT:
                instruction += event.text
            elif event.kind is Kind.CLOSE and (found := _LINK.search(instruction)):
                link, instruction = found[1] if _ALLOWED.match(found[1]) else "", ""
            continue
        if event.kind is Kind.WORD and event.text == "fldrslt":
            continue
        if state.hidden or state.destination not in ("", "shptxt"):
            continue
        if event.kind is Kind.WORD and event.text in _PARAGRAPHS:
            yield now
            now, link = _Paragraph(align=now.align), ""
        elif event.kind is Kind.WORD and event.text == "pard":
            now.align = ""
        elif event.kind is Kind.WORD and event.text in _ALIGNMENTS:
            now.align = _ALIGNMENTS[event.text]
        elif text := _text(event):
            now.runs.append((state, link, text))
    if now.runs:
        yield now


def _text(event: Event) -> str:
    if event.kind is Kind.TEXT:
        return event.text
    if event.kind is Kind.WORD:
        return "\n" if event.text in ("line", "lbr") else _WORDS.get(event.text, "")
    return ""


def text_of(rtf: bytes) -> str:
    """The text, lines separated by LF."""
    return joined("\n".join("".join(text for _, _, text in p.runs) for p in _paragraphs(Walker(rtf))))


def html_of(rtf: bytes) -> str:
    """An HTML document that shows it."""
    walker = Walker(rtf)
    body = "\r\n".join(_shown(paragraph, walker.tables) for paragraph in _paragraphs(walker))
    return f'<html><head><meta charset="utf-8"></head><body>\r\n{body}\r\n</body></html>'


def _shown(paragraph: _Paragraph, tables: Tables) -> str:
    align = f";text-align:{paragraph.align}" if paragraph.align else ""
    inner = "".join(_run(*run, tables) for run in _merged(paragraph.runs)) or "&nbsp;"
    return f'<p style="margin:0{align}">{inner}</p>'


def _merged(runs: list[tuple[State, str, str]]) -> Iterator[tuple[State, str, str]]:
    """Neighbours that look alike as one."""
    at = 0
    while at < len(runs):
        state, link, _ = runs[at]
        end = at
        while end < len(runs) and runs[end][:2] == (state, link):
            end += 1
        yield state, link, joined("".join(text for _, _, text in runs[at:end]))
        at = end


def _run(state: State, link: str, text: str, tables: Tables) -> str:
    shown = html.escape(text, quote=False).replace("\n", "<br>").replace("\t", "&nbsp;&nbsp;&nbsp; ")
    shown = re.sub(r"  +", lambda match: "&nbsp;" * (len(match[0]) - 1) + " ", shown)
    for wanted, tag in (
        (state.bold, "b"),
        (state.italic, "i"),
        (state.underline and not link, "u"),
        (state.strike, "s"),
        (state.script > 0, "sup"),
        (state.script < 0, "sub"),
    ):
        if wanted:
            shown = f"<{tag}>{shown}</{tag}>"
    if style := _style(state, tables):
        shown = f'<span style="{html.escape(style)}">{shown}</span>'
    return f'<a href="{html.escape(link)}">{shown}</a>' if link else shown


def _style(state: State, tables: Tables) -> str:
    parts: list[str] = []
    name = re.sub(r"[^\w .-]", "", tables.fonts.get(state.font, "")).strip()
    if name:
        parts.append(f"font-family:'{name}'")
    if 2 <= state.size <= 400 and state.size != DEFAULT_SIZE:
        parts.append(f"font-size:{state.size / 2:g}pt")
    for number, what in ((state.color, "color"), (state.back, "background")):
        if 0 < number < len(tables.colors) and tables.colors[number]:
            parts.append(f"{what}:{tables.colors[number]}")
    return ";".join(parts)
