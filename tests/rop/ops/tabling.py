"""A folder with messages and tables over it, through ROPs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from appliance.directory.model import Entry
from appliance.formats import bags
from appliance.mapi import restrictions, tags
from appliance.mapi.restrictions import Restriction
from appliance.mapi.rows import read_row
from appliance.mapi.values import rop_form
from appliance.rop.model import Rop
from appliance.rop.notify.data import Notify
from appliance.rop.ops import (
    find_row,
    get_contents_table,
    get_hierarchy_table,
    open_folder,
    query_position,
    query_rows,
    restrict,
    seek_row,
    set_columns,
    sort_table,
)
from appliance.store import messages
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import editing
from appliance.store.mailboxes import Special
from appliance.store.messages import NewMessage
from appliance.wire.cursor import Reader
from tests.conftest import EPOCH
from tests.rop.kit import NOTIFY, PENDING, Client, Reply
from tests.transport.office import Office

FORM = rop_form()
SUBJECT, SIZE, SENDER = tags.PidTagSubject, tags.PidTagMessageSize, tags.PidTagSentRepresentingName
MID, TYPE, INST = tags.PidTagMid, tags.PidTagRowType, tags.PidTagInstID


def insert(
    office: Office,
    user: Entry,
    subject: str = "",
    fid: int = Special.INBOX,
    *,
    size: int = 1,
    seen: bool = False,
    associated: bool = False,
    props: dict[int, Any] | None = None,
) -> Row:
    """A message born in MAPI."""
    bag = {SUBJECT: subject, tags.PidTagNormalizedSubject: subject, **(props or {})}
    new = NewMessage(
        blob=0,
        size=size,
        bag=bags.pack(bag),
        received=EPOCH,
        flags=RowFlag.SEEN if seen else RowFlag.NONE,
        associated=associated,
    )

    def write(txn: Any) -> Row:
        with editing(txn, user.mailbox, now=EPOCH) as edit:
            return messages.insert(edit, fid, new)

    return office.write(write)


def soft_delete(office: Office, user: Entry, row: Row) -> None:
    """The message goes to the dumpster."""

    def write(txn: Any) -> None:
        with editing(txn, user.mailbox, now=EPOCH) as edit:
            messages.soft_delete(edit, row)

    office.write(write)


def opened(client: Client, logon: int, fid: int = Special.INBOX, logon_id: int = 0) -> int:
    """The handle of a folder."""
    request = open_folder.Request(fid, open_folder.OpenModeFlags(0))
    return client.do(open_folder.ROP, request, on=logon, logon_id=logon_id).handle


@dataclass(slots=True)
class Grid:
    """A table behind a handle."""

    client: Client
    handle: int
    columns: tuple[int, ...] = ()

    def ask(self, rop: Rop, request: Any = None) -> Reply:
        return self.client.ask(rop, request, on=self.handle)

    def do(self, rop: Rop, request: Any = None) -> Any:
        return self.client.do(rop, request, on=self.handle).body

    def show(self, *columns: int) -> "Grid":
        self.columns = columns
        self.do(set_columns.ROP, set_columns.Request(0, columns))
        return self

    def sort(self, *orders: tuple[int, int], categories: int = 0, expanded: int = 0) -> Reply:
        made = tuple(sort_table.Order(tag, direction) for tag, direction in orders)
        return self.ask(sort_table.ROP, sort_table.Request(0, len(made), categories, expanded, made))

    def restrict(self, restriction: Restriction | None) -> Reply:
        data = restrictions.pack(restriction, FORM) if restriction is not None else b""
        return self.ask(restrict.ROP, restrict.Request(0, data))

    def query(self, count: int = 100, *, forward: bool = True, flags: int = 0) -> Reply:
        request = query_rows.Request(query_rows.QueryRowsFlags(flags), forward, count)
        return self.ask(query_rows.ROP, request)

    def cells(self, data: bytes, count: int) -> list[Any]:
        """The rows in `data`; those of one column as its cells. Behind them may only be notifications, since
        rows are as long as their columns make them."""
        reader = Reader(data)
        rows = [read_row(reader, self.columns, FORM) for _ in range(count)]
        overheard(reader)
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    def rows(self, count: int = 100, **how: Any) -> list[Any]:
        reply = self.query(count, **how)
        assert reply.code == 0, reply.name
        return self.cells(reply.body.row_data, reply.body.row_count)

    def find(
        self, restriction: Restriction, origin: int = 0, bookmark: bytes = b"", *, backwards: bool = False
    ) -> Reply:
        data = restrictions.pack(restriction, FORM)
        return self.ask(find_row.ROP, find_row.Request(int(backwards), data, origin, bookmark))

    def seek(self, rows: int, origin: int = 0) -> Any:
        return self.do(seek_row.ROP, seek_row.Request(origin, rows, True))

    def position(self) -> tuple[int, int]:
        body = self.do(query_position.ROP)
        return body.numerator, body.denominator


def overheard(reader: Reader) -> None:
    """Nothing is left but notifications that came with the response."""
    while reader.remaining:
        id = reader.u8()
        assert id in (NOTIFY, PENDING)
        if id == NOTIFY:
            Notify.decode(reader)
        else:
            reader.u16()


def contents(client: Client, folder: int, flags: int = 0, columns: Iterable[int] = (SUBJECT,)) -> Grid:
    """The contents table of an open folder."""
    request = get_contents_table.Request(get_contents_table.TableFlags(flags))
    made = Grid(client, client.do(get_contents_table.ROP, request, on=folder).handle)
    return made.show(*columns) if columns else made


def hierarchy(
    client: Client, folder: int, flags: int = 0, columns: Iterable[int] = (tags.PidTagDisplayName,)
) -> Grid:
    """The hierarchy table of an open folder."""
    request = get_hierarchy_table.Request(get_hierarchy_table.TableFlags(flags))
    made = Grid(client, client.do(get_hierarchy_table.ROP, request, on=folder).handle)
    return made.show(*columns) if columns else made
