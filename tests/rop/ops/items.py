"""Short ways to work on messages through the ROPs."""

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.mapi import tags
from appliance.mapi.rows import AddressType, RecipientRow, read_row
from appliance.mapi.types import Value
from appliance.mapi.values import Form, read_tagged, rop_form
from appliance.rop.ops import (
    create_attachment,
    create_message,
    get_properties_all,
    get_properties_list,
    get_properties_specific,
    get_valid_attachments,
    modify_recipients,
    open_attachment,
    open_message,
    open_stream,
    read_stream,
    release,
    save_changes_attachment,
    save_changes_message,
    set_properties,
    write_stream,
)
from appliance.rop.properties import Problems
from appliance.store.mailboxes import Special
from appliance.wire.cursor import Reader, Writer
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


def attach(client: Client, message: int, values: Mapping[int, Value], *, keep: bool = False) -> int:
    """A new attachment, saved into its message; its handle with `keep`, else its number."""
    reply = client.do(create_attachment.ROP, on=message)
    set_(client, reply.handle, values)
    client.do(
        save_changes_attachment.ROP,
        save_changes_attachment.Request(KEEP_RW),
        on=reply.handle,
        dest=message,
    )
    number: int = reply.body.attachment_id
    if keep:
        return reply.handle
    client.do(release.ROP, on=reply.handle)
    return number


def open_attachment_(client: Client, message: int, number: int, mode: int = 3) -> int:
    flags = open_attachment.OpenAttachmentFlags(mode)
    return client.do(open_attachment.ROP, open_attachment.Request(flags, number), on=message).handle


def save_attachment(client: Client, attachment: int, message: int) -> None:
    request = save_changes_attachment.Request(KEEP_RW)
    client.do(save_changes_attachment.ROP, request, on=attachment, dest=message)


def numbers(client: Client, message: int) -> tuple[int, ...]:
    found: tuple[int, ...] = client.do(get_valid_attachments.ROP, on=message).body.attachment_ids
    return found


def stream(client: Client, on: int, tag: int, mode: int = 0) -> int:
    return client.do(open_stream.ROP, open_stream.Request(tag, mode), on=on).handle


def read(client: Client, handle: int, size: int = 0x7000) -> bytes:
    """Everything from the position on."""
    data = b""
    while piece := client.do(read_stream.ROP, read_stream.Request(size), on=handle).body.data:
        data += piece
    return data


def write(client: Client, handle: int, data: bytes, step: int = 0x7000) -> None:
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        reply = client.do(write_stream.WRITE, write_stream.Request(piece), on=handle)
        assert reply.body.written_size == len(piece)


def smtp(address: str, name: str, **more: Any) -> RecipientRow:
    return RecipientRow(AddressType.SMTP, email=address, display_name=name, **more)


def recipients_request(
    rows: Mapping[int, tuple[int, RecipientRow | None]], columns: Sequence[int] = (), form: Form = FORM
) -> modify_recipients.Request:
    made = []
    for number, (kind, each) in rows.items():
        writer = Writer()
        if each is not None:
            each.encode(writer, columns, form)
        made.append(modify_recipients.ModifyRecipientRow(number, kind, bytes(writer.buf)))
    return modify_recipients.Request(tuple(columns), tuple(made))
