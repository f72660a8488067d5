"""Open attachments: what a handle of RopOpenAttachment or RopCreateAttachment stands for.

An attachment is a copy of what its message has, changed apart; a save puts it into the message, and only the
message's own save into the store (MS-OXCMSG 3.2.5.14). One of a MIME message is read from its MIME until
then.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from appliance.formats import bags
from appliance.mailbox.properties import attachments as views
from appliance.mailbox.properties import content
from appliance.mailbox.properties.places import places
from appliance.mailbox.rendered import BlobContent
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.objects import AttachmentObject, BytesContent, Content, MessageObject
from appliance.mapi.rows import PropertyError
from appliance.mapi.types import Bag, Value
from appliance.mapi.values import Form, rop_form
from appliance.rop import copying
from appliance.rop.context import RopContext
from appliance.rop.held import PreparedContent, prepared_in
from appliance.rop.messages import Message, drop, settle
from appliance.rop.model import Access, On
from appliance.rop.objects import Object
from appliance.rop.properties import Copying, Refusals, View, Wide
from appliance.rop.settable import attachment_refusal
from appliance.store import blobs, drafts, names
from appliance.store.blobs import Prepared
from appliance.store.drafts import Overlay
from appliance.store.errors import NotFound
from appliance.store.kv import ReadTxn

if TYPE_CHECKING:
    from appliance.rop.streams import Value as StreamValue

DATA = (tags.PidTagAttachDataBinary, tags.PidTagAttachDataObject)
"""An attachment has one content, whichever of the two names a client gives it."""

EMBEDDED_MESSAGE = 5  # PidTagAttachMethod, MS-OXCMSG 2.2.2.9


class AttachmentProperties:
    """An attachment's properties for the property ROPs: what only a stream or another ROP can read is named
    as such."""

    def __init__(self, view: views.AttachmentView, *, large: bool, embedded: bool) -> None:
        self._view, self._large, self._embedded = view, large, embedded

    def get(self, tag: int) -> Value | PropertyError:
        """As `View`."""
        if tag in DATA:
            if self._embedded and tag == tags.PidTagAttachDataObject:
                return PropertyError(ec.ecMAPIOOM)
            if self._large and not self._embedded and tag == tags.PidTagAttachDataBinary:
                return PropertyError(ec.ecMAPIOOM)
        return self._view.get(tag)

    def tags(self) -> Iterable[int]:
        """As `View`."""
        found = self._view.tags()
        if self._embedded:
            found.add(tags.PidTagAttachDataObject)
        elif self._large:
            found.add(tags.PidTagAttachDataBinary)
        return found


class Attachment(Object):
    """An open attachment. `held` is its copy; `source` what one of a MIME message is read from, until the
    message has it as its own; `clean`: nothing changed since it was saved into its message."""

    kind = On.ATTACHMENT
    __slots__ = (
        "_given",
        "_held",
        "_stale",
        "clean",
        "logon",
        "message",
        "number",
        "opened",
        "pending",
        "source",
        "writable",
    )

    def __init__(
        self,
        message: Message,
        held: drafts.Attachment,
        *,
        writable: bool,
        source: AttachmentObject | None = None,
        clean: bool = True,
    ) -> None:
        self.logon, self.message, self.number = message.logon, message, held.number
        self._held, self.source, self.writable, self.clean = held, source, writable, clean
        self._stale = False
        self._given = clean
        self.pending: dict[int, StreamValue] = {}
        self.opened: list[Message] = []
        message.children.append(self)

    @classmethod
    def of_source(
        cls, txn: ReadTxn, message: Message, number: int, source: AttachmentObject, *, writable: bool
    ) -> "Attachment":
        """One of a MIME message."""
        props: Bag = {tag: value for tag, value in source.props.items() if value is not None}
        for (name, kind), value in source.named.items():
            if (known := names.find(txn, name)) is not None and value is not None:
                props[known << 16 | kind] = value
        for tag in DATA:
            props.pop(tag, None)
        held = drafts.Attachment(number, bags.pack(props))
        return cls(message, held, writable=writable, source=source)

    def current(self, txn: ReadTxn) -> drafts.Attachment:
        """Its copy as it is now. Raises ecObjectDeleted."""
        if self._stale:
            self._stale = False
            try:
                fresh = self.message.overlay(txn).attachment(self.number)
            except NotFound:
                raise MapiError(ec.ecObjectDeleted) from None
            if not self.clean:
                fresh.changed, fresh.removed = self._held.changed, self._held.removed
            self._held, self.source = fresh, None
        return self._held

    @property
    def depth(self) -> int:
        """How many messages it is inside of beside the outermost."""
        depth, holder = 0, self.message.holder
        while holder is not None:
            depth, holder = depth + 1, holder.message.holder
        return depth

    # -- properties ---------------------------------------------------------------------------------------

    def view(self, ctx: RopContext) -> View:
        """As `Propertied`."""
        held = self.current(ctx.txn)
        shown = self.source is not None and not self._has_own_data(held)
        view = views.of_draft(places(ctx.txn, self.logon.mailbox), held, writable=self.writable)
        large = held.data is not None or held.data_blob() != 0 or bool(self.pending)
        embedded = self._is_embedded(held)
        if shown and self.source is not None and self.source.content is not None:
            large = True
            props = {tag: value for tag in view.tags() if (value := view.get(tag)) is not None}
            view = views.AttachmentView(
                places(ctx.txn, self.logon.mailbox),
                self.number,
                props,
                self.source.content.size,
                writable=self.writable,
            )
        return AttachmentProperties(view, large=large, embedded=embedded)

    def form(self, _ctx: RopContext) -> Form:
        """As `Propertied`."""
        return rop_form(self.message.page)

    @staticmethod
    def _has_own_data(held: drafts.Attachment) -> bool:
        return held.data is not None or held.embedded is not None or any(tag in held.changed for tag in DATA)

    def _is_embedded(self, held: drafts.Attachment) -> bool:
        if self.source is not None and not self._has_own_data(held):
            return self.source.embedded is not None
        try:
            held.open_embedded()
        except NotFound:
            return False
        return True

    @property
    def writing(self) -> Access:
        """As `Propertied`."""
        return Access.READ

    def require_writable(self, _ctx: RopContext) -> None:
        """As `Propertied`."""
        if not self.writable:
            raise MapiError(ec.ecAccessDenied)

    def change(self, txn: ReadTxn) -> drafts.Attachment:
        """Its copy, to be changed. Raises ecAccessDenied, ecObjectDeleted."""
        if not self.writable:
            raise MapiError(ec.ecAccessDenied)
        held = self.current(txn)
        self.clean = False
        return held

    def set_properties(
        self, ctx: RopContext, values: Sequence[tuple[int, Value]], *, replicate: bool = True
    ) -> Refusals:
        """As `Propertied`."""
        held = self.change(ctx.txn)
        refused: Refusals = {}
        for tag, value in values:
            code = attachment_refusal(ctx.txn, tag)
            if code:
                refused[tag] = code
            else:
                held.set(tags.PidTagAttachDataBinary if tag in DATA else tag, value)
        return refused

    def delete_properties(self, ctx: RopContext, tags_: Sequence[int], *, replicate: bool = True) -> Refusals:
        """As `Propertied`."""
        held = self.change(ctx.txn)
        refused: Refusals = {}
        for tag in tags_:
            code = attachment_refusal(ctx.txn, tag)
            if code:
                refused[tag] = code
            elif tag in DATA:
                held.set(tags.PidTagAttachDataBinary, b"")
                held.remove(tags.PidTagAttachDataBinary)
                self.source = None
            else:
                held.remove(tag)
        return refused

    def value(self, ctx: RopContext, tag: int) -> Content | None:
        """As `Propertied`."""
        held = self.current(ctx.txn)
        if tag in DATA:
            return self._data(ctx, held)
        found = views.of_draft(places(ctx.txn, self.logon.mailbox), held).get(tag)
        if isinstance(found, str):
            return BytesContent(found.encode("utf-8", "surrogatepass"))
        return BytesContent(found) if isinstance(found, bytes) else None

    def _data(self, ctx: RopContext, held: drafts.Attachment) -> Content | None:
        if held.data is not None:
            return PreparedContent(ctx.store, held.data)
        if number := held.data_blob():
            return BlobContent(ctx.store, number, blobs.info(ctx.txn, number).size)
        if self.source is not None and not self._has_own_data(held):
            return self.source.content
        small = held.get(tags.PidTagAttachDataBinary)
        return BytesContent(small) if isinstance(small, bytes) else None

    def put_value(self, ctx: RopContext, tag: int, value: Wide) -> None:
        """As `Propertied`."""
        held = self.change(ctx.txn)
        code = attachment_refusal(ctx.txn, tag)
        if code:
            raise MapiError(code)
        if tag in DATA:
            tag = tags.PidTagAttachDataBinary
        if not isinstance(value, Prepared):
            held.set(tag, value)
        elif tag in DATA:
            held.set_data(value)
            self.message.leases.add(ctx.store, [value])
        else:
            raise MapiError(ec.ecTooBig)

    def copying(self, target: Object) -> Access:
        """As `Propertied`."""
        return Access.APART

    def copy_to(self, ctx: RopContext, target: Object, wanted: Copying) -> Refusals:
        """As `Propertied`."""
        if not isinstance(target, Attachment):
            raise MapiError(ec.ecNotSupported)
        target.require_writable(ctx)
        if target is self:
            return {}
        embedded = None
        if wanted.subobjects and wanted.wants(tags.PidTagAttachDataObject):
            embedded = self._copied_embedded(ctx)
        with ctx.read() as txn:
            refused = copying.copy_properties(ctx.reading(txn), self, target, wanted, copying.NO_VALUES)
            if embedded is not None:
                target.change(txn).put_embedded(embedded)
                target.source = None
                target.message.leases.add(ctx.store, prepared_in(embedded))
                refused.pop(tags.PidTagAttachDataObject, None)
        return refused

    def _copied_embedded(self, ctx: RopContext) -> Overlay | None:
        """The message inside, once more, if there is one."""
        held = self._held_apart(ctx)
        if self.source is not None and not self._has_own_data(held):
            inside = self.source.embedded
            return None if inside is None else content.overlay(ctx.store, inside)
        try:
            return copying.again(ctx.store, held.open_embedded())
        except NotFound:
            return None

    # -- the message inside -------------------------------------------------------------------------------

    def open_embedded(self, ctx: RopContext, page: int, *, writable: bool, create: bool) -> Message:
        """The message that it holds, with `create` a new one if it holds none. Of a MIME message, with
        `writable`, its content becomes its own: for ROPs that run apart. Raises ecNotFound,
        ecAccessDenied."""
        if (writable or create) and not self.writable:
            raise MapiError(ec.ecAccessDenied)
        held = self._held_apart(ctx)
        source = self.source.embedded if self.source is not None and not self._has_own_data(held) else None
        if source is not None and writable:
            overlay = content.overlay(ctx.store, source)
            self.message.leases.add(ctx.store, prepared_in(overlay))
            made = Message.embedded(self, overlay, page, writable=True)
        elif source is not None:
            made = Message.embedded(self, _light(source), page, writable=False, source=source)
        else:
            try:
                overlay = held.open_embedded(create=create)
            except NotFound:
                raise MapiError(ec.ecNotFound) from None
            made = Message.embedded(self, overlay, page, writable=writable or create)
        self.opened.append(made)
        return made

    def _held_apart(self, ctx: RopContext) -> drafts.Attachment:
        if ctx.has_txn:
            return self.current(ctx.txn)
        with ctx.read() as txn:
            return self.current(txn)

    def put_embedded(self, overlay: Overlay) -> None:
        """A message that was opened from here is saved into it."""
        if not self.writable:
            raise MapiError(ec.ecAccessDenied)
        self.clean, self.source = False, None
        self._held.put_embedded(overlay)

    # -- saving -------------------------------------------------------------------------------------------

    def saving(self) -> Access:
        """What `save` needs."""
        return Access.APART if self.message.mime or self.pending else Access.READ

    def save(self, ctx: RopContext, *, keep_writable: bool) -> None:
        """Put it into its message. Raises ecAccessDenied, ecObjectDeleted."""
        if not self.writable:
            raise MapiError(ec.ecAccessDenied)
        if not ctx.has_txn:
            settle(ctx, self.pending)
        overlay = self.message.own_content(ctx)
        held = self._held_apart(ctx)
        if self.source is not None:
            held = self._merged(overlay, held)
        if not self.clean:
            self._complete(held, ctx.now)
        overlay.put_attachment(held)
        self._held, self.source = held, None
        self.clean, self.writable = True, keep_writable
        self._given = True

    def _merged(self, overlay: Overlay, held: drafts.Attachment) -> drafts.Attachment:
        """The message's own form of one that was read from MIME, with what was changed here."""
        try:
            own = overlay.attachment(self.number)
        except NotFound:
            raise MapiError(ec.ecObjectDeleted) from None
        for tag in held.removed:
            own.remove(tag)
        for tag, value in held.changed.items():
            own.set(tag, value)
        if held.data is not None:
            own.set_data(held.data)
        return own

    @staticmethod
    def _complete(held: drafts.Attachment, now: int) -> None:
        """What the server sets (MS-OXCMSG 2.2.2.2 to 2.2.2.12)."""
        if tags.PidTagLastModificationTime not in held.changed:
            held.set(tags.PidTagLastModificationTime, now)
        name = held.get(tags.PidTagAttachLongFilename) or held.get(tags.PidTagAttachFilename)
        if isinstance(name, str) and name:
            if held.get(tags.PidTagDisplayName) is None:
                held.set(tags.PidTagDisplayName, name)
            stem, dot, extension = name.rpartition(".")
            if stem and dot and held.get(tags.PidTagAttachExtension) is None:
                held.set(tags.PidTagAttachExtension, dot + extension)

    def outer_saved(self) -> None:
        """The outermost message was saved: what this one gave to it is stored now. One that never gave itself
        stays what it is."""
        self._stale = self._given
        for message in self.opened:
            message.outer_saved()

    def close(self) -> None:
        """The handle is gone; what was saved into the message stays there."""
        drop(self.pending)
        if self in self.message.children:
            self.message.children.remove(self)


def _light(source: MessageObject) -> Overlay:
    """An overlay to read an embedded MIME message through; its attachments are read from `source`."""
    overlay = Overlay()
    overlay.changed.update({tag: value for tag, value in source.props.items() if value is not None})
    for number, bag in enumerate(source.recipients):
        overlay.put_recipient(number, bag)
    return overlay
