"""Lines of text on the wire: where DATA ends, CRs and LFs that stand alone (RFC 5321 2.3.8, 4.1.1.4, 4.5.2).

    end, bare, dots = look(data)
    bare(data)

The codec in use is `native/lines`; `reference` is its readable twin. Its absence is an error at import.
"""

from appliance.formats.lines import _native

Buffer = bytes | bytearray | memoryview

__all__ = ["bare", "look"]


def look(data: Buffer) -> tuple[int, bool, bool]:
    """Where CR LF "." CR LF begins (-1: it is not there); whether a CR or LF before it stands alone (a CR at
    the end of the data may be half of a line end: it does not count); whether a line before it, behind a CR
    LF, begins with a dot."""
    return _native.look(data)


def bare(data: Buffer) -> bool:
    """Whether a CR or LF stands alone; a CR at the end does, and an LF at the beginning."""
    return _native.bare(data)
