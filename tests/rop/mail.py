"""Mail that comes into mailboxes while a session watches."""

from appliance.directory.model import Entry
from appliance.mailbox import deliver as delivery
from appliance.mailbox import items
from appliance.mailbox.actor import Actor
from appliance.mailbox.incoming import Incoming, Ingest
from appliance.store.contents import Row
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.conftest import EPOCH
from tests.transport.office import Office

MAIL = b"From: a@example.test\r\nMessage-ID: <1@example.test>\r\nSubject: Hello\r\n\r\nBody\r\n"


def ingest(store: Store, raw: bytes = MAIL) -> Incoming:
    """The bytes, stored and read."""
    taking = Ingest(store)
    for start in range(0, len(raw), 70_000):
        future = taking.feed(raw[start : start + 70_000])
        if future is not None:
            future.result()
    return taking.finish()


def deliver(office: Office, user: Entry, raw: bytes = MAIL) -> Row:
    """Mail from outside, into the inbox."""
    incoming = ingest(office.store, raw)
    target = delivery.Target(user.mailbox)
    (outcome,) = office.write(lambda txn: delivery.deliver(txn, incoming, [target], now=EPOCH))
    assert outcome.row is not None
    return outcome.row


def append(office: Office, user: Entry, fid: int = Special.INBOX, raw: bytes = MAIL) -> Row:
    """A message that the user puts into a folder."""
    incoming = ingest(office.store, raw)
    actor = Actor(user=user.id, mailbox=user.mailbox)
    return office.write(
        lambda txn: items.append(txn, actor, user.mailbox, fid, incoming, received=EPOCH, now=EPOCH)
    )
