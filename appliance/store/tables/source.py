"""What tables ask of where their rows come from: `Source` lists records and says when they changed, `Record`
answers for single properties.

A record reads its cold part when a property asks for it. Properties that higher layers compute (entry IDs,
bodies) come through `Computed`, which is asked when the store has no value.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from appliance.mapi.types import Value
from appliance.store.kv import ReadTxn
from appliance.store.tables.scan import Asked, Batch, never
from appliance.store.views import Layout, Order, View

Computed = Callable[[ReadTxn, int, int], Value]
"""computed(txn, object id, tag): a property that the store does not hold, or None."""


class Record(Protocol):
    """A row of a table, in one snapshot."""

    @property
    def id(self) -> int:
        """What identifies the row in its table: MID, FID, number."""

    @property
    def unread(self) -> bool:
        """Whether it counts for PidTagContentUnreadCount."""

    def get(self, tag: int) -> Value:
        """A property, None when the row has none."""

    def tags(self) -> Iterable[int]:
        """The properties that it has, for RopQueryColumnsAll."""

    def children(self, tag: int) -> Iterable[Callable[[int], Value]]:
        """The recipients or attachments, for restrictions on sub-objects."""


class Source(Protocol):
    """The rows under a table, without order."""

    @property
    def key(self) -> tuple[int, ...]:
        """Equal for sources of the same rows."""

    def version(self, txn: ReadTxn) -> int:
        """A number that grows when rows change."""

    def records(self, txn: ReadTxn) -> Iterator[Record]:
        """Every row."""

    def changed(self, txn: ReadTxn, since: int) -> set[int] | None:
        """The ids that changed after a version; None when that is not known."""

    def find(self, txn: ReadTxn, id_: int) -> Record | None:
        """One row."""

    def asked(self, txn: ReadTxn) -> Asked:
        """For which tags `Computed` is to be asked, and when."""

    def batches(self, txn: ReadTxn, ids: list[int] | None, *, cold: bool) -> Iterator[Batch] | None:
        """The rows of these ids that exist, in their order, or of all, as they are stored; None when they are
        not stored in the form of `contents`. Without `cold` the cold values may be left out."""

    def view(self, txn: ReadTxn, order: Order, known: Layout | None) -> View | None:
        """A kept order of the rows, None when there is none."""

    @property
    def own_tags(self) -> frozenset[int]:
        """What every record has, for RopQueryColumnsAll of tables without rows."""

    @property
    def has_depth(self) -> bool:
        """Whether its records know PidTagDepth; for others it is 0."""


class Unscanned:
    """What sources say whose rows are not stored in the form of `contents`."""

    @property
    def own_tags(self) -> frozenset[int]:
        """As `Source`."""
        return frozenset()

    def asked(self, txn: ReadTxn) -> Asked:
        """As `Source`: nobody scans these rows."""
        return never

    def batches(self, txn: ReadTxn, ids: list[int] | None, *, cold: bool) -> Iterator[Batch] | None:
        """As `Source`."""
        return None

    def view(self, txn: ReadTxn, order: Order, known: Layout | None) -> View | None:
        """As `Source`."""
        return None

    @property
    def has_depth(self) -> bool:
        """As `Source`."""
        return False


def no_value(txn: ReadTxn, id_: int, tag: int) -> Value:
    """The `Computed` that knows nothing."""
    return None


AskedIn = Callable[[ReadTxn], Asked]
"""The `Asked` of a snapshot: named properties have their names in the store."""


def nothing_asked(txn: ReadTxn) -> Asked:
    """The `AskedIn` that goes with `no_value`."""
    return never
