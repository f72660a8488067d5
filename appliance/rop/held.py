"""What open messages hold that is not in the store yet: spilled bytes and their leases."""

from collections.abc import Iterable, Iterator

from appliance.mapi.types import Value
from appliance.store import blobs
from appliance.store.blobs import Prepared
from appliance.store.drafts import Overlay
from appliance.store.kv import WriteTxn
from appliance.store.store import Store


class PreparedContent:
    """Bytes that are ready to be bound as `Content`: each read in a snapshot of its own."""

    def __init__(self, store: Store, prepared: Prepared) -> None:
        self._store, self._prepared = store, prepared

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._prepared.size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`. Raises Conflict when they are gone."""
        with self._store.read() as txn:
            return blobs.read_prepared(txn, self._prepared, offset, length)


class Leases:
    """Bytes that were spilled into the store for a message: dropped at its end unless they were bound."""

    __slots__ = ("_numbers", "_store")

    def __init__(self) -> None:
        self._store: Store | None = None
        self._numbers: set[int] = set()

    def add(self, store: Store, prepared: Iterable[Prepared]) -> None:
        """Answer for these bytes from now on."""
        self._store = store
        self._numbers.update(each.number for each in prepared if each.number)

    def give(self, prepared: Prepared) -> None:
        """Answer for these bytes no more: somebody else does."""
        self._numbers.discard(prepared.number)

    def close(self) -> None:
        """Drop what nobody bound."""
        numbers, self._numbers = tuple(self._numbers), set()
        if not numbers or self._store is None:
            return

        def drop(txn: WriteTxn) -> None:
            for number in numbers:
                blobs.discard(txn, number)

        self._store.write(drop, reserve=True)


def prepared_in(overlay: Overlay) -> Iterator[Prepared]:
    """The bytes that an overlay would bind, at any depth."""
    yield from overlay.values.values()
    for attachment in overlay.attachments.values():
        if attachment is None:
            continue
        if attachment.data is not None:
            yield attachment.data
        if attachment.embedded is not None:
            yield from prepared_in(attachment.embedded)


def small_bytes(value: Value) -> int:
    """About how many bytes a value takes."""
    if isinstance(value, str):
        return 2 * len(value)
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, tuple):
        return sum(small_bytes(each) for each in value)
    return 8
