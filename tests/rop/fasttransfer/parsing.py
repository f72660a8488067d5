"""FastTransfer streams as trees: a reader of the grammar (MS-OXCFXICS 2.2.4.2) for tests, strict on order."""

from dataclasses import dataclass, field
from typing import Any

from appliance.formats.fasttransfer.lexer import Begin, Data, End, Event, Lexer, Mark, Prop
from appliance.formats.fasttransfer.markers import Marker, MetaTagFXDelProp
from appliance.mapi import tags
from appliance.mapi.names import PropertyName

Props = dict[Any, Any]
"""By tag, named ones by (name, type)."""


@dataclass
class Item:
    """messageContent or attachmentContent."""

    props: Props = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    recipients: list[Props] = field(default_factory=list)
    attachments: "list[Item]" = field(default_factory=list)
    embedded: "Item | None" = None
    del_props: list[int] = field(default_factory=list)
    associated: bool = False
    header: Props = field(default_factory=dict)
    progress: Props | None = None


@dataclass
class FolderItem:
    """folderContent."""

    props: Props = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    messages: list[Item] = field(default_factory=list)
    folders: "list[FolderItem]" = field(default_factory=list)
    del_props: list[int] = field(default_factory=list)
    warnings: list[int] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)


@dataclass
class Sync:
    """contentsSync or hierarchySync."""

    changes: list[Item] = field(default_factory=list)
    deletions: Props | None = None
    reads: Props | None = None
    state: Props = field(default_factory=dict)
    total: bytes | None = None
    errors: list[bytes] = field(default_factory=list)


def events(data: bytes, page: int = 1252) -> list[Event]:
    """The events of a whole stream, big values joined to one property."""
    lexer = Lexer(page)
    found: list[Event] = []
    parts: list[bytes] = []
    begun: Begin | None = None
    for event in lexer.feed(data):
        if isinstance(event, Begin):
            begun, parts = event, []
        elif isinstance(event, Data):
            parts.append(event.data)
        elif isinstance(event, End):
            assert begun is not None
            raw = b"".join(parts)
            text = begun.tag & 0xFFFF == 0x1F
            found.append(Prop(begun.tag, begun.name, raw.decode("utf-8", "surrogatepass") if text else raw))
        else:
            found.append(event)
    assert lexer.is_between
    return found


class Parser:
    """Takes elements off the events."""

    def __init__(self, data: bytes, page: int = 1252) -> None:
        self.events = events(data, page)
        self.at = 0

    def marker(self) -> int:
        """The marker that stands next, 0 for a property or the end."""
        event = self.events[self.at] if self.at < len(self.events) else None
        return event.marker if isinstance(event, Mark) else 0

    def expect(self, marker: Marker) -> None:
        assert self.marker() == marker, (self.at, hex(self.marker()), marker)
        self.at += 1

    def tag(self) -> int:
        event = self.events[self.at] if self.at < len(self.events) else None
        return event.tag if isinstance(event, Prop) else 0

    def take(self) -> Prop:
        event = self.events[self.at]
        assert isinstance(event, Prop)
        self.at += 1
        return event

    def props(self, order: list[int] | None = None) -> Props:
        """propList, up to a marker or a FXDelProp."""
        found: Props = {}
        while self.tag() and self.tag() != MetaTagFXDelProp:
            tag, name, value = self.take()
            key: int | tuple[PropertyName, int] = tag if name is None else (name, tag & 0xFFFF)
            assert key not in found, hex(tag)
            found[key] = value
            if order is not None:
                order.append(tag)
        return found

    def message_content(self, item: Item) -> Item:
        item.props = self.props(item.order)
        self.children(item)
        return item

    def children(self, item: Item) -> None:
        if self.tag() == MetaTagFXDelProp:
            item.del_props.append(self.take().value)  # type: ignore[arg-type]
        while self.marker() == Marker.START_RECIPIENT:
            self.at += 1
            assert self.tag() == tags.PidTagRowid
            item.recipients.append(self.props())
            self.expect(Marker.END_TO_RECIPIENT)
        if self.tag() == MetaTagFXDelProp:
            item.del_props.append(self.take().value)  # type: ignore[arg-type]
        while self.marker() == Marker.NEW_ATTACHMENT:
            self.at += 1
            assert self.tag() == tags.PidTagAttachNumber
            item.attachments.append(self.attachment_content())
            self.expect(Marker.END_ATTACHMENT)

    def attachment_content(self) -> Item:
        item = Item()
        item.props = self.props(item.order)
        if self.marker() == Marker.START_EMBED:
            self.at += 1
            item.embedded = self.message_content(Item())
            self.expect(Marker.END_EMBED)
        return item

    def error(self) -> bytes:
        self.expect(Marker.ERROR_INFO)
        props = self.props()
        assert list(props) == [0x00000102]
        return bytes(props[0x00000102])

    def message_list(self, into: FolderItem) -> None:
        while True:
            if self.tag() == 0x400F0003:
                into.warnings.append(self.take().value)  # type: ignore[arg-type]
            elif self.marker() == Marker.ERROR_INFO:
                into.errors.append(self.error())
            elif self.marker() in (Marker.START_MESSAGE, Marker.START_FAI_MESSAGE):
                associated = self.marker() == Marker.START_FAI_MESSAGE
                self.at += 1
                item = self.message_content(Item(associated=associated))
                if self.marker() == Marker.ERROR_INFO:
                    into.errors.append(self.error())
                    continue
                into.messages.append(item)
                self.expect(Marker.END_MESSAGE)
            else:
                return

    def folder_content(self) -> FolderItem:
        item = FolderItem()
        while self.tag() and self.tag() != MetaTagFXDelProp:
            if self.tag() == 0x400F0003:
                item.warnings.append(self.take().value)  # type: ignore[arg-type]
                continue
            tag, name, value = self.take()
            item.props[tag if name is None else (name, tag & 0xFFFF)] = value
            item.order.append(tag)
        while True:
            if self.tag() == MetaTagFXDelProp:
                item.del_props.append(self.take().value)  # type: ignore[arg-type]
            elif self.marker() == Marker.START_SUB_FOLDER:
                self.at += 1
                item.folders.append(self.folder_content())
                self.expect(Marker.END_FOLDER)
            else:
                before = self.at
                self.message_list(item)
                if self.at == before:
                    return item

    def top_folder(self) -> FolderItem:
        self.expect(Marker.START_TOP_FOLDER)
        item = self.folder_content()
        self.expect(Marker.END_FOLDER)
        return item

    def state(self) -> Props:
        self.expect(Marker.INCR_SYNC_STATE_BEGIN)
        found = self.props()
        self.expect(Marker.INCR_SYNC_STATE_END)
        return found

    def contents_sync(self) -> Sync:
        sync = Sync()
        if self.marker() == Marker.INCR_SYNC_PROGRESS_MODE:
            self.at += 1
            total = self.props()
            assert list(total) == [0x00000102]
            sync.total = total[0x00000102]
        while True:
            progress = None
            if self.marker() == Marker.ERROR_INFO:
                sync.errors.append(self.error())
                continue
            if self.marker() == Marker.INCR_SYNC_PROGRESS_PER_MESSAGE:
                self.at += 1
                progress = self.props()
            if self.marker() != Marker.INCR_SYNC_CHANGE:
                assert progress is None
                break
            self.at += 1
            item = Item(progress=progress)
            item.header = self.props(item.order)
            item.associated = item.header[tags.PidTagAssociated]
            self.expect(Marker.INCR_SYNC_MESSAGE)
            item.props = self.props()
            self.children(item)
            sync.changes.append(item)
        self._ends(sync)
        return sync

    def _ends(self, sync: Sync) -> None:
        if self.marker() == Marker.INCR_SYNC_DELETE:
            self.at += 1
            sync.deletions = self.props()
        if self.marker() == Marker.INCR_SYNC_READ:
            self.at += 1
            sync.reads = self.props()
        sync.state = self.state()
        self.expect(Marker.INCR_SYNC_END)
        self.end()

    def hierarchy_sync(self) -> Sync:
        sync = Sync()
        while self.marker() == Marker.INCR_SYNC_CHANGE:
            self.at += 1
            item = Item()
            item.header = self.props(item.order)
            sync.changes.append(item)
        self._ends(sync)
        return sync

    def end(self) -> None:
        """Nothing is left."""
        assert self.at == len(self.events)
