"""Valid bodies for the requests of every ROP, from what a mailbox and a session hold at the moment.

`Bodies.make` gives the body of a ROP that has a good chance to succeed; about every tenth is spoilt a little.
What it knows: FIDs and MIDs of the mailbox, open tables with their bookmarks and categories, FastTransfer
streams that the server sent before, the local ids that the server gave out.
"""

import random
import struct
from collections.abc import Callable, Sequence
from uuid import UUID

from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.ids import counter_of, short_to_wire
from appliance.mapi.names import PSETID_Appointment, PSETID_Common
from appliance.mapi.types import Value
from appliance.mapi.values import rop_form
from appliance.rop.model import Rop
from appliance.rop.objects import Object
from appliance.rop.tables import TableObject
from appliance.rop.tagged import TaggedValues
from appliance.store import contents, folders, mailboxes
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from appliance.store.tables.visible import pack_state
from appliance.wire.cursor import Writer
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.ops.items import recipients_request, smtp

FORM = rop_form()
TAGS = (
    tags.PidTagSubject,
    tags.PidTagBody,
    tags.PidTagHtml,
    tags.PidTagAttachDataBinary,
    tags.PidTagMessageFlags,
    tags.PidTagDisplayName,
    tags.PidTagMessageClass,
    tags.PidTagFlagStatus,
    tags.PidTagMessageDeliveryTime,
    tags.PidTagConversationId,
    tags.PidTagMid,
    tags.PidTagInstID,
    tags.PidTagInstanceNum,
    tags.PidTagEntryId,
)
ODD = (0x0037001E, 0x00370000, 0x8000001F, 0x0E13000D, 0x1234FFFF, 0x8001101F | 0x3000, 0)
VALUES: tuple[dict[int, Value], ...] = (
    {tags.PidTagSubject: "Re: x"},
    {tags.PidTagBody: "b" * 500},
    {tags.PidTagHtml: b"<p>"},
    {tags.PidTagAttachDataBinary: b"data"},
    {tags.PidTagFlagStatus: 2, tags.PidTagImportance: 9},
    {tags.PidTagMessageClass: "IPM.Task"},
    {tags.PidTagAttachMethod: 5},
    {tags.PidTagConversationIndex: b"\x01short"},
    {0x8000001F: "named", 0x80010040: EPOCH},
    {tags.PidTagDisplayName: "Name", tags.PidTagComment: "Comment"},
)
NAMES = tuple(
    (PSETID_Common if lid & 1 else PSETID_Appointment, lid)
    for lid in (0x8502, 0x8503, 0x820D, 0x820E, 0x9999)
)
ALL64 = (1 << 64) - 1
_STATE_TAGS = (0x40170003, 0x67960102, 0x67D20102, 0x67DA0102)  # MetaTagIdsetGiven and the CN sets


def tagged(values: dict[int, Value]) -> bytes:
    """A count and tagged values."""
    writer = Writer()
    TaggedValues(FORM).encode(writer, tuple(values.items()))
    return bytes(writer.buf)


class Bodies:
    """Makes bodies for one session from a source of chance. `streams` are FastTransfer streams."""

    def __init__(self, client: Client, store: Store, chance: random.Random) -> None:
        self.client, self.store, self.chance = client, store, chance
        self.streams: list[bytes] = []
        self.waiting: tuple[int, int] | None = None
        """FID and MID of a message that waits to be sent."""
        self.fids: list[int] = []
        self.own: list[int] = []
        """FIDs that may be moved and deleted."""
        self.mids: list[tuple[int, int]] = []
        self.search: list[int] = []
        self.replica = bytes(16)
        self.target: Object | None = None
        """What the ROP runs on."""
        self.handed_out = range(1, 2)
        """Counters that the server gave for ids."""

    def look(self) -> None:
        """What the mailbox holds now."""
        mailbox = self.client.user.mailbox
        with self.store.read() as txn:
            every = list(folders.walk(txn, mailbox))
            self.replica = mailboxes.identity(txn, mailbox).replica_guid
            self.fids = [Special.INBOX, Special.DRAFTS, Special.IPM_SUBTREE]
            self.own = [f.fid for f in every if not f.flags & folders.FolderFlag.SPECIAL][:12]
            self.search = [f.fid for f in every if f.kind is folders.FolderKind.SEARCH and f.fid in self.own]
            self.fids += [fid for fid in self.own if fid not in self.search]
            self.mids = [
                (fid, row.mid) for fid in self.fids for row in list(contents.rows(txn, mailbox, fid))[:6]
            ]

    def make(self, rop: Rop, target: Object | None) -> bytes | None:
        """A body that fits what the ROP runs on; None for a ROP that this cannot do."""
        self.target = target
        made = _MAKERS.get(rop.id)
        if made is None:
            return None
        data = made(self)
        if data and self.chance.random() < 0.1:
            at = self.chance.randrange(len(data))
            data = data[:at] + bytes([self.chance.randrange(256)]) + data[at + 1 :]
        return data

    # -- pieces -------------------------------------------------------------------------------------------

    def pick(self, some: Sequence[int]) -> int:
        return self.chance.choice(some)

    def byte(self, *some: int) -> bytes:
        return bytes([self.chance.choice(some)])

    def fid(self) -> bytes:
        return short_to_wire(self.chance.choice(self.fids))

    def message(self) -> tuple[int, int]:
        """FID and MID: in the folder that the ROP runs on, where it has messages."""
        fid = getattr(self.target, "fid", None)
        here = [each for each in self.mids if each[0] == fid]
        return self.chance.choice(here or self.mids or [(Special.INBOX, 77)])

    def mid(self) -> bytes:
        return short_to_wire(self.message()[1])

    def some_mids(self) -> bytes:
        chosen = [self.mid() for _ in range(self.chance.randrange(1, 4))]
        return struct.pack("<H", len(chosen)) + b"".join(chosen)

    def some_tags(self) -> bytes:
        chosen = self.chance.sample(TAGS, self.chance.randrange(1, 5))
        if self.chance.random() < 0.1:
            chosen.append(self.pick(ODD))
        return struct.pack(f"<H{len(chosen)}I", len(chosen), *chosen)

    def values(self) -> bytes:
        packed = tagged(self.chance.choice(VALUES))
        return struct.pack("<H", len(packed)) + packed

    def restriction(self) -> bytes:
        parts: tuple[r.Restriction, ...] = (
            r.Exist(tags.PidTagSubject),
            r.BitMask(False, tags.PidTagMessageFlags, 1),
            r.Content(1, r.FuzzyFlags.IGNORE_CASE, tags.PidTagSubject, tags.PidTagSubject, "he"),
            r.Property(r.RelOp.GT, tags.PidTagMessageSize, tags.PidTagMessageSize, 10),
            r.Size(r.RelOp.GT, tags.PidTagBody, 3),
            r.CompareProperties(r.RelOp.EQ, tags.PidTagSubject, tags.PidTagNormalizedSubject),
        )
        one = self.chance.choice(parts)
        made = self.chance.choice((one, r.And(parts[:2]), r.Or((one, r.Not(one))), r.Not(one)))
        packed = r.pack(made, FORM)
        return struct.pack("<H", len(packed)) + packed

    def table(self) -> TableObject | None:
        found = [each for each in self.client.session._objects.values() if isinstance(each, TableObject)]
        return self.chance.choice(found) if found else None

    def bookmark(self) -> bytes:
        table = self.table()
        marks = list(table.table._bookmarks) if table is not None else []
        return struct.pack("<HI", 4, self.pick(marks) if marks else 1)

    def category(self) -> bytes:
        """The id of a category that the table, or else some table, shows."""
        for each in (self.target, *self.client.session._objects.values()):
            view = each.table._view if isinstance(each, TableObject) else None
            if view is not None and view[1].categories and self.chance.random() < 0.7:
                return struct.pack("<Q", self.chance.choice(list(view[1].categories)) & ALL64)
        return bytes(8)

    def long_term(self, id_: int) -> bytes:
        return self.replica + counter_of(id_).to_bytes(6, "big") + bytes(2)

    def gid(self, id_: int) -> bytes:
        return self.replica + counter_of(id_).to_bytes(6, "big")

    def fresh_key(self) -> bytes:
        """The source key of an object that the client makes."""
        return self.replica + self.chance.choice(self.handed_out).to_bytes(6, "big")

    def change(self) -> dict[int, Value]:
        """The four properties of an imported version, by another replica."""
        xid = UUID(int=self.chance.getrandbits(40)).bytes + self.chance.randbytes(6)
        known = self.chance.random() < 0.5 and self.mids
        key = self.gid(self.message()[1]) if known else self.fresh_key()
        return {
            tags.PidTagSourceKey: key,
            tags.PidTagLastModificationTime: EPOCH + self.chance.randrange(1 << 30),
            tags.PidTagChangeKey: xid,
            tags.PidTagPredecessorChangeList: bytes([len(xid)]) + xid,
        }

    def hierarchy(self) -> bytes:
        change = self.change()
        change[tags.PidTagSourceKey] = self.gid(self.pick(self.own)) if self.own else self.replica + b"123456"
        parent = {tags.PidTagParentSourceKey: self.gid(Special.IPM_SUBTREE)}
        name = {tags.PidTagDisplayName: f"S{self.chance.randrange(9)}"}
        return tagged({**parent, **change, **name}) + tagged({tags.PidTagComment: "c"})

    def move(self) -> bytes:
        fid, mid = self.message()
        change = self.change()
        parts = (
            self.gid(fid),
            self.gid(mid),
            change[tags.PidTagPredecessorChangeList],
            self.fresh_key(),
            change[tags.PidTagChangeKey],
        )
        return b"".join(struct.pack("<I", len(part)) + part for part in parts if isinstance(part, bytes))

    def state(self) -> bytes:
        """Nothing, or the ids of a few changes (MS-OXCFXICS 2.2.2.4)."""
        low, high = (self.chance.randrange(1, 999).to_bytes(6, "big") for _ in range(2))
        some = self.replica + b"\x52" + min(low, high) + max(low, high) + b"\0"
        data = self.chance.choice((b"", some))
        return struct.pack("<I", len(data)) + data

    def stream(self, width: str = "<H") -> bytes:
        """Data of an upload: a whole stream, or a piece of one."""
        whole = self.chance.choice(self.streams) if self.streams else b"junk"
        data = whole if self.chance.random() < 0.7 else whole[: self.chance.randrange(len(whole) + 1)]
        return struct.pack(width, min(len(data), 0x7000)) + data[:0x7000]

    def recipients(self) -> bytes:
        rows = {
            number: (self.pick((0, 1, 2, 3)), smtp(f"p{number}@b.test", "P"))
            for number in range(self.chance.randrange(3))
        }
        return recipients_request(rows).pack()

    def name(self) -> bytes:
        return f"F{self.chance.randrange(20)}".encode("utf-16-le") + b"\0\0"

    def sort(self) -> bytes:
        columns = self.chance.sample((tags.PidTagSubject, tags.PidTagMessageClass, tags.PidTagMessageSize), 2)
        categories = self.pick((0, 1, 1, 2))
        orders = b"".join(struct.pack("<IB", tag, self.pick((0, 1))) for tag in columns)
        return struct.pack("<BHHH", 0, 2, categories, self.pick((0, categories))) + orders

    def named(self) -> bytes:
        chosen = self.chance.sample(NAMES, 2)
        body = b"".join(b"\0" + guid + lid.to_bytes(4, "little") for guid, lid in chosen)
        return self.byte(0, 2, 2) + struct.pack("<H", len(chosen)) + body

    def rule(self) -> bytes:
        values: dict[int, Value] = {
            tags.PidTagRuleName: "r",
            tags.PidTagRuleSequence: self.chance.randrange(50),
            tags.PidTagRuleProvider: "P",
            tags.PidTagRuleState: 1,
            0x667900FD: r.pack(r.Exist(tags.PidTagSubject), FORM),
            tags.PidTagRuleActions: b"\x01\x00\x09\x00\x0b" + bytes(8),
        }
        return self.byte(0, 0, 1) + b"\x01\x00\x01" + tagged(values)

    def permission(self) -> bytes:
        values: dict[int, Value] = {
            tags.PidTagMemberId: self.pick((0, -1)),
            tags.PidTagMemberRights: self.chance.getrandbits(11),
        }
        return self.byte(0, 0, 2) + b"\x01\x00\x02" + tagged(values)

    def seen(self) -> bytes:
        _, mid = self.message()
        state = struct.pack("<H", 22) + self.gid(mid) + self.byte(0, 1)
        return struct.pack("<H", len(state)) + state

    def deleted(self) -> bytes:
        flags = self.pick((0, 0, 2, 1))
        target = self.own if flags & 1 else [mid for _, mid in self.mids]
        keys = (self.gid(self.pick(target)),) if target else ()
        return bytes([flags]) + tagged({0x00001102: keys})

    def ranges(self) -> bytes:
        mailbox = self.client.user.mailbox
        with self.store.read() as txn:
            counter = mailboxes.get(txn, mailbox).counter
        low = max(1, counter - self.chance.randrange(1, 50))
        both = self.long_term(low) + self.long_term(min(counter, low + 2))
        return struct.pack("<HI", 4 + len(both), 1) + both

    def waits(self) -> bytes:
        fid, mid = self.waiting or self.message()
        return short_to_wire(fid) + short_to_wire(mid)

    def folder_of_own(self) -> bytes:
        return short_to_wire(self.pick(self.own)) if self.own else self.fid()

    def peruser(self) -> bytes:
        return self.long_term(Special.INBOX)


def _data(of: Bodies) -> bytes:
    data = of.chance.randbytes(of.chance.randrange(60))
    return struct.pack("<H", len(data)) + data


def _collapsed(of: Bodies) -> bytes:
    state = pack_state(set(), None)
    return struct.pack("<H", len(state)) + state


def _import(of: Bodies) -> bytes:
    return of.byte(0, 0x10, 0x40) + tagged(of.change())


Maker = Callable[[Bodies], bytes]
_NOTHING: Maker = lambda of: b""  # noqa: E731
_FLAGS3: Maker = lambda of: of.byte(0, 1) + of.byte(0, 1)  # noqa: E731

_MAKERS: dict[int, Maker] = {
    0x02: lambda of: of.fid() + of.byte(0, 4),
    0x03: lambda of: (
        b"\xff\x0f"
        + (pair := of.message(), short_to_wire(pair[0]))[1]
        + of.byte(0, 1, 3)
        + short_to_wire(pair[1])
    ),
    0x04: lambda of: of.byte(0, 4, 0x20, 0x40),
    0x05: lambda of: of.byte(0, 2, 0x20, 0x40, 0xC8),
    0x06: lambda of: b"\xff\x0f" + of.fid() + of.byte(0, 0, 1),
    0x07: lambda of: b"\0\0\1\0" + of.some_tags(),
    0x08: lambda of: of.byte(0, 200) + b"\0\1\0",
    0x0A: lambda of: of.values(),
    0x0B: lambda of: of.some_tags(),
    0x0C: lambda of: of.byte(9, 10, 12),
    0x0D: lambda of: bytes(4),
    0x0E: Bodies.recipients,
    0x0F: lambda of: struct.pack("<IH", of.pick((0, 1)), 0),
    0x10: lambda of: b"\0\0",
    0x11: lambda of: of.byte(0, 1, 4, 0x10),
    0x12: lambda of: b"\0" + of.some_tags(),
    0x13: Bodies.sort,
    0x14: lambda of: b"\0" + (of.restriction() if of.chance.random() < 0.5 else b"\0\0"),
    0x15: lambda of: of.byte(0, 1) + of.byte(0, 1) + struct.pack("<H", of.pick((1, 10, 4096))),
    0x18: lambda of: of.byte(0, 1, 2) + struct.pack("<iB", of.chance.randrange(-5, 6), 1),
    0x19: lambda of: of.bookmark() + struct.pack("<iB", of.chance.randrange(-5, 6), 1),
    0x1A: lambda of: struct.pack("<II", of.chance.randrange(9), of.chance.randrange(9)),
    0x1C: lambda of: of.byte(1, 1, 2) + b"\1" + of.byte(0, 1) + b"\0" + of.name() + b"c\0\0\0",
    0x1D: lambda of: of.byte(1, 5, 0x15) + of.folder_of_own(),
    0x1E: lambda of: _FLAGS3(of) + of.some_mids(),
    0x1F: lambda of: of.mid(),
    0x20: lambda of: of.mid() + struct.pack("<II", of.chance.getrandbits(14), of.chance.getrandbits(14)),
    0x21: lambda of: of.byte(0, 0x40),
    0x22: lambda of: of.byte(0, 1, 3) + struct.pack("<I", of.pick((0, 1))),
    0x24: lambda of: struct.pack("<I", of.pick((0, 1))),
    0x25: lambda of: of.byte(9, 10, 12),
    0x26: lambda of: of.fid() + of.chance.choice((b"IPM.Own\0", b"IPM.Note\0", b"\0")),
    0x27: lambda of: b"IPM.Note\0",
    0x29: lambda of: struct.pack("<H", of.pick((2, 4, 0x8, 0x7C))) + b"\1",
    0x2B: lambda of: struct.pack("<IB", of.pick(TAGS[:4]), of.pick((0, 1, 2))),
    0x2C: lambda of: struct.pack("<H", of.pick((1, 100, 4000))),
    0x2D: _data,
    0x2E: lambda of: struct.pack("<Bq", of.pick((0, 1, 2)), of.chance.randrange(-4, 40)),
    0x2F: lambda of: struct.pack("<Q", of.pick((0, 5, 70_000))),
    0x30: lambda of: of.restriction() + b"\1\0" + of.fid() + struct.pack("<I", of.pick((2, 6, 1, 0x10002))),
    0x31: lambda of: of.byte(0, 1) + of.byte(0, 1) + of.byte(0, 1),
    0x32: lambda of: of.byte(0, 0, 1, 2),
    0x33: lambda of: of.some_mids() + _FLAGS3(of),
    0x34: Bodies.waits,
    0x35: lambda of: b"\0\1" + of.folder_of_own() + of.name(),
    0x36: lambda of: b"\0" + of.byte(0, 1) + b"\1" + of.folder_of_own() + of.name(),
    0x39: lambda of: b"\0" + of.byte(0, 1) + of.byte(0, 2) + of.some_tags(),
    0x3A: lambda of: struct.pack("<Q", of.pick((0, 10, 1 << 40))),
    0x3E: lambda of: of.byte(0, 2),
    0x3F: lambda of: of.byte(0, 0x40),
    0x40: Bodies.permission,
    0x41: Bodies.rule,
    0x42: Bodies.fid,
    0x43: Bodies.mid,
    0x44: lambda of: of.long_term(of.pick(of.fids)),
    0x45: Bodies.fid,
    0x46: lambda of: b"\xff\x0f" + of.byte(0, 1, 2, 2),
    0x48: lambda of: (of.waits()[8:]) + of.byte(0, 1, 2),
    0x4B: lambda of: of.some_mids() + of.byte(0, 0x10, 0x20) + of.byte(0, 1, 3),
    0x4C: lambda of: of.byte(0, 0x10) + of.byte(0, 1, 3),
    0x4D: lambda of: of.byte(0, 1) + bytes(4) + of.byte(0, 1, 3) + of.some_tags(),
    0x4E: lambda of: struct.pack("<H", of.pick((500, 4096, 15480))),
    0x4F: lambda of: of.byte(0, 1) + of.restriction() + of.byte(0, 1, 2) + b"\0\0",
    0x50: lambda of: of.byte(0, 1),
    0x51: lambda of: (
        (pair := of.message(), short_to_wire(pair[1]) + short_to_wire(pair[0]))[1] + b"IPM.Note\0" + bytes(4)
    ),
    0x53: lambda of: of.byte(1, 2, 3, 4) + b"\0",
    0x54: Bodies.stream,
    0x55: lambda of: struct.pack("<HHH", 2, 0x37, 0x8000),
    0x56: Bodies.named,
    0x57: lambda of: b"\2\0ab\2\0cd",
    0x58: lambda of: b"\0" + of.byte(0, 1),
    0x59: lambda of: struct.pack("<H", of.pick((0, 3))) + of.category(),
    0x5A: Bodies.category,
    0x5B: lambda of: struct.pack("<QQI", 0, 10, 1),
    0x5C: lambda of: struct.pack("<QQI", 0, 10, 1),
    0x5F: lambda of: of.byte(0, 1, 2) + (b"\1" + NAMES[0][0] if of.chance.random() < 0.5 else b"\0"),
    0x60: lambda of: of.replica,
    0x61: Bodies.peruser,
    0x63: lambda of: of.peruser() + b"\0" + struct.pack("<iH", 0, of.pick((0, 100))),
    0x64: lambda of: of.peruser() + b"\1" + struct.pack("<iH", 0, 0) + of.replica,
    0x66: lambda of: b"\0" + of.byte(0, 1, 4) + of.some_mids(),
    0x67: lambda of: b"\0" + of.byte(0, 2) + of.some_tags(),
    0x69: lambda of: of.byte(0, 1) + b"\0" + of.byte(0, 1, 3) + of.some_tags(),
    0x6B: lambda of: of.category() + bytes(4),
    0x6C: _collapsed,
    0x6F: lambda of: of.chance.choice((b"SMTP\0", b"EX\0")) + b"\1",
    0x70: lambda of: (
        of.byte(1, 2)
        + of.byte(0, 1, 3)
        + struct.pack("<H", of.pick((0x20, 0x39, 0x120)))
        + b"\0\0"
        + struct.pack("<I", of.pick((0, 1, 7)))
        + struct.pack("<HI", 1, tags.PidTagComment)
    ),
    0x72: _import,
    0x73: Bodies.hierarchy,
    0x74: Bodies.deleted,
    0x75: lambda of: struct.pack("<II", of.pick(_STATE_TAGS), 0),
    0x76: Bodies.state,
    0x78: Bodies.move,
    0x79: lambda of: of.values(),
    0x7A: lambda of: of.some_tags(),
    0x7E: lambda of: of.byte(0, 1),
    0x7F: lambda of: struct.pack("<I", of.pick((1, 100))),
    0x80: Bodies.seen,
    0x86: lambda of: struct.pack("<HHH", 16, 0, 4266),
    0x89: Bodies.bookmark,
    0x90: _data,
    0x91: lambda of: _FLAGS3(of) + of.some_mids(),
    0x92: lambda of: b"\0" + of.byte(0, 1),
    0x93: Bodies.ranges,
    0x9D: Bodies.stream,
    0xA3: _data,
    **dict.fromkeys(
        (0x01, 0x09, 0x16, 0x17, 0x1B, 0x23, 0x37, 0x38, 0x3B, 0x47, 0x49, 0x4A, 0x52, 0x5D, 0x5E, 0x68, 0x6D,
         0x77, 0x7B, 0x81, 0x82),
        _NOTHING,
    ),
}  # fmt: skip
"""By ROP id. RopLogon is not among them: the fuzzer has its logons."""
