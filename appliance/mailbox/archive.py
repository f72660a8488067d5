"""Mail as files: mbox and single messages, out of a mailbox and into it.

Written mbox is the "mboxrd" form: lines that begin with any number of `>` and `From ` get one more, so that
the reading side can take it away again and the bytes come back as they were. Three headers right behind the
From line carry what a file has no place for: X-Satchel-Folder, X-Satchel-Flags, X-Satchel-Keywords;
`read_mbox` takes them off again. Line ends in files are LF, in the store CRLF; a message that has bare LFs of
its own comes back with CRLF.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import IO
from urllib.parse import quote, unquote

from appliance.mailbox import folders
from appliance.mailbox.actor import Actor
from appliance.mapi import times
from appliance.store import contents, messages
from appliance.store.contents import Row, RowFlag
from appliance.store.store import Store

MAX_LINE = 1 << 20
"""Bytes of a line that are looked at together; longer lines pass in pieces."""

PIECE = 256 * 1024
_FLAGS = {
    "S": RowFlag.SEEN,
    "R": RowFlag.ANSWERED,
    "F": RowFlag.FLAGGED,
    "T": RowFlag.DELETED,
    "D": RowFlag.DRAFT,
    "P": RowFlag.FORWARDED,
}
"""Letters of flags, as Maildir has them."""

_QUOTED = re.compile(rb">*From ")
_FOLDER, _STATE, _WORDS = b"X-Satchel-Folder: ", b"X-Satchel-Flags: ", b"X-Satchel-Keywords: "


@dataclass(frozen=True, slots=True)
class Filed:
    """What goes with a message in a file. `received` is a FILETIME or 0; `folder` a path of names."""

    folder: tuple[str, ...] = ()
    flags: RowFlag = RowFlag.NONE
    keywords: tuple[str, ...] = ()
    received: int = 0


def letters(flags: int) -> str:
    """Flags as letters, in order."""
    return "".join(sorted(letter for letter, flag in _FLAGS.items() if flags & flag))


def flags_of(text: str) -> RowFlag:
    """Letters as flags; unknown ones are passed over."""
    found = RowFlag.NONE
    for letter in text:
        found |= _FLAGS.get(letter, RowFlag.NONE)
    return found


def messages_of(store: Store, actor: Actor, mailbox: int) -> Iterator[tuple[tuple[str, ...], Row]]:
    """Every message with MIME that the actor sees, folder by folder in UID order, with its folder's path."""
    with store.read() as txn:
        listed = list(folders.list_folders(txn, actor, mailbox))
    for entry in listed:
        with store.read() as txn:
            rows = sorted(contents.rows(txn, mailbox, entry.folder.fid), key=lambda row: row.uid)
        for row in rows:
            if row.blob:
                yield entry.path, row


def pieces(store: Store, mailbox: int, row: Row) -> Iterator[bytes]:
    """The bytes of a message, PIECE at a time, each in a snapshot of its own. A message that is purged
    meanwhile raises NotFound."""
    for offset in range(0, row.size, PIECE):
        with store.read() as txn:
            yield messages.read(txn, mailbox, row, offset, PIECE)


def lines(data: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a message, ends included; a line over MAX_LINE comes in pieces."""
    rest = b""
    for piece in data:
        whole = _split(rest + piece)
        rest = whole.pop() if whole and not whole[-1].endswith(b"\n") else b""
        yield from whole
        if len(rest) > MAX_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def _split(data: bytes) -> list[bytes]:
    found = [line + b"\n" for line in data.split(b"\n")]
    found[-1] = found[-1][:-1]
    return found if found[-1] else found[:-1]


def write_mbox(out: IO[bytes], path: tuple[str, ...], row: Row, data: Iterator[bytes]) -> None:
    """Append one message to an mbox."""
    when = times.to_datetime(row.received) if row.received else datetime.now(UTC)
    out.write(b"From satchel@localhost %s\n" % when.strftime("%a %b %e %H:%M:%S %Y").encode())
    out.write(_FOLDER + "/".join(quote(name, safe=" ") for name in path).encode() + b"\n")
    out.write(_STATE + letters(row.flags).encode() + b"\n")
    if row.keywords:
        out.write(_WORDS + " ".join(row.keywords).encode() + b"\n")
    last = b"\n"
    for line in lines(data):
        text = line[:-2] + b"\n" if line.endswith(b"\r\n") else line
        if _QUOTED.match(text):
            out.write(b">")
        out.write(text)
        last = text
    out.write(b"\n" if last.endswith(b"\n") else b"\n\n")


def read_mbox(source: IO[bytes]) -> Iterator[tuple[Filed, Iterator[bytes]]]:
    """The messages of an mbox, each with an iterator over its lines (CRLF), to be used up before the next.
    Raises ValueError for a file that does not begin with a From line."""
    line = source.readline(MAX_LINE)
    if not line.startswith(b"From "):
        raise ValueError("not an mbox: it does not begin with a From line")
    reader = _MboxReader(source)
    while line:
        filed = reader.begin(line)
        yield filed, reader.body()
        line = reader.next_from


class _MboxReader:
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._held = b""
        self.next_from = b""

    def begin(self, from_line: bytes) -> Filed:
        """The From line and our own headers behind it."""
        folder: tuple[str, ...] = ()
        flags = RowFlag.NONE
        keywords: tuple[str, ...] = ()
        line = self._source.readline(MAX_LINE)
        while line.startswith((_FOLDER, _STATE, _WORDS)):
            value = line.split(b": ", 1)[1].strip().decode("utf-8", "replace")
            if line.startswith(_FOLDER):
                folder = tuple(unquote(name) for name in value.split("/") if name)
            elif line.startswith(_STATE):
                flags = flags_of(value)
            else:
                keywords = tuple(value.split())
            line = self._source.readline(MAX_LINE)
        self._held = line
        return Filed(folder, flags, keywords, _from_time(from_line))

    def body(self) -> Iterator[bytes]:
        """Lines up to the next From line that follows an empty line, or the end. The empty line before it
        belongs to the mbox."""
        self.next_from = b""
        line, empty = self._held, b""
        whole = True
        while line:
            if whole and line.startswith(b"From ") and (empty or line is self._held):
                self.next_from = line
                return
            if empty:
                yield b"\r\n"
                empty = b""
            if whole and line in (b"\n", b"\r\n"):
                empty = line
            else:
                yield _crlf(line[1:] if whole and line[:1] == b">" and _QUOTED.match(line) else line)
            whole = line.endswith(b"\n")
            line = self._source.readline(MAX_LINE)


def _crlf(line: bytes) -> bytes:
    return line[:-1] + b"\r\n" if line.endswith(b"\n") and not line.endswith(b"\r\n") else line


def _from_time(line: bytes) -> int:
    words = line.decode("latin-1").split()
    for count in (5, 6):
        try:
            moment = datetime.strptime(" ".join(words[-count:])[:24], "%a %b %d %H:%M:%S %Y")
            return times.from_datetime(moment.replace(tzinfo=UTC))
        except ValueError:
            continue
    return 0


def read_message(source: IO[bytes]) -> Iterator[bytes]:
    """The lines of a single message, with CRLF."""
    while line := source.readline(MAX_LINE):
        yield _crlf(line)


def maildir_files(directory: FilePath) -> Iterator[tuple[FilePath, Filed]]:
    """The messages of a Maildir and its `.Folder.Sub` subfolders, with folder and flags from their names."""
    subfolders = [path for path in sorted(directory.iterdir()) if path.name.startswith(".") and path.is_dir()]
    for folder in (directory, *subfolders):
        path = tuple(name for name in folder.name.split(".") if name) if folder != directory else ()
        for part in ("cur", "new"):
            for file in sorted((folder / part).glob("*")) if (folder / part).is_dir() else ():
                _, _, info = file.name.partition(":2,")
                received = times.from_unix(int(file.stat().st_mtime))
                yield file, Filed(path, flags_of(info), (), received)


def is_maildir(path: FilePath) -> bool:
    """Whether a directory has a Maildir's parts."""
    return (path / "cur").is_dir() or (path / "new").is_dir()
