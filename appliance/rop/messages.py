"""Open messages: what a handle of RopOpenMessage, RopCreateMessage or RopOpenEmbeddedMessage stands for.

A `Message` looks at the store as it is now, with what its handle changed and did not save laid over it. The
first change makes a draft; a save stores it if nobody else saved meanwhile (MS-OXCMSG 3.2.5.3). A message
that lives from its MIME is read from there; before its recipients or attachments change, it gets them as its
own (`own_content`, outside a transaction). An embedded message is saved into its attachment instead of the
store.

Invariants:
- `cn` is the version that was opened or last saved; a save expects it.
- Bytes that were spilled into the store for this message or anything inside it are in `leases` of the
  outermost message and are dropped with its handle, unless a save bound them.
- A ROP that writes does not touch the object; `saved` runs after the commit.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from appliance.formats import bags
from appliance.mailbox import messages as mail
from appliance.mailbox.errors import Reason, Refused
from appliance.mailbox.messages import Opened
from appliance.mailbox.properties import content
from appliance.mailbox.properties.messages import NEW_FLAGS, MessageView
from appliance.mailbox.properties.packed import property_row
from appliance.mailbox.properties.places import places
from appliance.mailbox.rendered import BlobContent
from appliance.mapi import codepages, tags
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.objects import BytesContent, Content, MessageObject
from appliance.mapi.rows import PropertyError
from appliance.mapi.types import Bag, PtypString, Value, type_of
from appliance.mapi.values import Form, rop_form
from appliance.rop import copying
from appliance.rop.context import RopContext
from appliance.rop.held import Leases, PreparedContent, prepared_in, small_bytes
from appliance.rop.model import Access, On
from appliance.rop.objects import Logon, Object
from appliance.rop.properties import Copying, Refusals, View, Wide, bag_tag
from appliance.rop.settable import BODIES, refusal, replaced_by
from appliance.store import blobs, drafts
from appliance.store.blobs import Prepared
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import Draft, Overlay, Saved
from appliance.store.errors import NotFound
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Kind, identity
from appliance.store.parts import Nested, parts
from appliance.store.permissions import Right
from appliance.wire.record import Record

if TYPE_CHECKING:
    from appliance.rop.attachments import Attachment
    from appliance.rop.streams import Value as StreamValue

LOGON_PAGE = 0x0FFF
"""CodePageId: that of the logon (MS-OXCMSG 2.2.3.1.1)."""

MAX_DRAFT = 4 << 20
"""Bytes of properties, recipients and small attachments that a message holds before it is saved, at most."""

HAS_ATTACH, READ = 0x10, 0x01  # PidTagMessageFlags, MS-OXCMSG 2.2.1.6
EVER_READ, FAI = 0x400, 0x40
OVERHEAD = 0x40
"""What PidTagMessageSize counts beside the values of a message that is not saved."""


def code_page(ctx: RopContext, page: int) -> int:
    """The code page that CodePageId means. Raises ecUnknownCodePage."""
    if page == LOGON_PAGE:
        return ctx.session.code_page
    if not codepages.is_known(page):
        raise MapiError(ec.ecUnknownCodePage)
    return page


def owning(ctx: RopContext, _request: Record) -> Access:
    """The access of ROPs that change recipients or attachments: see `Message.own_content`."""
    return Access.APART if ctx.input(Message).mime else Access.READ


def looking_inside(ctx: RopContext, _request: Record) -> Access:
    """The access of ROPs that look at attachments, which a MIME message must be taken apart for."""
    return Access.SCAN if ctx.input(Message).mime else Access.READ


def settle(ctx: RopContext, pending: "dict[int, StreamValue]") -> None:
    """Take what streams have written and nobody took yet; runs apart."""
    for value in list(pending.values()):
        value.settle(ctx)


def drop(pending: "dict[int, StreamValue]") -> None:
    """Forget what streams have written and nobody took."""
    values = list(pending.values())
    pending.clear()
    for value in values:
        if not value.users:
            value.bytes.close()


class OpenView(MessageView):
    """A message through its handle."""

    def __init__(self, message: "Message", txn: ReadTxn, row: Row | None) -> None:
        draft = message.draft
        super().__init__(
            places(txn, message.logon.mailbox),
            row,
            right=message.right if message.writable else message.right & ~Right.EDIT_ANY,
            overlay=draft.overlay if draft is not None else None,
            materialized=draft is not None and draft.materialized,
            deleted=message.deleted,
        )
        self._message, self._draft = message, draft

    def stored(self, tag: int) -> Value:
        """As `MessageView`, with values that are on their way into the store."""
        if self._draft is not None and tag in self._draft.overlay.values:
            prepared = self._draft.overlay.values[tag]
            data = blobs.read_prepared(self._txn, prepared, 0, prepared.size)
            return data.decode("utf-8", "surrogatepass") if type_of(tag) == PtypString else data
        return super().stored(tag)

    def _length(self, tag: int) -> int:
        if self._draft is not None and tag in self._draft.overlay.values:
            return self._draft.overlay.values[tag].size
        return super()._length(tag)

    def get(self, tag: int) -> Value:
        """As `MessageView`, with what the handle's own changes make of it."""
        adjust = _ADJUSTED.get(tag)
        value = super().get(tag)
        return value if adjust is None else adjust(self, value)

    def is_large(self, tag: int) -> bool:
        """Whether only a stream can read the property."""
        return (
            (bool(self._message.pending) and tag in self._message.waiting())
            or tag in self.large
            or (self._draft is not None and tag in self._draft.overlay.values)
        )

    def _flags(self, value: Value) -> Value:
        flags = value if isinstance(value, int) else NEW_FLAGS
        if self.row is not None and (read := self._message.read_by(self._txn, self.row)) is not None:
            flags = flags | READ | EVER_READ if read else flags & ~(READ | EVER_READ)
        if self._attachments_changed():
            flags = flags | HAS_ATTACH if self._has_attachments(False) else flags & ~HAS_ATTACH
        if self.row is None:
            flags |= (EVER_READ if flags & READ else 0) | (FAI if self._message.associated else 0)
        return flags

    def _read(self, value: Value) -> Value:
        flags = self._flags(super().get(tags.PidTagMessageFlags))
        return bool(flags & READ) if isinstance(flags, int) else value

    def _has_attachments(self, value: Value) -> Value:
        if self._draft is None or not self._attachments_changed():
            return value
        return bool(self._draft.overlay.attachment_numbers())

    def _attachments_changed(self) -> bool:
        return self._draft is not None and (self.row is None or bool(self._draft.overlay.attachments))

    def _committed(self, value: Value) -> Value:
        return self.stored(tags.PidTagLocalCommitTime) if value is None else value

    def _size(self, value: Value) -> Value:
        if self.row is not None or self._draft is None:
            return value
        return OVERHEAD + held_bytes(self._draft.overlay)


_ADJUSTED = {
    tags.PidTagMessageFlags: OpenView._flags,
    tags.PidTagRead: OpenView._read,
    tags.PidTagHasAttachments: OpenView._has_attachments,
    tags.PidTagMessageSize: OpenView._size,
    tags.PidTagMessageSizeExtended: OpenView._size,
    tags.PidTagLocalCommitTime: OpenView._committed,
}


def held_bytes(overlay: Overlay) -> int:
    """About how many bytes an overlay's own values take."""
    size = sum(small_bytes(value) for value in overlay.changed.values())
    size += sum(small_bytes(value) for bag in overlay.recipients.values() if bag for value in bag.values())
    for attachment in overlay.attachments.values():
        if attachment is not None:
            size += sum(small_bytes(value) for value in attachment.changed.values())
            if attachment.embedded is not None:
                size += held_bytes(attachment.embedded)
    return size


class MessageProperties:
    """A message's properties for the property ROPs: big values are not given, but named."""

    def __init__(self, view: OpenView) -> None:
        self.view = view

    def get(self, tag: int) -> Value | PropertyError:
        """As `View`."""
        return PropertyError(ec.ecMAPIOOM) if self.view.is_large(tag) else self.view.get(tag)

    def tags(self) -> Iterable[int]:
        """As `View`."""
        return self.view.tags()


class Message(Object):
    """An open message. `mid` is 0 until a new one is saved, and of an embedded one; `right` is what the user
    may do with it, `writable` whether this handle may; `deleted` when it was soft-deleted (FILETIME); `page`
    the code page of its 8-bit strings; `holder` the attachment that an embedded one stands in; `source` what
    an embedded message of a MIME message is read from."""

    kind = On.MESSAGE
    __slots__ = (
        "associated",
        "children",
        "clean",
        "cn",
        "deleted",
        "draft",
        "fid",
        "holder",
        "leases",
        "mid",
        "mime",
        "page",
        "pending",
        "right",
        "source",
        "stale",
        "writable",
    )

    def __init__(
        self, logon: Logon, fid: int, page: int, *, right: Right, writable: bool, associated: bool = False
    ) -> None:
        self.logon, self.fid, self.page = logon, fid, page
        self.right, self.writable, self.associated = right, writable, associated
        self.mid, self.cn = 0, 0
        self.deleted: int | None = None
        self.draft: Draft | None = None
        self.holder: Attachment | None = None
        self.source: MessageObject | None = None
        self.mime = False
        self.stale, self.clean = False, False
        self.leases = Leases()
        self.pending: dict[int, StreamValue] = {}
        self.children: list[Attachment] = []

    # -- how one comes to be ------------------------------------------------------------------------------

    @classmethod
    def opened(cls, logon: Logon, found: Opened, page: int, *, writable: bool) -> "Message":
        """A handle on a stored message."""
        row = found.row
        made = cls(logon, row.fid, page, right=found.right, writable=writable, associated=row.associated)
        made.mid, made.cn, made.deleted = row.mid, row.cn, found.deleted
        made.mime = content.lives_from_mime(row)
        return made

    @classmethod
    def created(cls, logon: Logon, fid: int, page: int, *, associated: bool, initial: Bag) -> "Message":
        """A handle on a new message. `initial`: properties that it begins with."""
        right = Right.READ_ANY | Right.EDIT_ANY | Right.DELETE_ANY
        made = cls(logon, fid, page, right=right, writable=True, associated=associated)
        made.draft = drafts.new(logon.mailbox, fid, logon.actor.session, associated=associated)
        made.draft.overlay.changed.update(initial)
        made.draft.flags = NEW_ROW
        return made

    @classmethod
    def embedded(
        cls,
        holder: "Attachment",
        overlay: Overlay,
        page: int,
        *,
        writable: bool,
        source: MessageObject | None = None,
    ) -> "Message":
        """A handle on the message in an attachment."""
        outer = holder.message
        made = cls(outer.logon, outer.fid, page, right=outer.right, writable=writable)
        made.draft = Draft(outer.logon.mailbox, outer.fid, outer.logon.actor.session, overlay)
        made.holder, made.source, made.leases = holder, source, outer.leases
        return made

    @property
    def is_embedded(self) -> bool:
        """Whether it stands in an attachment."""
        return self.holder is not None

    # -- looking ------------------------------------------------------------------------------------------

    def row(self, txn: ReadTxn) -> Row | None:
        """Its row as it is now, None for one that has none. Raises ecObjectDeleted."""
        if not self.mid:
            return None
        try:
            if self.deleted is not None:
                return mail.open_message(
                    txn, self.logon.actor, self.logon.mailbox, self.fid, self.mid, deleted=True
                ).row
            return mail.find(txn, self.logon.mailbox, self.fid, self.mid)
        except (NotFound, Refused):
            raise MapiError(ec.ecObjectDeleted) from None

    def look(self, txn: ReadTxn, row: Row | None = None) -> OpenView:
        """Its properties and recipients in a snapshot; `row` is its row there, where that is at hand. Raises
        ecObjectDeleted."""
        self._refresh(txn)
        return OpenView(self, txn, self.row(txn) if row is None else row)

    def property_row(self, ctx: RopContext, wanted: tuple[int, ...]) -> bytes | None:
        """Properties in the form that they have on the wire, of a message as it is stored; None where a view
        is needed, or there is no room."""
        if self.draft is not None or self.deleted is not None or not self.mid or self.pending:
            return None
        if not self.logon.is_private:  # each reader has an own read state
            return None
        return property_row(
            ctx.txn,
            self.logon.mailbox,
            self.fid,
            self.mid,
            wanted,
            ctx.budget,
            associated=self.associated,
        )

    def view(self, ctx: RopContext) -> View:
        """As `Propertied`."""
        return MessageProperties(self.look(ctx.txn))

    def form(self, _ctx: RopContext) -> Form:
        """As `Propertied`."""
        return rop_form(self.page)

    def read_by(self, txn: ReadTxn, row: Row) -> bool | None:
        """Whether this user has read it, where each user has an own read state; else None."""
        if self.logon.is_private or identity(txn, self.logon.mailbox).kind is not Kind.PUBLIC:
            return None
        return mail.is_read(txn, self.logon.actor, self.logon.mailbox, row)

    def _refresh(self, txn: ReadTxn) -> None:
        """An embedded message begins anew from what was saved with the outermost one."""
        if self.stale and self.holder is not None and self.draft is not None:
            self.stale = False
            self.draft.overlay = self.holder.current(txn).open_embedded(create=True)

    # -- changing -----------------------------------------------------------------------------------------

    @property
    def writing(self) -> Access:
        """As `Propertied`."""
        return Access.READ

    def require_writable(self, _ctx: RopContext) -> None:
        """As `Propertied`."""
        if not self.writable:
            raise MapiError(ec.ecAccessDenied)

    def change(self, txn: ReadTxn) -> Overlay:
        """Its changes, to be added to. Raises ecAccessDenied, ecObjectDeleted."""
        if not self.writable:
            raise MapiError(ec.ecAccessDenied)
        if self.draft is None:
            row = self.row(txn)
            assert row is not None, "only a new message has a draft from the start"
            self.draft = drafts.open_message(txn, self.logon.mailbox, row, self.logon.actor.session)
            self.draft.cn = self.cn
        self._refresh(txn)
        self.clean = False
        return self.draft.overlay

    def set_properties(
        self, ctx: RopContext, values: Sequence[tuple[int, Value]], *, replicate: bool = True
    ) -> Refusals:
        """As `Propertied`."""
        self.change(ctx.txn)
        refused: Refusals = {}
        for tag, value in values:
            code = refusal(ctx.txn, tag, self.mid != 0)
            if code:
                refused[tag] = code
            else:
                self.put(ctx.txn, tag, value)
        self.require_size()
        return refused

    def put(self, txn: ReadTxn, tag: int, value: Value) -> None:
        """Set a property, whichever it is (an import may set what clients may not), and what follows from
        it. Raises LimitReached for more than INLINE bytes."""
        overlay = self.change(txn)
        if tag in BODIES:
            self._take_body(overlay, tag)
        current = {each: overlay.get(each) for each in SUBJECTS} if tag in SUBJECTS else {}
        for each, new in replaced_by(tag, value, current).items():
            overlay.set(each, new)

    @staticmethod
    def _take_body(overlay: Overlay, tag: int) -> None:
        """A new body is the native one: forms that this handle did not write are stale (MS-OXBBODY 2.1)."""
        for each in (*BODIES, tags.PidTagNativeBody, tags.PidTagRtfInSync):
            if each != tag and each not in overlay.changed and each not in overlay.values:
                overlay.remove(each)

    def require_size(self) -> None:
        """Raises ecMessageTooBig when too much waits to be saved."""
        if self.draft is not None and held_bytes(self.draft.overlay) > MAX_DRAFT:
            raise MapiError(ec.ecMessageTooBig)

    def delete_properties(self, ctx: RopContext, tags_: Sequence[int], *, replicate: bool = True) -> Refusals:
        """As `Propertied`."""
        overlay = self.change(ctx.txn)
        refused: Refusals = {}
        for tag in tags_:
            code = refusal(ctx.txn, tag, self.mid != 0)
            if code:
                refused[tag] = code
                continue
            for each in SUBJECTS if tag == tags.PidTagSubject else (tag,):
                overlay.remove(each)
        return refused

    def value(self, ctx: RopContext, tag: int) -> Content | None:
        """As `Propertied`."""
        view = self.look(ctx.txn)
        if self.draft is not None and tag in self.draft.overlay.values:
            return PreparedContent(ctx.store, self.draft.overlay.values[tag])
        if tag in view.large:
            number = view.large[tag]
            return BlobContent(ctx.store, number, blobs.info(ctx.txn, number).size)
        found = view.get(tag)
        if isinstance(found, str):
            return BytesContent(found.encode("utf-8", "surrogatepass"))
        return BytesContent(found) if isinstance(found, bytes) else None

    def put_value(self, ctx: RopContext, tag: int, value: Wide) -> None:
        """As `Propertied`."""
        code = refusal(ctx.txn, tag, self.mid != 0)
        if code:
            raise MapiError(code)
        if isinstance(value, Prepared):
            overlay = self.change(ctx.txn)
            if tag in BODIES:
                self._take_body(overlay, tag)
            overlay.set_large(tag, value)
            self.leases.add(ctx.store, [value])
        else:
            self.put(ctx.txn, tag, value)

    def copying(self, target: Object) -> Access:
        """As `Propertied`."""
        return Access.APART

    def copy_to(self, ctx: RopContext, target: Object, wanted: Copying) -> Refusals:
        """As `Propertied`."""
        if not isinstance(target, Message):
            raise MapiError(ec.ecNotSupported)
        if copying.contains(self, target):
            raise MapiError(ec.ecMsgCycle)
        target.require_writable(ctx)
        if target is self:
            return {}
        subobjects = [what for what in copying.SUBOBJECTS if copying.wants(wanted, what)]
        if subobjects:
            target.own_content(ctx)
        with ctx.read() as txn:
            here = ctx.reading(txn)
            derived = self.look(txn).derived_bodies() if wanted.only is None else frozenset()
            refused = copying.copy_properties(here, self, target, wanted, copying.NO_VALUES | derived)
            if wanted.wants(tags.PidTagSearchKey) and (key := self.look(txn).get(tags.PidTagSearchKey)):
                target.put(txn, tags.PidTagSearchKey, key)
                refused.pop(tags.PidTagSearchKey, None)
            if copying.RECIPIENTS in subobjects and (wanted.overwrite or not target.look(txn).recipients()):
                copying.copy_recipients(here, self, target)
            replaces = wanted.overwrite or not target.attachment_numbers(here)
        if copying.ATTACHMENTS in subobjects and replaces:
            copying.copy_attachments(ctx, self, target)
        return refused

    # -- recipients and attachments -----------------------------------------------------------------------

    def own_content(self, ctx: RopContext) -> Overlay:
        """Its changes, with recipients and attachments as its own, however it was stored; for ROPs that run
        apart, or on a message whose `mime` is False. Raises ecAccessDenied, ecObjectDeleted."""
        if not self.mime:
            return self._changed(ctx)
        overlay = self._changed(ctx)
        draft = self.draft
        assert draft is not None
        if not draft.materialized:
            try:
                content.materialize(ctx.store, draft)
            except NotFound:
                raise MapiError(ec.ecObjectDeleted) from None
            overlay = draft.overlay
            self.leases.add(ctx.store, prepared_in(overlay))
        self.mime, self.source = False, None
        return overlay

    def _changed(self, ctx: RopContext) -> Overlay:
        if ctx.has_txn:
            return self.change(ctx.txn)
        with ctx.read() as txn:
            return self.change(txn)

    def contents(self, ctx: RopContext) -> MessageObject:
        """What a message of MIME is read from. Needs a transaction."""
        if self.source is None:
            row = self.row(ctx.txn)
            assert row is not None
            self.source = content.whole(ctx.store, ctx.txn, self.logon.mailbox, row)
            self.source.props.clear()
        return self.source

    def overlay(self, txn: ReadTxn) -> Overlay:
        """Its parts as they are now, to be read. Raises ecObjectDeleted."""
        if self.draft is not None:
            return self.draft.overlay
        row = self.row(txn)
        assert row is not None
        return Overlay(Nested(bags.pack({}), tuple(parts(txn, self.logon.mailbox, row.mid))))

    def attachment_numbers(self, ctx: RopContext) -> list[int]:
        """The numbers of its attachments."""
        if self.mime or self.source is not None:
            return list(range(len(self.contents(ctx).attachments)))
        return self.overlay(ctx.txn).attachment_numbers()

    def promised(self) -> int:
        """The first number that no attachment under work has."""
        return max((child.number for child in self.children), default=-1) + 1

    # -- saving -------------------------------------------------------------------------------------------

    def saving(self) -> Access:
        """What `save` needs: content of a MIME message becomes its own before it changes."""
        if self.pending:
            return Access.APART
        if self.is_embedded:
            return Access.READ
        if self.draft is not None and self.mime and not self.draft.materialized:
            return Access.APART
        return Access.WRITE

    def save(self, ctx: RopContext, *, force: bool, keep_writable: bool) -> int:
        """Store it; its MID. Raises ecError for a handle that may only read, ecObjectModified,
        ecObjectDeleted, ecAccessDenied, ecQuotaExceeded."""
        if not self.writable:
            raise MapiError(ec.ecError)
        apart = not ctx.has_txn
        if apart:
            settle(ctx, self.pending)
        if self.holder is not None:
            self._save_embedded(keep_writable)
            return 0
        if apart:
            self._materialize_for_save(ctx)
            txn_saved = ctx.write(lambda txn: self._save(txn, ctx.now, force=force))
        else:
            txn_saved = self._save(ctx.writing, ctx.now, force=force)
        saved, right = txn_saved
        ctx.emit(lambda: self.saved(saved, right, writable=keep_writable))
        return saved.row.mid

    def save_apart(self, ctx: RopContext) -> None:
        """Store what was changed, at once, for a ROP that runs apart and goes on with what is stored. Raises
        as `save`."""
        if not self.writable:
            raise MapiError(ec.ecError)
        if self.saving() is Access.APART:
            self._materialize_for_save(ctx)
        saved, right = ctx.write(lambda txn: self._save(txn, ctx.now, force=False))
        self.saved(saved, right, writable=True)

    def _materialize_for_save(self, ctx: RopContext) -> None:
        draft = self.draft
        if draft is None or draft.materialized:
            return
        with ctx.read() as txn:
            touches = drafts.touches_content(txn, draft.overlay)
        if touches:
            self.own_content(ctx)

    def _save(self, txn: WriteTxn, now: int, *, force: bool) -> tuple[Saved, Right]:
        logon = self.logon
        try:
            if self.draft is None:
                row = self.row(txn)
                assert row is not None
                if row.cn != self.cn and not force:
                    raise MapiError(ec.ecObjectModified)
                saved = Saved(row, drafts.Outcome.UNCHANGED)
            else:
                saved = mail.save(txn, logon.actor, self.draft, force=force, now=now)
            return saved, mail.rights_on(txn, logon.actor, logon.mailbox, saved.row)
        except Refused as refused:
            if refused.reason is Reason.NOT_FOUND and self.mid:
                raise MapiError(ec.ecObjectDeleted) from None
            raise

    def saved(self, saved: Saved, right: Right, *, writable: bool) -> None:
        """It was committed: from here on the handle shows what is stored."""
        self.mid, self.fid, self.cn = saved.row.mid, saved.row.fid, saved.row.cn
        self.draft, self.source = None, None
        self.mime = content.lives_from_mime(saved.row)
        self.right, self.writable = right, writable
        for child in self.children:
            child.outer_saved()

    def _save_embedded(self, keep_writable: bool) -> None:
        assert self.holder is not None
        assert self.draft is not None
        self.holder.put_embedded(self.draft.overlay)
        self.writable, self.clean = keep_writable, True

    def outer_saved(self) -> None:
        """The outermost message was saved: what this one gave to it is stored now."""
        self.stale = self.clean
        for child in self.children:
            child.outer_saved()

    def waiting(self) -> set[int]:
        """The tags of values that streams have and nobody took yet."""
        return {bag_tag(tag) for tag in self.pending}

    def close(self) -> None:
        """What was not saved is gone."""
        drop(self.pending)
        if self.holder is None:
            self.leases.close()


SUBJECTS = (tags.PidTagSubject, tags.PidTagSubjectPrefix, tags.PidTagNormalizedSubject)

NEW_ROW = RowFlag.SEEN | RowFlag.DRAFT | RowFlag.EVER_READ
"""The state of a new message (MS-OXCMSG 3.2.5.2)."""
