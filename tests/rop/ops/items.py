"""Short ways to work on messages through the ROPs."""

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.mapi import tags
from appliance.mapi.rows import read_row
from appliance.mapi.types import Value
from appliance.mapi.values import Form, read_tagged, rop_form
from appliance.rop.ops import (
    create_message,
    get_properties_all,
    get_properties_list,
    get_properties_specific,
    open_message,
    save_changes_message,
    set_properties,
)
from appliance.rop.properties import Problems
from appliance.store.mailboxes import Special
from appliance.wire.cursor import Reader
from tests.rop.kit import Client, Reply

FORM = rop_form(1252)
PAGE = 0x0FFF
READ_ONLY, READ_WRITE, BEST, SOFT_DELETED = (open_message.OpenModeFlags(n) for n in (0, 1, 3, 4))
KEEP_RO, KEEP_RW, FORCE = (save_changes_message.SaveFlags(n) for n in (9, 10, 12))


def create(client: Client, on: int, fid: int = Special.DRAFTS, *, associated: bool = False) -> int:
    """A new message's handle."""
    return client.do(create_message.ROP, create_message.Request(PAGE, fid, associated), on=on).handle


def save(client: Client, message: int, flags: save_changes_message.SaveFlags = KEEP_RW) -> int:
    """The MID."""
    reply = client.do(save_changes_message.ROP, save_changes_message.Request(flags), on=message)
    mid: int = reply.body.message_id
    return mid


def try_save(client: Client, message: int, flags: save_changes_message.SaveFlags = KEEP_RW) -> Reply:
    return client.ask(save_changes_message.ROP, save_changes_message.Request(flags), on=message)


def open_(
    client: Client,
    on: int,
    mid: int,
    fid: int = Special.DRAFTS,
    mode: open_message.OpenModeFlags = READ_WRITE,
    page: int = PAGE,
) -> Reply:
    return client.ask(open_message.ROP, open_message.Request(page, fid, mode, mid), on=on)


def opened(client: Client, on: int, mid: int, fid: int = Special.DRAFTS, **more: Any) -> int:
    reply = open_(client, on, mid, fid, **more)
    assert reply.code == 0, reply.name
    return reply.handle


def set_(client: Client, on: int, values: Mapping[int, Value], form: Form = FORM) -> Problems:
    request = set_properties.Request.of(list(values.items()), form)
    problems: Problems = client.do(set_properties.SET, request, on=on).body
    return problems


def get(
    client: Client, on: int, *wanted: int, unicode: bool = True, form: Form = FORM, limit: int = 0
) -> list[Any]:
    """The cells of these tags. Nothing may be left over."""
    request = get_properties_specific.Request(limit, int(unicode), wanted)
    reply = client.do(get_properties_specific.ROP, request, on=on)
    return row(reply.body.row, wanted, form)


def row(data: bytes, wanted: Sequence[int], form: Form = FORM) -> list[Any]:
    reader = Reader(data)
    cells = read_row(reader, wanted, form)
    reader.expect_end()
    return cells


def get_all(client: Client, on: int, *, unicode: bool = True, form: Form = FORM) -> dict[int, Any]:
    body = client.do(get_properties_all.ROP, get_properties_all.Request(0, int(unicode)), on=on).body
    reader = Reader(body.values)
    found = dict(read_tagged(reader, form) for _ in range(body.count))
    reader.expect_end()
    return found


def listed(client: Client, on: int) -> tuple[int, ...]:
    found: tuple[int, ...] = client.do(get_properties_list.ROP, on=on).body.tags
    return found


def note(client: Client, on: int, subject: str = "Hello", fid: int = Special.DRAFTS, **more: Value) -> int:
    """A saved message; its MID."""
    message = create(client, on, fid)
    set_(client, message, {tags.PidTagSubject: subject, **{getattr(tags, k): v for k, v in more.items()}})
    return save(client, message)
