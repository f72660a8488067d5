"""Open messages and attachments as sources of downloads: what their handles show, in one piece.

What a handle changed and did not save goes along, but for bytes that are still on their way into the store
under a lease that ends with the handle: those are read from there while it lasts.
"""

from appliance.mailbox import whole
from appliance.mailbox.whole import Unbound, Whole, WholeAttachment
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.rop.attachments import Attachment
from appliance.rop.context import RopContext
from appliance.rop.fasttransfer.elements import learn
from appliance.rop.fasttransfer.pen import Pen
from appliance.rop.messages import Message
from appliance.store.drafts import Overlay


def message(ctx: RopContext, pen: Pen, source: Message) -> Whole:
    """A message as its handle shows it; the pen has learned its names. Needs a transaction. Raises
    ecObjectDeleted."""
    txn, store = ctx.txn, ctx.store
    view = source.look(txn)
    draft = source.draft
    if view.row is not None and (draft is None or not draft.materialized or draft.overlay.is_empty()):
        read = source.read_by(txn, view.row)
        made = whole.stored(store, txn, source.logon.mailbox, view.row, read=read)
    elif source.source is not None:
        made = whole.from_object(txn, source.source)
    else:
        assert draft is not None, "a message without row has a draft"
        made = whole.overlaid(store, txn, draft.overlay)
    if draft is not None:
        _lay_over(ctx, made, draft.overlay)
    for tag in (tags.PidTagMessageFlags, tags.PidTagMessageDeliveryTime):
        value = view.get(tag)
        if value is not None:
            made.props[tag] = value
    learn(pen, txn, made)
    return made


def _lay_over(ctx: RopContext, made: Whole, overlay: Overlay) -> None:
    """Properties that the handle changed."""
    for tag in overlay.removed:
        made.props.pop(tag, None)
        made.large.pop(tag, None)
    for tag, value in overlay.changed.items():
        made.large.pop(tag, None)
        made.props[tag] = value
    for tag, prepared in overlay.values.items():
        made.props.pop(tag, None)
        made.large[tag] = Unbound(ctx.store, prepared)


def attachment(ctx: RopContext, pen: Pen, source: Attachment) -> WholeAttachment:
    """An attachment as its handle shows it; the pen has learned its names. Needs a transaction. Raises
    ecObjectDeleted, ecNotFound for one without anything."""
    txn = ctx.txn
    held = source.current(txn)
    made = whole.attached(ctx.store, txn, held)
    if source.source is not None and made.content is None and made.embedded is None:
        made.content = source.source.content
        inside = source.source.embedded
        if inside is not None:
            inner = whole.from_object(txn, inside)
            made.embedded = lambda: inner
    if made.number != source.number:
        raise MapiError(ec.ecNotFound)
    pen.learn(txn, made.props)
    return made
