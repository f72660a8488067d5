"""The syntax of FastTransfer streams (MS-OXCFXICS 2.2.4.2), by recursive descent over their elements.

Every function reads one nonterminal of the grammar strictly; those at the end demand that nothing is left.
The order of properties, where the specification fixes it (2.2.4.3), is checked here for every stream.
"""

from dataclasses import dataclass, field

from tests.conformance import fxstream as fx
from tests.conformance.fxstream import Element, Mark, Name, Prop
from tests.conformance.wire import Value

SOURCE_KEY, MODIFIED, CHANGE_KEY, PCL, ASSOCIATED = 0x65E00102, 0x30080040, 0x65E20102, 0x65E30102, 0x67AA000B
MID, FID, CHANGE_NUMBER, MESSAGE_SIZE = 0x674A0014, 0x67480014, 0x67A40014, 0x0E080003
PARENT_SOURCE_KEY, PARENT_FID, DISPLAY_NAME, COMMENT = 0x65E10102, 0x67490014, 0x3001001F, 0x3004001F
ROW_ID, ATTACH_NUMBER = 0x30000003, 0x0E210003
IDSET_DELETED, IDSET_OUT_OF_SCOPE, IDSET_EXPIRED = 0x67E50102, 0x40210102, 0x67930102
IDSET_READ, IDSET_UNREAD = 0x402D0102, 0x402E0102


@dataclass
class Attachment:
    """attachment."""

    number: int
    props: "PropList"
    embedded: "Content | None"


@dataclass
class Content:
    """messageContent, or what messageChange shares with it."""

    props: "PropList"
    recipients: "list[PropList]" = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    deletes: list[int] = field(default_factory=list)


@dataclass
class Message:
    """message."""

    associated: bool
    content: Content


@dataclass
class Folder:
    """folderContent, with or without MetaTagFXDelProp."""

    props: "PropList"
    messages: list[Message] = field(default_factory=list)
    folders: "list[Folder]" = field(default_factory=list)
    deletes: list[int] = field(default_factory=list)


@dataclass
class Change:
    """messageChange: full, or partial with `groups` in the order of the stream."""

    header: "PropList"
    content: Content
    progress: tuple[int, bool] | None = None
    group_id: int | None = None
    groups: "list[tuple[int, PropList]]" = field(default_factory=list)

    @property
    def partial(self) -> bool:
        """Whether this is a messageChangePartial."""
        return self.group_id is not None


@dataclass
class Sync:
    """contentsSync or hierarchySync."""

    changes: list[Change] = field(default_factory=list)
    folders: "list[PropList]" = field(default_factory=list)
    deletions: "PropList | None" = None
    reads: "PropList | None" = None
    state: "PropList | None" = None
    total: bytes | None = None
    mappings: list[bytes] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)


class PropList:
    """A propList in its order."""

    def __init__(self, props: list[Prop]) -> None:
        self.props = props
        keys = [each.key for each in props]
        assert len(keys) == len(set(keys)), "a property stands twice in a propList"
        assert not [each for each in props if each.tag & 0xFFFF == 0xA], "R1185: no errors"

    @property
    def tags(self) -> list[int]:
        """The tags in order."""
        return [each.tag for each in self.props]

    def get(self, tag: int) -> Value | None:
        """A property by its tag."""
        found = [each.value for each in self.props if each.tag == tag]
        return found[0] if found else None

    def named(self, name: Name) -> Value | None:
        """A property by its name."""
        found = [each.value for each in self.props if each.name == name]
        return found[0] if found else None

    def binary(self, tag: int) -> bytes:
        """A binary property that must be there."""
        value = self.get(tag)
        assert isinstance(value, bytes), f"{tag:#010x} is missing"
        return value

    def number(self, tag: int) -> int:
        """A number that must be there."""
        value = self.get(tag)
        assert isinstance(value, int), f"{tag:#010x} is missing"
        return value

    def __contains__(self, tag: int) -> bool:
        return tag in self.tags


class Parser:
    """Elements with a cursor."""

    def __init__(self, elements: list[Element]) -> None:
        self.elements = elements
        self.at = 0

    def peek(self) -> Element | None:
        """The next element."""
        return self.elements[self.at] if self.at < len(self.elements) else None

    def marks(self, *tags: int) -> bool:
        """Whether one of these markers is next."""
        found = self.peek()
        return isinstance(found, Mark) and found.tag in tags

    def mark(self, *tags: int) -> int:
        """Read one of these markers."""
        found = self.peek()
        assert isinstance(found, Mark), f"{found} where a marker is due"
        assert found.tag in tags, f"{found.tag:#010x} where {[hex(each) for each in tags]} is due"
        self.at += 1
        return found.tag

    def meta(self, tag: int) -> Value | None:
        """Read this meta-property if it is next."""
        found = self.peek()
        if isinstance(found, Prop) and found.tag == tag:
            self.at += 1
            return found.value
        return None

    def end(self) -> None:
        """Nothing may be left."""
        assert self.at == len(self.elements), f"{self.elements[self.at :]} is left over"

    def prop_list(self) -> PropList:
        """propList: no meta-properties (R1182)."""
        props: list[Prop] = []
        while isinstance(found := self.peek(), Prop) and found.tag not in fx.META:
            props.append(found)
            self.at += 1
        return PropList(props)

    def delete(self, *wanted: int) -> int | None:
        """MetaTagFXDelProp of one of these subobjects."""
        found = self.peek()
        if isinstance(found, Prop) and found.tag == fx.FX_DEL_PROP and found.value in wanted:
            self.at += 1
            assert isinstance(found.value, int)
            return found.value
        return None

    def children(self, content: Content) -> None:
        """messageChildren."""
        if self.delete(0x0E12000D):
            content.deletes.append(0x0E12000D)
        while self.marks(fx.START_RECIP):
            self.mark(fx.START_RECIP)
            recipient = self.prop_list()
            assert recipient.tags[0] == ROW_ID, "R1391, R1392"
            content.recipients.append(recipient)
            self.mark(fx.END_RECIP)
        if self.delete(0x0E13000D):
            content.deletes.append(0x0E13000D)
        while self.marks(fx.NEW_ATTACH):
            self.mark(fx.NEW_ATTACH)
            number = self.meta(ATTACH_NUMBER)
            assert isinstance(number, int), "PidTagAttachNumber stands first"
            content.attachments.append(self.attachment(number))
            self.mark(fx.END_ATTACH)

    def attachment(self, number: int) -> Attachment:
        """attachmentContent."""
        self.meta(fx.DN_PREFIX)
        made = Attachment(number, self.prop_list(), None)
        if self.marks(fx.START_EMBED):
            self.mark(fx.START_EMBED)
            made.embedded = self.content()
            self.mark(fx.END_EMBED)
        return made

    def content(self) -> Content:
        """messageContent."""
        self.meta(fx.DN_PREFIX)
        made = Content(self.prop_list())
        self.children(made)
        return made

    def messages(self) -> list[Message]:
        """messageList."""
        found: list[Message] = []
        while True:
            self.meta(fx.DN_PREFIX)
            self.meta(fx.EC_WARNING)
            if not self.marks(fx.START_MESSAGE, fx.START_FAI):
                return found
            associated = self.mark(fx.START_MESSAGE, fx.START_FAI) == fx.START_FAI
            content = self.content()
            assert content.props.tags[0] == MID, "R3311: PidTagMid stands first"
            found.append(Message(associated, content))
            self.mark(fx.END_MESSAGE)

    def folder(self, deletes: bool, below: bool) -> Folder:
        """folderContent, folderContentNoDelProps."""
        self.meta(fx.DN_PREFIX)
        made = Folder(self.prop_list())
        if below:
            assert made.props.tags[:3] == [FID, DISPLAY_NAME, COMMENT], "R1344, R1347, R1350"
        if not deletes:
            made.messages = self.messages()
            while self.marks(fx.START_SUB):
                made.folders.append(self.sub_folder(False))
            return made
        for _ in range(2):
            if found := self.delete(0x360F000D, 0x3610000D):
                made.deletes.append(found)
                made.messages += self.messages()
        if self.delete(0x360E000D):
            made.deletes.append(0x360E000D)
            while self.marks(fx.START_SUB):
                made.folders.append(self.sub_folder(True))
        return made

    def sub_folder(self, deletes: bool) -> Folder:
        """subFolder."""
        self.mark(fx.START_SUB)
        made = self.folder(deletes, True)
        self.mark(fx.END_FOLDER)
        return made

    def top_folder(self) -> Folder:
        """topFolder."""
        self.meta(fx.DN_PREFIX)
        self.mark(fx.START_TOP)
        made = self.folder(False, False)
        assert not {FID, DISPLAY_NAME, COMMENT} & set(made.props.tags), "R1345, R1348, R1351"
        self.mark(fx.END_FOLDER)
        return made

    def state(self) -> PropList:
        """state. MS-OXCFXICS 2.2.4.3.25."""
        self.mark(fx.STATE_BEGIN)
        made = self.prop_list()
        assert set(made.tags) <= {fx.IDSET_GIVEN, fx.CNSET_SEEN, fx.CNSET_SEEN_FAI, fx.CNSET_READ}, "R1212"
        self.mark(fx.STATE_END)
        return made

    def header(self) -> PropList:
        """messageChangeHeader. MS-OXCFXICS 2.2.4.3.14."""
        made = self.prop_list()
        assert made.tags[:5] == [SOURCE_KEY, MODIFIED, CHANGE_KEY, PCL, ASSOCIATED], "R1352 to R1361"
        allowed = [tag for tag in (MID, MESSAGE_SIZE, CHANGE_NUMBER) if tag in made]
        assert made.tags[5:] == allowed, "R1368"
        return made

    def group_info(self) -> bytes:
        """groupInfo. MS-OXCFXICS 2.2.4.3.8."""
        self.mark(fx.GROUP_INFO)
        listed = self.prop_list()
        assert listed.tags == [0x00000102], "R1120 to R1123"
        return listed.binary(0x00000102)

    def change(self, sync: Sync) -> Change:
        """messageChange. MS-OXCFXICS 2.2.4.3.11."""
        if self.marks(fx.SYNC_CHG):
            self.mark(fx.SYNC_CHG)
            header = self.header()
            self.mark(fx.SYNC_MESSAGE)
            made = Change(header, Content(self.prop_list()))
        else:
            made = self.partial(sync)
        self.children(made.content)
        return made

    def partial(self, sync: Sync) -> Change:
        """messageChangePartial. MS-OXCFXICS 2.2.4.3.15."""
        if self.marks(fx.GROUP_INFO):
            sync.mappings.append(self.group_info())
        group_id = self.meta(fx.GROUP_ID)
        assert isinstance(group_id, int), "MetaTagIncrSyncGroupId is missing"
        self.mark(fx.SYNC_CHG_PARTIAL)
        made = Change(self.header(), Content(PropList([])), group_id=group_id)
        while (index := self.meta(fx.MESSAGE_PARTIAL)) is not None:
            assert isinstance(index, int)
            made.groups.append((index, self.prop_list()))
        return made

    def contents(self) -> Sync:
        """contentsSync. MS-OXCFXICS 2.2.4.3.2."""
        sync = Sync()
        if self.marks(fx.PROGRESS_MODE):
            self.mark(fx.PROGRESS_MODE)
            listed = self.prop_list()
            assert listed.tags == [0x00000102], "R1386 to R1390"
            sync.total = listed.binary(0x00000102)
        starts = (fx.PROGRESS_PER_MSG, fx.SYNC_CHG, fx.SYNC_CHG_PARTIAL, fx.GROUP_INFO)
        while self.marks(*starts) or self._group_id():
            progress = self.progress()
            change = self.change(sync)
            change.progress = progress
            assert (progress is None) == (sync.total is None), "R1171"
            sync.changes.append(change)
        self.tail(sync)
        return sync

    def _group_id(self) -> bool:
        found = self.peek()
        return isinstance(found, Prop) and found.tag == fx.GROUP_ID

    def progress(self) -> tuple[int, bool] | None:
        """progressPerMessage. MS-OXCFXICS 2.2.4.3.18."""
        if not self.marks(fx.PROGRESS_PER_MSG):
            return None
        self.mark(fx.PROGRESS_PER_MSG)
        listed = self.prop_list()
        assert listed.tags == [0x00000003, 0x0000000B], "R1376 to R1385"
        return listed.number(0x00000003), bool(listed.get(0x0000000B))

    def tail(self, sync: Sync) -> None:
        """[deletions] [readStateChanges] state IncrSyncEnd."""
        if self.marks(fx.SYNC_DEL):
            self.mark(fx.SYNC_DEL)
            sync.deletions = self.prop_list()
            assert sync.deletions.tags, "R1063"
            assert set(sync.deletions.tags) <= {IDSET_DELETED, IDSET_OUT_OF_SCOPE, IDSET_EXPIRED}, "R133703"
        if self.marks(fx.SYNC_READ):
            self.mark(fx.SYNC_READ)
            sync.reads = self.prop_list()
            assert sync.reads.tags, "R3316"
            assert set(sync.reads.tags) <= {IDSET_READ, IDSET_UNREAD}, "R3319"
        sync.state = self.state()
        self.mark(fx.SYNC_END)

    def hierarchy(self) -> Sync:
        """hierarchySync. MS-OXCFXICS 2.2.4.3.9."""
        sync = Sync()
        needed = {PARENT_SOURCE_KEY, SOURCE_KEY, MODIFIED, CHANGE_KEY, PCL, DISPLAY_NAME}
        while self.marks(fx.SYNC_CHG):
            self.mark(fx.SYNC_CHG)
            listed = self.prop_list()
            assert needed <= set(listed.tags), "R1088 to R1093"
            sync.folders.append(listed)
        self.tail(sync)
        assert sync.reads is None
        assert sync.state is not None
        assert set(sync.state.tags) == {fx.IDSET_GIVEN, fx.CNSET_SEEN}, "R1209, R1211"
        return sync


def contents_sync(buffers: list[bytes]) -> Sync:
    """A whole contentsSync."""
    parser = Parser(fx.elements(buffers))
    sync = parser.contents()
    parser.end()
    return sync


def hierarchy_sync(buffers: list[bytes]) -> Sync:
    """A whole hierarchySync."""
    parser = Parser(fx.elements(buffers))
    sync = parser.hierarchy()
    parser.end()
    return sync


def state(buffers: list[bytes]) -> PropList:
    """A whole state."""
    parser = Parser(fx.elements(buffers))
    made = parser.state()
    parser.end()
    return made


def message_content(buffers: list[bytes]) -> Content:
    """A whole messageContent."""
    parser = Parser(fx.elements(buffers))
    made = parser.content()
    parser.end()
    return made


def attachment_content(buffers: list[bytes]) -> Attachment:
    """A whole attachmentContent."""
    parser = Parser(fx.elements(buffers))
    made = parser.attachment(-1)
    parser.end()
    return made


def message_list(buffers: list[bytes]) -> list[Message]:
    """A whole messageList."""
    parser = Parser(fx.elements(buffers))
    made = parser.messages()
    parser.end()
    return made


def top_folder(buffers: list[bytes]) -> Folder:
    """A whole topFolder."""
    parser = Parser(fx.elements(buffers))
    made = parser.top_folder()
    parser.end()
    return made


def folder_content(buffers: list[bytes]) -> Folder:
    """A whole folderContent of CopyTo or CopyProperties of a folder."""
    parser = Parser(fx.elements(buffers))
    made = parser.folder(True, False)
    parser.end()
    return made
