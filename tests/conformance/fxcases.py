"""What several of the cases of MS-OXCFXICS begin with: messages, and what a download says of them."""

from tests.conformance import fxgrammar, idsets
from tests.conformance.fxdesk import BODY, CLASS, SUBJECT, Desk
from tests.conformance.wire import Value

ATTACH_DATA, ATTACH_NAME, ATTACH_METHOD = 0x37010102, 0x3707001F, 0x37050003
IMPORTANCE = 0x00170003


def rich_message(desk: Desk, fid: bytes) -> bytes:
    """A message with recipients, a file and a message within."""
    message = desk.create_message(fid)
    desk.set(message, {CLASS: "IPM.Note", SUBJECT: "Grüße", BODY: "The body"})
    desk.recipients(message, [("Ben", "ben@example.test"), ("Clara", "clara@example.test")])
    attachment = desk.create_attachment(message)
    desk.set(attachment, {ATTACH_METHOD: 1, ATTACH_NAME: "a.bin", ATTACH_DATA: bytes(range(256))})
    desk.save_attachment(message, attachment)
    second = desk.create_attachment(message)
    desk.set(second, {ATTACH_METHOD: 5, ATTACH_NAME: "inner"})
    inner = desk.embed(second)
    desk.set(inner, {CLASS: "IPM.Note", SUBJECT: "Inner", BODY: "Within"})
    desk.recipients(inner, [("Dora", "dora@example.test")])
    desk.save(inner)
    desk.save_attachment(message, second)
    return desk.save(message)


def note(desk: Desk, fid: bytes, subject: str, *, associated: bool = False, importance: int = 1) -> bytes:
    """A message."""
    values: dict[int, Value] = {CLASS: "IPM.Note", SUBJECT: subject, IMPORTANCE: importance}
    return desk.message(fid, values, associated)


def subjects(sync: fxgrammar.Sync) -> list[object]:
    """The subjects of all changes, in order."""
    return [each.content.props.get(SUBJECT) for each in sync.changes]


def ids(desk: Desk, listed: fxgrammar.PropList | None, tag: int) -> list[int]:
    """The counters of a REPLID-based set that must be of this mailbox alone."""
    if listed is None or tag not in listed:
        return []
    found = idsets.read_replids(listed.binary(tag))
    assert list(found) == [int.from_bytes(desk.replid, "little")], "R1275: of this mailbox's replid"
    return idsets.members(found[int.from_bytes(desk.replid, "little")])
