"""Drafts: a new or changed message that is not saved yet. A copy-on-write overlay, seen by its session alone.

An `Overlay` holds what was set and removed over the packed form that it started from: properties, recipients,
attachments. Attachments and the messages embedded in them are overlays of their own, taken out with
`attachment` and `open_embedded` and saved into what holds them with `put_attachment` and `put_embedded`:
until then their parent does not see them (MS-OXCMSG 3.2.5.3, 3.2.5.10). A `Draft` is the overlay of a message
with its place and version; `save` is the only way into the store.

Invariants:
- Nothing is written before `save`, but bytes: what is larger than INLINE goes through a `BlobWriter` in
  commits of its own and is bound by the save, so that an abandoned draft leaves only leased blobs.
- `save` does not change the draft: a write function may run twice.
- A save applies what was set and removed to the message as it is now. When its content changed meanwhile
  (or an import's predecessors say so), it is a conflict, and the caller has said what then happens.
- A write of content drops the MIME and takes a new UID (`messages.rewrite`); annotations alone keep both
  (`messages.annotate`). Content of a message that lives from its MIME must be materialized first.

Errors: NotFound, Conflict, LimitReached, StoreError.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from appliance.formats import bags
from appliance.mapi import implied, tags
from appliance.mapi.annotations import is_annotation
from appliance.mapi.ids import Order
from appliance.mapi.types import Bag, PtypString, Value, type_of
from appliance.store import blobs, contents, groups, log, messages, names, versions
from appliance.store.blobs import Prepared
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import Edit
from appliance.store.errors import Conflict, LimitReached, NotFound, StoreError
from appliance.store.kv import ReadTxn
from appliance.store.messages import NewMessage
from appliance.store.parts import (
    MAX_NESTING,
    PART_ATTACHMENT,
    PART_RECIPIENT,
    PART_VALUE,
    PID_TAG_SATCHEL_BLOB,
    PID_TAG_SATCHEL_EMBEDDED,
    Nested,
    Part,
    part_blobs,
    parts,
)
from appliance.store.versions import Version

INLINE = 65536
"""Bytes of a property or attachment that are held and stored in the bag; more belong into a blob."""

MAX_RECIPIENTS = 20_000
MAX_ATTACHMENTS = 10_000


class OnConflict(Enum):
    """What a save does when the message's content changed since the draft began."""

    FAIL = "fail"
    """Raise Conflict (SaveChangesMessage without ForceSave)."""
    OVERWRITE = "overwrite"
    """The draft's changes win over the message as it is now."""
    KEEP_BOTH = "keep both"
    """The message stays, the draft becomes another one beside it (MS-OXCFXICS 3.1.5.6.2)."""


class Outcome(Enum):
    """What a save did."""

    CREATED = "created"
    CHANGED = "changed"
    ANNOTATED = "annotated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    """An import of a version that the message has been through already."""
    KEPT_BOTH = "kept both"


@dataclass(frozen=True, slots=True)
class Saved:
    """The message after a save (of KEPT_BOTH: the new one)."""

    row: Row
    outcome: Outcome


class _Binder:
    """Gives blobs their references within the transaction of a save."""

    def __init__(self, edit: Edit) -> None:
        self.edit = edit
        self.size = 0

    def bind(self, prepared: Prepared) -> int:
        return blobs.bind(self.edit.txn, prepared)

    def carry(self, part: Part) -> Part:
        """A stored part that a new row refers to as well."""
        for number in part_blobs(part):
            blobs.retain(self.edit.txn, number)
        return part

    def measure(self, made: list[Part]) -> list[Part]:
        """Adds up what parts take: the packed form and the bytes in blobs."""
        for part in made:
            self.size += len(part.packed)
            self.size += sum(blobs.info(self.edit.txn, number).size for number in part_blobs(part))
        return made


@dataclass(slots=True)
class Overlay:
    """Properties, recipients and attachments over what is stored. `base` is empty for something new."""

    base: Nested = field(default_factory=lambda: Nested(bags.pack({})))
    compact: bool = False
    changed: Bag = field(default_factory=dict)
    values: dict[int, Prepared] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    recipients: dict[int, Bag | None] = field(default_factory=dict)
    attachments: "dict[int, Attachment | None]" = field(default_factory=dict)

    # -- properties ---------------------------------------------------------------------------------------

    def get(self, tag: int) -> Value:
        """A property as this session sees it; None where there is none, or where its bytes are a blob's."""
        if tag in self.changed:
            return self.changed[tag]
        if tag in self.removed or tag in self.values:
            return None
        if self.compact:
            return implied.get(lambda each: bags.get(self.base.packed_bag, each), tag)
        return bags.get(self.base.packed_bag, tag)

    def bag(self) -> Bag:
        """Every property that is not a blob's."""
        base = bags.unpack(self.base.packed_bag)
        return self._over(implied.expand(base) if self.compact else base)

    def _over(self, base: Bag) -> Bag:
        gone = self.removed | self.values.keys()
        return {tag: value for tag, value in base.items() if tag not in gone} | self.changed

    def set(self, tag: int, value: Value) -> None:
        """Set a property. Raises LimitReached for one that belongs into a blob: use `set_large`."""
        if tag in versions.STORED:
            raise StoreError("versions are set by imports alone")
        size = len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else 0
        if max(size, len(value) if isinstance(value, bytes) else 0) > INLINE:
            raise LimitReached(f"more than {INLINE} bytes go through a blob")
        self._forget(tag)
        self.changed[tag] = value

    def set_large(self, tag: int, prepared: Prepared) -> None:
        """Set a property whose bytes (text as UTF-8) went through a BlobWriter."""
        self._forget(tag)
        self.values[tag] = prepared

    def remove(self, tag: int) -> None:
        """Take a property away."""
        self._forget(tag)
        self.removed.add(tag)

    def _forget(self, tag: int) -> None:
        self.changed.pop(tag, None)
        self.values.pop(tag, None)
        self.removed.discard(tag)

    def large(self) -> dict[int, int]:
        """Properties whose bytes are stored in blobs, tag to blob; those of this draft are not stored yet."""
        found: dict[int, int] = {}
        for part in self.base.parts:
            gone = part.number in self.removed or part.number in self.changed or part.number in self.values
            if part.kind == PART_VALUE and not gone:
                found[part.number] = part_blobs(part)[0]
        return found

    # -- recipients ---------------------------------------------------------------------------------------

    def recipient_rows(self) -> dict[int, Bag]:
        """The recipients by row id."""
        rows = {
            part.number: bags.unpack(part.packed) for part in self.base.parts if part.kind == PART_RECIPIENT
        }
        for number, bag in self.recipients.items():
            if bag is None:
                rows.pop(number, None)
            else:
                rows[number] = bag
        return dict(sorted(rows.items()))

    def put_recipient(self, number: int, bag: Bag | None) -> None:
        """Set the recipient with a row id, or take it away (RopModifyRecipients). Raises LimitReached."""
        if len(self.recipients) >= MAX_RECIPIENTS:
            raise LimitReached(f"a message has at most {MAX_RECIPIENTS} recipients")
        self.recipients[number] = bag

    def remove_recipients(self) -> None:
        """Take all recipients away (RopRemoveAllRecipients)."""
        stored = (part.number for part in self.base.parts if part.kind == PART_RECIPIENT)
        self.recipients = dict.fromkeys((*stored, *self.recipients))

    # -- attachments --------------------------------------------------------------------------------------

    def attachment_numbers(self) -> list[int]:
        """The numbers of the attachments."""
        numbers = {part.number for part in self.base.parts if part.kind == PART_ATTACHMENT}
        numbers |= self.attachments.keys()
        return sorted(number for number in numbers if self.attachments.get(number, self) is not None)

    def new_attachment(self, least: int = 0) -> "Attachment":
        """A new attachment, not yet in the message (RopCreateAttachment), with a number of `least` or more:
        others may be under work. Raises LimitReached."""
        used = {part.number for part in self.base.parts if part.kind == PART_ATTACHMENT}
        number = max(least, max(used | self.attachments.keys(), default=-1) + 1)
        if number >= MAX_ATTACHMENTS:
            raise LimitReached(f"a message has at most {MAX_ATTACHMENTS} attachments")
        return Attachment(number)

    def attachment(self, number: int) -> "Attachment":
        """A copy of an attachment as this session sees it. Raises NotFound."""
        if number in self.attachments:
            known = self.attachments[number]
            if known is None:
                raise NotFound(f"attachment {number}")
            return known.copy()
        for part in self.base.parts:
            if part.kind == PART_ATTACHMENT and part.number == number:
                return Attachment(number, part.packed)
        raise NotFound(f"attachment {number}")

    def put_attachment(self, attachment: "Attachment") -> None:
        """Save an attachment into this message (RopSaveChangesAttachment)."""
        self.attachments[attachment.number] = attachment.copy()

    def remove_attachment(self, number: int) -> None:
        """Take an attachment away. Raises NotFound."""
        self.attachment(number)
        self.attachments[number] = None

    # -- saving -------------------------------------------------------------------------------------------

    def is_empty(self) -> bool:
        """Whether nothing was changed."""
        return not (self.changed or self.values or self.removed or self.recipients or self.attachments)

    def is_new(self) -> bool:
        """Whether there is nothing yet, neither stored nor set."""
        return self.is_empty() and not self.base.parts and not bags.tags(self.base.packed_bag)

    def copy(self) -> "Overlay":
        """The same, to be changed apart."""
        return replace(
            self,
            changed=dict(self.changed),
            values=dict(self.values),
            removed=set(self.removed),
            recipients=dict(self.recipients),
            attachments=dict(self.attachments),
        )

    def _parts(self, base: tuple[Part, ...], binder: _Binder, depth: int) -> Iterator[Part]:
        """The parts as they are to be stored, over `base`; every blob that they name is referred to."""
        if depth > MAX_NESTING:
            raise LimitReached(f"messages nest at most {MAX_NESTING} deep")
        for part in base:
            if part.kind == PART_VALUE:
                stays = part.number not in self.removed and part.number not in self.changed
                stays = stays and part.number not in self.values
            else:
                stays = part.number not in (
                    self.recipients if part.kind == PART_RECIPIENT else self.attachments
                )
            if stays:
                yield binder.carry(part)
        for number, bag in self.recipients.items():
            if bag is not None:
                yield Part(PART_RECIPIENT, number, bags.pack(bag))
        for number, attachment in self.attachments.items():
            if attachment is not None:
                yield Part(PART_ATTACHMENT, number, attachment.build(binder, depth))
        for tag, prepared in self.values.items():
            yield Part(PART_VALUE, tag, bags.pack({PID_TAG_SATCHEL_BLOB: binder.bind(prepared)}))

    def nested(self, binder: _Binder, depth: int) -> bytes:
        """The nested form of an embedded message."""
        made = tuple(self._parts(self.base.parts, binder, depth))
        return Nested(bags.pack(self.bag()), made).pack()


@dataclass(slots=True)
class Attachment:
    """An attachment over its stored form: properties, its bytes, or the message embedded in it."""

    number: int
    base: bytes = field(default_factory=lambda: bags.pack({}))
    changed: Bag = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    data: Prepared | None = None
    embedded: Overlay | None = None

    def get(self, tag: int) -> Value:
        """A property; None for bytes that are a blob's and for the embedded message."""
        if tag in self.changed:
            return self.changed[tag]
        replaced = tag == tags.PidTagAttachDataBinary and (self.data or self.embedded)
        return None if tag in self.removed or replaced else bags.get(self.base, tag)

    def set(self, tag: int, value: Value) -> None:
        """Set a property; PidTagAttachDataBinary up to INLINE bytes replaces all that was attached."""
        if isinstance(value, bytes | str) and len(value) > INLINE:
            raise LimitReached(f"more than {INLINE} bytes go through a blob")
        self.removed.discard(tag)
        self.changed[tag] = value
        if tag == tags.PidTagAttachDataBinary:
            self.data = self.embedded = None

    def remove(self, tag: int) -> None:
        """Take a property away."""
        self.changed.pop(tag, None)
        self.removed.add(tag)

    def set_data(self, prepared: Prepared) -> None:
        """Set the bytes, which went through a BlobWriter."""
        self.changed.pop(tags.PidTagAttachDataBinary, None)
        self.data, self.embedded = prepared, None

    def data_blob(self) -> int:
        """The blob that holds the stored bytes, 0 where they are in the bag or not stored yet."""
        if self.data or self.embedded or tags.PidTagAttachDataBinary in self.changed:
            return 0
        number = bags.get(self.base, PID_TAG_SATCHEL_BLOB)
        return number if isinstance(number, int) else 0

    def open_embedded(self, *, create: bool = False) -> Overlay:
        """A copy of the embedded message (RopOpenEmbeddedMessage). Raises NotFound unless `create`."""
        if self.embedded is not None:
            return self.embedded.copy()
        stored = bags.get(self.base, PID_TAG_SATCHEL_EMBEDDED)
        replaced = self.data is not None or tags.PidTagAttachDataBinary in self.changed
        if isinstance(stored, bytes) and not replaced:
            return Overlay(Nested.parse(stored))
        if not create:
            raise NotFound(f"attachment {self.number} holds no message")
        return Overlay()

    def put_embedded(self, overlay: Overlay) -> None:
        """Save an embedded message into this attachment (RopSaveChangesMessage of it)."""
        self.changed.pop(tags.PidTagAttachDataBinary, None)
        self.data, self.embedded = None, overlay.copy()

    def copy(self) -> "Attachment":
        """The same, to be changed apart."""
        embedded = self.embedded.copy() if self.embedded is not None else None
        return replace(self, changed=dict(self.changed), removed=set(self.removed), embedded=embedded)

    def build(self, binder: _Binder, depth: int) -> bytes:
        """The packed form; blobs that it goes on to name are referred to once more."""
        stored = bags.unpack(self.base)
        replaced = self.data is not None or self.embedded is not None
        replaced = replaced or tags.PidTagAttachDataBinary in self.changed
        if replaced:
            for tag in (tags.PidTagAttachDataBinary, PID_TAG_SATCHEL_BLOB, PID_TAG_SATCHEL_EMBEDDED):
                stored.pop(tag, None)
        else:
            binder.carry(Part(PART_ATTACHMENT, self.number, self.base))
        bag = {tag: value for tag, value in stored.items() if tag not in self.removed} | self.changed
        if self.data is not None:
            bag[PID_TAG_SATCHEL_BLOB] = binder.bind(self.data)
        elif self.embedded is not None:
            bag[PID_TAG_SATCHEL_EMBEDDED] = self.embedded.nested(binder, depth + 1)
        return bags.pack({**bag, tags.PidTagAttachNumber: self.number})


@dataclass(slots=True)
class Draft:
    """A message under work. `mid` 0 for a new one; `cn` is the content version that it started from;
    `session` the one that may save it; `incoming` the foreign version of an import, which makes the message
    under the MID `wanted` or replaces all of it (`replaces`) and brings its time of change, `modified`.
    `flags` are set by the save, those of `clear` taken away; `keywords` replace the row's unless None;
    `received` 0 leaves the time of delivery."""

    mailbox: int
    fid: int
    session: int
    overlay: Overlay
    mid: int = 0
    cn: int = 0
    associated: bool = False
    materialized: bool = True
    incoming: Version | None = None
    wanted: int = 0
    replaces: bool = False
    modified: int = 0
    flags: RowFlag = RowFlag.NONE
    clear: RowFlag = RowFlag.NONE
    keywords: tuple[str, ...] | None = None
    received: int = 0

    def state(self, flags: int) -> int:
        """The flags of the row that a save leaves."""
        return flags & ~self.clear | self.flags

    def materialize(self, whole: Overlay) -> None:
        """Take over what the message's MIME gives (bodies, recipients, attachments), under what was changed
        here: content can be saved from now on."""
        merged = whole.copy()
        for tag in self.overlay.removed:
            merged.remove(tag)
        for tag, value in self.overlay.changed.items():
            merged.set(tag, value)
        merged.values.update(self.overlay.values)
        merged.recipients.update(self.overlay.recipients)
        merged.attachments.update(self.overlay.attachments)
        merged.base, merged.compact = self.overlay.base, self.overlay.compact
        self.overlay, self.materialized = merged, True


def new(mailbox: int, fid: int, session: int, *, associated: bool = False) -> Draft:
    """A draft of a new message (RopCreateMessage)."""
    return Draft(mailbox, fid, session, Overlay(), associated=associated)


def open_message(txn: ReadTxn, mailbox: int, row: Row, session: int) -> Draft:
    """A draft over a stored message (RopOpenMessage with the intent to change)."""
    cold = messages.load(txn, mailbox, row.mid)
    base = Nested(cold.packed_bag, tuple(parts(txn, mailbox, row.mid)))
    return Draft(
        mailbox,
        row.fid,
        session,
        Overlay(base, cold.compact),
        row.mid,
        row.cn,
        row.associated,
        materialized=not row.blob or bool(row.flags & RowFlag.MATERIALIZED),
    )


def _names_of(txn: ReadTxn) -> Callable[[int], bool]:
    return lambda tag: is_annotation(tag, names.name_of(txn, tag >> 16) if tag >> 31 else None)


def touches_content(txn: ReadTxn, overlay: Overlay) -> bool:
    """Whether saving the overlay changes content, not annotations alone."""
    if overlay.recipients or overlay.attachments or overlay.values:
        return True
    annotates = _names_of(txn)
    return not all(annotates(tag) for tag in (*overlay.changed, *overlay.removed))


def save(
    edit: Edit, draft: Draft, *, expect: int | None = None, on_conflict: OnConflict = OnConflict.FAIL
) -> Saved:
    """Store a draft. `expect` is the content version (CN) that the caller believes in, by default the one
    that the draft started from. Raises Conflict, NotFound, LimitReached, StoreError."""
    if edit.origin != draft.session or edit.mailbox != draft.mailbox:
        raise StoreError("a draft belongs to its session and mailbox")
    if not draft.mid:
        return Saved(_create(edit, draft, draft.overlay.base.parts), Outcome.CREATED)
    row = contents.get(edit.txn, edit.mailbox, draft.fid, draft.mid, draft.associated)
    cold = messages.load(edit.txn, edit.mailbox, row.mid)
    order = _order(edit, draft, row, cold, draft.cn if expect is None else expect)
    if order in (Order.SAME, Order.OLDER) and draft.incoming is not None:
        return Saved(row, Outcome.IGNORED)
    if order is Order.CONFLICT:
        if on_conflict is OnConflict.FAIL:
            raise Conflict(f"message {row.mid:#x} changed meanwhile")
        if on_conflict is OnConflict.KEEP_BOTH:
            return Saved(_create(edit, draft, draft.overlay.base.parts), Outcome.KEPT_BOTH)
    if draft.overlay.is_empty() and draft.incoming is None:
        return Saved(row, Outcome.UNCHANGED)
    if draft.incoming is None and not touches_content(edit.txn, draft.overlay):
        bag = draft.overlay._over(cold.bag())
        noted = messages.annotate(edit, row, bags.pack(bag), draft.state(row.flags), draft.keywords)
        return Saved(noted, Outcome.ANNOTATED)
    if not draft.materialized:
        raise StoreError("materialize the message before its content changes")
    return Saved(_change(edit, draft, row, cold), Outcome.CHANGED)


def _order(edit: Edit, draft: Draft, row: Row, cold: messages.Message, expect: int) -> Order:
    """How the draft stands to the message as it is now: NEWER may be saved."""
    if draft.incoming is None:
        return Order.NEWER if row.cn == expect else Order.CONFLICT
    known: Bag = {tag: value for tag in versions.STORED if (value := cold.get(tag)) is not None}
    current = versions.version(edit.txn, edit.mailbox, row, known)
    return versions.compare(draft.incoming.predecessors, current.predecessors)


def _stamped(edit: Edit, draft: Draft, bag: Bag, number: int) -> Bag:
    if draft.incoming is None:
        return bag
    return versions.imported(bag, draft.incoming, edit.cn(number))


def _message(
    edit: Edit, draft: Draft, bag: Bag, base: tuple[Part, ...], flags: int, keywords: tuple[str, ...]
) -> NewMessage:
    binder = _Binder(edit)
    made = binder.measure(list(draft.overlay._parts(base, binder, 0)))
    packed = bags.pack(bag)
    message_class, conversation = bag.get(tags.PidTagMessageClass), bag.get(tags.PidTagConversationId)
    message_id, importance = bag.get(tags.PidTagInternetMessageId), bag.get(tags.PidTagImportance)
    attached = any(part.kind == PART_ATTACHMENT for part in made)
    flags = flags & ~RowFlag.HAS_ATTACHMENT | (RowFlag.HAS_ATTACHMENT if attached else 0)
    return NewMessage(
        blob=0,
        size=min(binder.size + len(packed), (1 << 32) - 1),
        bag=packed,
        message_class=message_class if isinstance(message_class, str) else "IPM.Note",
        flags=RowFlag(flags | RowFlag.MATERIALIZED),
        keywords=keywords,
        received=draft.received or edit.now,
        modified=draft.modified,
        importance=importance if isinstance(importance, int) and 0 <= importance <= 2 else 1,
        associated=draft.associated,
        conversation=conversation if isinstance(conversation, bytes) and len(conversation) == 16 else b"",
        message_id=message_id if isinstance(message_id, str) else "",
        parts=tuple(made),
    )


def _create(edit: Edit, draft: Draft, base: tuple[Part, ...]) -> Row:
    if not draft.materialized:
        raise StoreError("materialize the message before it is kept beside the other")
    # `insert` takes the next number as CN.
    bag = _stamped(edit, draft, _without_versions(draft.overlay.bag()), edit.clock.row.counter + 1)
    made = _message(edit, draft, bag, base, int(draft.flags), draft.keywords or ())
    return messages.insert(edit, draft.fid, made, mid=draft.wanted)


def _without_versions(bag: Bag) -> Bag:
    return {tag: value for tag, value in bag.items() if tag not in versions.STORED}


def _change(edit: Edit, draft: Draft, row: Row, cold: messages.Message) -> Row:
    if draft.replaces:
        base, bag = draft.overlay.base.parts, _without_versions(draft.overlay.bag())
    else:
        base = tuple(parts(edit.txn, edit.mailbox, row.mid))
        bag = draft.overlay._over(cold.bag())
    bag = _stamped(edit, draft, bag, edit.clock.row.counter + 1)  # `rewrite` takes the next number
    keywords = row.keywords if draft.keywords is None else draft.keywords
    made = _message(edit, draft, bag, base, draft.state(row.flags), keywords)
    made = replace(made, received=draft.received or row.received)
    is_known = not row.blob or bool(row.flags & RowFlag.MATERIALIZED)
    mask = _mask(edit.txn, draft, row, made, cold.bag(), bag) if is_known else log.Mask.NONE
    return messages.rewrite(edit, row, made, mask)


def _mask(txn: ReadTxn, draft: Draft, row: Row, made: NewMessage, before: Bag, after: Bag) -> log.Mask:
    """The parts of a message that a change of its content touches."""
    overlay, mask = draft.overlay, log.Mask.NONE
    mask |= log.Mask.NOTES if made.flags != row.flags or made.keywords != row.keywords else log.Mask.NONE
    mask |= log.Mask.CONTENT if made.received != row.received else log.Mask.NONE
    mask |= log.Mask.RECIPIENTS if overlay.recipients or draft.replaces else log.Mask.NONE
    mask |= log.Mask.ATTACHMENTS if overlay.attachments or draft.replaces else log.Mask.NONE
    large = {part.number for part in parts(txn, draft.mailbox, row.mid) if part.kind == PART_VALUE}
    gone = large if draft.replaces else large & (overlay.removed | overlay.changed.keys())
    touched = {tag for tag in before.keys() | after.keys() if before.get(tag) != after.get(tag)}
    touched = (touched | gone | overlay.values.keys()) - versions.STORED
    return mask | groups.mask_of(txn, touched, after.keys() | overlay.values.keys())


def large_bytes(value: Value, tag: int) -> bytes:
    """The bytes that a property's BlobWriter is to take."""
    if type_of(tag) == PtypString and isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    raise StoreError("only text and bytes are large")
