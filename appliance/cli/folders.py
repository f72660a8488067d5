"""`appliance folder`, `appliance public-folder`, `appliance quota`."""

import re
import secrets
import time
from typing import Any

import click

from appliance.cli.frame import Failed
from appliance.cli.tools import change, json_option, open_store, print_rows
from appliance.config import parse_size, show_size
from appliance.directory import domains, entries
from appliance.directory.model import WITH_MAILBOX, Kind
from appliance.mailbox import folders, public, quotas, rights
from appliance.mailbox.actor import SYSTEM
from appliance.mapi import times
from appliance.store import permissions
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store

PUBLIC = "public"


def _now() -> int:
    return times.from_unix(time.time())


def _path(text: str) -> folders.Path:
    path = tuple(name for name in text.split("/") if name)
    if not path:
        raise Failed("a path names at least one folder")
    return path


def _mailbox(txn: ReadTxn, owner: str) -> int:
    if owner == PUBLIC:
        found = public.find(txn)
        if found is None:
            raise Failed("there are no public folders; `appliance public-folder create` makes the first")
        return found
    return entries.need(txn, owner, *WITH_MAILBOX).mailbox


@click.group()
def folder() -> None:
    """Folders of a mailbox or of the public store, and who may do what in them."""


@folder.command("list")
@click.argument("owner")
@json_option
def list_folders(owner: str, as_json: bool) -> None:
    """List the folders of OWNER (an address, or `public`)."""
    with open_store() as store, store.read() as txn:
        rows = [_facts(listed) for listed in folders.list_folders(txn, SYSTEM, _mailbox(txn, owner))]
    print_rows(rows, ("path", "messages", "unread", "size", "class"), as_json=as_json)


def _facts(listed: folders.Listed) -> dict[str, Any]:
    row = listed.folder
    return {
        "path": "/".join(listed.path),
        "messages": row.total,
        "unread": row.unread,
        "size": row.size,
        "class": row.container_class,
        "deleted": row.deleted,
    }


@folder.command("create")
@click.argument("owner")
@click.argument("path")
@click.option("--class", "container_class", default="", help="Such as IPF.Appointment; default the parent's.")
def create_folder(owner: str, path: str, container_class: str) -> None:
    """Make a folder, and those above it that are missing."""
    with open_store() as store:
        change(
            store,
            lambda txn: folders.create(
                txn, SYSTEM, _mailbox(txn, owner), _path(path), now=_now(), container_class=container_class
            ),
        )


@folder.command("del")
@click.argument("owner")
@click.argument("path")
def delete_folder(owner: str, path: str) -> None:
    """Delete a folder that has no folders; its messages can be recovered for a while."""
    with open_store() as store:
        _delete(store, owner, path)


def _delete(store: Store, owner: str, path: str) -> None:
    with store.read() as txn:
        mailbox = _mailbox(txn, owner)
        fid = folders.require_path(txn, SYSTEM, mailbox, _path(path)).fid
    now = _now()
    while not change(store, lambda txn: folders.delete(txn, SYSTEM, mailbox, fid, now=now)):
        pass


@folder.command("permission")
@click.argument("owner")
@click.argument("path")
@click.argument("member", required=False)
@click.argument("given", required=False, metavar="[RIGHTS]")
@json_option
def permission(owner: str, path: str, member: str | None, given: str | None, as_json: bool) -> None:
    """Show who may do what in a folder, or set it: MEMBER is an address, `default` or `anonymous`; RIGHTS a
    role, single rights joined by commas, or `remove`."""
    with open_store() as store:
        with store.read() as txn:
            mailbox = _mailbox(txn, owner)
            fid = folders.require_path(txn, SYSTEM, mailbox, _path(path)).fid
            known = _member(txn, member) if member is not None else 0
        if member is None:
            with store.read() as txn:
                rows = [
                    {"member": _name(txn, number), "rights": rights.describe(row)}
                    for number, row in permissions.members(txn, mailbox, fid).items()
                ]
            print_rows(rows, ("member", "rights"), as_json=as_json)
        elif given is None:
            raise click.UsageError("name the RIGHTS that the member gets")
        elif given == "remove":
            change(store, lambda txn: rights.revoke(txn, SYSTEM, mailbox, fid, known))
        else:
            wanted = rights.parse(given)
            change(store, lambda txn: rights.grant(txn, SYSTEM, mailbox, fid, known, wanted))


def _member(txn: ReadTxn, text: str) -> int:
    fixed = {"default": permissions.DEFAULT, "anonymous": permissions.ANONYMOUS}
    if text in fixed:
        return fixed[text]
    return entries.need(txn, text).id


def _name(txn: ReadTxn, member: int) -> str:
    fixed = {permissions.DEFAULT: "default", permissions.ANONYMOUS: "anonymous"}
    if member in fixed:
        return fixed[member]
    entry = entries.find(txn, member)
    return entry.address if entry is not None else f"({member}, gone)"


@click.group("public-folder")
def public_folder() -> None:
    """Folders that belong to the organization."""


@public_folder.command("create")
@click.argument("path")
def create_public(path: str) -> None:
    """Make a public folder. Everyone may read it and add to it until `folder permission public` says else."""
    with open_store() as store:
        guids = secrets.token_bytes(16), secrets.token_bytes(16)
        validity = int(time.time())
        change(
            store,
            lambda txn: public.create_folder(
                txn, SYSTEM, _path(path), guids=guids, uidvalidity=validity, now=_now()
            ),
        )


@public_folder.command("mail-enable")
@click.argument("path")
@click.argument("address", required=False)
def mail_enable(path: str, address: str | None) -> None:
    """Give a public folder an address that mail can be sent to: the one given, else its name at the first
    domain, which is printed."""
    guid = secrets.token_bytes(16)
    with open_store() as store:
        with store.read() as txn:
            given = address or _address_of(txn, _path(path)[-1])
        change(store, lambda txn: public.mail_enable(txn, SYSTEM, _path(path), given, guid=guid, now=_now()))
    if address is None:
        click.echo(given)


def _address_of(txn: ReadTxn, name: str) -> str:
    """A folder's name as an address: what no shorthand of an address may hold becomes a hyphen."""
    local = re.sub(r"[^\w.+-]+", "-", name.lower()).strip(".-") or "folder"
    return f"{re.sub(r'[.]{2,}', '.', local)}@{domains.get(txn).domains[0]}"


@public_folder.command("del")
@click.argument("path")
def delete_public(path: str) -> None:
    """Delete a public folder that has no folders, and its address."""
    with open_store() as store:
        with store.read() as txn:
            mailbox = _mailbox(txn, PUBLIC)
            fid = folders.require_path(txn, SYSTEM, mailbox, _path(path)).fid
        change(store, lambda txn: public.mail_disable(txn, fid))
        _delete(store, PUBLIC, path)


@public_folder.command("list")
@json_option
def list_public(as_json: bool) -> None:
    """List the public folders with their addresses."""
    with open_store() as store, store.read() as txn:
        mailbox = public.find(txn)
        addresses = {entry.folder: entry.address for entry in entries.list_entries(txn, Kind.PUBLIC_FOLDER)}
        listed = folders.list_folders(txn, SYSTEM, mailbox) if mailbox is not None else ()
        rows = [{**_facts(entry), "address": addresses.get(entry.folder.fid, "")} for entry in listed]
    print_rows(rows, ("path", "address", "messages", "size"), as_json=as_json)


@click.group()
def quota() -> None:
    """How much a mailbox, or one of its folders, may hold."""


def _limited(text: str) -> tuple[str, folders.Path]:
    """What a quota is for: an owner, and the path of a folder behind a slash. The part of an address before
    the @ may have slashes too."""
    at = text.find("/", max(text.find("@"), 0))
    owner, path = (text, "") if at < 0 else (text[:at], text[at:])
    return owner, _path(path) if path.strip("/") else ()


@quota.command("set")
@click.argument("what", metavar="ADDRESS|FOLDER")
@click.argument("size")
def set_quota(what: str, size: str) -> None:
    """Limit a mailbox (an address, or `public`), or one folder (anna@example.test/Projects/Old, public/News;
    without its subfolders), to SIZE: 500M, 2G, unlimited."""
    limit = 0 if size == "unlimited" else parse_size(size)
    owner, path = _limited(what)
    now = _now()

    def fn(txn: WriteTxn) -> None:
        mailbox = _mailbox(txn, owner)
        if path:
            fid = folders.require_path(txn, SYSTEM, mailbox, path).fid
            quotas.set_folder_quota(txn, mailbox, fid, limit, now=now)
        else:
            quotas.set_quota(txn, mailbox, limit)

    with open_store() as store:
        change(store, fn)


@quota.command("show")
@click.argument("what", metavar="ADDRESS|FOLDER")
@json_option
def show_quota(what: str, as_json: bool) -> None:
    """Show how full a mailbox and those of its folders are that have a quota of their own, or one folder."""
    owner, path = _limited(what)
    with open_store() as store, store.read() as txn:
        mailbox = _mailbox(txn, owner)
        if path:
            folder = folders.require_path(txn, SYSTEM, mailbox, path)
            rows = [_usage(what, quotas.folder_usage(folder), as_json)]
        else:
            rows = [_usage(what, quotas.usage(txn, mailbox), as_json)]
            rows += [
                _usage("/".join((owner, *listed.path)), quotas.folder_usage(listed.folder), as_json)
                for listed in folders.list_folders(txn, SYSTEM, mailbox, hidden=True)
                if quotas.folder_limit(listed.folder)
            ]
    print_rows(rows, ("owner", "used", "limit", "messages"), as_json=as_json)


def _usage(name: str, usage: quotas.Usage, as_json: bool) -> dict[str, Any]:
    shown = show_size(usage.receive) if usage.receive else "unlimited"
    return {
        "owner": name,
        "used": usage.size if as_json else show_size(usage.size),
        "limit": (usage.receive or None) if as_json else shown,
        "messages": usage.count,
    }
