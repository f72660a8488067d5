"""`appliance export` and `appliance import`: a mailbox as mbox or as single messages."""

import sys
import time
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import IO

import click

from appliance.cli.frame import Failed
from appliance.cli.tools import open_store
from appliance.directory import entries
from appliance.directory.model import WITH_MAILBOX, Entry
from appliance.mailbox import archive, folders, items
from appliance.mailbox.actor import Actor
from appliance.mailbox.archive import Filed
from appliance.mailbox.incoming import Ingest
from appliance.mapi import times
from appliance.store.contents import Row
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.store import Store

AT_ONCE = 32
"""Messages on their way into the store: they share commits."""

LATER = {"msg": "Outlook messages", "ics": "calendars", "vcf": "contacts"}


def _owner(store: Store, address: str) -> tuple[Entry, Actor]:
    with store.read() as txn:
        entry = entries.need(txn, address, *WITH_MAILBOX)
    return entry, Actor(user=entry.id, mailbox=entry.mailbox)


@click.command("export")
@click.argument("address")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--format", "form", type=click.Choice(["mbox", "eml", *LATER]), default="mbox", help="Default mbox."
)
def export_mailbox(address: str, file: Path, form: str) -> None:
    """Write a mailbox to FILE: one mbox, or a zip of single messages (eml)."""
    if form in LATER:
        raise Failed(f"this release does not write {LATER[form]}")
    with open_store() as store:
        entry, actor = _owner(store, address)
        every = list(archive.messages_of(store, actor, entry.mailbox))
        with click.progressbar(
            every, label="Exporting", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar:
            if form == "mbox":
                with click.open_file(str(file), "wb") as out:
                    for path, row in bar:
                        archive.write_mbox(out, path, row, archive.pieces(store, entry.mailbox, row))
            else:
                _write_zip(file, store, entry.mailbox, bar)
    click.echo(f"{len(every)} messages", err=True)


def _write_zip(file: Path, store: Store, mailbox: int, every: Iterable[tuple[tuple[str, ...], Row]]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for path, row in every:
            safe = "/".join(name.replace("/", "_").strip(".") or "_" for name in path)
            name = zipfile.ZipInfo(f"{safe}/{row.uid}.eml", _zip_time(row.received))
            name.compress_type = zipfile.ZIP_DEFLATED
            with out.open(name, "w", force_zip64=True) as entry:
                for piece in archive.pieces(store, mailbox, row):
                    entry.write(piece)


def _zip_time(received: int) -> tuple[int, int, int, int, int, int]:
    """A time that a zip can hold: years 1980 to 2107."""
    moment = times.to_datetime(received)
    year = min(max(moment.year, 1980), 2107)
    return year, moment.month, moment.day, moment.hour, moment.minute, moment.second


@click.command("import")
@click.argument("address")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--folder", help="Where messages go that name no folder themselves; default Inbox.")
def import_mailbox(address: str, files: tuple[Path, ...], folder: str | None) -> None:
    """Bring mail in: mbox files, single messages, Maildirs, zips of messages."""
    path = tuple(name for name in (folder or "Inbox").split("/") if name)
    with open_store() as store:
        entry, actor = _owner(store, address)
        importer = _Importer(store, actor, entry.mailbox, path)
        for file in files:
            with click.progressbar(
                length=_size(file), label=file.name, file=sys.stderr, hidden=not sys.stderr.isatty()
            ) as bar:
                for filed, lines in _messages(file):
                    bar.update(importer.take(filed, lines))
        importer.finish()
    click.echo(f"{importer.count} messages", err=True)


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _messages(path: Path) -> Iterator[tuple[Filed, Iterator[bytes]]]:
    if path.is_dir():
        if not archive.is_maildir(path):
            raise Failed(f"{path}: a directory, but not a Maildir")
        for file, filed in archive.maildir_files(path):
            with file.open("rb") as source:
                yield filed, archive.read_message(source)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as source:
            for name in source.infolist():
                if not name.is_dir() and name.filename.lower().endswith(".eml"):
                    with source.open(name) as member:
                        yield Filed(tuple(name.filename.split("/")[:-1])), archive.read_message(member)
    else:
        with path.open("rb") as source:
            yield from _from_file(source)


def _from_file(source: IO[bytes]) -> Iterator[tuple[Filed, Iterator[bytes]]]:
    start = source.read(5)
    source.seek(0)
    if start == b"From ":
        yield from archive.read_mbox(source)
    elif start:  # an empty mbox holds nothing
        yield Filed(), archive.read_message(source)


class _Importer:
    def __init__(self, store: Store, actor: Actor, mailbox: int, default: tuple[str, ...]) -> None:
        self._store, self._actor, self._mailbox, self._default = store, actor, mailbox, default
        self._folders: dict[tuple[str, ...], int] = {}
        self._waiting: deque[Future[Row]] = deque()
        self.count = 0

    def take(self, filed: Filed, lines: Iterator[bytes]) -> int:
        """Read one message and send it on its way; its size in bytes."""
        ingest = Ingest(self._store)
        block = bytearray()
        for line in lines:
            block += line
            if len(block) >= archive.PIECE:
                self._feed(ingest, block)
        self._feed(ingest, block)
        incoming = ingest.finish()
        fid, now = self._folder(filed.folder), times.from_unix(time.time())
        future = self._store.write(
            lambda txn: items.append(
                txn,
                self._actor,
                self._mailbox,
                fid,
                incoming,
                flags=filed.flags,
                keywords=filed.keywords,
                received=filed.received or incoming.submitted or now,
                now=now,
            ),
            weight=incoming.weight,
        )
        self._waiting.append(future)
        while len(self._waiting) > AT_ONCE:
            self._waiting.popleft().result()
        self.count += 1
        return incoming.size

    @staticmethod
    def _feed(ingest: Ingest, block: bytearray) -> None:
        future = ingest.feed(bytes(block))
        block.clear()
        if future is not None:
            future.result()

    def _folder(self, path: tuple[str, ...]) -> int:
        path = path or self._default
        if path not in self._folders:
            self._folders[path] = self._store.write(
                lambda txn: _found_or_made(txn, self._actor, self._mailbox, path)
            ).result()
        return self._folders[path]

    def finish(self) -> None:
        """Wait until everything is durable."""
        while self._waiting:
            self._waiting.popleft().result()


def _found_or_made(txn: WriteTxn, actor: Actor, mailbox: int, path: tuple[str, ...]) -> int:
    fid = folders.resolve(txn, mailbox, path)
    if fid is not None and fid != Special.IPM_SUBTREE:
        return fid
    return folders.create(txn, actor, mailbox, path, now=times.from_unix(0)).fid
