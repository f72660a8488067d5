"""Copies between messages, and between attachments (RopCopyTo, RopCopyProperties, MS-OXCPRPT 3.2.5.7,
3.2.5.8).

The changes are the destination's own, unsaved ones. Bytes that the store has already are named once more
where that is possible, else copied through a writer, so that nothing large is held.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from appliance.mailbox.properties import content
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.objects import Content, chunks
from appliance.mapi.rows import PropertyError
from appliance.rop import deadline
from appliance.rop.context import RopContext
from appliance.rop.held import PreparedContent, prepared_in
from appliance.rop.properties import Copying, Propertied, Refusals
from appliance.store import drafts
from appliance.store.blobs import BlobWriter, Prepared
from appliance.store.drafts import Overlay
from appliance.store.store import Store

if TYPE_CHECKING:
    from appliance.rop.messages import Message

RECIPIENTS, ATTACHMENTS = 0x0E12000D, 0x0E13000D
"""PidTagMessageRecipients, PidTagMessageAttachments: they stand for the sub-objects (MS-OXCMSG 2.2.1.47)."""

SUBOBJECTS = frozenset({RECIPIENTS, ATTACHMENTS})


def copy_properties(
    ctx: RopContext, source: Propertied, target: Propertied, wanted: Copying, skip: frozenset[int]
) -> Refusals:
    """Copy values; `ctx` has a transaction. Tags of `skip` are not values. Read-only ones are refused where
    they were asked for by name, else left out."""
    view, there = source.view(ctx), target.view(ctx)
    named = wanted.only is not None
    chosen: Iterable[int] = wanted.only if wanted.only is not None else sorted(view.tags())
    refused: Refusals = {}
    for tag in chosen:
        if tag in skip or not wanted.wants(tag) or (not wanted.overwrite and there.get(tag) is not None):
            continue
        value = view.get(tag)
        if value is None:
            if named:
                refused[tag] = ec.ecNotFound
        elif isinstance(value, PropertyError):
            big = source.value(ctx, tag)
            if big is not None:
                target.put_value(ctx, tag, written(ctx.store, big))
        else:
            refused |= target.set_properties(ctx, [(tag, value)])
    return refused if named else {}


def written(store: Store, big: Content) -> Prepared:
    """The bytes once more, ready to be bound. Blocks."""
    writer = BlobWriter(store)
    for piece in chunks(big):
        deadline.check()
        if (spilled := writer.write(piece)) is not None:
            spilled.result()
    return writer.finish()


def contains(outer: "Message", inner: "Message") -> bool:
    """Whether a message is embedded in another, at any depth."""
    while inner.holder is not None:
        inner = inner.holder.message
        if inner is outer or (
            inner.mid and inner.mid == outer.mid and inner.logon.mailbox == outer.logon.mailbox
        ):
            return True
    return False


def wants(wanted: Copying, what: int) -> bool:
    """Whether the sub-objects that a tag stands for are to be copied."""
    return wanted.subobjects and wanted.wants(what)


def copy_recipients(ctx: RopContext, source: "Message", target: "Message") -> None:
    """The destination gets the recipients of the source instead of its own."""
    rows = source.look(ctx.txn).recipients()
    overlay = target.change(ctx.txn)
    overlay.remove_recipients()
    for number, bag in rows.items():
        overlay.put_recipient(number, dict(bag))


def copy_attachments(ctx: RopContext, source: "Message", target: "Message") -> None:
    """The destination gets the attachments of the source instead of its own. Runs apart."""
    with ctx.read() as txn:
        here = ctx.reading(txn)
        made = _overlay(here, source)
        overlay = target.change(txn)
        for number in overlay.attachment_numbers():
            overlay.remove_attachment(number)
        for number in made.attachment_numbers():
            given = made.attachment(number)
            overlay.put_attachment(_again(ctx.store, replace(given, number=overlay.new_attachment().number)))
        target.leases.add(ctx.store, prepared_in(overlay))


def _overlay(ctx: RopContext, source: "Message") -> Overlay:
    """The attachments of a message as drafts."""
    if source.mime or source.source is not None:
        whole = source.contents(ctx)
        return content.overlay(ctx.store, replace(whole, props={}, named={}, recipients=[]))
    return source.overlay(ctx.txn)


def _again(store: Store, given: drafts.Attachment) -> drafts.Attachment:
    """An attachment whose unsaved bytes are its own: bytes are bound once."""
    made = given.copy()
    if made.data is not None:
        made.data = written(store, PreparedContent(store, made.data))
    if made.embedded is not None:
        made.embedded = again(store, made.embedded)
    return made


def again(store: Store, given: Overlay) -> Overlay:
    """A message under work, once more: unsaved bytes are bound once. Blocks."""
    made = given.copy()
    for tag, prepared in given.values.items():
        made.values[tag] = written(store, PreparedContent(store, prepared))
    for number, attachment in given.attachments.items():
        if attachment is not None:
            made.attachments[number] = _again(store, attachment)
    return made


NO_VALUES = SUBOBJECTS | {tags.PidTagAttachDataObject}
"""Tags of messages and attachments that stand for objects."""
