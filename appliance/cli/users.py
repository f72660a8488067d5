"""`appliance user` and `appliance alias`."""

import secrets
import sys
from dataclasses import replace
from typing import Any

import click

from appliance.cli import people
from appliance.cli.frame import Failed
from appliance.cli.tools import change, json_option, open_store, password_from, print_rows
from appliance.directory import credentials, domains, entries
from appliance.directory.addresses import parse
from appliance.directory.model import WITH_MAILBOX, Entry, Kind, Protocol
from appliance.mailbox import quotas
from appliance.store.kv import WriteTxn

_USER = (Kind.USER,)
_LOGS_ON = tuple(sorted(WITH_MAILBOX))


@click.group()
def user() -> None:
    """People with a mailbox."""


@user.command("add")
@click.argument("address")
@click.option("--password", help="The password; better given by --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@people.attribute_options
def add(address: str, password: str | None, password_stdin: bool, **given: Any) -> None:
    """Add a user. Without a password nobody can log on as it."""
    password = password_from(password_stdin, password)
    secret = _prepare(password) if password is not None else None
    with open_store() as store:
        people.create(store, Kind.USER, address, given, lambda txn, entry: _finish(txn, entry, secret))


@user.command("set")
@click.argument("address")
@click.option("--address", "new_address", help="Another primary address; the former one becomes an alias.")
@click.option("--legacy-dn", help="Another legacy distinguished name; the former one still leads here.")
@click.option("--hidden/--visible", default=None, help="Whether address lists leave it out.")
@people.attribute_options
def put(
    address: str, new_address: str | None, legacy_dn: str | None, hidden: bool | None, **given: Any
) -> None:
    """Change what is known of a user; an empty value clears it."""
    with open_store() as store:
        fields: dict[str, Any] = {"legacy_dn": legacy_dn, "hidden": hidden}
        if new_address is not None:
            with store.read() as txn:
                old = entries.need(txn, address, *_USER)
            fields |= {"address": new_address, "aliases": (*old.aliases, old.address)}
        people.update(store, _USER, address, given, **fields)


@user.command("show")
@click.argument("address")
@json_option
def show(address: str, as_json: bool) -> None:
    """Print a user."""
    people.show(address, _USER, as_json=as_json)


@user.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List the users."""
    people.print_list(_USER, as_json=as_json)


@user.command("del")
@click.argument("address")
def delete(address: str) -> None:
    """Take a user away, with the mailbox and everything in it."""
    with open_store() as store:
        people.remove(store, _USER, address)


@user.command("enable")
@click.argument("address")
def enable(address: str) -> None:
    """Let a user log on and receive mail again."""
    _switch(address, True)


@user.command("disable")
@click.argument("address")
def disable(address: str) -> None:
    """Keep a user from logging on; mail is refused."""
    _switch(address, False)


@user.command("passwd")
@click.argument("address")
@click.option("--password", help="The password; better given by --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def passwd(address: str, password: str | None, password_stdin: bool) -> None:
    """Set a user's password; asks for it on a terminal."""
    password = password_from(password_stdin, password)
    if password is None:
        if not sys.stdin.isatty():
            raise click.UsageError("--password-stdin or --password is missing")
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    secret = _prepare(password)
    with open_store() as store:
        change(store, lambda txn: credentials.put(txn, entries.need(txn, address, *_LOGS_ON).id, secret))


@user.command("protocol")
@click.argument("address")
@click.argument("protocol", type=click.Choice([protocol.value for protocol in Protocol]))
@click.argument("state", type=click.Choice(["on", "off"]))
def protocol(address: str, protocol: str, state: str) -> None:
    """Switch a protocol on or off for a user."""
    chosen = frozenset({Protocol(protocol)})

    def fn(txn: WriteTxn) -> Entry:
        entry = entries.need(txn, address, *_LOGS_ON)
        off = entry.disabled_protocols - chosen if state == "on" else entry.disabled_protocols | chosen
        return entries.update(txn, replace(entry, disabled_protocols=off))

    with open_store() as store:
        change(store, fn)


@click.group()
def alias() -> None:
    """Further addresses of an entry."""


@alias.command("add")
@click.argument("address")
@click.argument("further")
def add_alias(address: str, further: str) -> None:
    """Give an entry one more address."""

    def fn(txn: WriteTxn) -> Entry:
        entry = entries.need(txn, address)
        if parse(further).key in {parse(known).key for known in entry.addresses}:
            raise Failed(f"{further} is an address of {entry.address} already")
        return entries.update(txn, replace(entry, aliases=(*entry.aliases, further)))

    with open_store() as store:
        change(store, fn)


@alias.command("del")
@click.argument("address")
@click.argument("further")
def delete_alias(address: str, further: str) -> None:
    """Take an alias from an entry."""

    def fn(txn: WriteTxn) -> Entry:
        entry = entries.need(txn, address)
        kept = tuple(known for known in entry.aliases if parse(known).key != parse(further).key)
        if len(kept) == len(entry.aliases):
            raise Failed(f"{further} is no alias of {entry.address}")
        return entries.update(txn, replace(entry, aliases=kept))

    with open_store() as store:
        change(store, fn)


@alias.command("list")
@click.argument("address", required=False)
@json_option
def list_aliases(address: str | None, as_json: bool) -> None:
    """List the aliases of an entry, or all."""
    with open_store() as store, store.read() as txn:
        chosen = [entries.need(txn, address)] if address else list(entries.list_entries(txn))
        rows = [{"address": entry.address, "alias": further} for entry in chosen for further in entry.aliases]
    print_rows(rows, ["address", "alias"], as_json=as_json)


def _prepare(password: str) -> credentials.Secret:
    return credentials.prepare(password, salt=secrets.token_bytes(credentials.SALT_SIZE), now=people.now())


def _finish(txn: WriteTxn, entry: Entry, secret: credentials.Secret | None) -> None:
    quota = domains.get(txn).default_quota
    if quota is not None:
        quotas.set_quota(txn, entry.mailbox, quota)
    if secret is not None:
        credentials.put(txn, entry.id, secret)


def _switch(address: str, enabled: bool) -> None:
    def fn(txn: WriteTxn) -> Entry:
        return entries.update(txn, replace(entries.need(txn, address, *_LOGS_ON), enabled=enabled))

    with open_store() as store:
        change(store, fn)
