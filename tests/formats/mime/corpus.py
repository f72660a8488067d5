"""The messages that the tests of this folder run over: real ones where they are at hand, and awkward ones."""

import sys
import sysconfig
from pathlib import Path

from tests.shared import SHARED

A = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
NEST_100 = (
    b"".join(
        b'Content-Type: multipart/mixed; boundary="b%03d"\r\n\r\n--b%03d\r\n' % (i, i) for i in range(100)
    )
    + b"\r\nleaf\r\n"
    + b"".join(b"--b%03d--\r\n" % i for i in reversed(range(100)))
)

AWKWARD = {
    "empty": b"",
    "one newline": b"\n",
    "only body": b"Hello there\r\nthis is no header\r\n",
    "no newline at all": b"Subject: x",
    "From_ line": b"From joe Mon Jan  1 00:00:00 2001\nSubject: x\n\nbody\n",
    "cr only": b"Subject: x\rFrom: a@b\r\rbody\rmore\r",
    "lf only": b"Subject: x\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\n1\n--a\n\n2\n--a--\n",
    "no blank line": b"Subject: x\r\nThis is the body: really\r\nbody\r\n",
    "boundary in header": A + b"--a\r\nContent-Type: text/html\r\n--a\r\n\r\ntext\r\n--a--\r\n",
    "prefix": b"Content-Type: multipart/mixed; boundary=foo\r\n\r\n--foo\r\nContent-Type: multipart/mixed; "
    b"boundary=foobar\r\n\r\n--foobar\r\n\r\n1\r\n--foobar--\r\n--foo\r\n\r\n2\r\n--foo--\r\n",
    "dashes": b"Content-Type: multipart/mixed; boundary=foo\r\n\r\n--foo\r\nContent-Type: multipart/mixed; "
    b"boundary=foo--\r\n\r\n--foo--\r\n\r\n1\r\n--foo----\r\n--foo\r\n\r\n2\r\n--foo--\r\n",
    "missing end": A + b"--a\r\n\r\n1\r\n--a\r\n\r\n2",
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\n--a\r\n\r\n1\r\n--a--\r\n",
    "digest": b"Content-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n\r\nSubject: 1\r\n\r\none\r\n"
    b"--a\r\n\r\nFrom x y\r\nSubject: 2\r\n\r\ntwo\r\n--a--\r\n",
    "coded message": b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3Vi\r\n",
    "message without header": b"Content-Type: message/rfc822\r\n\r\nno header here\r\n",
    "body in message": b"Content-Type: message/rfc822\r\nno header here\r\n\r\nx\r\n",
    "rfc2231": b'Content-Type: multipart/mixed;\r\n boundary*0="a b";\r\n boundary*1*=%2Dc\r\n\r\n'
    b"--a b-c\r\n\r\n1\r\n--a b-c--\r\n",
    "extended": b"Content-Type: multipart/mixed; boundary*=us-ascii'en'x%20y\r\n\r\n--x y\r\n\r\n--x y--\r\n",
    "comments": b'Content-Type: (a) multipart (b) / (c) mixed (d); (e) boundary (f) = (g) "x\\"y" (h)\r\n'
    b'\r\n--x"y\r\n\r\n1\r\n--x"y--\r\n',
    "transport padding": A + b"--a \t \r\n\r\n1\r\n--a-- \t\r\n",
    "loose": A + b"--abc\r\n\r\n1\r\n--a--x\r\n",
    "nul": b"Subject: a\0b\r\nX-\0: y\r\n\r\nbo\0dy\r\n",
    "eight bit": b"Subject: \xe4\xf6\r\nX\xe4: y\r\n\r\n\xff\xfe\r\n",
    "continuation first": b" stray\r\nSubject: x\r\n \r\n\r\nbody\r\n",
    "bare cr": b"Subject: x\ry\r\n\r\na\rb\r\n\r",
    "empty parts": A + b"--a\r\n--a\r\n\r\n--a\r\n\r\n\r\n--a--",
    "boundary at end": A + b"--a",
    "long boundary": b"Content-Type: multipart/mixed; boundary="
    + b"q" * 999
    + b"\r\n\r\n--"
    + b"q" * 999
    + b"\r\n\r\n1\r\n--"
    + b"q" * 999
    + b"--\r\n",
    "too long boundary": b"Content-Type: multipart/mixed; boundary="
    + b"q" * 1001
    + b"\r\n\r\n--"
    + b"q" * 1001,
    "long lines": A
    + b"--a\r\n\r\n--"
    + b"z" * 5000
    + b"\r\n--a"
    + b" " * 5000
    + b"\r\n\r\n"
    + b"w" * 3000
    + b"\r\n--a--\r\n",
    "bad type": b"Content-Type: text\r\n\r\nbody\r\n",
    "same boundary": A + b"--a\r\nContent-Type: multipart/mixed; "
    b"boundary=a\r\n\r\n--a\r\n\r\n1\r\n--a--\r\n--a--\r\n",
    "nest": NEST_100,
    "signature": b"Content-Type: multipart/mixed; boundary=a\n\n--a\n\ntext\n-- \nme\n-\n--\n--b\n--a--\n-",
    "broken fold": b"Subject: x\r\nbroken\r\n still\r\n" + A + b"--a\r\n\r\n1\r\n--a--\r\n",
    "broken fold at the end": b"Subject: x\r\nbroken\r\n\r\nbody\r\n",
    "doubt and boundary": A + b"--a\r\nSubject: x\r\nbody \xe9\r\n--a\r\nX: y\r\none",
    "doubt in message": b"Content-Type: message/rfc822\r\nFrom x\r\nand more\r\nSubject: y\r\n\r\nbody\r\n",
    "bom": b"\xef\xbb\xbfContent-Type: text/html\r\n\r\nx",
    "bom and From_": b"\xef\xbb\xbfFrom x\r\nSubject: y\r\n\r\nx",
    "repeated": b"Content-Type: text/html\r\n"
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n--a--\r\n",
}


def python_data() -> list[Path]:
    """CPython's own samples, where the interpreter was installed with its tests."""
    folder = Path(sysconfig.get_paths()["stdlib"]) / "test" / "test_email" / "data"
    if not folder.is_dir():
        folder = Path(f"/usr/lib/python{sys.version_info[0]}.{sys.version_info[1]}/test/test_email/data")
    return sorted(folder.glob("msg_*.txt")) if folder.is_dir() else []


def real_files() -> list[Path]:
    """Single messages of the shared corpus and of CPython."""
    found = python_data()
    if SHARED is not None:
        root = SHARED / "corpus" / "mimekit"
        for pattern in (
            "messages/*.txt",
            "messages/*.eml",
            "dkim/*.msg",
            "partial/*.eml",
            "smime/*.txt",
            "tnef/*.eml",
        ):
            found += sorted(root.glob(pattern))
    return found


def mailbox_messages() -> list[bytes]:
    """The messages of the shared mbox files, cut at their From_ lines."""
    if SHARED is None:
        return []
    out: list[bytes] = []
    for path in sorted((SHARED / "corpus" / "mimekit" / "mbox").glob("*.mbox.txt")):
        pieces = path.read_bytes().replace(b"\r\n", b"\n").split(b"\nFrom ")
        out += [piece if i == 0 else b"From " + piece for i, piece in enumerate(pieces)]
    return out
