"""A message as MAPI shows it: each property by its tag (MS-OXCMSG 2.2.1, MS-OXCPRPT 2.2.1).

A `MessageView` looks at a stored message, and over it at what a session changed and did not save yet. Values
come, in this order, from what the session set, from the facts that only the server knows (ids, versions,
access, size, state), from the stored bag, and from what can be computed (`convert.registry`).

State that IMAP keeps as flags shows as the properties that Outlook knows: a message that was answered,
forwarded or flagged by any client looks so to all.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from weakref import ref

from appliance.convert import registry, typed
from appliance.convert.mime import derive
from appliance.convert.mime.object import MAX_RECIPIENTS, recipients_of
from appliance.formats import bags
from appliance.formats.mime.scan import Scan
from appliance.mailbox.properties.places import Places
from appliance.mapi import names as mapi_names
from appliance.mapi import tags
from appliance.mapi.names import PropertyName
from appliance.mapi.types import Bag, PtypMultipleString, PtypString, Value, is_named, type_of
from appliance.store import blobs, classes, messages, names, versions
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import Overlay
from appliance.store.kv import ReadTxn
from appliance.store.messages import PART_RECIPIENT, PART_VALUE
from appliance.store.parts import part_blobs
from appliance.store.permissions import Right
from appliance.store.tables.scan import Ask
from appliance.store.tables.sources import NO_ICON, ROW_STATE, ROW_VALUES, instance_key, message_status

OBJECT_MESSAGE = 5  # MS-OXCPRPT 2.2.1.7
NORMAL_MESSAGE = "IPM.Note"

MODIFY, READ, DELETE = 1, 2, 4  # MS-OXCPRPT 2.2.1.1
NEW_ACCESS = MODIFY | READ | DELETE  # MS-OXCMSG 3.2.5.2: of a message that is not saved yet
NEW_FLAGS = 0x0409  # MS-OXCMSG 3.2.5.2: read, unsent, and ever read

_BODIES = frozenset(
    (
        tags.PidTagBody,
        tags.PidTagHtml,
        tags.PidTagBodyHtml,
        tags.PidTagRtfCompressed,
        tags.PidTagInternetCodepage,
    )
)
_RECIPIENT_FIELDS = {tags.PidTagDisplayTo: 1, tags.PidTagDisplayCc: 2, tags.PidTagDisplayBcc: 3}
_INITIAL: dict[int, Value] = {  # MS-OXCMSG 3.2.5.2
    tags.PidTagImportance: 1,
    tags.PidTagMessageClass: NORMAL_MESSAGE,
    tags.PidTagSensitivity: 0,
    tags.PidTagMessageFlags: NEW_FLAGS,
    tags.PidTagMessageStatus: 0,
    tags.PidTagHasAttachments: False,
    tags.PidTagTrustSender: 1,
    tags.PidTagAssociated: False,
}


_NATIVE: dict[Value, int] = {
    derive.NATIVE_PLAIN: tags.PidTagBody,
    derive.NATIVE_RTF: tags.PidTagRtfCompressed,
    derive.NATIVE_HTML: tags.PidTagHtml,
}
"""PidTagNativeBody and the tag of that form (MS-OXCMSG 2.2.1.58.2)."""


def message_access(right: Right) -> int:
    """PidTagAccess of a message in a folder where the user has these rights."""
    access = MODIFY if right & Right.EDIT_ANY else 0
    access |= READ if right & Right.READ_ANY else 0
    return access | (DELETE if right & Right.DELETE_ANY else 0)


class MessageView:
    """A message.

    `row` is None for one that was never saved; `overlay` is what the session sees over the stored form, and
    `materialized` its draft's; `right` what the user may do in the folder; `deleted` when the message was
    soft-deleted (FILETIME)."""

    def __init__(
        self,
        places: Places,
        row: Row | None,
        *,
        right: Right = Right.NONE,
        overlay: Overlay | None = None,
        materialized: bool = False,
        deleted: int | None = None,
    ) -> None:
        self._places, self.row, self._right = places, row, right
        self._overlay, self._deleted = overlay, deleted
        self._txn: ReadTxn = places.txn
        self._materialized = (
            materialized or row is None or not row.blob or bool(row.flags & RowFlag.MATERIALIZED)
        )

    # -- what is stored -----------------------------------------------------------------------------------

    @cached_property
    def _cold(self) -> messages.Message:
        if self.row is None:
            return messages.Message(b"", bags.pack({}))
        return messages.load(self._txn, self._places.mailbox, self.row.mid)

    @cached_property
    def _stored(self) -> Callable[[int], Value]:
        return self._cold.reader() if self._overlay is None else self._overlay.get

    @cached_property
    def _parts(self) -> list[messages.Part]:
        row = self.row
        return [] if row is None else list(messages.parts(self._txn, self._places.mailbox, row.mid))

    @cached_property
    def large(self) -> dict[int, int]:
        """Properties of the message that stand in blobs, tag to blob."""
        if self._overlay is not None:
            return self._overlay.large()
        if self.row is None or not self._materialized:
            return {}
        return {part.number: part_blobs(part)[0] for part in self._parts if part.kind == PART_VALUE}

    def stored(self, tag: int) -> Value:
        """The value that the store or the session holds."""
        value = self._stored(tag)
        if value is None and tag in self.large:
            data = blobs.read(self._txn, self.large[tag])
            return data.decode("utf-8", "surrogatepass") if type_of(tag) == PtypString else data
        return value

    def _length(self, tag: int) -> int:
        """Bytes of a value that stands in a blob; 0 for others."""
        return blobs.info(self._txn, self.large[tag]).size if tag in self.large else 0

    def _touched(self, tag: int) -> bool:
        """Whether the session set or removed a property."""
        over = self._overlay
        return over is not None and (tag in over.changed or tag in over.removed or tag in over.values)

    @cached_property
    def computing(self) -> registry.Stored:
        """The message as `convert.registry` takes it. Bodies that the session changed, or that are stored
        beside the MIME, are not looked for in the MIME."""
        weak = ref(self)  # a cycle would keep megabytes of bodies until the collector comes

        def get(tag: int) -> Value:
            view = weak()
            return None if view is None else view.stored(tag)

        changed = self._overlay is not None and any(map(self._touched, _BODIES))
        mime = None if self._materialized or changed else self.mime()
        beyond = frozenset(tag for tag in _BODIES if self._length(tag) > registry.MAX_NATIVE)
        return registry.Stored(get, mime, beyond)

    def mime(self) -> registry.Mime | None:
        """The stored MIME that the message lives from; None for one that was born, or changed, in MAPI."""
        row = self.row
        if row is None or self._materialized:
            return None
        txn, blob = self._txn, row.blob
        table = blobs.scan_of(txn, blob)
        if table is None:
            return None
        return registry.Mime(Scan.unpack(table), lambda offset, length: blobs.read(txn, blob, offset, length))

    # -- properties ---------------------------------------------------------------------------------------

    def get(self, tag: int) -> Value:
        """A property; None where the message has none. Bodies may be megabytes."""
        known = _SERVER.get(tag)
        if known is not None:
            return known(self)
        row = self.row
        if row is not None and tag in ROW_VALUES and not self._touched(tag):
            return ROW_VALUES[tag](row)
        if tag in ROW_STATE and not self._touched(tag):
            value = self.stored(tag) if row is None else ROW_STATE[tag](row.flags, self.stored(tag))
            return self._typed(tag, value) if value is None or value == NO_ICON else value
        value = self.stored(tag)
        if value is None and not self._touched(tag):
            if is_named(tag):
                return self._named(tag)
            if tag == tags.PidTagMessageClass and row is not None:
                return classes.name(self._txn, row.message_class) or NORMAL_MESSAGE
            if tag in _RECIPIENT_FIELDS:
                return self._display(_RECIPIENT_FIELDS[tag])
            if tag in _INITIAL:
                return _INITIAL[tag]
        if tag in typed.TAGS and not value and not self._touched(tag):
            return self._typed(tag, value)
        if value is None and tag in registry.COMPUTED:
            return registry.compute(self.computing, tag)
        return value

    def _named(self, tag: int) -> Value:
        name = names.name_of(self._txn, tag >> 16)
        if name is None:
            return None
        if name == mapi_names.PidNameKeywords.name and type_of(tag) == PtypMultipleString:
            return self._categories()
        if name.guid == mapi_names.PS_INTERNET_HEADERS and type_of(tag) == PtypString:
            return self.internet_header(name)
        return None if self._kind is None else typed.named(self._kind, name, type_of(tag), self._other)

    @cached_property
    def _kind(self) -> typed.Kind | None:
        return typed.kind_of(str(self.get(tags.PidTagMessageClass)))

    def _typed(self, tag: int, value: Value) -> Value:
        """A property of a typed object that may follow from others, where the stored value says nothing."""
        found = None if self._kind is None else typed.tagged(self._kind, tag, self._other)
        return value if found is None else found

    def _other(self, tag: mapi_names.NamedTag | int) -> Value:
        """A property that is stored, for those that follow from it."""
        if isinstance(tag, int):
            return self.get(tag) if tag in _DERIVED else self.stored(tag)
        number = names.find(self._txn, tag.name)
        return None if number is None else self.stored(number << 16 | tag.type)

    def internet_header(self, name: PropertyName) -> Value:
        """A header field of the message by its name (PS_INTERNET_HEADERS)."""
        return registry.named(self.computing, name)

    def _categories(self) -> Value:
        """IMAP's keywords, but for those that are a system's ($Forwarded, $Label1)."""
        shown = tuple(word for word in (self.row.keywords if self.row else ()) if not word.startswith("$"))
        return shown or None

    def _display(self, kind: int) -> str:
        """PidTagDisplayTo, Cc, Bcc (MS-OXOMSG 2.2.1.7): of a message that has its recipients as rows."""
        if not self._materialized:
            return ""
        shown = (
            bag.get(tags.PidTagDisplayName) or bag.get(tags.PidTagEmailAddress)
            for bag in self.recipients().values()
            if _kind(bag.get(tags.PidTagRecipientType)) == kind
        )
        return "; ".join(str(name) for name in shown if name)

    def tags(self) -> set[int]:
        """Every property that the message has, for RopGetPropertiesList and RopGetPropertiesAll."""
        bag = self._cold.bag() if self._overlay is None else self._overlay.bag()
        found = {*bag, *self.large} - versions.STORED
        if self.row is not None:
            found |= {*ROW_VALUES, tags.PidTagMessageClass}
        else:
            found |= _INITIAL.keys()
        if self._overlay is not None:
            found |= self._overlay.values.keys()
        candidates = {*_SERVER, *ROW_STATE, *_RECIPIENT_FIELDS, *typed.TAGS, *self._following()}
        found |= {tag for tag in candidates if self.get(tag) is not None}
        return found | self._computed_tags()

    def _following(self) -> Iterable[int]:
        """Named properties that may follow from others, as far as the store knows their names."""
        if self.row is not None and self.row.keywords:
            yield from self._tags_of((mapi_names.PidNameKeywords,))
        if self._kind is not None:
            yield from self._tags_of(typed.following(self._kind))

    def _tags_of(self, named: Iterable[mapi_names.NamedTag]) -> Iterable[int]:
        numbers = ((names.find(self._txn, tag.name), tag.type) for tag in named)
        return [number << 16 | kind for number, kind in numbers if number is not None]

    def _computed_tags(self) -> set[int]:
        native = registry.native_body(self.computing)
        found = {tags.PidTagNativeBody, tags.PidTagRtfInSync}
        if native != registry.NATIVE_NONE:
            found |= {tags.PidTagBody, tags.PidTagHtml, tags.PidTagRtfCompressed, derive.PidTagPreview}
        if self.computing.source is not None:
            found.add(tags.PidTagTransportMessageHeaders)
        return found

    def derived_bodies(self) -> frozenset[int]:
        """The forms of the body that only follow from the native one: a copy makes them anew, and a form that
        it leaves out must not come back by another (MS-OXCPRPT 3.2.5.8)."""
        native = _NATIVE.get(registry.native_body(self.computing))
        others = (tag for tag in _NATIVE.values() if tag != native and tag not in self.large)
        return frozenset(tag for tag in others if self.stored(tag) is None)

    # -- recipients ---------------------------------------------------------------------------------------

    def recipients(self) -> dict[int, dict[int, Value]]:
        """The recipients' properties by row id, in order."""
        if self._overlay is not None and (self._materialized or self._overlay.recipients):
            return self._overlay.recipient_rows()
        source = None if self._materialized else self.computing.source
        if source is None:
            return {
                part.number: bags.unpack(part.packed) for part in self._parts if part.kind == PART_RECIPIENT
            }
        found = recipients_of(source, str(self.get(tags.PidTagMessageClass)))[:MAX_RECIPIENTS]
        return dict(enumerate(found))

    def packed_recipients(self) -> list[bytes]:
        """The recipients as they are stored, in order."""
        if self._overlay is None and self._materialized:
            return [part.packed for part in self._parts if part.kind == PART_RECIPIENT]
        return [bags.pack(bag) for bag in self.recipients().values()]

    # -- what the server knows ----------------------------------------------------------------------------

    def _entry_id(self) -> Value:
        return self._places.message_entry_id(self.row.fid, self.row.mid) if self.row is not None else None

    def _parent_entry_id(self) -> Value:
        return self._places.folder_entry_id(self.row.fid) if self.row is not None else None

    def _source_key(self) -> Value:
        return self._places.source_key(self.row.mid) if self.row is not None else None

    def _parent_source_key(self) -> Value:
        return self._places.source_key(self.row.fid) if self.row is not None else None

    @cached_property
    def _version(self) -> versions.Version | None:
        if self.row is None:
            return None
        bag: Bag = {tag: value for tag in versions.STORED if (value := self._cold.get(tag)) is not None}
        return versions.version(self._txn, self._places.mailbox, self.row, bag)

    def _change_key(self) -> Value:
        return self._version.change_key if self._version is not None else None

    def _predecessors(self) -> Value:
        return self._version.predecessors.pack() if self._version is not None else None

    def _search_key(self) -> Value:
        """Stays with copies in the mailbox (MS-OXCPRPT 2.2.1.9)."""
        known = self.stored(tags.PidTagSearchKey)
        if known is not None or self.row is None:
            return known
        return self._places.guid[:8] + self.row.email_id.to_bytes(8, "big")

    def _access(self) -> Value:
        return NEW_ACCESS if self.row is None else message_access(self._right)

    def _access_level(self) -> Value:
        return int(self.row is None or bool(self._right & Right.EDIT_ANY))

    def _status(self) -> Value:
        return message_status(self.row) if self.row is not None else 0

    def _has_named(self) -> Value:
        if self._overlay is None:
            return self._cold.has_named()
        return any(map(is_named, self._overlay.bag()))

    def _instance_key(self) -> Value:
        return instance_key(self.row) if self.row is not None else None

    def _created(self) -> Value:
        known = self.stored(tags.PidTagCreationTime)
        return self.row.saved if known is None and self.row is not None else known


def _kind(value: Value) -> int:
    """The recipient's type without its flags (MS-OXOMSG 2.2.3.1)."""
    return value & 0xF if isinstance(value, int) else 0


_SERVER: dict[int, Callable[[MessageView], Value]] = {
    tags.PidTagEntryId: MessageView._entry_id,
    tags.PidTagRecordKey: MessageView._entry_id,
    tags.PidTagParentEntryId: MessageView._parent_entry_id,
    tags.PidTagSourceKey: MessageView._source_key,
    tags.PidTagParentSourceKey: MessageView._parent_source_key,
    tags.PidTagChangeKey: MessageView._change_key,
    tags.PidTagPredecessorChangeList: MessageView._predecessors,
    tags.PidTagInstanceKey: MessageView._instance_key,
    tags.PidTagInstanceNum: lambda view: 0 if view.row is not None else None,
    tags.PidTagStoreEntryId: lambda view: view._places.store_entry_id(),
    tags.PidTagStoreRecordKey: lambda view: view._places.guid,
    tags.PidTagMappingSignature: lambda view: view._places.guid,
    tags.PidTagObjectType: lambda view: OBJECT_MESSAGE,
    tags.PidTagAccess: MessageView._access,
    tags.PidTagAccessLevel: MessageView._access_level,
    tags.PidTagMessageStatus: MessageView._status,
    tags.PidTagHasNamedProperties: MessageView._has_named,
    tags.PidTagCreationTime: MessageView._created,
    tags.PidTagLocalCommitTime: lambda view: view.row.modified if view.row is not None else None,
    tags.PidTagInternetArticleNumber: lambda view: view.row.uid or None if view.row is not None else None,
    tags.PidTagDeletedOn: lambda view: view._deleted,
    tags.PidTagSearchKey: MessageView._search_key,
}
"""What the server alone knows, whatever a client wrote (MS-OXCMSG 2.2.1.1). But PidTagSearchKey and
PidTagCreationTime, which an import brings along."""

SERVER_TAGS = frozenset(_SERVER)

_DERIVED = frozenset((tags.PidTagBody, tags.PidTagMessageClass))
"""What rules of typed objects look at although it may not be stored."""

ASKED: dict[int, Ask] = {
    **dict.fromkeys(typed.TAGS, Ask.TYPED),
    **dict.fromkeys((*_SERVER, *_RECIPIENT_FIELDS, *_INITIAL, *registry.COMPUTED), Ask.LACKING),
}
"""Tags whose values a bag may lack, or have otherwise, and when: the others are what is stored."""


def asked_named(name: PropertyName, property_type: int) -> Ask:
    """The same of a named property."""
    if name == mapi_names.PidNameKeywords.name:
        return Ask.KEYWORDS
    if name.guid == mapi_names.PS_INTERNET_HEADERS:
        return Ask.LACKING
    return Ask.TYPED if typed.has_rule(name, property_type) else Ask.NEVER


def values(view: MessageView, wanted: Iterable[int]) -> dict[int, Value]:
    """Those of the wanted properties that the message has."""
    return {tag: value for tag in wanted if (value := view.get(tag)) is not None}
