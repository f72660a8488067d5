"""What the store takes on disk, and what it writes: beside gzip'ed maildir and beside its own budgets.

Rows of stored bytes compare with the same mail as a maildir whose files are gzip'ed one by one: `ours` and
`peer` are megabytes of disk space, the ratio says how many times smaller ours is. Rows of written bytes
compare with a budget (`peer`, kilobytes): the ratio is budget over written. Written bytes are counted at the
system calls of a child process (strace), since the kernel's own count of dirtied pages depends on the file
system.
"""

import base64
import gzip
import mailbox
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from appliance.mailbox.deliver import Target, deliver
from appliance.mailbox.incoming import Ingest
from appliance.store import messages, tree
from appliance.store.contents import Row as Message
from appliance.store.contents import RowFlag
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.store import Store
from tests.bench import Row
from tests.shared import SHARED

EPOCH = 0x01D9000000000000
LONE = 40
"""Lone deliveries and flag changes that are counted."""

DELIVERY_BUDGET = 64 << 10
FLAG_BUDGET = 24 << 10
AMPLIFICATION_BUDGET = 3.0
SYNTHETIC = 600
PREFIX = b"Return-Path: <person@example.net>\r\nDelivered-To: anna@example.org\r\n"
BATCH = 20
BLOCK = 4096
"""What a file takes on disk is a multiple of this many bytes, on the usual file systems."""

_RESULT = re.compile(r"=\s+(\d+)$")


_HEAD = """\
Received: from host{host}.example.net (host{host}.example.net [192.0.2.{host}])
\tby mx.example.org with ESMTPS id {token:010x};
\tTue, 3 Nov 2026 10:{minute:02}:00 +0100
From: Person {person} <person{person}@example.net>
To: Anna <anna@example.org>
Subject: {subject}
Date: Tue, 3 Nov 2026 10:{minute:02}:00 +0100
Message-ID: <{token:x}@example.net>
MIME-Version: 1.0
"""
_PLAIN = """Content-Type: text/plain; charset=utf-8

{lines}
"""
_ALTERNATIVE = """Content-Type: multipart/alternative; boundary="b1"

--b1
Content-Type: text/plain; charset=utf-8

{lines}
--b1
Content-Type: text/html; charset=utf-8

<html><body><table>
{rows}</table></body></html>
--b1--
"""
_MIXED = """Content-Type: multipart/mixed; boundary="b2"

--b2
Content-Type: text/plain; charset=utf-8

{lines}
--b2
Content-Type: application/octet-stream; name="data.bin"
Content-Transfer-Encoding: base64

{data}
--b2--
"""
_ROW = '<tr><td class="c" style="padding: 4px">{}</td></tr>\n'


def synthetic(count: int, seed: int = 7) -> list[bytes]:
    """Made-up mail: short and long texts, HTML, some attachments; half of it answers."""
    rng = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "u", "an", "er", "en")]
    vocabulary = ["".join(rng.choices(syllables, k=rng.randrange(1, 4))) for _ in range(4000)]
    made: list[bytes] = []
    for number in range(count):
        words = " ".join(rng.choices(vocabulary, k=int(rng.lognormvariate(5, 1))))
        topic = " ".join(rng.choices(vocabulary, k=5))
        head = _HEAD.format(
            host=number % 250,
            minute=number % 60,
            person=number % 40,
            token=rng.randrange(1 << 80),
            subject=f"Re: {topic}" if number % 2 else topic,
        )
        lines = [words[i : i + 72] for i in range(0, len(words), 72)]
        kind, form = rng.random(), _PLAIN
        data = ""
        if 0.5 <= kind < 0.85:
            form = _ALTERNATIVE
        elif kind >= 0.85:
            form = _MIXED
            data = base64.encodebytes(rng.randbytes(rng.randrange(5_000, 120_000))).decode()
        text = form.format(lines="\n".join(lines), rows="".join(map(_ROW.format, lines)), data=data)
        made.append((head + text).replace("\n", "\r\n").encode())
    return made


def corpus() -> list[bytes]:
    """The messages of the shared corpus, where it is at hand."""
    if SHARED is None:
        return []
    root = SHARED / "corpus" / "mimekit"
    found = [
        path.read_bytes()
        for folder in ("messages", "smime", "partial", "dkim")
        for path in sorted((root / folder).glob("*"))
        if path.is_file()
    ]
    for path in sorted((root / "mbox").glob("*.mbox.txt")):
        box = mailbox.mbox(path, create=False)
        found += [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118
        box.close()
    return found


def _open(place: Path) -> tuple[Store, int]:
    store = Store.create(place)
    number = store.write(
        lambda txn: tree.create_mailbox(
            txn, owner=1, guid=b"g" * 16, replica_guid=b"r" * 16, uidvalidity=1000, now=EPOCH
        )
    ).result()
    return store, number


def _deliver(store: Store, box: int, batch: Iterable[bytes]) -> list[Message]:
    """Several messages that arrive together: their write functions share a commit."""
    waiting = []
    for data in batch:
        ingest = Ingest(store)
        for start in range(0, len(data), 65536):
            future = ingest.feed(data[start : start + 65536])
            if future is not None:
                future.result()
        incoming = ingest.finish()
        target = Target(
            box, prefix=b"Return-Path: <person@example.net>\r\nDelivered-To: anna@example.org\r\n"
        )

        def fn(txn: WriteTxn, incoming=incoming, target=target) -> Message | None:  # type: ignore[no-untyped-def]
            return deliver(txn, incoming, [target], now=EPOCH)[0].row

        waiting.append(store.write(fn, weight=incoming.weight))
    return [row for future in waiting if (row := future.result()) is not None]


def stored(name: str, mail: list[bytes]) -> Row:
    """Disk space of the store's pages that hold data, beside that of a maildir whose files are gzip'ed."""
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as place:
        store, box = _open(Path(place) / "data")
        before = store.size_bytes()
        for start in range(0, len(mail), BATCH):
            _deliver(store, box, mail[start : start + BATCH])
        ours = store.size_bytes() - before
        store.close()
    peer = sum(-(-len(gzip.compress(PREFIX + data)) // BLOCK) * BLOCK for data in mail)
    return Row(name, ours / 1e6, peer / 1e6, peer / ours, 1.0)


# -- written bytes: the child runs under strace ---------------------------------------------------------


def child(what: str, place: Path) -> None:
    """What the traced process does; every action ends durable before the next begins."""
    if what == "prepare":
        store, box = _open(place)
        for start in range(0, 400, BATCH):
            _deliver(store, box, synthetic(400)[start : start + BATCH])
        store.close()
        return
    store = Store.open(place)
    lone = [data for data in synthetic(900, seed=11) if 3_000 < len(data) < 8_000][:LONE]
    if what == "deliver":
        for data in lone:
            _deliver(store, 1, [data])
    elif what == "flag":
        rows = _deliver(store, 1, lone)
        sys.stdout.write("\n")
        sys.stdout.flush()  # the parent counts from the marker on
        Path(place, "marker").touch()
        for row in rows:

            def fn(txn: WriteTxn, row: Message = row) -> None:
                with editing(txn, 1, now=EPOCH) as edit:
                    messages.set_state(edit, row, row.flags | RowFlag.SEEN, ())

            store.write(fn).result()
    elif what == "mixed":
        mail = synthetic(300, seed=13)
        for start in range(0, len(mail), BATCH):
            _deliver(store, 1, mail[start : start + BATCH])
    store.close()


def _written(what: str, place: Path) -> int:
    """Bytes that the child gave to write calls on the store's file (after the marker, where it sets one)."""
    trace = place.parent / f"{what}.trace"
    calls = "trace=pwrite64,pwritev,pwritev2,write,openat,writev"
    command = ["strace", "-f", "-y", "-qq", "-s", "0", "-o", str(trace), "-e", calls]
    run = [sys.executable, "-m", "tests.bench.disk", what, str(place)]
    subprocess.run([*command, *run], check=True, stdout=subprocess.DEVNULL)
    total = 0
    for line in trace.read_text(errors="replace").splitlines():
        if "marker" in line and "openat" in line:
            total = 0
        elif "store.lmdb" in line and "openat" not in line:
            found = _RESULT.search(line)
            total += int(found[1]) if found else 0
    return total


def _within(name: str, written: float, budget: int) -> Row:
    return Row(name, written / 1e3, budget / 1e3, budget / written, 1.0)


def _amplification() -> list[Row]:
    if shutil.which("strace") is None:
        sys.stderr.write("disk: written bytes skipped: no strace\n")
        return []
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        place = Path(name) / "data"
        child("prepare", place)
        lone = _written("deliver", place) / LONE
        flags = _written("flag", place) / LONE
        mixed = _written("mixed", place)
    raw = sum(map(len, synthetic(300, seed=13)))
    return [
        Row(
            "kB written, lone 5 kB delivery (budget)",
            lone / 1e3,
            DELIVERY_BUDGET / 1e3,
            DELIVERY_BUDGET / lone,
            1.0,
        ),
        Row("kB written, flag change (budget)", flags / 1e3, FLAG_BUDGET / 1e3, FLAG_BUDGET / flags, 1.0),
        Row(
            f"write amplification, mixed mail, {BATCH} together (budget)",
            mixed / raw,
            AMPLIFICATION_BUDGET,
            AMPLIFICATION_BUDGET * raw / mixed,
            1.0,
        ),
    ]


def run() -> list[Row]:
    """Stored bytes of synthetic mail and of the corpus; written bytes."""
    rows = [stored("MB stored, synthetic mail, beside gzip'ed maildir", synthetic(SYNTHETIC))]
    if mail := corpus():
        rows.append(stored("MB stored, corpus, beside gzip'ed maildir", mail))
    return rows + _amplification()


if __name__ == "__main__":
    child(sys.argv[1], Path(sys.argv[2]))
