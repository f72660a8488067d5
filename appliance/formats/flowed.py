"""format=flowed text (RFC 3676): soft line breaks joined, quotes kept.

Takes any text; lines are LF or CRLF, the result has LF. Linear in the text.
"""

_SIGNATURE = "-- "


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(">"))


def unflow(text: str, delsp: bool = False) -> str:
    """The text with its flowed lines joined (RFC 3676 4.1 to 4.5); `delsp` is the DelSp parameter."""
    out: list[str] = []
    paragraph: list[str] = []
    paragraph_depth = 0

    def finish() -> None:
        if paragraph:
            quote = ">" * paragraph_depth
            out.append((quote + " " if quote else "") + "".join(paragraph))
            paragraph.clear()

    for line in text.replace("\r\n", "\n").split("\n"):
        depth = _depth(line)
        body = line[depth:].removeprefix(" ")  # space-stuffing, RFC 3676 4.4
        if paragraph and (depth != paragraph_depth or body == _SIGNATURE):
            finish()
        paragraph_depth = depth
        if body.endswith(" ") and body != _SIGNATURE:
            paragraph.append(body[:-1] if delsp else body)
            continue
        paragraph.append(body)
        finish()
    finish()
    return "\n".join(out)
