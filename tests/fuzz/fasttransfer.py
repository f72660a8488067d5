"""Fuzz targets of FastTransfer streams: the twins cut alike, whole and in pieces give the same events, and
what is uploaded becomes a message or is refused."""

from concurrent.futures import Future

from appliance.formats import fasttransfer as fx
from appliance.formats.fasttransfer import reference
from appliance.formats.fasttransfer.lexer import Data, Event, Lexer
from appliance.formats.fasttransfer.markers import Marker
from appliance.mailbox.actor import SYSTEM
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.idset import IdSet
from appliance.rop.fasttransfer.consumer import Consumer
from appliance.rop.fasttransfer.upload import MessageFrame
from appliance.rop.fasttransfer.upload import Target as Upload
from appliance.store.blobs import Prepared
from appliance.store.drafts import Overlay
from appliance.wire.errors import DecodeError
from tests.fuzz.runner import Target


def _events(data: bytes, size: int) -> list[Event] | tuple[str, int]:
    lexer, found = Lexer(), list[Event]()
    try:
        for at in range(0, len(data), size):
            for event in lexer.feed(data[at : at + size]):
                if isinstance(event, Data) and found and isinstance(found[-1], Data):
                    found[-1] = Data(found[-1].data + event.data)
                else:
                    found.append(event)
    except DecodeError as error:
        return error.what, error.offset
    return found


def lexed(data: bytes) -> None:
    """Whole and in pieces of a size that the first byte gives; cut in C and in Python."""
    size, data = 1 + data[0] if data else 1, data[1:]
    # as text: what is no number equals nothing, not even itself
    assert repr(_events(data, len(data) + 1)) == repr(_events(data, size))
    outcomes: list[object] = []
    for twin in (fx.cut, reference.cut):
        try:
            outcomes.append(twin(data, 0, size, fx.START))
        except DecodeError as error:
            outcomes.append((error.what, error.offset))
    assert outcomes[0] == outcomes[1]


class _Writer:
    """Forgets what it is given."""

    size = 0

    def write(self, data: bytes) -> "Future[int] | None":
        self.size += len(data)
        return None

    def finish(self) -> Prepared:
        return Prepared(0, self.size, b"", (), b"")

    def abort(self) -> None:
        pass


def uploaded(data: bytes) -> None:
    """Into a message that nobody saves."""
    frame = MessageFrame(Upload(None, 0, SYSTEM), Overlay(), 0, lambda: None)  # type: ignore[arg-type]
    consumer = Consumer(frame, lambda _name: 0x8000, _Writer, 1252)  # type: ignore[arg-type]
    try:
        for at in range(0, len(data), 100):
            consumer.feed(data[at : at + 100])
    except MapiError:
        consumer.close()
    frame.overlay.bag()
    frame.overlay.recipient_rows()


def id_sets(data: bytes) -> None:
    """States that clients upload."""
    try:
        found = IdSet.parse(data, by_guid=True)
    except (DecodeError, ValueError):
        return
    assert IdSet.parse(found.pack(), by_guid=True) == found


def _streams() -> list[bytes]:
    def mark(marker: Marker) -> bytes:
        return int(marker).to_bytes(4, "little")

    named = bytes(16) + b"\1n\0\0\0"
    props = fx.pack(
        [
            (tags.PidTagSubject, "subject"),
            (0x8001001F, "named"),
            (0x3F011003, (1, 2)),
            (0x3F02101F, ("a", "b")),
            (0x3F03000B, True),
            (0x40170003, b"set"),
        ],
        0,
        {0x8001: named},
    )
    recipient = mark(Marker.START_RECIPIENT) + fx.pack([(tags.PidTagRowid, 1)], 0, {})
    recipient += mark(Marker.END_TO_RECIPIENT)
    inner = mark(Marker.START_EMBED) + props + recipient + mark(Marker.END_EMBED)
    attachment = mark(Marker.NEW_ATTACHMENT) + fx.pack([(tags.PidTagAttachNumber, 0)], 0, {})
    attachment += fx.pack([(tags.PidTagAttachDataBinary, bytes(40_000))], 0, {}) + inner
    attachment += mark(Marker.END_ATTACHMENT)
    return [b"\x40" + props + recipient, b"\x40" + props + recipient + attachment]


FASTTRANSFER_TARGETS = (
    Target("fasttransfer.lexer", lexed, _streams, ()),
    Target("fasttransfer.upload", uploaded, lambda: [each[1:] for each in _streams()], ()),
    Target("ics.idset", id_sets, lambda: [bytes(16) + b"\x06\0\0\0\0\0\1\0"], ()),
)
