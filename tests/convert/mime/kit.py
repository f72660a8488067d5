"""What the converter's tests share: messages by text, sources, and the corpora that are at hand."""

import mailbox
from collections.abc import Iterator
from pathlib import Path

import test.test_email

from appliance.convert.mime.content import Reader
from appliance.convert.mime.derive import Derived, derive
from appliance.convert.mime.source import Source
from appliance.formats.mime.scan import Scan, scan
from tests.shared import SHARED

MAX_MBOX_MESSAGES = 120


def reader(data: bytes) -> Reader:
    """`read` over bytes, refusing what a store would refuse."""

    def read(offset: int, length: int) -> bytes:
        assert 0 <= offset <= len(data)
        assert length >= 0
        return data[offset : offset + length]

    return read


def crlf(text: str) -> bytes:
    """A message written with LF in a test."""
    return text.encode("utf-8").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def at_hand(data: bytes) -> tuple[Scan, Reader]:
    """The scan and reader of a message."""
    return scan(data), reader(data)


def source_of(data: bytes) -> Source:
    """The source of a message."""
    return Source(*at_hand(data))


def derived(text: str, trusted: bool = False) -> Derived:
    """The derived properties of a message written with LF."""
    return derive(*at_hand(crlf(text)), trusted)


def _python_samples() -> Iterator[tuple[str, bytes]]:
    folder = Path(test.test_email.__file__).parent / "data"
    for path in sorted(folder.glob("*.txt")):
        yield f"cpython/{path.name}", path.read_bytes()


def _shared_samples() -> Iterator[tuple[str, bytes]]:
    if SHARED is None:
        return
    root = SHARED / "corpus" / "mimekit"
    for folder in ("messages", "smime", "partial", "dkim"):
        for path in sorted((root / folder).glob("*")):
            if path.is_file() and path.suffix in (".txt", ".eml", ".msg", ".p7m", ""):
                yield f"{folder}/{path.name}", path.read_bytes()
    for path in sorted((root / "mbox").glob("*.mbox.txt")):
        yield from _mbox(path)


def _mbox(path: Path) -> Iterator[tuple[str, bytes]]:
    box = mailbox.mbox(path, create=False)
    try:
        for number, key in enumerate(box.keys()):
            if number >= MAX_MBOX_MESSAGES:
                return
            yield f"{path.name}#{number}", box.get_bytes(key)
    finally:
        box.close()


def samples() -> list[tuple[str, bytes]]:
    """Every message at hand, by name: CPython's, and the shared corpus where it is there."""
    return [*_python_samples(), *_shared_samples()]
