"""Folder ROPs, as tests ask for them."""

from appliance.mapi import restrictions
from appliance.mapi.ids import short_to_wire
from appliance.mapi.restrictions import Restriction
from appliance.mapi.values import rop_form
from appliance.rop.ops import (
    copy_folder,
    create_folder,
    delete_folder,
    delete_messages,
    empty_folder,
    move_copy_messages,
    move_folder,
    open_folder,
    search_criteria,
)
from tests.rop.kit import Client, Reply

FORM = rop_form()


def create(
    client: Client,
    parent: int,
    name: str = "New",
    *,
    kind: int = 1,
    existing: bool = False,
    comment: str = "",
) -> Reply:
    request = create_folder.Request(kind, True, existing, 0, name, comment)
    return client.ask(create_folder.ROP, request, on=parent)


def made(client: Client, parent: int, name: str = "New", *, kind: int = 1) -> tuple[int, int]:
    """A new folder: its handle and FID."""
    reply = create(client, parent, name, kind=kind)
    assert reply.code == 0, reply.name
    return reply.handle, reply.body.folder_id


def opening(client: Client, on: int, fid: int, flags: int = 0) -> Reply:
    return client.ask(open_folder.ROP, open_folder.Request(fid, open_folder.OpenModeFlags(flags)), on=on)


def delete(client: Client, parent: int, fid: int, flags: int = 0) -> Reply:
    request = delete_folder.Request(delete_folder.DeleteFolderFlags(flags), fid)
    return client.ask(delete_folder.ROP, request, on=parent)


def delete_some(client: Client, folder: int, *mids: int, hard: bool = False) -> Reply:
    rop = delete_messages.HARD if hard else delete_messages.SOFT
    return client.ask(rop, delete_messages.Request(False, False, mids), on=folder)


def transfer(client: Client, source: int, target: int, *mids: int, copy: bool = False) -> Reply:
    request = move_copy_messages.Request(mids, False, copy)
    return client.ask(move_copy_messages.ROP, request, on=source, dest=target)


def empty(client: Client, folder: int, *, associated: bool = False, hard: bool = False) -> Reply:
    rop = empty_folder.HARD if hard else empty_folder.SOFT
    return client.ask(rop, empty_folder.Request(False, associated), on=folder)


def move(client: Client, source: int, target: int, fid: int, name: str = "") -> Reply:
    return client.ask(move_folder.ROP, move_folder.Request(False, True, fid, name), on=source, dest=target)


def copy(
    client: Client, source: int, target: int, fid: int, name: str = "", *, recursive: bool = True
) -> Reply:
    request = copy_folder.Request(False, recursive, True, fid, name)
    return client.ask(copy_folder.ROP, request, on=source, dest=target)


def search(
    client: Client, folder: int, restriction: Restriction | None, *scope: int, flags: int = 0
) -> Reply:
    data = restrictions.pack(restriction, FORM) if restriction is not None else b""
    request = search_criteria.SetRequest(data, scope, search_criteria.SetFlags(flags))
    return client.ask(search_criteria.SET, request, on=folder)


def criteria(
    client: Client, folder: int, *, unicode: bool = True, restriction: bool = True, folders: bool = True
) -> Reply:
    request = search_criteria.GetRequest(unicode, restriction, folders)
    return client.ask(search_criteria.GET, request, on=folder)


def wire(fid: int) -> str:
    """A FID or MID as hexadecimal digits."""
    return short_to_wire(fid).hex()
