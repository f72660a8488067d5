"""`appliance backup` and `appliance restore`."""

import os
import secrets
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from appliance.cli.frame import Failed
from appliance.cli.status import LAST_BACKUP
from appliance.cli.tools import change, data_directory, open_store
from appliance.config import FILE_NAME
from appliance.directory import administrator, credentials, entries
from appliance.directory.model import WITH_MAILBOX
from appliance.mailbox import recover
from appliance.mapi import times
from appliance.net.authority import replace
from appliance.net.tls import DIRECTORY as TLS
from appliance.store import backup, keys
from appliance.store.contents import Row
from appliance.store.keys import SERVER, Table
from appliance.store.store import Store, sync_directory
from appliance.transport import smarthost

SEALED = "sealed:"
"""Marks a file of a backup whose bytes are sealed."""

MAX_KEPT_FILE = 1 << 20
AT_ONCE = 32
_CREDENTIALS = keys.pack(SERVER, Table.DIRECTORY, entries.Part.CREDENTIALS)


def _is_secret(key: bytes) -> bool:
    return key.startswith(_CREDENTIALS) or key in (administrator.KEY, smarthost.KEY)


passphrase_option = click.option(
    "--passphrase-stdin",
    is_flag=True,
    help="Read a passphrase from the first line of stdin; secrets (passwords, keys) travel only under one.",
)


def _passphrase(wanted: bool) -> str | None:
    if not wanted:
        return os.environ.get("APPLIANCE_PASSPHRASE") or None
    text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise Failed("the passphrase is empty")
    return text


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--since",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Write an incremental backup upon this one.",
)
@passphrase_option
def backup_command(file: Path, since: Path | None, passphrase_stdin: bool) -> None:
    """Write everything to FILE (- for stdout), while the server runs."""
    passphrase = _passphrase(passphrase_stdin)
    seal: Callable[[bytes], bytes] | None = None
    if passphrase is not None:
        known = passphrase

        def seal(data: bytes) -> bytes:
            return credentials.seal(data, known, salt=secrets.token_bytes(credentials.SALT_SIZE))

    have: frozenset[int] = frozenset()
    if since is not None:
        with since.open("rb") as base:
            have = frozenset(backup.manifest_of(base).blobs)
    with open_store() as store:
        with _output(file) as out:
            manifest = backup.dump(
                store, out, is_secret=_is_secret, seal=seal, files=_files(store.directory, seal), have=have
            )
        finished = datetime.now(UTC).isoformat(timespec="seconds").encode()
        change(store, lambda txn: txn.put(LAST_BACKUP, finished))
    if seal is None:
        click.echo("without a passphrase: passwords and keys were left out", err=True)
    click.echo(f"{len(manifest.mailboxes)} mailboxes, {manifest.records} records", err=True)


@contextmanager
def _output(file: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name only when it is whole and on disk; or stdout."""
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("xb") as out:
            partial.chmod(0o600)
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.rename(file)
        sync_directory(file.absolute().parent)
    finally:
        partial.unlink(missing_ok=True)


def _files(data: Path, seal: Callable[[bytes], bytes] | None) -> Iterator[tuple[str, bytes]]:
    """Settings and certificates; keys only sealed."""
    paths = [data / FILE_NAME, *sorted((data / TLS).glob("*"))]
    for path in paths:
        if not path.is_file() or path.stat().st_size > MAX_KEPT_FILE:
            continue
        name, raw = str(path.relative_to(data)), path.read_bytes()
        if b"PRIVATE KEY" not in raw:
            yield name, raw
        elif seal is not None:
            yield SEALED + name, seal(raw)


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--base",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The backup that an incremental one was written upon.",
)
@click.option("--mailbox", "address", help="Bring back only what this mailbox has lost since.")
@passphrase_option
def restore_command(file: Path, base: Path | None, address: str | None, passphrase_stdin: bool) -> None:
    """Restore a backup into an empty or missing data directory, or the lost messages of one mailbox."""
    passphrase = _passphrase(passphrase_stdin)
    if address is not None:
        _restore_mailbox(file, base, address)
        return
    data = data_directory().absolute()
    if data.exists() and any(data.iterdir()):
        raise Failed(f"{data} exists and is not empty")
    building = data.with_name(f".{data.name}.{secrets.token_hex(4)}.new")
    try:
        loaded = _load(building, file, base, passphrase)
        for name, raw in loaded.files:
            _put_file(building, name, raw, passphrase)
        for folder in [building, *filter(Path.is_dir, building.rglob("*"))]:
            sync_directory(folder)
        if data.exists():
            data.rmdir()
        building.rename(data)
        sync_directory(data.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    if not loaded.secrets:
        click.echo(
            "without secrets: set new passwords (`appliance user passwd`), a certificate "
            "(`appliance tls renew`) and the smart host, if there was one (`appliance smarthost set`)",
            err=True,
        )
    click.echo(f"{loaded.mailboxes} mailboxes", err=True)


def _load(directory: Path, file: Path, base: Path | None, passphrase: str | None) -> backup.Loaded:
    unseal: Callable[[bytes], bytes] | None = None
    if passphrase is not None:
        known = passphrase

        def unseal(data: bytes) -> bytes:
            return credentials.unseal(data, known)

    store = Store.create(directory)
    try:
        with click.open_file(str(file), "rb") as raw:
            if base is None:
                return backup.load(store, raw, unseal=unseal, new_guid=lambda: secrets.token_bytes(16))
            with base.open("rb") as under:
                return backup.load(
                    store, raw, base=under, unseal=unseal, new_guid=lambda: secrets.token_bytes(16)
                )
    except credentials.BadSeal as error:
        raise Failed(str(error)) from error
    finally:
        store.close()


def _put_file(data: Path, name: str, raw: bytes, passphrase: str | None) -> None:
    """A file beside the store; sealed ones need the passphrase and are left out without it."""
    if name.startswith(SEALED):
        if passphrase is None:
            return
        name, raw = name[len(SEALED) :], credentials.unseal(raw, passphrase)
    path = (data / name).resolve()
    if not path.is_relative_to(data.resolve()):
        raise Failed(f"the backup names a file outside of the data directory: {name}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(path, raw, private=True)


def _restore_mailbox(file: Path, base: Path | None, address: str) -> None:
    with open_store() as store:
        with store.read() as txn:
            target = entries.need(txn, address, *WITH_MAILBOX).mailbox
        with tempfile.TemporaryDirectory(dir=store.directory, prefix="restoring-") as place:
            directory = Path(place) / "store"
            _load(directory, file, base, None)
            source = Store.open(directory)
            try:
                count = _bring_back(source, address, store, target)
            finally:
                source.close()
    click.echo(f"{count} messages brought back", err=True)


def _bring_back(source: Store, address: str, store: Store, target: int) -> int:
    with source.read() as txn:
        mailbox = entries.need(txn, address, *WITH_MAILBOX).mailbox
    waiting: deque[Future[Row]] = deque()
    count, now = 0, times.from_unix(time.time())
    for path, row in recover.missing(source, mailbox, store, target):
        waiting.append(recover.bring_back(source, mailbox, path, row, store, target, now=now))
        count += 1
        while len(waiting) > AT_ONCE:
            waiting.popleft().result()
    while waiting:
        waiting.popleft().result()
    return count
