"""`appliance delegate` and `appliance right`."""

from dataclasses import replace
from typing import Any

import click

from appliance.cli.frame import Failed
from appliance.cli.tools import change, json_option, open_store, print_rows
from appliance.directory import entries, links
from appliance.directory.links import Link
from appliance.directory.model import WITH_MAILBOX, Entry, Right
from appliance.mailbox import rights
from appliance.mailbox.actor import SYSTEM
from appliance.store import permissions
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special

_KINDS = tuple(sorted(WITH_MAILBOX))
_FOLDERS = {
    "calendar": Special.CALENDAR,
    "tasks": Special.TASKS,
    "inbox": Special.INBOX,
    "contacts": Special.CONTACTS,
    "notes": Special.NOTES,
    "journal": Special.JOURNAL,
}
_RIGHTS = {right.name.lower().replace("_", "-"): right for right in Right if right.name}


@click.group()
def delegate() -> None:
    """People who act for others."""


def _folder_options(command: Any) -> Any:
    for name in reversed(_FOLDERS):
        click.option(f"--{name}", metavar="RIGHTS", help=f"Rights in the {name}.")(command)
    return command


@delegate.command("add")
@click.argument("owner")
@click.argument("address", metavar="DELEGATE")
@click.option("--send-on-behalf", is_flag=True, help="May send on the owner's behalf.")
@click.option("--send-as", is_flag=True, help="May send as the owner.")
@_folder_options
def add(owner: str, address: str, send_on_behalf: bool, send_as: bool, **given: str | None) -> None:
    """Make somebody a delegate, or change what a delegate may."""
    granted = {_FOLDERS[name]: rights.parse(text) for name, text in given.items() if text}

    def fn(txn: WriteTxn) -> None:
        holder, other = _both(txn, owner, address)
        links.add(txn, Link.DELEGATE, holder.id, other.id)
        for wanted, link in ((send_on_behalf, Link.SEND_ON_BEHALF), (send_as, Link.SEND_AS)):
            if wanted:
                links.add(txn, link, holder.id, other.id)
        for fid, allowed in granted.items():
            rights.grant(txn, SYSTEM, holder.mailbox, fid, other.id, allowed)
        entries.moved(txn)

    with open_store() as store:
        change(store, fn)


@delegate.command("del")
@click.argument("owner")
@click.argument("address", metavar="DELEGATE")
def delete(owner: str, address: str) -> None:
    """End a delegation, with the rights in the owner's folders."""

    def fn(txn: WriteTxn) -> None:
        holder, other = _both(txn, owner, address)
        if not links.remove(txn, Link.DELEGATE, holder.id, other.id):
            raise Failed(f"{address} is no delegate of {owner}")
        links.remove(txn, Link.SEND_ON_BEHALF, holder.id, other.id)
        links.remove(txn, Link.SEND_AS, holder.id, other.id)
        for fid in _FOLDERS.values():
            if other.id in permissions.members(txn, holder.mailbox, fid):
                rights.revoke(txn, SYSTEM, holder.mailbox, fid, other.id)
        entries.moved(txn)

    with open_store() as store:
        change(store, fn)


@delegate.command("list")
@click.argument("owner")
@json_option
def list_delegates(owner: str, as_json: bool) -> None:
    """List who acts for an owner."""
    with open_store() as store, store.read() as txn:
        holder = entries.need(txn, owner, *_KINDS)
        rows = [_delegate_row(txn, holder, id) for id in links.targets(txn, Link.DELEGATE, holder.id)]
    print_rows(rows, ["delegate", "send_on_behalf", "send_as", *_FOLDERS], as_json=as_json)


def _delegate_row(txn: ReadTxn, holder: Entry, id: int) -> dict[str, object]:
    row: dict[str, object] = {
        "delegate": entries.get(txn, id).address,
        "send_on_behalf": links.has(txn, Link.SEND_ON_BEHALF, holder.id, id),
        "send_as": links.has(txn, Link.SEND_AS, holder.id, id),
    }
    for name, fid in _FOLDERS.items():
        held = permissions.members(txn, holder.mailbox, fid).get(id)
        row[name] = None if held is None else rights.describe(held)
    return row


@click.group()
def right() -> None:
    """Rights over the server as a whole."""


@right.command("add")
@click.argument("address")
@click.argument("name", metavar="RIGHT", type=click.Choice(list(_RIGHTS)))
def add_right(address: str, name: str) -> None:
    """Give a user a right."""
    _set_right(address, name, given=True)


@right.command("del")
@click.argument("address")
@click.argument("name", metavar="RIGHT", type=click.Choice(list(_RIGHTS)))
def delete_right(address: str, name: str) -> None:
    """Take a right from a user."""
    _set_right(address, name, given=False)


@right.command("list")
@click.argument("address", required=False)
@json_option
def list_rights(address: str | None, as_json: bool) -> None:
    """List the rights of a user, or everybody's."""
    with open_store() as store, store.read() as txn:
        chosen = [entries.need(txn, address)] if address else list(entries.list_entries(txn))
    rows = [
        {"address": entry.address, "right": name}
        for entry in chosen
        for name, value in _RIGHTS.items()
        if value in entry.rights
    ]
    print_rows(rows, ["address", "right"], as_json=as_json)


def _set_right(address: str, name: str, *, given: bool) -> None:
    def fn(txn: WriteTxn) -> None:
        entry = entries.need(txn, address, *_KINDS)
        if entry.has_right(_RIGHTS[name]) == given:
            raise Failed(f"{address} has {'that' if given else 'no such'} right{' already' if given else ''}")
        changed = entry.rights | _RIGHTS[name] if given else entry.rights & ~_RIGHTS[name]
        entries.update(txn, replace(entry, rights=changed))

    with open_store() as store:
        change(store, fn)


def _both(txn: ReadTxn, owner: str, address: str) -> tuple[Entry, Entry]:
    return entries.need(txn, owner, *_KINDS), entries.need(txn, address, *_KINDS)
