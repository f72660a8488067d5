"""What a power cut may leave of a directory, from a recording of what was asked of the file system.

`record.c` notes writes, truncations, syncs, renames and the acknowledgements of a run. `Disk` goes through
them and knows at each moment what is durable and what is only asked for:

- a finished fsync or fdatasync makes durable what was written to that file before it began;
- a write through an O_DSYNC descriptor is durable when it is done, and says nothing of others;
- names (created, renamed, removed) are durable once their directory was synced.

`Disk.cut` makes a directory as it may stand after a power cut at that moment: everything durable, of the rest
any subset of the 512-byte sectors, file sizes with or without the last extension, and a prefix of the changes
of names, since journals keep those in order.
"""

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

SECTOR = 512
"""Bytes that a device writes wholly or not at all."""

_HEADER = struct.Struct("<IIQQQQ")
_DSYNC = 1


class Kind(IntEnum):
    """Kinds of records, as in record.c."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC_BEGIN = 4
    SYNC_END = 5
    DIR_SYNC = 6
    RENAME = 7
    UNLINK = 8
    MKDIR = 9
    RMDIR = 10
    ACK = 11
    UNSUPPORTED = 12


@dataclass(frozen=True)
class Record:
    """One call. `data` is what was written, or the new name."""

    kind: Kind
    durable: bool
    inode: int
    offset: int
    path: str
    data: bytes


def records(raw: bytes) -> Iterator[Record]:
    """The records of a recording. Raises ValueError for calls that cannot be replayed."""
    at = 0
    while at + _HEADER.size <= len(raw):
        kind, flags, inode, offset, path_size, data_size = _HEADER.unpack_from(raw, at)
        at += _HEADER.size
        path = raw[at : at + path_size].decode()
        has_data = kind in (Kind.WRITE, Kind.RENAME, Kind.ACK)
        data = raw[at + path_size : at + path_size + data_size] if has_data else b""
        at += path_size + len(data)
        if kind == Kind.UNSUPPORTED:
            raise ValueError(f"a call that is not recorded: {path}")
        yield Record(Kind(kind), bool(flags & _DSYNC), inode, offset, path, data)


@dataclass(eq=False)
class _File:
    """A file, by whatever name. `asked` are the changes that are not durable yet: (record number, offset,
    data, whether it is durable all the same); data None cuts the file at the offset."""

    durable: bytearray = field(default_factory=bytearray)
    asked: list[tuple[int, int, bytes | None, bool]] = field(default_factory=list)
    syncing: list[int] = field(default_factory=list)

    def settle(self, before: int) -> None:
        """What was asked for before a record is durable now."""
        for number, offset, data, _ in self.asked:
            if number < before:
                _write(self.durable, offset, data)
        self.asked = [change for change in self.asked if change[0] >= before]

    def after_cut(self, rng: random.Random, share: float) -> bytearray:
        """The file as it may stand: each sector that was asked for is there with the probability `share`."""
        content = bytearray(self.durable)
        for _, offset, data, durable in self.asked:
            if durable or data is None:
                if durable or rng.random() < share:
                    _write(content, offset, data)
                continue
            if rng.random() < share:  # the size is written apart from the data
                content.extend(bytes(max(0, offset + len(data) - len(content))))
            at = 0
            while at < len(data):
                size = min(SECTOR - (offset + at) % SECTOR, len(data) - at)
                if rng.random() < share:
                    _write(content, offset + at, data[at : at + size])
                at += size
        return content


def _write(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


_Names = dict[str, _File | None]
_DIRECTORY = None


class Disk:
    """A directory's files as a device has them. Names are paths below the root; a directory has no file."""

    def __init__(self, root: Path) -> None:
        self._durable: _Names = {}
        self._inodes: dict[int, _File] = {}
        self._asked: list[tuple[Record, _File | None]] = []
        self._number = 0
        self.acknowledged = bytearray()
        """What was written to the file of acknowledgements so far."""
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            if path.is_dir():
                self._durable[name] = _DIRECTORY
            elif path.is_file():
                self._durable[name] = _File(bytearray(path.read_bytes()))

    def take(self, record: Record) -> bool:
        """Go one record forward; whether that made something durable or acknowledged something."""
        self._number += 1
        if record.kind == Kind.ACK:
            self.acknowledged += record.data
            return True
        if record.kind in (Kind.RENAME, Kind.UNLINK, Kind.MKDIR, Kind.RMDIR):
            self._asked.append((record, None))
            return False
        if record.kind == Kind.DIR_SYNC:
            self._settle_names(record.path)
            return True
        if record.kind == Kind.CREATE:
            file = self._inodes[record.inode] = _File()
            self._asked.append((record, file))
            return False
        return self._take_content(record)

    def _take_content(self, record: Record) -> bool:
        file = self._inodes.get(record.inode)
        if file is None:  # it was there before the recording began
            file = self._inodes[record.inode] = self._durable.get(record.path) or _File()
        if record.kind == Kind.WRITE:
            file.asked.append((self._number, record.offset, record.data, record.durable))
            return record.durable
        if record.kind == Kind.TRUNCATE:
            file.asked.append((self._number, record.offset, None, False))
        elif record.kind == Kind.SYNC_BEGIN:
            file.syncing.append(self._number)
        elif record.kind == Kind.SYNC_END:
            file.settle(file.syncing.pop(0))
            return True
        return False

    def _settle_names(self, directory: str) -> None:
        """The changes of names in a directory are durable, and with them those before, of any directory
        (journals keep their order)."""
        last = 0
        for number, (record, _) in enumerate(self._asked):
            if directory in _directories(record):
                last = number + 1
        for record, file in self._asked[:last]:
            _rename(self._durable, record, file)
        del self._asked[:last]

    def cut(self, into: Path, rng: random.Random) -> None:
        """Cut the power: make `into` the directory that may be found afterwards."""
        names = dict(self._durable)
        share = rng.choice((0.0, 0.0, 0.1, 0.5, 0.9, 1.0))
        for record, file in self._asked[: rng.randint(0, len(self._asked)) if share else 0]:
            _rename(names, record, file)
        into.mkdir()
        for name, file in sorted(names.items(), key=lambda pair: pair[0]):
            path = into / name
            if file is _DIRECTORY:
                path.mkdir(exist_ok=True, parents=True)
            else:
                path.parent.mkdir(exist_ok=True, parents=True)
                path.write_bytes(file.after_cut(rng, share))


def _rename(names: _Names, record: Record, file: _File | None) -> None:
    """Change names as a record says; `file` is the one that it created."""
    if record.kind in (Kind.CREATE, Kind.MKDIR):
        names[record.path] = file
    elif record.kind in (Kind.UNLINK, Kind.RMDIR):
        names.pop(record.path, None)
    else:
        to = record.data.decode()
        for name in [n for n in names if n == record.path or n.startswith(record.path + "/")]:
            names[to + name[len(record.path) :]] = names.pop(name)


def _directories(record: Record) -> set[str]:
    paths = [record.path] + ([record.data.decode()] if record.kind == Kind.RENAME else [])
    return {path.rpartition("/")[0] for path in paths}


# -- recording -------------------------------------------------------------------------------------------


def build(into: Path) -> Path | None:
    """Compile the recorder; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = into / "record.so"
    source = Path(__file__).with_name("record.c")
    subprocess.run(
        [compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, source],
        check=True,
    )
    return library


def record(library: Path, root: Path, log: Path, notes: Path, *arguments: str) -> int:
    """Run Python with `arguments` under the recorder; its exit code."""
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "RECORD_ROOT": str(root),
        "RECORD_LOG": str(log),
        "RECORD_ACKS": str(notes),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, *arguments]
    root_folder = Path(__file__).parents[2]
    return subprocess.run(command, env=environment, cwd=root_folder, check=False, timeout=300).returncode
