"""text/enriched (RFC 1896) and text/richtext (RFC 1341 7.1.3) to HTML.

One pass; unknown commands are ignored, as the RFC asks; `param` contents are used for colour and size only.
Nothing raises, every command opened is closed in the result.
"""

import html
import re

_TOKEN = re.compile(r"<<|<(/?)([A-Za-z0-9-]{1,60})>|([^<]+|<)")
_TAGS = {
    "bold": "b", "italic": "i", "underline": "u", "fixed": "tt", "smaller": "small", "bigger": "big",
    "center": "center", "excerpt": "blockquote", "subscript": "sub", "superscript": "sup",
    "indent": "blockquote", "paraindent": "blockquote", "flushleft": "div", "flushright": "div",
    "flushboth": "div", "verbatim": "pre",
}  # fmt: skip
_BREAKS = re.compile(r"\n+")


def to_html(text: str, richtext: bool = False) -> str:
    """An HTML document; `richtext` is the older rule set, in which line breaks are commands."""
    out: list[str] = []
    opened: list[tuple[str, str]] = []
    parameter = False
    for match in _TOKEN.finditer(text.replace("\r\n", "\n")):
        name = (match[2] or "").lower()
        if name == "param" or (parameter and not name):
            parameter = name != "param" or not match[1]
            continue
        if name:
            _command(out, opened, name, bool(match[1]), richtext)
        else:
            plain = "<" if match[0] == "<<" else match[0]
            literal = any(command == "verbatim" for command, _ in opened)
            out.append(_text(plain, richtext, literal))
    out.extend(f"</{tag}>" for _, tag in reversed(opened))
    return f"<html><body>{''.join(out)}</body></html>"


def _command(out: list[str], opened: list[tuple[str, str]], name: str, closing: bool, richtext: bool) -> None:
    if richtext and name in ("nl", "np", "lt"):
        out.append({"nl": "<br>\n", "np": "<hr>\n", "lt": "&lt;"}[name])
        return
    tag = _TAGS.get(name)
    if tag is None:
        return
    if not closing:
        opened.append((name, tag))
        out.append(f"<{tag}>")
    elif (name, tag) in opened:
        while opened:
            other, other_tag = opened.pop()
            out.append(f"</{other_tag}>")
            if other == name:
                break


def _text(text: str, richtext: bool, literal: bool) -> str:
    text = html.escape(text, quote=False)
    if literal:
        return text
    if richtext:
        return text.replace("\n", " ")
    # RFC 1896 3: one line break is a blank, n of them are n - 1 breaks.
    return _BREAKS.sub(lambda run: " " if len(run[0]) == 1 else "<br>\n" * (len(run[0]) - 1), text)
