"""Replies that are made of whole batches say what replies made message by message say."""

from collections.abc import Callable

import pytest

from appliance.formats import bags
from appliance.mapi import times
from appliance.mapi.types import Bag
from appliance.store import contents, messages
from appliance.store.contents import RowFlag
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import NewMessage
from tests.protocols.imap.office import Office, Talk, add_message, message, now

Connect = Callable[..., Talk]
HOT = "UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "MODSEQ", "EMAILID", "THREADID", "SAVEDATE"
ITEMS = (*HOT, "ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[]", "RFC822.HEADER RFC822.SIZE")
COUNT = 40


def fill(office: Office) -> None:
    """Messages of all kinds: parts, NULs, none of MIME, flags, keywords, UIDs out of the order of MIDs."""
    store, mailbox = office.store, office.mailbox("alice")
    for number in range(COUNT):
        flags = RowFlag(number % 128)
        body = "a\0b\r\n" if number % 5 == 0 else f'--x\r\n\r\n{number} "q" \\ é\r\n--x--\r\n'
        kind = 'multipart/mixed; boundary="x"' if number % 2 else "text/plain"
        add_message(store, mailbox, message(f"n{number} ä", body, Content_Type=kind), flags=flags)

    def write(txn: WriteTxn) -> None:
        with editing(txn, mailbox, now=now()) as edit:
            bag: Bag = {0x0037001F: "no MIME", 0x1000001F: "hello"}
            new = NewMessage(blob=0, size=0, bag=bags.pack(bag), message_class="IPM.Note", received=now())
            messages.insert(edit, Special.INBOX, new)
            rows = list(contents.rows(txn, mailbox, Special.INBOX))
            for row in rows[3:30:7]:
                messages.soft_delete(edit, row)
                messages.restore(edit, row.fid, row.mid)

    store.write(write).result()


@pytest.fixture
def connection(office: Office, talk: Connect) -> Talk:
    fill(office)
    made = talk("alice")
    made.run("ENABLE CONDSTORE")
    made.run("SELECT INBOX")
    made.run("STORE 2,4,6,30 +FLAGS.SILENT ($Junk other)")
    return made


def replies(connection: Talk, messages: str, items: str) -> list[bytes]:
    found = connection.run(f"FETCH {messages} ({items})")
    assert found[-1].startswith(b"t OK"), found[-1]
    return [each for each in found if b" FETCH (" in each]


@pytest.mark.parametrize("items", ITEMS)
def test_each_item(connection: Talk, items: str) -> None:
    batch = replies(connection, "1:*", items)
    assert len(batch) == COUNT + 1
    for number, found in enumerate(batch, 1):
        # BODY[MIME] can only be had message by message; there is none of part 9
        (alone,) = replies(connection, str(number), items + " BODY.PEEK[9.MIME]")
        assert found[:-1] == alone.removesuffix(b" BODY[9.MIME] NIL)")


def test_all_items_together(connection: Talk) -> None:
    items = " ".join(ITEMS[:-1])
    batch = replies(connection, "1:*", items)
    assert len(batch) == COUNT + 1
    assert b"".join(batch) == b"".join(
        replies(connection, str(number), items)[0] for number in range(1, COUNT + 2)
    )


def test_those_that_are_recent(office: Office, connection: Talk) -> None:
    first = replies(connection, "1:*", "FLAGS")
    assert all(b"\\Recent" in each for each in first)
    other = Talk(office.port).login()
    other.run("SELECT INBOX")
    assert not any(b"\\Recent" in each for each in replies(other, "1:*", "UID FLAGS"))
    for number in range(20):
        add_message(office.store, office.mailbox("alice"), message(f"late {number}"))
    connection.run("NOOP")  # claims them
    found = replies(connection, "1:*", "UID FLAGS")
    assert all(b"\\Recent)" in each for each in found)
    assert len(found) == COUNT + 21
    other.run("NOOP")
    for number in range(3):
        add_message(office.store, office.mailbox("alice"), message(f"later {number}"))
    other.run("NOOP")
    mixed = replies(other, "1:*", "FLAGS")
    assert [b"\\Recent" in each for each in mixed] == [False] * (COUNT + 21) + [True] * 3
    other.close()


def test_those_that_are_gone(office: Office, connection: Talk) -> None:
    other = Talk(office.port).login()
    other.run("SELECT INBOX")
    other.run("STORE 5:9,20 +FLAGS.SILENT (\\Deleted)")
    other.run("STORE 1:4,10:19,21:* -FLAGS.SILENT (\\Deleted)")
    other.run("EXPUNGE")
    other.close()
    for items in ("RFC822.SIZE", "RFC822.SIZE ENVELOPE"):
        found = connection.run(f"FETCH 1:* ({items})")
        assert found[-1].startswith(b"t NO [EXPUNGEISSUED]")
        numbers = [int(each.split()[1]) for each in found if b"FETCH (RFC822.SIZE" in each]
        assert numbers == [*range(1, 5), *range(10, 20), *range(21, COUNT + 2)]


def test_dates_beyond_the_calendar_are_cut(office: Office, connection: Talk) -> None:
    mailbox = office.mailbox("alice")

    def write(txn: WriteTxn) -> None:
        row = next(contents.rows(txn, mailbox, Special.INBOX))
        contents.put(txn, mailbox, row._replace(received=times.MAX_FILETIME))

    office.store.write(write).result()
    (batch,) = replies(connection, "1", "INTERNALDATE")
    assert replies(connection, "1", "INTERNALDATE BODY.PEEK[9.MIME]")[0].startswith(batch[:-1])
