"""What tables ask for when the store has no value for a column (`store.tables.sources.Computed`)."""

import threading

from appliance.mailbox.actor import Actor
from appliance.mailbox.properties import folders as folder_view
from appliance.mailbox.properties import messages as message_view
from appliance.mailbox.properties.folders import FolderView
from appliance.mailbox.properties.messages import MessageView
from appliance.mailbox.properties.places import places
from appliance.mailbox.rights import effective
from appliance.mapi.types import Value
from appliance.store import contents, folders, search_folders
from appliance.store.contents import Row
from appliance.store.errors import NotFound
from appliance.store.kv import ReadTxn
from appliance.store.tables.sources import Computed

MESSAGE_COLUMNS = message_view.COMPUTED_TAGS
"""For `ContentsSource.computed_tags`."""

FOLDER_COLUMNS = folder_view.COMPUTED_TAGS


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
    latest = threading.local()
    """The view that was asked last: the columns of a row are asked for one after the other."""

    def computed(txn: ReadTxn, mid: int, tag: int) -> Value:
        if tag not in MESSAGE_COLUMNS:
            return None
        if getattr(latest, "key", None) != (txn, mid):
            try:
                row, when = _row(txn, mid)
            except NotFound:
                return None
            right = effective(txn, actor, mailbox, row.fid)
            latest.view = MessageView(places(txn, mailbox), row, right=right, deleted=when)
            latest.key = txn, mid
        view: MessageView = latest.view
        return view.get(tag)

    def _row(txn: ReadTxn, mid: int) -> tuple[Row, int | None]:
        if deleted:
            found = contents.buried(txn, mailbox, fid, mid)
            return found.row, found.when
        home = search_folders.home(txn, mailbox, fid, mid) if search else fid
        return contents.get(txn, mailbox, home or 0, mid, associated), None

    return computed


def of_hierarchy(mailbox: int, actor: Actor) -> Computed:
    """Columns of a hierarchy table, for a user."""

    def computed(txn: ReadTxn, fid: int, tag: int) -> Value:
        if tag not in FOLDER_COLUMNS:
            return None
        folder = folders.find(txn, mailbox, fid)
        return None if folder is None else FolderView(places(txn, mailbox), folder, actor).get(tag)

    return computed
