"""What uploads make: folders, messages, recipients, attachments (MS-OXCFXICS 2.2.4.3, 3.2.5.8.2, 3.2.5.11).

The frames of a `Consumer`. Properties of the provider's internal range, identities and what the server works
out are ignored. Rights are checked where something is stored: CREATE for messages, CREATE_SUBFOLDER for
folders, FOLDER_OWNER for a folder's own properties.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.formats.fasttransfer.markers import Marker
from appliance.mailbox import messages as mail
from appliance.mailbox import rights
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import refusing
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.names import PropertyName
from appliance.mapi.types import Bag, Value
from appliance.rop.attachments import Attachment as OpenAttachment
from appliance.rop.context import RopContext
from appliance.rop.fasttransfer.consumer import Consumer, Frame
from appliance.rop.fasttransfer.elements import PidTagMessageAttachments, PidTagMessageRecipients
from appliance.rop.fasttransfer.pen import (
    ATTACHMENT_INTERNAL,
    FOLDER_INTERNAL,
    MESSAGE_INTERNAL,
    RECIPIENT_INTERNAL,
    is_transmitted,
)
from appliance.rop.held import prepared_in
from appliance.rop.messages import Message
from appliance.rop.model import On
from appliance.rop.objects import Object
from appliance.store import drafts, folders, names, permissions
from appliance.store.blobs import BlobWriter, Prepared
from appliance.store.contents import RowFlag
from appliance.store.drafts import Attachment, Draft, Overlay
from appliance.store.errors import LimitReached
from appliance.store.folders import FolderFlag
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import changing
from appliance.store.parts import MAX_NESTING
from appliance.store.permissions import Right
from appliance.store.store import Store

MAX_HELD = 16 << 20
"""Bytes of the properties of one message that are held until it is stored."""

_FLAGS = (  # PidTagMessageFlags, MS-OXCMSG 2.2.1.6
    (0x01, RowFlag.SEEN | RowFlag.EVER_READ),
    (0x02, RowFlag.UNMODIFIED),
    (0x08, RowFlag.DRAFT),
    (0x20, RowFlag.FROM_ME),
    (0x80, RowFlag.RESEND),
    (0x100, RowFlag.NOTIFY_READ),
    (0x200, RowFlag.NOTIFY_UNREAD),
    (0x400, RowFlag.EVER_READ),
    (0x2000, RowFlag.INTERNET),
    (0x8000, RowFlag.UNTRUSTED),
)


@dataclass(slots=True)
class Target:
    """Where an upload goes: whose mailbox, who acts. `now` is the time (FILETIME) of the buffer at hand;
    `room` the bytes that the message at hand may still hold."""

    store: Store
    mailbox: int
    actor: Actor
    now: int = 0
    room: int = MAX_HELD

    def hold(self, value: Value) -> None:
        """Count a value. Raises ecMessageTooBig."""
        size = len(value) if isinstance(value, str | bytes) else 16
        if isinstance(value, tuple):
            size = sum(len(each) if isinstance(each, str | bytes) else 8 for each in value) + 16
        self.room -= size + 16
        if self.room < 0:
            raise MapiError(ec.ecMessageTooBig)


class _Base:
    """What most frames do with most events."""

    is_list = False

    def large(self, tag: int, prepared: Prepared) -> None:
        """As `Frame`: objects whose values are small take no big ones."""
        raise LimitReached(f"a value of {prepared.size} bytes")

    def delete_children(self, tag: int) -> None:
        """As `Frame`."""

    def open(self, marker: int) -> Frame | None:
        """As `Frame`."""
        return None

    def close(self) -> None:
        """As `Frame`."""

    def flush(self) -> None:
        """As `Frame`."""

    def forget(self) -> None:
        """As `Frame`."""


class MessageFrame(_Base):
    """A message: its overlay takes what comes. `done` stores it; `depth` counts embedded messages."""

    def __init__(
        self, target: Target, overlay: Overlay, end: int, done: Callable[[], None], depth: int = 0
    ) -> None:
        self._target, self.overlay, self._end, self._done = target, overlay, end, done
        self._depth = depth
        self._recipients = len(overlay.recipient_rows())

    def prop(self, tag: int, value: Value) -> None:
        """As `Frame`."""
        if is_transmitted(tag, MESSAGE_INTERNAL):
            self._target.hold(value)
            self.overlay.set(tag, value)

    def large(self, tag: int, prepared: Prepared) -> None:
        """As `Frame`."""
        if is_transmitted(tag, MESSAGE_INTERNAL):
            self.overlay.set_large(tag, prepared)

    def delete_children(self, tag: int) -> None:
        """As `Frame`."""
        if tag == PidTagMessageRecipients:
            self.overlay.remove_recipients()
        elif tag == PidTagMessageAttachments:
            for number in self.overlay.attachment_numbers():
                self.overlay.remove_attachment(number)

    def open(self, marker: int) -> Frame | None:
        """As `Frame`."""
        if marker == Marker.START_RECIPIENT:
            return RecipientFrame(self._target, self.overlay, self._recipients)
        if marker == Marker.NEW_ATTACHMENT:
            made = self.overlay.new_attachment()
            return AttachmentFrame(self._target, made, lambda: self.overlay.put_attachment(made), self._depth)
        return None

    def closes(self, marker: int) -> bool:
        """As `Frame`."""
        return marker == self._end

    def close(self) -> None:
        """As `Frame`."""
        self._done()


class RecipientFrame(_Base):
    """A recipient; its row id is its own, or the next that is free."""

    def __init__(self, target: Target, overlay: Overlay, number: int) -> None:
        self._target, self._overlay, self._number = target, overlay, number
        self._bag: Bag = {}

    def prop(self, tag: int, value: Value) -> None:
        """As `Frame`."""
        if tag == tags.PidTagRowid and isinstance(value, int):
            self._number = value & 0xFFFFFFFF
        elif is_transmitted(tag, RECIPIENT_INTERNAL):
            self._target.hold(value)
            self._bag[tag] = value

    def closes(self, marker: int) -> bool:
        """As `Frame`."""
        return marker == Marker.END_TO_RECIPIENT

    def close(self) -> None:
        """As `Frame`."""
        rows = self._overlay.recipients
        number = self._number
        while rows.get(number) is not None:
            number += 1
        self._target.hold(None)
        self._overlay.put_recipient(number, self._bag)


class AttachmentFrame(_Base):
    """An attachment; `done` puts it into its message."""

    def __init__(
        self,
        target: Target,
        attachment: Attachment,
        done: Callable[[], None],
        depth: int,
        end: int = Marker.END_ATTACHMENT,
    ) -> None:
        self._target, self._attachment, self._done, self._depth = target, attachment, done, depth
        self._end = end

    def prop(self, tag: int, value: Value) -> None:
        """As `Frame`."""
        if tag == tags.PidTagAttachDataBinary or is_transmitted(tag, ATTACHMENT_INTERNAL):
            self._target.hold(value)
            self._attachment.set(tag, value)

    def large(self, tag: int, prepared: Prepared) -> None:
        """As `Frame`."""
        if tag == tags.PidTagAttachDataBinary:
            self._attachment.set_data(prepared)
        else:
            super().large(tag, prepared)

    def open(self, marker: int) -> Frame | None:
        """As `Frame`."""
        if marker != Marker.START_EMBED or self._depth >= MAX_NESTING:
            return None
        inner = Overlay()
        return MessageFrame(
            self._target,
            inner,
            Marker.END_EMBED,
            lambda: self._attachment.put_embedded(inner),
            self._depth + 1,
        )

    def closes(self, marker: int) -> bool:
        """As `Frame`."""
        return marker == self._end

    def close(self) -> None:
        """As `Frame`."""
        self._done()


@dataclass(slots=True)
class FolderFrame(_Base):
    """A folder: its properties, messages and folders. `fid` 0 for one that is yet to be made below `parent`;
    `end` 0 for the one that the client named. `lists`: messages alone are taken (messageList)."""

    target: Target
    fid: int
    parent: int = 0
    end: int = 0
    top: bool = False
    lists: bool = False
    is_list: bool = True
    props: Bag = field(default_factory=dict)

    def prop(self, tag: int, value: Value) -> None:
        """As `Frame`."""
        if tag == tags.PidTagDisplayName or is_transmitted(tag, FOLDER_INTERNAL):
            self.target.hold(value)
            self.props[tag] = value

    def open(self, marker: int) -> Frame | None:
        """As `Frame`."""
        if self.top:
            self.top = False
            return (
                FolderFrame(self.target, self.fid, end=Marker.END_FOLDER)
                if (marker == Marker.START_TOP_FOLDER)
                else None
            )
        if marker in (Marker.START_MESSAGE, Marker.START_FAI_MESSAGE):
            self.flush()
            return self._message(associated=marker == Marker.START_FAI_MESSAGE)
        if marker == Marker.START_SUB_FOLDER and not self.lists:
            self.flush()
            return FolderFrame(self.target, 0, parent=self.require(), end=Marker.END_FOLDER)
        return None

    def require(self) -> int:
        """The folder's FID. Raises ecInvalidParam while it has no name."""
        if not self.fid:
            raise MapiError(ec.ecInvalidParam, "a folder without a name")
        return self.fid

    def _message(self, *, associated: bool) -> Frame:
        target = self.target
        target.room = MAX_HELD
        draft = drafts.new(target.mailbox, self.require(), target.actor.session, associated=associated)
        return MessageFrame(target, draft.overlay, Marker.END_MESSAGE, lambda: save_message(target, draft))

    def closes(self, marker: int) -> bool:
        """As `Frame`."""
        return marker == self.end

    def close(self) -> None:
        """As `Frame`."""
        self.flush()
        self.require()

    def flush(self) -> None:
        """As `Frame`."""
        if not self.props or (not self.fid and tags.PidTagDisplayName not in self.props):
            return
        props, self.props = self.props, {}
        self.target.room = MAX_HELD
        if self.fid:
            props.pop(tags.PidTagDisplayName, None)
            if not self.lists:
                self.target.store.write(lambda txn: _set_folder(txn, self.target, self.fid, props)).result()
        else:
            self.fid = self.target.store.write(
                lambda txn: _make_folder(txn, self.target, self.parent, props)
            ).result()


def _make_folder(txn: WriteTxn, target: Target, parent: int, props: Bag) -> int:
    """The folder of that name below `parent`, made now unless it is there."""
    mailbox, actor = target.mailbox, target.actor
    name = props.get(tags.PidTagDisplayName)
    if not isinstance(name, str):
        raise MapiError(ec.ecInvalidParam)
    with refusing():
        known = folders.lookup(txn, mailbox, parent, name)
        if known is not None:
            return known
        rights.require(txn, actor, mailbox, parent, Right.CREATE_SUBFOLDER)
        container_class = props.get(tags.PidTagContainerClass)
        with changing(txn, mailbox) as clock:
            made = folders.create(
                txn,
                clock,
                parent,
                name,
                now=target.now,
                flags=FolderFlag.HIDDEN if props.get(tags.PidTagAttributeHidden) is True else FolderFlag.NONE,
                container_class=container_class if isinstance(container_class, str) else "",
                bag=_of_bag(props),
                actor=actor.user,
                origin=actor.session,
            )
        permissions.copy(txn, mailbox, parent, made.fid)
        return made.fid


def _set_folder(txn: WriteTxn, target: Target, fid: int, props: Bag) -> None:
    """Set a folder's own properties, where the actor may."""
    if not rights.effective(txn, target.actor, target.mailbox, fid) & Right.FOLDER_OWNER:
        return
    with refusing(), changing(txn, target.mailbox) as clock:
        folder = folders.get(txn, target.mailbox, fid)
        bag = {**folder.bag(), **_of_bag(props)}
        container_class = props.get(tags.PidTagContainerClass)
        if bag == folder.bag() and container_class in (None, folder.container_class):
            return
        if isinstance(container_class, str) and not folder.flags & FolderFlag.SPECIAL:
            folder.container_class = container_class
        folder.set_bag(bag)
        folders.changed(
            txn, clock, folder, now=target.now, actor=target.actor.user, origin=target.actor.session
        )


_OF_ROW = frozenset(
    {
        tags.PidTagDisplayName,
        tags.PidTagContainerClass,
        tags.PidTagAttributeHidden,
        tags.PidTagFolderType,
        tags.PidTagCreationTime,
        tags.PidTagLastModificationTime,
    }
)


def _of_bag(props: Bag) -> Bag:
    """What the row of a folder does not hold."""
    return {tag: value for tag, value in props.items() if tag not in _OF_ROW}


def save_message(target: Target, draft: Draft) -> None:
    """Store a message that has come to its end. Waits for the commit."""
    take_facts(draft)
    actor, now = target.actor, target.now
    target.store.write(lambda txn: mail.save(txn, actor, draft, force=False, now=now)).result()


def take_facts(draft: Draft) -> None:
    """What a message's properties say that its row knows: flags, time of change."""
    changed = draft.overlay.changed
    flags, modified = changed.get(tags.PidTagMessageFlags), changed.get(tags.PidTagLastModificationTime)
    for bit, flag in _FLAGS:
        if isinstance(flags, int) and flags & bit:
            draft.flags |= flag
    draft.modified = modified if isinstance(modified, int) else 0


# -- open objects -----------------------------------------------------------------------------------------


class OpenMessageFrame(MessageFrame):
    """A message that the client has open: what comes is not saved, as if the client had set it."""

    def __init__(self, target: Target, message: Message) -> None:
        super().__init__(target, Overlay(), 0, lambda: None)
        self._message = message

    def refresh(self, ctx: RopContext) -> None:
        """Before each buffer: the message's overlay may be another one. Raises ecAccessDenied,
        ecObjectDeleted."""
        self.overlay = self._message.own_content(ctx)
        self._recipients = len(self.overlay.recipient_rows())

    def after(self) -> None:
        """After each buffer: bytes that went into the store are the message's to drop."""
        self._message.leases.add(self._target.store, prepared_in(self.overlay))


class OpenAttachmentFrame(AttachmentFrame):
    """An attachment that the client has open."""

    def __init__(self, target: Target, attachment: OpenAttachment) -> None:
        super().__init__(target, Attachment(0), lambda: None, 0, 0)
        self._open = attachment

    def refresh(self, ctx: RopContext) -> None:
        """Before each buffer. Raises ecAccessDenied, ecObjectDeleted."""
        with ctx.read() as txn:
            self._attachment = self._open.change(txn)

    def after(self) -> None:
        """After each buffer."""
        inside = [self._attachment.data] if self._attachment.data is not None else []
        if self._attachment.embedded is not None:
            inside += prepared_in(self._attachment.embedded)
        if inside or tags.PidTagAttachDataBinary in self._attachment.changed:
            self._open.source = None
        self._open.message.leases.add(self._target.store, inside)


class OpenFolderFrame(FolderFrame):
    """A folder that the client has open."""

    def refresh(self, ctx: RopContext) -> None:
        """Before each buffer: the folder must be there. Raises ecObjectDeleted."""
        with ctx.read() as txn:
            if folders.find(txn, self.target.mailbox, self.fid) is None:
                raise MapiError(ec.ecObjectDeleted)

    def after(self) -> None:
        """After each buffer: nothing."""


Root = OpenMessageFrame | OpenAttachmentFrame | OpenFolderFrame


class UploadContext(Object):
    """What RopFastTransferDestinationPutBuffer writes to. `version` is the other server's."""

    __slots__ = ("_consumer", "_root", "_target", "version")
    kind = On.UPLOAD

    def __init__(self, ctx: RopContext, target: Target, root: Root) -> None:
        self.logon = ctx.logon
        self._target, self._root = target, root
        store = target.store

        def id_of(name: PropertyName) -> int:
            with store.read() as txn:
                known = names.find(txn, name)
            return store.write(lambda txn: names.assign(txn, name)).result() if known is None else known

        self._consumer = Consumer(root, id_of, lambda: BlobWriter(store), ctx.session.code_page)
        self.version: tuple[int, ...] | None = None

    def put(self, ctx: RopContext, data: bytes) -> None:
        """Take the next bytes. Raises MapiError, now and ever after."""
        self._target.now = ctx.now
        self._root.refresh(ctx)
        self._consumer.feed(data)
        self._root.after()

    def close(self) -> None:
        """What is not whole is forgotten."""
        self._consumer.close()
