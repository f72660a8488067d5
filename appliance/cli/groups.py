"""`appliance group`: distribution lists, with members or with a filter."""

from dataclasses import replace

import click

from appliance.cli import people
from appliance.cli.frame import Failed
from appliance.cli.tools import change, json_option, open_store, print_facts, print_rows
from appliance.directory import entries, filters, links, resolve
from appliance.directory.links import Link
from appliance.directory.model import GROUPS, Entry, Kind, Senders
from appliance.store.kv import WriteTxn

_KINDS = tuple(sorted(GROUPS))


@click.group()
def group() -> None:
    """Groups that mail is sent on to."""


@group.command("add")
@click.argument("address", metavar="GROUP")
@click.option("--name", help="The display name.")
@click.option("--managed-by", multiple=True, help="Who manages it, sends as it and hears of its failures.")
@click.option("--dynamic", "filter_", metavar="FILTER", help="Members by a filter, as department=Sales.")
@click.option("--senders", type=click.Choice([s.value for s in Senders]), help="Who may send to it.")
def add(
    address: str, name: str | None, managed_by: tuple[str, ...], filter_: str | None, senders: str | None
) -> None:
    """Add a group."""
    if filter_ is not None:
        filters.parse(filter_)
    kind = Kind.GROUP if filter_ is None else Kind.DYNAMIC_GROUP
    allowed = Senders(senders or Senders.ANYONE.value)

    def finish(txn: WriteTxn, made: Entry) -> None:
        for manager in managed_by:
            links.add(txn, Link.MANAGED_BY, made.id, entries.need(txn, manager).id)

    with open_store() as store:
        people.create(store, kind, address, {"name": name}, finish, filter=filter_ or "", senders=allowed)


@group.command("del")
@click.argument("address", metavar="GROUP")
def delete(address: str) -> None:
    """Take a group away; its members stay."""
    with open_store() as store:
        people.remove(store, _KINDS, address)


@group.command("show")
@click.argument("address", metavar="GROUP")
@json_option
def show(address: str, as_json: bool) -> None:
    """Print a group with its members."""
    with open_store() as store, store.read() as txn:
        found = entries.need(txn, address, *_KINDS)
        managers = links.targets(txn, Link.MANAGED_BY, found.id)
        facts = people.facts(txn, found) | {
            "filter": found.filter,
            "senders": found.senders.value,
            "managed_by": [entries.get(txn, id).address for id in managers],
            "members": [member.address for member in resolve.group_members(txn, found)],
        }
    print_facts(facts, as_json=as_json)


@group.command("list")
@json_option
def list_groups(as_json: bool) -> None:
    """List the groups."""
    with open_store() as store, store.read() as txn:
        rows = [
            {
                "address": entry.address,
                "name": entry.display_name,
                "dynamic": entry.kind is Kind.DYNAMIC_GROUP,
                "members": sum(1 for _ in resolve.group_members(txn, entry)),
            }
            for entry in entries.list_entries(txn, *_KINDS)
        ]
    print_rows(rows, ["address", "name", "dynamic", "members"], as_json=as_json)


@group.command("member-add")
@click.argument("address", metavar="GROUP")
@click.argument("member")
def add_member(address: str, member: str) -> None:
    """Put an entry into a group."""

    def fn(txn: WriteTxn) -> None:
        if not resolve.add_member(txn, *_both(txn, address, member)):
            raise Failed(f"{member} is a member of {address} already")

    with open_store() as store:
        change(store, fn)


@group.command("member-del")
@click.argument("address", metavar="GROUP")
@click.argument("member")
def delete_member(address: str, member: str) -> None:
    """Take an entry out of a group."""

    def fn(txn: WriteTxn) -> None:
        if not resolve.remove_member(txn, *_both(txn, address, member)):
            raise Failed(f"{member} is no member of {address}")

    with open_store() as store:
        change(store, fn)


@group.command("set")
@click.argument("address", metavar="GROUP")
@click.option("--name", help="The display name.")
@click.option("--managed-by", multiple=True, help="Who manages it from now on; replaces those before.")
@click.option("--senders", type=click.Choice([s.value for s in Senders]), help="Who may send to it.")
@click.option("--dynamic", "filter_", metavar="FILTER", help="Another filter, of a dynamic group.")
def put(
    address: str, name: str | None, managed_by: tuple[str, ...], senders: str | None, filter_: str | None
) -> None:
    """Change a group."""
    if filter_ is not None:
        filters.parse(filter_)

    def fn(txn: WriteTxn) -> None:
        entry = entries.need(txn, address, *_KINDS)
        entry = replace(
            entry,
            display_name=entry.display_name if name is None else name,
            senders=Senders(senders) if senders else entry.senders,
            filter=entry.filter if filter_ is None else filter_,
        )
        entries.update(txn, entry)
        if managed_by:
            links.replace(txn, Link.MANAGED_BY, entry.id, None)
            for manager in managed_by:
                links.add(txn, Link.MANAGED_BY, entry.id, entries.need(txn, manager).id)

    with open_store() as store:
        change(store, fn)


def _both(txn: WriteTxn, group: str, member: str) -> tuple[Entry, Entry]:
    return entries.need(txn, group, *_KINDS), entries.need(txn, member)
