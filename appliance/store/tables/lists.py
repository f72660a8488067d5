"""Rows that a caller has at hand: recipients, attachments, permissions, rules."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from appliance.formats import bags
from appliance.mapi import tags
from appliance.mapi.types import Value
from appliance.store import messages, permissions
from appliance.store.keys import Table, head_q
from appliance.store.kv import ReadTxn
from appliance.store.tables.source import Record, Unscanned


@dataclass(frozen=True, slots=True)
class BagRecord:
    """A row that is nothing but a packed bag."""

    id: int
    packed: bytes
    unread: bool = False

    def get(self, tag: int) -> Value:
        """As `Record`."""
        return self.id if tag == tags.PidTagInstID else bags.get(self.packed, tag)

    def tags(self) -> Iterable[int]:
        """As `Record`."""
        return (tags.PidTagInstID, *bags.tags(self.packed))

    def children(self, tag: int) -> Iterable[Callable[[int], Value]]:
        """None."""
        return ()


class ListSource(Unscanned):
    """Rows that a caller has at hand: recipients, attachments, permissions, rules."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = list(records)

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`: shared with nobody."""
        return (0, id(self))

    def version(self, txn: ReadTxn) -> int:
        """As `Source`: these rows stay as they are."""
        return 0

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`."""
        return iter(self._records)

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """As `Source`."""
        return set()

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        return next((record for record in self._records if record.id == id_), None)


def parts_source(txn: ReadTxn, mailbox: int, mid: int, kind: int) -> ListSource:
    """The recipients (PART_RECIPIENT) or attachments (PART_ATTACHMENT) table of a stored message."""
    return ListSource(
        BagRecord(part.number, part.packed) for part in messages.parts(txn, mailbox, mid) if part.kind == kind
    )


def permissions_source(
    txn: ReadTxn, mailbox: int, fid: int, name: Callable[[int], str] = lambda member: ""
) -> ListSource:
    """The permissions table of a folder (MS-OXCPERM 2.2.4)."""
    return ListSource(
        BagRecord(
            number,
            bags.pack(
                {
                    tags.PidTagMemberId: member,
                    tags.PidTagMemberName: name(member),
                    tags.PidTagMemberRights: int(rights),
                }
            ),
        )
        for number, (member, rights) in enumerate(permissions.members(txn, mailbox, fid).items())
    )


def rules_source(txn: ReadTxn, mailbox: int, fid: int) -> ListSource:
    """The rules table of a folder: packed bags under (folder, rule id)."""
    prefix = head_q(mailbox, Table.RULES, fid)
    return ListSource(
        BagRecord(int.from_bytes(key[-8:], "big"), raw) for key, raw in txn.scan(prefix, prefix + b"\xff" * 9)
    )
