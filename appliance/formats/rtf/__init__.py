"""RTF as Outlook and Exchange write it: to HTML and to text, and HTML and text wrapped into it.

    origin(rtf)         # was it HTML, text, or written as RTF?
    to_html(rtf)        # the HTML that it was, or one that shows it
    to_text(rtf)
    from_html(source)   # the HTML as it stands within RTF (MS-OXRTFEX)
    from_text(text)

Nothing raises for what RTF contains: what is not understood is left out. Limits: `reader`.
"""

from appliance.formats import html
from appliance.formats.rtf.document import html_of, text_of
from appliance.formats.rtf.encapsulate import from_html, from_text
from appliance.formats.rtf.encapsulated import Origin, origin, original

__all__ = ["Origin", "from_html", "from_text", "origin", "to_html", "to_text"]


def to_html(rtf: bytes) -> str:
    """The HTML that RTF was made from, else one that shows it."""
    kind = origin(rtf)
    if kind is Origin.HTML:
        return original(rtf)
    return html.from_text(original(rtf)) if kind is Origin.TEXT else html_of(rtf)


def to_text(rtf: bytes) -> str:
    """The text of RTF, lines ended by CRLF."""
    kind = origin(rtf)
    if kind is Origin.TEXT:
        return original(rtf)
    text = html.to_text(original(rtf)) if kind is Origin.HTML else text_of(rtf)
    return text.replace("\r\n", "\n").replace("\n", "\r\n")
