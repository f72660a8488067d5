"""What was born in MAPI, without MIME, has its octets from the first look that a program takes at it."""

import imaplib
import re
import time

from imapclient import IMAPClient

from appliance.directory import entries
from appliance.formats import bags
from appliance.mapi import tags as T
from appliance.mapi import times
from appliance.net.announce import Announcer
from appliance.store import messages
from appliance.store.contents import RowFlag
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.served import PASSWORD, Served, address

NUMBER = 3


def born(server: Served, who: str, subject: str, *, fid: int = Special.CALENDAR) -> None:
    """Store an object with properties only, from another process than the server's."""
    now = times.from_unix(time.time())
    packed = bags.pack(
        {T.PidTagSubject: subject, T.PidTagBody: "At noon. ä\r\n", T.PidTagMessageClass: "IPM.Note"}
    )

    def write(txn: WriteTxn) -> None:
        entry = entries.by_address(txn, address(who))
        assert entry is not None
        with editing(txn, entry.mailbox, now=now) as edit:
            messages.insert(
                edit,
                fid,
                messages.NewMessage(
                    blob=0,
                    size=len(packed),
                    bag=packed,
                    message_class="IPM.Note",
                    flags=RowFlag.NONE,
                    received=now,
                ),
            )

    store = Store.open(server.data)
    announcer = Announcer(store)
    store.write(write).result()
    store.close()
    announcer.close()


def test_select_and_status(server: Served) -> None:
    for number in range(NUMBER):
        born(server, "anna", f"meal {number}")
    client = server.imap("anna")
    _, told = client.status("Calendar", "(MESSAGES SIZE)")
    told_size = int(re.search(rb"SIZE (\d+)", told[0])[1])  # type: ignore[index]
    assert client.select("Calendar", readonly=True) == ("OK", [b"3"])
    sizes, bodies = {}, {}
    for uid in range(1, NUMBER + 1):
        _, data = client.uid("FETCH", str(uid), "(RFC822.SIZE ENVELOPE BODY.PEEK[])")
        assert isinstance(data[0], tuple)
        sizes[uid] = int(re.search(rb"RFC822.SIZE (\d+)", data[0][0])[1])  # type: ignore[index]
        bodies[uid] = data[0][1]
        assert b'"meal %d"' % (uid - 1) in data[0][0]
    assert sizes == {uid: len(body) for uid, body in bodies.items()}
    assert sum(sizes.values()) == told_size
    client.logout()
    again = server.imap("anna")
    again.select("Calendar")
    for uid, body in bodies.items():
        _, data = again.uid("FETCH", str(uid), "(BODY.PEEK[])")
        assert data[0][1] == body
    again.logout()


def test_list_with_sizes(server: Served) -> None:
    born(server, "ben", "listed")
    client = server.imap("ben")
    client._simple_command("LIST", '""', '"Cal*"', "RETURN", "(STATUS (SIZE))")
    _, told = client._untagged_response("OK", [b""], "STATUS")
    client.select("Calendar")
    _, data = client.fetch("1", "(RFC822.SIZE)")
    assert re.search(rb"SIZE (\d+)", told[0])[1] == re.search(rb"SIZE (\d+)", data[0])[1]  # type: ignore[index]
    client.logout()


def test_what_comes_into_a_selected_folder(server: Served) -> None:
    client = IMAPClient("127.0.0.1", port=server.offset + 143, ssl=False, timeout=60)
    client.login(address("clara"), PASSWORD)
    client.select_folder("Tasks")
    client.idle()
    born(server, "clara", "while idle", fid=Special.TASKS)
    told = client.idle_check(timeout=30)
    assert (1, b"EXISTS") in told
    client.idle_done()
    (fetched,) = client.fetch([1], ["RFC822.SIZE", "BODY.PEEK[]", "ENVELOPE"]).values()
    assert fetched[b"RFC822.SIZE"] == len(fetched[b"BODY[]"]) > 100
    assert fetched[b"ENVELOPE"].subject == b"while idle"
    client.logout()


def test_imaplib_is_told_at_noop(server: Served) -> None:
    client: imaplib.IMAP4 = server.imap("clara")
    client.select("Notes")
    born(server, "clara", "while awake", fid=Special.NOTES)
    client.noop()
    _, data = client.fetch("1", "(RFC822.SIZE BODY.PEEK[])")
    assert int(re.search(rb"RFC822.SIZE (\d+)", data[0][0])[1]) == len(data[0][1])  # type: ignore[index]
    client.logout()
