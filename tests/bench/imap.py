"""IMAP on a folder of 10,000 messages, Satchel beside Dovecot: seconds of each command, alternating."""

import random
import shutil
import socket
import statistics
import sys
import tempfile
import time
from email.message import EmailMessage
from pathlib import Path

from tests.bench import Row, _peers

COUNT = 10_000
ROUNDS = 5
APPENDS = 200
GOAL = 1.0
_WORDS = [
    "budget", "gate", "oak", "meeting", "invoice", "quote", "panel", "delivery", "paint", "staircase",
    "window", "report", "stone",
]  # fmt: skip


class Client:
    """As little as an IMAP client can do, so that the server's time is what is measured."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.recv(4096)
        self.command(f"LOGIN {_peers.ADDRESS} {_peers.PASSWORD}")

    def command(self, text: str, literal: bytes | None = None) -> int:
        """Run a command to its tagged reply; how many bytes came. Raises AssertionError unless OK."""
        if literal is None:
            self._socket.sendall(b"a " + text.encode() + b"\r\n")
        else:
            self._socket.sendall(b"a %s {%d+}\r\n%s\r\n" % (text.encode(), len(literal), literal))
        total, tail = 0, b""
        while True:
            piece = self._socket.recv(1 << 20)
            assert piece, f"{text}: the connection ended"
            total += len(piece)
            tail = (tail + piece)[-8000:]
            at = tail.rfind(b"\na ") if not tail.startswith(b"a ") else 0
            if tail.endswith(b"\r\n") and at >= 0 and b"\n" not in tail[at + 1 : -2]:
                assert b"a OK" in tail[at : at + 6], f"{text}: {tail!r}"
                return total

    def close(self) -> None:
        self._socket.close()


def _mails(rng: random.Random) -> list[bytes]:
    found = []
    for number in range(COUNT):
        message = EmailMessage()
        message["From"] = f"Person {number % 97} <p{number % 97}@example.test>"
        message["To"] = f"Anna <{_peers.ADDRESS}>, Ben <ben@example.test>"
        message["Subject"] = f"{rng.choice(_WORDS)} {rng.choice(_WORDS)} {number}"
        message["Date"] = f"Mon, {1 + number % 28:02d} Jan 2024 10:{number % 60:02d}:00 +0000"
        message["Message-ID"] = f"<{number}.{rng.getrandbits(40)}@example.test>"
        message.set_content("\n".join(" ".join(rng.choices(_WORDS, k=12)) for _ in range(20)))
        if number % 4 == 0:
            message.add_attachment(rng.randbytes(2000), maintype="image", subtype="png", filename="x.png")
        found.append(message.as_bytes().replace(b"\n", b"\r\n"))
    return found


_FIRST = f"1:{COUNT}"
WORK: tuple[tuple[str, str], ...] = (
    ("SELECT", "SELECT INBOX"),
    ("FETCH FLAGS of all", f"FETCH {_FIRST} (UID FLAGS)"),
    ("FETCH ENVELOPE of all", f"FETCH {_FIRST} (ENVELOPE)"),
    ("FETCH BODYSTRUCTURE of all", f"FETCH {_FIRST} (BODYSTRUCTURE)"),
    ("FETCH BODY.PEEK[] of all", f"FETCH {_FIRST} (BODY.PEEK[])"),
    ("SEARCH SUBJECT", 'SEARCH SUBJECT "staircase"'),
    ("SEARCH TEXT, in most", 'SEARCH TEXT "staircase window"'),
    ("SEARCH TEXT, in few", 'SEARCH TEXT "Person 42"'),
    ("SEARCH TEXT, in none", 'SEARCH TEXT "unheard of"'),
    ("STORE a flag on 1,000", "STORE 1:1000 {sign}FLAGS (\\Flagged)"),
)


def run() -> list[Row]:
    """One row for each command."""
    reason = _peers.missing()
    if reason:
        sys.stderr.write(f"imap: skipped: {reason}\n")
        return []
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        _peers.make_office(place / "satchel")
        mails = _mails(random.Random(7))
        _fill(place, mails)
        with _peers.dovecot(place / "dovecot") as (imap, _), _peers.satchel(place / "satchel") as server:
            server.settle()
            ours, theirs = Client(server.imap), Client(imap)
            theirs.command("CREATE Drafts")
            rows = [_appends(ours, theirs, mails[:APPENDS])]
            for client in (ours, theirs):
                client.command("SELECT INBOX")
            for label, text in WORK:
                rows.append(_compare(label, text, ours, theirs))
            ours.close()
            theirs.close()
    return rows


def _fill(place: Path, mails: list[bytes]) -> None:
    """The same messages in both, as files: appending them one by one would be a benchmark of its own."""
    box = place / "in.mbox"
    with box.open("wb") as out:
        for raw in mails:
            text = raw.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ")
            out.write(b"From x@example.test Mon Jan  1 10:00:00 2024\n" + text + b"\n")
    _peers.appliance(place / "satchel", "import", _peers.ADDRESS, str(box))
    maildir = place / "dovecot" / "mail" / _peers.USER
    for part in ("cur", "new", "tmp"):
        (maildir / part).mkdir(parents=True)
    for number, raw in enumerate(mails):
        (maildir / "cur" / f"{1704103200 + number}.M{number}.bench:2,").write_bytes(raw)
    for path in (maildir, *maildir.rglob("*")):
        shutil.chown(path, "vmail", "vmail")


def _appends(ours: Client, theirs: Client, mails: list[bytes]) -> Row:
    times: dict[Client, float] = {ours: 0.0, theirs: 0.0}
    for start in range(0, APPENDS, 50):
        for client in (ours, theirs):
            begin = time.perf_counter()
            for raw in mails[start : start + 50]:
                client.command("APPEND Drafts", raw)
            times[client] += time.perf_counter() - begin
    mine, peer = times[ours] / APPENDS, times[theirs] / APPENDS
    return Row("APPEND, seconds each", mine, peer, peer / mine, GOAL)


def _compare(label: str, text: str, ours: Client, theirs: Client) -> Row:
    times: dict[Client, list[float]] = {ours: [], theirs: []}
    for number in range(ROUNDS + 1):
        for client in (ours, theirs):
            begin = time.perf_counter()
            client.command(text.replace("{sign}", "+-"[number % 2]))
            if number:
                times[client].append(time.perf_counter() - begin)
    mine, peer = statistics.median(times[ours]), statistics.median(times[theirs])
    return Row(f"{label}, seconds", mine, peer, peer / mine, GOAL)
