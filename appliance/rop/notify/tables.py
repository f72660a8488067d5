"""TableModified: what happens to the rows of a table that a client looks at (MS-OXCNOTIF 3.1.4.3).

A client that reads rows is told which were added, changed and deleted, with the row as it stands and the one
before it. Where that cannot be said (a restriction may have hidden a changed row before or hide it now,
categories, many changes at once) it is told that the table changed, and reads anew.

Rows are read under the session's lock, in a reader thread: a table belongs to one batch at a time.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from appliance.rop.notify.data import Bit, NotificationData, TableEvent, Type
from appliance.rop.notify.events import Event
from appliance.rop.notify.hub import Listener
from appliance.rop.notify.subscription import notify
from appliance.store import search_folders
from appliance.store.errors import StoreError
from appliance.store.kv import ReadTxn
from appliance.store.tables.table import Located, Table, TableError

if TYPE_CHECKING:
    from appliance.rop.objects import Object
    from appliance.rop.session import Session

MAX_ROWS = 32
"""Rows that are told one by one; more at once are a changed table."""

Changes = dict[int, TableEvent]
"""What happened to rows, by the id of their object."""


class Rows(Protocol):
    """What the rows of a table stand for."""

    is_messages: bool

    def changes(self, event: Event) -> Iterable[tuple[int, TableEvent]]:
        """The ids of rows that an event may be about, and what happened to them."""

    def home(self, txn: ReadTxn, mailbox: int, id_: int) -> int:
        """The FID that goes with a row's id."""


@dataclass(frozen=True, slots=True)
class MessageRows:
    """The messages of a folder, or its associated ones."""

    fid: int
    associated: bool
    is_messages = True

    def changes(self, event: Event) -> Iterable[tuple[int, TableEvent]]:
        """As `Rows`."""
        if not event.mid or event.search or event.associated != self.associated:
            return
        if event.type is Type.OBJECT_MOVED and event.old_fid == self.fid:
            yield event.old_mid, TableEvent.ROW_DELETED
        if event.fid == self.fid and (change := _CHANGES.get(event.type)) is not None:
            yield event.mid, change

    def home(self, _txn: ReadTxn, _mailbox: int, _id: int) -> int:
        """As `Rows`."""
        return self.fid


@dataclass(frozen=True, slots=True)
class SearchRows:
    """What a search folder has found."""

    fid: int
    is_messages = True

    def changes(self, event: Event) -> Iterable[tuple[int, TableEvent]]:
        """As `Rows`. A message that changes is looked for among the rows."""
        if event.search and event.parent == self.fid and (change := _CHANGES.get(event.type)) is not None:
            yield event.mid, change
        elif event.mid and not event.search and event.type is Type.OBJECT_MODIFIED and not event.associated:
            yield event.mid, TableEvent.ROW_MODIFIED

    def home(self, txn: ReadTxn, mailbox: int, id_: int) -> int:
        """As `Rows`."""
        return search_folders.home(txn, mailbox, self.fid, id_) or 0


@dataclass(frozen=True, slots=True)
class FolderRows:
    """The subfolders of a folder."""

    fid: int
    deep: bool
    is_messages = False

    def changes(self, event: Event) -> Iterable[tuple[int, TableEvent]]:
        """As `Rows`."""
        if event.mid:
            return
        if event.type is Type.OBJECT_MOVED and (self.deep or event.old_parent == self.fid):
            yield event.fid, TableEvent.ROW_DELETED
        if (self.deep or event.parent == self.fid) and (change := _CHANGES.get(event.type)) is not None:
            yield event.fid, change

    def home(self, _txn: ReadTxn, _mailbox: int, id_: int) -> int:
        """As `Rows`."""
        return id_


_CHANGES = {
    Type.OBJECT_CREATED: TableEvent.ROW_ADDED,
    Type.OBJECT_COPIED: TableEvent.ROW_ADDED,
    Type.OBJECT_MOVED: TableEvent.ROW_ADDED,
    Type.OBJECT_MODIFIED: TableEvent.ROW_MODIFIED,
    Type.OBJECT_DELETED: TableEvent.ROW_DELETED,
}


class TableWatch:
    """Tells one session of one table, from the first look at its rows until it is reset or released."""

    def __init__(
        self, session: "Session", target: "Object", table: Table, rows: Rows, *, deaf_to: int = 0
    ) -> None:
        """`deaf_to`: the session (`Event.origin`) of whose actions nothing is told."""
        self._session, self._target, self._table, self._rows = session, target, table, rows
        self._deaf_to = deaf_to
        self._end: Callable[[], None] | None = None
        self._waiting: Changes = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def watches(self) -> bool:
        """Whether it has begun."""
        return self._end is not None

    def begin(self, after: int) -> None:
        """Tell what happens after that number of the mailbox's clock. On the loop's thread."""
        if self._end is None and not self._session.closed:
            logon = self._target.logon
            self._end = self._session.engine.hub.listen(
                logon.mailbox, Listener(logon.actor, self._told, after)
            )

    def end(self) -> None:
        """Tell nothing any more."""
        if self._end is not None:
            self._end()
            self._end = None
        self._waiting.clear()
        if self._task is not None and self._session.closed:
            self._task.cancel()

    def _told(self, events: list[Event]) -> None:
        for event in events:
            if self._deaf_to and event.origin == self._deaf_to:
                continue
            for id_, change in self._rows.changes(event):
                before = self._waiting.get(id_)
                added = before is TableEvent.ROW_ADDED and change is TableEvent.ROW_MODIFIED
                self._waiting[id_] = before if before is not None and added else change
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        while self._waiting and not self._session.closed:
            async with self._session.lock:
                changes, self._waiting = self._waiting, {}
                loop = asyncio.get_running_loop()
                notices = await loop.run_in_executor(None, self._notices, changes)
            if self._end is not None:
                for data in notices:
                    notify(self._session, self._target, data)

    def _notices(self, changes: Changes) -> list[NotificationData]:
        if len(changes) > MAX_ROWS or not self._table.is_plain:
            return [self._data(TableEvent.CHANGED)]
        if self._table.is_restricted and set(changes.values()) != {TableEvent.ROW_ADDED}:
            return [self._data(TableEvent.CHANGED)]
        try:
            with self._session.engine.store.read() as txn:
                return [
                    data for change in changes.items() if (data := self._notice(txn, *change)) is not None
                ]
        except (TableError, StoreError):
            return [self._data(TableEvent.CHANGED)]

    def _notice(self, txn: ReadTxn, id_: int, change: TableEvent) -> NotificationData | None:
        mailbox = self._target.logon.mailbox
        if change is TableEvent.ROW_DELETED:
            return self._of_row(change, id_, self._rows.home(txn, mailbox, id_))
        found = self._table.locate(txn, id_, self._session.form)
        if found is None:  # gone already, and told so; or none of this table's
            return None
        data = self._of_row(change, id_, self._rows.home(txn, mailbox, id_))
        self._place(txn, data, found)
        return data

    def _place(self, txn: ReadTxn, data: NotificationData, found: Located) -> None:
        previous = found.previous.id if found.previous is not None else 0
        home = self._rows.home(txn, self._target.logon.mailbox, previous) if previous else 0
        data.row_data, data.after_folder = found.row, home
        if self._rows.is_messages:
            data.after_message, data.after_instance = previous, 0

    def _data(self, event: TableEvent) -> NotificationData:
        messages = Bit.MESSAGE if self._rows.is_messages else 0
        return NotificationData(Type.TABLE_MODIFIED | messages, event)

    def _of_row(self, event: TableEvent, id_: int, home: int) -> NotificationData:
        data = self._data(event)
        data.row_folder = home
        if self._rows.is_messages:
            data.row_message, data.row_instance = id_, 0
        return data
