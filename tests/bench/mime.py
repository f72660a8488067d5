"""The MIME scanner beside bytes.count and CPython's email parser."""

import base64
import random
from email.parser import BytesParser

from appliance.formats.mime import Scanner, bodystructure, envelope, scan
from tests.bench import Row, compare
from tests.formats.mime.corpus import AWKWARD, mailbox_messages, real_files

CHUNK = 64 << 10
LARGE = 50 << 20


def large_message(kind: str) -> bytes:
    """50 MB: a multipart with one base64 attachment, or with text whose lines vary."""
    chance = random.Random(1)
    if kind == "base64":
        body = base64.encodebytes(chance.randbytes(1 << 20)).replace(b"\n", b"\r\n")
    else:
        words = [b"the", b"mail", b"of", b"a", b"small", b"office", b"---", b"appliance"]
        opening = [b"", b"", b"", b"- ", b"> ", b"\r\n"]
        lines = [chance.choice(opening) + b" ".join(chance.choices(words, k=11)) for _ in range(20_000)]
        lines[::500] = [b"-- "] * len(lines[::500])
        body = b"\r\n".join(lines) + b"\r\n"
    head = b'Subject: large\r\nContent-Type: multipart/mixed; boundary="=_bound"\r\n\r\n'
    head += b"--=_bound\r\n\r\ntext\r\n"
    part = b"--=_bound\r\nContent-Type: application/octet-stream\r\n\r\n"
    return head + part + body * (LARGE // len(body)) + b"--=_bound--\r\n"


def stream(data: bytes) -> None:
    """Scans in chunks, as a message arrives."""
    view = memoryview(data)
    scanner = Scanner()
    for at in range(0, len(data), CHUNK):
        scanner.feed(view[at : at + CHUNK])
    assert len(scanner.finish().parts) == 3


def real_mail() -> list[bytes]:
    """Whole messages; the awkward ones of the tests where no corpus is at hand."""
    found = [path.read_bytes() for path in real_files()] + mailbox_messages()
    return found or list(AWKWARD.values())


def run() -> list[Row]:
    rows = []
    for kind in ("base64", "text"):
        data = large_message(kind)
        ours, peer = compare(lambda data=data: stream(data), lambda data=data: data.count(b"\n"))  # type: ignore[misc]
        size = len(data) / 1e6
        rows.append(
            Row(f"scan 50 MB of {kind} beside bytes.count, MB/s", size / ours, size / peer, peer / ours, 0.5)
        )
    mail = real_mail()
    parser = BytesParser()

    def scan_all() -> None:
        for data in mail:
            assert scan(data).parts

    def render_all() -> None:
        for data in mail:
            result = scan(data)
            envelope(result)
            bodystructure(result)

    def parse_all() -> None:
        for data in mail:
            parser.parsebytes(data)

    size = sum(map(len, mail)) / 1e6
    ours, peer = compare(lambda: [scan(data) for data in mail], parse_all)
    rows.append(Row("scan real mail beside email.parser, MB/s", size / ours, size / peer, peer / ours, 20))
    ours, peer = compare(scan_all, parse_all)
    rows.append(Row("the same with all Part objects, MB/s", size / ours, size / peer, peer / ours, 5))
    ours, peer = compare(render_all, parse_all)
    rows.append(
        Row("the same with ENVELOPE and BODYSTRUCTURE, MB/s", size / ours, size / peer, peer / ours, 1)
    )
    return rows
