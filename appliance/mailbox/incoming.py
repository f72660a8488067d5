"""Bytes of a message on their way into the store.

`Ingest` takes them as they arrive: each piece is scanned, compressed and, past a quarter of a megabyte,
already stored; nothing is held whole. `finish` gives an `Incoming`: the prepared blob with what was rendered
from it, and the properties that were derived. `Incoming.bind`, inside the write function, only puts
prepared bytes.
"""

from concurrent.futures import Future
from dataclasses import dataclass

from appliance.convert.mime.derive import Derived, derive
from appliance.formats import bags, mime
from appliance.mapi.tags import PidTagClientSubmitTime
from appliance.store import blobs, names
from appliance.store.contents import RowFlag
from appliance.store.kv import WriteTxn
from appliance.store.messages import NewMessage
from appliance.store.store import Store


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that is ready to be stored, in any number of mailboxes."""

    prepared: blobs.Prepared
    derived: Derived
    packed_bag: bytes

    @property
    def size(self) -> int:
        """Bytes of the message as it arrived."""
        return self.prepared.size

    @property
    def submitted(self) -> int:
        """When the sender says it was sent (FILETIME), 0 where nothing is said."""
        moment = self.derived.stored.get(PidTagClientSubmitTime)
        return moment if isinstance(moment, int) else 0

    @property
    def weight(self) -> int:
        """About how many bytes the write function puts."""
        return self.prepared.weight + len(self.packed_bag)

    def bind(
        self,
        txn: WriteTxn,
        *,
        received: int,
        flags: RowFlag = RowFlag.NONE,
        keywords: tuple[str, ...] = (),
        prefix: bytes = b"",
        blob: int = 0,
    ) -> NewMessage:
        """What `messages.insert` takes. The blob gets one reference, or `blob` names the one that this
        transaction bound already for another recipient (it is retained)."""
        if blob:
            blobs.retain(txn, blob)
        derived = self.derived
        packed = self.packed_bag
        if derived.named:
            packed = bags.pack({**derived.stored, **names.map_from_mail(txn, derived.named)})
        return NewMessage(
            blob=blob or blobs.bind(txn, self.prepared),
            size=self.prepared.size,
            bag=packed,
            compact=True,
            message_class=derived.message_class,
            prefix=prefix,
            flags=flags
            | RowFlag.UNMODIFIED
            | (RowFlag.HAS_ATTACHMENT if derived.has_attachments else RowFlag.NONE),
            keywords=keywords,
            received=received,
            importance=derived.importance,
            conversation=derived.conversation,
            message_id=derived.message_id,
        )


class Ingest:
    """Takes the bytes of one message. Not thread-safe. After an error or `abort`, forget it."""

    def __init__(self, store: Store) -> None:
        self._writer = blobs.BlobWriter(store)
        self._scanner = mime.Scanner()
        self._start = bytearray()
        self._store = store

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._writer.size

    def feed(self, data: bytes | bytearray | memoryview) -> "Future[int] | None":
        """Add bytes. A future that comes back must be awaited before the next `feed` or `finish`."""
        self._scanner.feed(data)
        if len(self._start) < _KEPT:
            self._start += data[: _KEPT - len(self._start)]
        return self._writer.write(data)

    def finish(self) -> Incoming:
        """The end of the message. Raises the store's errors for pieces that could not be stored."""
        scan = self._scanner.finish()
        rendered = blobs.Structure(scan.pack(), mime.envelope(scan), mime.bodystructure(scan))
        derived = derive(scan, self._read)
        return Incoming(self._writer.finish(rendered), derived, bags.pack(derived.stored))

    def abort(self) -> None:
        """Forget the message."""
        self._writer.abort()

    def _read(self, offset: int, length: int) -> bytes:
        if offset + length <= len(self._start):
            return bytes(self._start[offset : offset + length])
        return self._writer.read(offset, length)


_KEPT = 65536
"""Bytes from the start of a message that are at hand for `derive`: it seldom looks further (a report's status
behind a long text, a long HTML text with pictures)."""
