"""The worked examples of MS-OXPROTO (3.1 to 3.3), step by step against a server in a process of its own."""

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from appliance.addressbook.stat import Stat
from appliance.mapi import tags
from appliance.mapi.rows import AddressType, RecipientRow
from appliance.mapi.values import rop_form
from appliance.protocols.mapihttp.bodies import nspi
from appliance.rop.notify.data import Notify, Type
from appliance.rop.ops import (
    create_attachment,
    get_contents_table,
    logon,
    modify_recipients,
    open_attachment,
    open_folder,
    query_rows,
    register_notification,
    save_changes_attachment,
    set_columns,
    sort_table,
    submit_message,
)
from appliance.store.mailboxes import Special
from appliance.wire.cursor import Writer
from tests.bench.mapi import legacy_dns
from tests.mapiclient import MapiClient, Wire
from tests.rop.kit import unpack
from tests.rop.ops.items import create, get, opened, row, save, set_
from tests.served import PASSWORD, Served, address, make_office

INBOX_INDEX = 4
"""Of FolderIds in the response to RopLogon (MS-OXCSTOR 2.2.1.1.3)."""

MAPI_TO = 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = make_office(tmp_path_factory.mktemp("examples") / "data")
    names = legacy_dns(data)
    with Served(data) as server:
        server.names = names  # type: ignore[attr-defined]
        yield server


@pytest.fixture
def anna(server: Served) -> Iterator["Person"]:
    with Person(server, "anna") as person:
        yield person


@pytest.fixture
def ben(server: Served) -> Iterator["Person"]:
    with Person(server, "ben") as person:
        yield person


class Person:
    """Somebody who logged on (2.5.2): the client, the handle of the mailbox, the FID of the inbox."""

    def __init__(self, server: Served, who: str) -> None:
        self.server, self.address = server, address(who)
        self.client = MapiClient(server.offset + 80, self.address, PASSWORD)
        self.client.connect(server.names[who])  # type: ignore[attr-defined]
        flags = logon.OpenFlags.HOME_LOGON | logon.OpenFlags.USE_PER_MDB_REPLID_MAPPING
        essdn = server.names[who].encode() + b"\0"  # type: ignore[attr-defined]
        reply = self.client.do(logon.ROP, logon.Request(logon.LogonFlags.PRIVATE, flags, 0, essdn))
        self.mailbox: int = reply.handle
        self.inbox: int = reply.body.folder_ids[INBOX_INDEX]

    def __enter__(self) -> "Person":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.close()

    def watch(self) -> None:
        """RopRegisterNotification for new mail in the inbox (2.5.13)."""
        request = register_notification.Request(Type.NEW_MAIL, None, False, self.inbox, 0)
        self.client.do(register_notification.ROP, request, on=self.mailbox)

    def news(self) -> list[Notify]:
        """What has come, once something has."""
        while not self.client.wait():
            pass
        (data,) = self.client.raw(b"\x02\x00")
        return unpack(data, []).notices

    def newest(self, *columns: int) -> list[object]:
        """The first row of the inbox, the newest first (2.5.10)."""
        client = self.client
        folder = client.do(
            open_folder.ROP, open_folder.Request(self.inbox, open_folder.OpenModeFlags(0)), on=self.mailbox
        ).handle
        flags = get_contents_table.TableFlags(0)
        table = client.do(get_contents_table.ROP, get_contents_table.Request(flags), on=folder).handle
        client.do(set_columns.ROP, set_columns.Request(0, columns), on=table)
        order = sort_table.Order(tags.PidTagMessageDeliveryTime, 1)
        client.do(sort_table.ROP, sort_table.Request(0, 1, 0, 0, (order,)), on=table)
        request = query_rows.Request(query_rows.QueryRowsFlags(0), True, 1)
        found = client.do(query_rows.ROP, request, on=table).body
        assert found.row_count == 1
        return row(found.row_data, columns)

    def receive(self, subject: str, text: str) -> None:
        """Mail from outside."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "carol@elsewhere.test", self.address, subject
        message.set_content(text)
        with self.server.smtp() as smtp:
            smtp.send_message(message, "carol@elsewhere.test", [self.address])


@pytest.mark.covers("MS-OXCMAPIHTTP_R226")
def test_display_the_most_recent_message_of_the_inbox(anna: Person) -> None:
    """MS-OXPROTO 3.1."""
    anna.watch()
    for number in range(3):
        anna.receive(f"Number {number}", f"Text {number}\n")
        while len(anna.news()) < 1:
            pass
    mid, subject = anna.newest(tags.PidTagMid, tags.PidTagSubject)
    assert subject == "Number 2"
    message = opened(anna.client, anna.mailbox, from_int64(mid), anna.inbox)
    body, subject, sender = get(
        anna.client, message, tags.PidTagBody, tags.PidTagSubject, tags.PidTagSenderEmailAddress
    )
    assert (body.strip(), subject, sender) == ("Text 2", "Number 2", "carol@elsewhere.test")


def from_int64(value: object) -> int:
    """A PtypInteger64 that is a MID (MS-OXCDATA 2.2.1.2), as our number."""
    assert isinstance(value, int)
    raw = (value & (1 << 64) - 1).to_bytes(8, "little")
    return int.from_bytes(raw[:2], "little") << 48 | int.from_bytes(raw[2:], "big")


def test_compose_and_send_a_message_with_an_attachment(anna: Person, ben: Person) -> None:
    """MS-OXPROTO 3.2."""
    ben.watch()
    client = anna.client
    message = create(client, anna.mailbox, Special.DRAFTS)
    book = client.nspi()
    book.ask("Bind", nspi.BindRequest(0, Stat()), nspi.BindResponse)
    found = resolve(book, "ben")
    assert found[2] == ben.address
    add_recipient(client, message, *found)
    attachment = client.do(create_attachment.ROP, on=message)
    set_(
        client,
        attachment.handle,
        {
            tags.PidTagAttachMethod: 1,
            tags.PidTagAttachLongFilename: "plan.bin",
            tags.PidTagAttachDataBinary: b"\x00\x01\x02" * 500,
        },
    )
    request = save_changes_attachment.Request(save_changes_attachment.SaveFlags(2))
    client.do(save_changes_attachment.ROP, request, on=attachment.handle, dest=message)
    values = {
        tags.PidTagMessageClass: "IPM.Note",
        tags.PidTagSubject: "The plan",
        tags.PidTagBody: "Here it is.\r\n",
    }
    set_(client, message, values)
    save(client, message)
    submit = submit_message.ROPS[0]
    client.do(submit, submit_message.Request(submit_message.SubmitFlags(0)), on=message)
    book.close()
    (notice,) = ben.news()
    got = opened(ben.client, ben.mailbox, notice.data.message_id, ben.inbox)
    assert get(ben.client, got, tags.PidTagSubject, tags.PidTagSenderName, tags.PidTagHasAttachments) == [
        "The plan",
        client.display_name,
        True,
    ]
    attached = ben.client.do(
        open_attachment.ROP, open_attachment.Request(open_attachment.OpenAttachmentFlags(0), 0), on=got
    ).handle
    wanted = (tags.PidTagAttachLongFilename, tags.PidTagAttachDataBinary)
    name, data = get(ben.client, attached, *wanted)
    assert (name, data) == ("plan.bin", b"\x00\x01\x02" * 500)
    with ben.server.imap("ben") as imap:
        imap.select("INBOX", readonly=True)
        _, data = imap.search(None, "SUBJECT", '"The plan"')
        _, parts = imap.fetch(data[0].split()[-1].decode(), "(RFC822)")
    assert isinstance(parts[0], tuple)
    mime = email.message_from_bytes(parts[0][1], policy=email.policy.default)
    (part,) = mime.iter_attachments()  # type: ignore[attr-defined]
    assert (part.get_filename(), part.get_content()) == ("plan.bin", b"\x00\x01\x02" * 500)


def resolve(book: Wire, name: str) -> tuple[str, str, str]:
    """Ambiguous name resolution (2.5.6): display name, X.500 address and SMTP address of the one match."""
    columns = (tags.PidTagDisplayName, tags.PidTagEmailAddress, tags.PidTagSmtpAddress)
    request = nspi.ResolveNamesRequest(0, Stat(), columns, (name,))
    response = book.ask("ResolveNames", request, nspi.ResolveNamesResponse)
    assert response.minimal_ids == (2,)
    assert response.rows is not None
    ((display, dn, smtp),) = response.rows.rows
    return str(display), str(dn), str(smtp)


def add_recipient(client: MapiClient, message: int, display: str, dn: str, smtp: str) -> None:
    """RopModifyRecipients with a user of the address book."""
    columns = (tags.PidTagSmtpAddress,)
    writer = Writer()
    recipient = RecipientRow(
        AddressType.X500DN, x500dn=dn, display_name=display, transmittable_name=display, cells=[smtp]
    )
    recipient.encode(writer, columns, rop_form(1252))
    rows = (modify_recipients.ModifyRecipientRow(0, MAPI_TO, writer.getvalue()),)
    client.do(modify_recipients.ROP, modify_recipients.Request(columns, rows), on=message)


def test_set_up_and_display_new_mail_notifications(anna: Person) -> None:
    """MS-OXPROTO 3.3."""
    anna.watch()
    poll = anna.client.poll()
    anna.receive("Ding", "dong\n")
    assert poll.end().event_pending == 1
    (notice,) = anna.news()
    assert notice.data.flags & Type.NEW_MAIL
    assert notice.data.folder_id == anna.inbox
    assert notice.data.message_class == "IPM.Note"
    mid, subject = anna.newest(tags.PidTagMid, tags.PidTagSubject)
    assert (from_int64(mid), subject) == (notice.data.message_id, "Ding")
