"""How one download writes: the form of its strings, its bodies, the names of its properties.

A `Pen` belongs to one download. It learns the names of named properties in the snapshot of the object that
has them, and leaves out what no stream may carry (MS-OXCFXICS 3.2.5.10 to 3.2.5.12): the provider's internal
range, ids and versions that headers carry, and what the store computes.
"""

import codecs
from collections.abc import Iterable, Iterator
from enum import IntFlag

from appliance.formats import fasttransfer as fx
from appliance.formats.fasttransfer.markers import Marker
from appliance.mapi import codepages, tags
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.names import PropertyName
from appliance.mapi.objects import READ_CHUNK, Content, chunks
from appliance.mapi.types import Bag, PtypString, Value
from appliance.store import names
from appliance.store.kv import ReadTxn


class SendOptions(IntFlag):
    """2.2.3.1.1.1.1"""

    NONE = 0
    UNICODE = 0x01
    USE_CPID = 0x02
    RECOVER_MODE = 0x04
    FORCE_UNICODE = 0x08
    PARTIAL_ITEM = 0x10
    RESERVED_1 = 0x20
    RESERVED_2 = 0x40


KNOWN_OPTIONS = 0x7F


FIRST_INTERNAL, LAST_INTERNAL = 0x6600, 0x67FF
"""The provider-defined internal range, which is neither sent nor taken (3.2.5.11, 3.2.5.12)."""

_IDENTITY = frozenset(
    tag >> 16
    for tag in (
        tags.PidTagSourceKey,
        tags.PidTagParentSourceKey,
        tags.PidTagChangeKey,
        tags.PidTagPredecessorChangeList,
        tags.PidTagEntryId,
        tags.PidTagParentEntryId,
        tags.PidTagRecordKey,
        tags.PidTagInstanceKey,
        tags.PidTagStoreEntryId,
        tags.PidTagStoreRecordKey,
        tags.PidTagMappingSignature,
        tags.PidTagObjectType,
        tags.PidTagAccess,
        tags.PidTagAccessLevel,
        tags.PidTagMessageSize,
        tags.PidTagOriginalEntryId,
    )
)
MESSAGE_INTERNAL = _IDENTITY | {0x0E12, 0x0E13, tags.PidTagHasAttachments >> 16}
"""Ids that messages do not carry: identity, version, sub-objects, what the server computes."""
FOLDER_INTERNAL = _IDENTITY | {
    0x360E,  # PidTagContainerHierarchy
    0x360F,  # PidTagContainerContents
    0x3610,  # PidTagFolderAssociatedContents
    tags.PidTagContentCount >> 16,
    tags.PidTagAssociatedContentCount >> 16,
    tags.PidTagContentUnreadCount >> 16,
    tags.PidTagSubfolders >> 16,
}
ATTACHMENT_INTERNAL = frozenset(
    {0x3701, tags.PidTagAttachNumber >> 16, tags.PidTagAttachSize >> 16, *(_IDENTITY - {0x0FF9})}
)
RECIPIENT_INTERNAL = frozenset({tags.PidTagRowid >> 16})


def is_transmitted(tag: int, internal: frozenset[int]) -> bool:
    """Whether a property of an object of a kind is sent, and taken."""
    number = tag >> 16
    return number not in internal and not FIRST_INTERNAL <= number <= LAST_INTERNAL


MAX_JUDGED = 10_000


class _Sent(dict[int, bool]):
    """`is_transmitted` of the tags that were asked about."""

    def __init__(self, internal: frozenset[int]) -> None:
        super().__init__()
        self._internal = internal

    def __missing__(self, tag: int) -> bool:
        judged = is_transmitted(tag, self._internal)
        if len(self) < MAX_JUDGED:
            self[tag] = judged
        return judged


_SENT = {
    internal: _Sent(internal)
    for internal in (MESSAGE_INTERNAL, FOLDER_INTERNAL, ATTACHMENT_INTERNAL, RECIPIENT_INTERNAL)
}


def strings_of(options: SendOptions, page: int) -> int:
    """The form of strings that the options ask for (3.2.5.8.1.1). Everything here is stored in Unicode."""
    if options & SendOptions.USE_CPID:
        return fx.CODE_PAGE_UNICODE
    if options & (SendOptions.UNICODE | SendOptions.FORCE_UNICODE):
        return fx.UNICODE
    return page


class Pen:
    """Writes the properties of one download. `best_body`: bodies in their original form alone."""

    def __init__(self, strings: int, *, best_body: bool = False, recover: bool = False) -> None:
        self.strings, self.best_body, self.recover = strings, best_body, recover
        self._names: dict[int, bytes] = {}

    def learn(self, txn: ReadTxn, known: Iterable[int]) -> None:
        """Look up the names of the named properties among the tags."""
        known = tuple(known)
        if max(known, default=0) >> 16 < names.FIRST:
            return
        for tag in known:
            number = tag >> 16
            if number >= names.FIRST and number not in self._names:
                name = names.name_of(txn, number)
                if name is not None:
                    self._names[number] = packed_name(name)

    def props(self, pairs: Iterable[tuple[int, Value]]) -> bytes:
        """The propValues of a list, in its order."""
        return fx.pack(pairs, self.strings, self._names)

    def chosen(self, props: Bag, internal: frozenset[int]) -> list[tuple[int, Value]]:
        """The properties of a bag that are sent."""
        sent = _SENT[internal]
        return [pair for pair in props.items() if sent[pair[0]]]

    def big(self, tag: int, content: Content) -> Iterator[bytes]:
        """One property whose bytes are read piece by piece. Raises ecNotFound when bytes are missing."""
        text = tag & 0xFFFF == PtypString
        size = self._text_size(content) if text else content.size
        if text:
            tag = tag & 0xFFFF0000 | fx.string_type(self.strings)
        name = self._names.get(tag >> 16, b"") if tag >> 16 >= names.FIRST else b""
        if tag >> 16 >= names.FIRST and not name:
            return
        yield tag.to_bytes(4, "little") + name + size.to_bytes(4, "little")
        for piece in self._text(content) if text else chunks(content, READ_CHUNK):
            size -= len(piece)
            if size < 0:
                break
            yield piece
        if size:
            raise MapiError(ec.ecNotFound, "a value changed while it was sent")

    def _text(self, content: Content) -> Iterator[bytes]:
        """Stored text (UTF-8) in the download's form, with its terminator."""
        decode = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        wide = self.strings in (fx.UNICODE, fx.CODE_PAGE_UNICODE)
        name = "utf-16-le" if wide else codepages.codec_of(self.strings)
        encode = codecs.getincrementalencoder(name)("surrogatepass" if wide else "replace")
        for piece in chunks(content, READ_CHUNK):
            yield encode.encode(decode.decode(piece))
        yield encode.encode(decode.decode(b"", True), True) + (b"\0\0" if wide else b"\0")

    def _text_size(self, content: Content) -> int:
        return sum(map(len, self._text(content)))


def packed_name(name: PropertyName) -> bytes:
    """namedPropInfo (2.2.4.1)."""
    which = name.lid_or_name
    if isinstance(which, int):
        return name.guid + b"\0" + which.to_bytes(4, "little")
    return name.guid + b"\1" + which.encode("utf-16-le", "surrogatepass") + b"\0\0"


MARKS = {marker: int(marker).to_bytes(4, "little") for marker in Marker}
"""Markers as they stand in streams."""
