"""Uploaded FastTransfer streams: from events to objects (MS-OXCFXICS 2.2.4.2, 3.2.5.8.2).

A `Consumer` is a stack of frames, one for each element that is open: the one on top takes the next event.
Which markers a frame takes is its `OPENS` and `CLOSES`; whatever else comes is ecInvalidParam. What a frame
holds is one object without its bytes: values of more than a few kilobytes go into blobs while they arrive.

- A folder's properties are stored when something else than a property comes, and at the end of each buffer.
- A message is stored at its end marker. One that is cut short, or followed by an errorInfo, is forgotten.
- A message or attachment that the client has open takes the content; the client saves it.

Deviation: MetaTagFXDelProp tells a receiver to delete the sub-objects of the object in context. For messages
that is done; nothing that is in a folder is ever deleted by it, as no copy into a folder deletes anything.

After an error every further buffer fails with the same error.
"""

from collections.abc import Callable
from typing import Protocol

from appliance.formats.fasttransfer.lexer import Begin, Data, End, Event, Lexer, Mark, Prop
from appliance.formats.fasttransfer.markers import (
    Marker,
    MetaTagDnPrefix,
    MetaTagEcWarning,
    MetaTagFXDelProp,
    MetaTagNewFXFolder,
)
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.names import PropertyName
from appliance.mapi.types import Value
from appliance.rop.codes import code_of
from appliance.store.blobs import BlobWriter, Prepared

META = frozenset(
    tag >> 16 for tag in (MetaTagFXDelProp, MetaTagEcWarning, MetaTagNewFXFolder, MetaTagDnPrefix)
)
MAX_FRAMES = 200
"""Elements within elements, at most."""


class Frame(Protocol):
    """An element that is open."""

    def prop(self, tag: int, value: Value) -> None:
        """A property of the element; ids of named ones are the store's."""

    def large(self, tag: int, prepared: Prepared) -> None:
        """A property whose bytes are ready to be bound."""

    def delete_children(self, tag: int) -> None:
        """MetaTagFXDelProp with this value."""

    def open(self, marker: int) -> "Frame | None":
        """The element that a marker opens, None where it may not stand."""

    def closes(self, marker: int) -> bool:
        """Whether the marker ends this element."""

    def close(self) -> None:
        """The element has ended: store it."""

    def flush(self) -> None:
        """No more properties for now: store what can be."""

    def forget(self) -> None:
        """The element will not come to its end."""

    @property
    def is_list(self) -> bool:
        """Whether a reader recovers here from an errorInfo (2.2.4.3.4)."""


class Consumer:
    """One upload. `id_of` gives the id of a named property, `new_blob` a writer for big values."""

    def __init__(
        self,
        root: Frame,
        id_of: Callable[[PropertyName], int],
        new_blob: Callable[[], BlobWriter],
        page: int,
    ) -> None:
        self._stack: list[Frame] = [root]
        self._id_of, self._new_blob = id_of, new_blob
        self._lexer = Lexer(page)
        self._ids: dict[PropertyName, int] = {}
        self._writer: BlobWriter | None = None
        self._tag = 0
        self._skipping = False
        self._error: MapiError | None = None

    def feed(self, data: bytes) -> None:
        """The next bytes of the stream. Raises MapiError, now and ever after."""
        if self._error is not None:
            raise self._error
        try:
            for event in self._lexer.feed(data):
                self._take(event)
            if self._writer is None:
                for frame in self._stack:
                    frame.flush()
        except Exception as error:
            self.close()
            self._error = MapiError(code_of(error), str(error))
            raise self._error from error

    def close(self) -> None:
        """Forget what is not whole."""
        if self._writer is not None:
            self._writer.abort()
            self._writer = None
        while self._stack:
            self._stack.pop().forget()

    def _take(self, event: Event) -> None:
        if isinstance(event, Data):
            if self._writer is not None:
                spilled = self._writer.write(event.data)
                if spilled is not None:
                    spilled.result()
        elif isinstance(event, Mark):
            self._mark(event.marker)
        elif isinstance(event, Prop):
            self._prop(event)
        elif isinstance(event, Begin):
            self._begin(event)
        elif isinstance(event, End):
            self._end()

    # -- properties ---------------------------------------------------------------------------------------

    def _prop(self, event: Prop) -> None:
        tag = self._tag_of(event.tag, event.name)
        if self._skipping:
            return
        if tag == MetaTagFXDelProp and isinstance(event.value, int):
            self._stack[-1].delete_children(event.value & 0xFFFFFFFF)
        elif tag >> 16 not in META:
            self._stack[-1].prop(tag, event.value)

    def _tag_of(self, tag: int, name: PropertyName | None) -> int:
        if name is None:
            return tag
        number = self._ids.get(name)
        if number is None:
            number = self._ids[name] = self._id_of(name)
        return number << 16 | tag & 0xFFFF

    def _begin(self, event: Begin) -> None:
        self._tag = self._tag_of(event.tag, event.name)
        if not self._skipping and self._tag >> 16 not in META:
            self._writer = self._new_blob()

    def _end(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            self._stack[-1].large(self._tag, writer.finish())

    # -- markers ------------------------------------------------------------------------------------------

    def _mark(self, marker: int) -> None:
        self._skipping = False
        if marker == Marker.ERROR_INFO:
            while not self._stack[-1].is_list:
                if len(self._stack) == 1:
                    raise MapiError(ec.ecInvalidParam, "an errorInfo with nothing to go back to")
                self._stack.pop().forget()
            self._skipping = True
            return
        top = self._stack[-1]
        if top.closes(marker):
            if len(self._stack) == 1:
                raise MapiError(ec.ecInvalidParam, f"marker 0x{marker:08X} without its beginning")
            top.close()
            self._stack.pop()
            return
        opened = top.open(marker)
        if opened is None or len(self._stack) >= MAX_FRAMES:
            raise MapiError(ec.ecInvalidParam, f"marker 0x{marker:08X}")
        self._stack.append(opened)
