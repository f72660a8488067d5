"""What commands share: the open store, tables on a terminal or for a pipe, JSON, passwords from stdin."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.cli.frame import Failed, Frame
from appliance.config import Settings, load
from appliance.net.announce import Announcer
from appliance.store import settings as stored_settings
from appliance.store.kv import WriteTxn
from appliance.store.store import Store

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
MAX_PASSWORD = 1024

WAIT = 60.0
"""Seconds that a command waits for its commit, at most."""


def data_directory() -> Path:
    """The data directory that the command works on."""
    frame = click.get_current_context().find_object(Frame)
    assert frame is not None
    return frame.data


@contextmanager
def open_store() -> Iterator[Store]:
    """The store of the data directory, whether or not a server runs on it. Raises ForeignStore."""
    store = Store.open(data_directory())
    announcer = Announcer(store)
    try:
        yield store
    finally:
        store.close()  # first: the last commits are announced on its thread
        announcer.close()


def change(store: Store, fn: Callable[[WriteTxn], T]) -> T:
    """Run a write function and wait until it is durable."""
    return store.write(fn).result(WAIT)


def settings_of(store: Store) -> Settings:
    """The settings as a server that starts now would have them. Raises SettingError."""
    with store.read() as txn:
        texts = stored_settings.texts(txn)
    return load(store.directory, texts, {})


def json_option(command: F) -> F:
    """Adds `--json` to a command that lists: the parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def print_json(value: object) -> None:
    """One JSON value on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_rows(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], *, as_json: bool = False
) -> None:
    """Rows as JSON, as a table on a terminal, or as columns parted by tabs for a pipe.

    `columns` are keys of the rows, in order; JSON has every key."""
    if as_json:
        print_json(list(rows))
    elif sys.stdout.isatty():
        _print_table(rows, columns)
    else:
        for row in rows:
            click.echo("\t".join(_cell(row.get(column)) for column in columns))


def print_facts(facts: Mapping[str, object], *, as_json: bool = False) -> None:
    """One object: its names and values."""
    if as_json:
        print_json(facts)
        return
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):{width}}  {_cell(value)}".rstrip())


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(str, value))
    return str(value)


def _print_table(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    console = importlib.import_module("rich.console")  # only a terminal needs it
    table = importlib.import_module("rich.table").Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "))
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console.Console().print(table)


def password_from(stdin: bool, given: str | None) -> str | None:
    """The password of `--password-stdin` or `--password`; None where neither was given. Raises Failed."""
    if stdin and given is not None:
        raise click.UsageError("--password and --password-stdin exclude each other")
    if stdin:
        given = sys.stdin.readline(MAX_PASSWORD + 2).rstrip("\r\n")
    if given is not None and not 0 < len(given) <= MAX_PASSWORD:
        raise Failed(f"a password has 1 to {MAX_PASSWORD} characters")
    return given
