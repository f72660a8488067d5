"""The contents table of a search folder: rows are the messages to which its links lead, wherever they are."""

from collections.abc import Iterator
from itertools import islice

from appliance.store import contents, folders, log, search_folders
from appliance.store.keys import contents_key
from appliance.store.kv import ReadTxn
from appliance.store.tables.scan import BATCH, Asked, Batch
from appliance.store.tables.source import AskedIn, Computed, Record, no_value, nothing_asked
from appliance.store.tables.sources import MESSAGE_TAGS, MessageRecord, messages_batch
from appliance.store.views import Layout, Order, View

_KIND = 7


class SearchSource:
    """A search folder's contents (MS-OXCFOLD 2.2.1.4). `asked`: what `computed` may know."""

    has_depth = False
    own_tags = MESSAGE_TAGS

    def __init__(
        self,
        mailbox: int,
        fid: int,
        *,
        computed: Computed = no_value,
        asked: AskedIn = nothing_asked,
    ):
        self._mailbox, self._fid, self._computed = mailbox, fid, computed
        self._asked = asked

    @property
    def key(self) -> tuple[int, ...]:
        """As `Source`."""
        return (_KIND, self._mailbox, self._fid)

    def asked(self, txn: ReadTxn) -> Asked:
        """As `Source`."""
        return self._asked(txn)

    def _followed(self, txn: ReadTxn) -> list[int]:
        """The folders whose changes may show: its own links, and where the messages stand."""
        definition = search_folders.find(txn, self._mailbox, self._fid)
        if definition is None:
            return [self._fid]
        return [self._fid, *search_folders.folders_in_scope(txn, self._mailbox, definition)]

    def version(self, txn: ReadTxn) -> int:
        """As `Source`: a message that changes and stays found is logged in its own folder only."""
        return max(folders.get(txn, self._mailbox, fid).contents_mod for fid in self._followed(txn))

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """As `Source`."""
        for row in search_folders.rows(txn, self._mailbox, self._fid):
            yield MessageRecord(txn, self._mailbox, row, self._computed)

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """As `Source`."""
        if log.floor(txn, self._mailbox) > since:
            return None
        return {
            change.mid
            for fid in self._followed(txn)
            for change in log.changes(txn, self._mailbox, fid, since)
        }

    def _home(self, txn: ReadTxn, id_: int) -> int | None:
        """Where a message of the search folder stands."""
        return search_folders.home(txn, self._mailbox, self._fid, id_)

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """As `Source`."""
        home = self._home(txn, id_)
        row = contents.find(txn, self._mailbox, home, id_) if home is not None else None
        return MessageRecord(txn, self._mailbox, row, self._computed) if row is not None else None

    def batches(self, txn: ReadTxn, ids: list[int] | None, *, cold: bool) -> Iterator[Batch] | None:
        """As `Source`."""
        if ids is None:
            links = search_folders.links(txn, self._mailbox, self._fid)
        else:
            homes = ((id_, self._home(txn, id_)) for id_ in ids)
            links = ((id_, home) for id_, home in homes if home is not None)
        keys = (contents_key(self._mailbox, home, False, mid) for mid, home in links)
        chunks = iter(lambda: list(islice(keys, BATCH)), [])
        return (messages_batch(txn, self._mailbox, txn.get_many(chunk), cold=cold) for chunk in chunks)

    def view(self, txn: ReadTxn, order: Order, known: Layout | None) -> View | None:
        """As `Source`: no orders are kept of links."""
        return None
