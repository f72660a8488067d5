"""What tables ask for when the store has no value for a column (`store.tables.source.Computed`)."""

import threading
from collections.abc import Callable

from appliance.mailbox.actor import SYSTEM, Actor
from appliance.mailbox.properties import folders as folder_view
from appliance.mailbox.properties import messages as message_view
from appliance.mailbox.properties.folders import FolderView
from appliance.mailbox.properties.messages import MessageView
from appliance.mailbox.properties.places import places
from appliance.mailbox.rights import effective
from appliance.mapi.types import Value, is_named, type_of
from appliance.store import contents, folders, names, search_folders
from appliance.store.contents import Row
from appliance.store.errors import NotFound
from appliance.store.kv import ReadTxn
from appliance.store.tables.scan import Ask, Asked
from appliance.store.tables.source import Computed


def asked_plain(tag: int) -> Ask:
    """When a column that is no named property is computed."""
    return message_view.ASKED.get(tag, Ask.NEVER)


def asked(txn: ReadTxn) -> Asked:
    """For `ContentsSource.asked`: when which column is computed."""

    def ask(tag: int) -> Ask:
        if not is_named(tag):
            return asked_plain(tag)
        name = names.name_of(txn, tag >> 16)
        return Ask.NEVER if name is None else message_view.asked_named(name, type_of(tag))

    return ask


FOLDER_COLUMNS = folder_view.COMPUTED_TAGS


Find = Callable[[ReadTxn, int], tuple[Row, int | None]]
"""(transaction, MID): the row of a message and when it was soft-deleted. Raises NotFound."""


def of_contents(
    mailbox: int,
    fid: int,
    actor: Actor,
    *,
    associated: bool = False,
    deleted: bool = False,
    search: bool = False,
) -> Computed:
    """Columns of a folder's contents table, for a user. `search`: it is a search folder, whose messages stand
    elsewhere."""

    def find(txn: ReadTxn, mid: int) -> tuple[Row, int | None]:
        if deleted:
            found = contents.buried(txn, mailbox, fid, mid)
            return found.row, found.when
        home = search_folders.home(txn, mailbox, fid, mid) if search else fid
        return contents.get(txn, mailbox, home or 0, mid, associated), None

    return _columns(mailbox, actor, find)


def of_any(mailbox: int, actor: Actor) -> Computed:
    """Columns of messages wherever they stand."""

    def find(txn: ReadTxn, mid: int) -> tuple[Row, int | None]:
        row = contents.locate(txn, mailbox, mid)
        if row is None:
            raise NotFound(f"message {mid:#x}")
        return row, None

    return _columns(mailbox, actor, find)


def of_row(mailbox: int, row: Row, actor: Actor = SYSTEM) -> Computed:
    """Properties of one message that is at hand."""
    return _columns(mailbox, actor, lambda txn, mid: (row, None))


def _columns(mailbox: int, actor: Actor, find: Find) -> Computed:
    latest = threading.local()
    """The view that was asked last: the columns of a row are asked for one after the other."""

    def computed(txn: ReadTxn, mid: int, tag: int) -> Value:
        if not is_named(tag) and not message_view.ASKED.get(tag):
            return None
        if getattr(latest, "key", None) != (txn, mid):
            try:
                row, when = find(txn, mid)
            except NotFound:
                return None
            right = effective(txn, actor, mailbox, row.fid)
            latest.view = MessageView(places(txn, mailbox), row, right=right, deleted=when)
            latest.key = txn, mid
        view: MessageView = latest.view
        return view.get(tag)

    return computed


def of_hierarchy(mailbox: int, actor: Actor) -> Computed:
    """Columns of a hierarchy table, for a user."""

    def computed(txn: ReadTxn, fid: int, tag: int) -> Value:
        if tag not in FOLDER_COLUMNS:
            return None
        folder = folders.find(txn, mailbox, fid)
        return None if folder is None else FolderView(places(txn, mailbox), folder, actor).get(tag)

    return computed
