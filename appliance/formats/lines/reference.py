"""The readable twin of `native/lines`: see the package."""

Buffer = bytes | bytearray | memoryview
_END = b"\r\n.\r\n"


def look(data: Buffer) -> tuple[int, bool, bool]:
    """As `lines.look`."""
    raw = bytes(data)
    end = raw.find(_END)
    text = raw[: end + 2] if end >= 0 else raw.removesuffix(b"\r")
    return end, bare(text), b"\r\n." in text


def bare(data: Buffer) -> bool:
    """As `lines.bare`."""
    rest = bytes(data).replace(b"\r\n", b"")
    return b"\r" in rest or b"\n" in rest
