"""Attachments and embedded messages (MS-OXCMSG 3.2.5.12 to 3.2.5.17)."""

import pytest

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.rows import PropertyError
from appliance.mapi.types import Bag
from appliance.rop.ops import (
    copy_properties,
    create_attachment,
    delete_attachment,
    get_attachment_table,
    get_valid_attachments,
    open_attachment,
    open_embedded_message,
    query_rows,
    save_changes_attachment,
    set_columns,
)
from appliance.store import drafts
from appliance.store.mailboxes import Special
from tests.rop.kit import Client, Reply
from tests.rop.mail import deliver
from tests.rop.ops.items import (
    KEEP_RW,
    PAGE,
    READ_ONLY,
    attach,
    create,
    get,
    get_all,
    numbers,
    open_attachment_,
    opened,
    read,
    save,
    save_attachment,
    set_,
    stream,
    write,
)
from tests.transport.office import Office

DATA = tags.PidTagAttachDataBinary
MODE = open_embedded_message.OpenModeFlags
MISSING, LARGE = PropertyError(ec.ecNotFound), PropertyError(ec.ecMAPIOOM)


def embedded(client: Client, attachment: int, mode: MODE = MODE.CREATE) -> Reply:
    return client.ask(open_embedded_message.ROP, open_embedded_message.Request(PAGE, mode), on=attachment)


@pytest.mark.covers(
    "MS-OXCMSG_2.2.3.13",
    "MS-OXCMSG_2.2.3.13.2",
    "MS-OXCMSG_3.1.4.12",
    "MS-OXCMSG_2.2.2.1",
    "MS-OXCMSG_2.2.2.6",
    "MS-OXCMSG_R446",
    "MS-OXCMSG_R447",
    "MS-OXCMSG_R448",
    "MS-OXCMSG_R449",
    "MS-OXCMSG_R450",
    "MS-OXCMSG_R451",
    "MS-OXCMSG_R2035",
    "MS-OXCMSG_R452",
    "MS-OXCMSG_R453",
    "MS-OXCMSG_R1919",
    "MS-OXCPRPT_R47",
    "MS-OXCPRPT_R318",
    "MS-OXCPRPT_R317",
    "MS-OXCPRPT_R40",
    "MS-OXCPRPT_R50",
)
def test_a_new_attachment_begins_with_what_the_specification_says(client: Client) -> None:
    message = create(client, client.logon())
    reply = client.do(create_attachment.ROP, on=message)
    assert reply.body.attachment_id == 0
    wanted = {
        tags.PidTagAttachNumber: 0,
        tags.PidTagAttachSize: 0x40,
        tags.PidTagAccessLevel: 1,
        tags.PidTagRenderingPosition: -1,
        tags.PidTagObjectType: 7,
        tags.PidTagAttachMethod: 0,
    }
    assert dict(zip(wanted, get(client, reply.handle, *wanted), strict=True)) == wanted
    created, modified = get(client, reply.handle, tags.PidTagCreationTime, tags.PidTagLastModificationTime)
    assert created == modified
    assert numbers(client, message) == ()
    assert client.do(create_attachment.ROP, on=message).body.attachment_id == 1


@pytest.mark.covers(
    "MS-OXCMSG_2.2.3.12",
    "MS-OXCMSG_2.2.3.12.1",
    "MS-OXCMSG_2.2.3.12.2",
    "MS-OXCMSG_2.2.3.15",
    "MS-OXCMSG_2.2.3.15.2",
    "MS-OXCMSG_3.1.4.11",
    "MS-OXCMSG_3.1.4.14",
    "MS-OXCMSG_3.1.4.15",
    "MS-OXCMSG_3.1.5.11",
    "MS-OXCMSG_3.1.5.12",
    "MS-OXCMSG_3.1.5.14",
    "MS-OXCMSG_2.2.1.2",
    "MS-OXCMSG_2.2.2.5",
    "MS-OXCMSG_2.2.2.7",
    "MS-OXCMSG_R436",
    "MS-OXCMSG_R462",
    "MS-OXCMSG_R1062",
    "MS-OXCPRPT_R479",
    "MS-OXCPRPT_R480",
    "MS-OXCPRPT_R825",
    "MS-OXCPRPT_R82501",
)
def test_an_attachment_is_saved_in_two_steps(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    values: Bag = {tags.PidTagAttachMethod: 1, tags.PidTagAttachLongFilename: "a.txt", DATA: b"text"}
    attach(client, message, values)
    assert numbers(client, message) == (0,)
    assert get(client, message, tags.PidTagHasAttachments, tags.PidTagMessageFlags) == [True, 0x419]
    mid = save(client, message)
    again = opened(client, logon, mid)
    assert get(client, again, tags.PidTagHasAttachments) == [True]
    attachment = open_attachment_(client, again, 0)
    assert get(
        client, attachment, DATA, tags.PidTagAttachSize, tags.PidTagDisplayName, tags.PidTagAttachExtension
    ) == [b"text", 0x44, "a.txt", ".txt"]
    set_(client, attachment, {DATA: b"other"})
    assert get(client, open_attachment_(client, again, 0), DATA) == [b"text"]
    save_attachment(client, attachment, again)
    assert get(client, open_attachment_(client, again, 0), DATA) == [b"other"]
    assert get(client, open_attachment_(client, opened(client, logon, mid), 0), DATA) == [b"text"]
    save(client, again)
    assert get(client, open_attachment_(client, opened(client, logon, mid), 0), DATA) == [b"other"]


@pytest.mark.covers(
    "MS-OXCMSG_2.2.3.14",
    "MS-OXCMSG_2.2.3.14.2",
    "MS-OXCMSG_2.2.3.18",
    "MS-OXCMSG_2.2.3.18.2",
    "MS-OXCMSG_3.1.4.13",
    "MS-OXCMSG_R469",
    "MS-OXCMSG_R1523",
    "MS-OXCMSG_R1063",
    "MS-OXCMSG_R1715",
)
def test_attachments_are_deleted_and_listed(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    for name in ("a", "b", "c"):
        attach(client, message, {tags.PidTagAttachLongFilename: name, DATA: name.encode()})
    mid = save(client, message)
    assert client.ask(delete_attachment.ROP, delete_attachment.Request(1), on=message).code == 0
    assert client.ask(delete_attachment.ROP, delete_attachment.Request(1), on=message).code == ec.ecNotFound
    assert numbers(client, message) == (0, 2)
    assert numbers(client, opened(client, logon, mid)) == (0, 1, 2)
    save(client, message)
    again = opened(client, logon, mid)
    assert numbers(client, again) == (0, 2)
    table = client.do(get_attachment_table.ROP, get_attachment_table.Request(0), on=again).handle  # type: ignore[arg-type]
    columns = (tags.PidTagAttachNumber, tags.PidTagAttachLongFilename)
    client.do(set_columns.ROP, set_columns.Request(0, columns), on=table)
    client.do(delete_attachment.ROP, delete_attachment.Request(0), on=again)
    client.do(delete_attachment.ROP, delete_attachment.Request(2), on=again)
    assert get(client, again, tags.PidTagHasAttachments) == [False]


def test_big_attachments_go_through_streams(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    data = bytes(range(256)) * 2000
    attachment = client.do(create_attachment.ROP, on=message).handle
    handle = stream(client, attachment, DATA, 2)
    write(client, handle, data)
    assert get(client, attachment, DATA) == [LARGE]
    save_attachment(client, attachment, message)
    assert read(client, stream(client, open_attachment_(client, message, 0), DATA)) == data
    mid = save(client, message)
    again = opened(client, logon, mid)
    found = open_attachment_(client, again, 0)
    assert get(client, found, DATA, tags.PidTagAttachSize) == [LARGE, len(data) + 0x40]
    assert read(client, stream(client, found, DATA)) == data
    set_(client, attachment, {tags.PidTagAttachLongFilename: "later.bin"})
    save_attachment(client, attachment, message)
    save(client, message)
    found = open_attachment_(client, opened(client, logon, mid), 0)
    assert get(client, found, tags.PidTagAttachLongFilename) == ["later.bin"]
    assert read(client, stream(client, found, DATA)) == data


@pytest.mark.covers(
    "MS-OXCMSG_2.2.3.16",
    "MS-OXCMSG_2.2.3.16.1",
    "MS-OXCMSG_2.2.3.16.2",
    "MS-OXCMSG_3.1.4.16",
    "MS-OXCMSG_3.1.4.18",
    "MS-OXCMSG_3.1.4.19",
    "MS-OXCMSG_R479",
    "MS-OXCMSG_R481",
    "MS-OXCMSG_R315",
    "MS-OXCMSG_R316",
    "MS-OXCMSG_R1848",
    "MS-OXCMSG_R3014",
)
def test_embedded_messages(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    attachment = client.do(create_attachment.ROP, on=message).handle
    set_(client, attachment, {tags.PidTagAttachMethod: 5})
    assert embedded(client, attachment, MODE.READ_ONLY).code == ec.ecNotFound
    inner = embedded(client, attachment).handle
    set_(client, inner, {tags.PidTagSubject: "Inside"})
    attach(client, inner, {tags.PidTagAttachLongFilename: "deep.bin", DATA: b"deep"})
    assert save(client, inner) == 0
    save_attachment(client, attachment, message)
    mid = save(client, message)
    again = opened(client, logon, mid)
    found = open_attachment_(client, again, 0)
    reply = embedded(client, found, MODE.READ_WRITE)
    assert reply.body.summary.normalized_subject == "Inside"
    assert get(client, reply.handle, tags.PidTagSubject) == ["Inside"]
    assert numbers(client, reply.handle) == (0,)
    deep = open_attachment_(client, reply.handle, 0)
    assert get(client, deep, DATA) == [b"deep"]
    set_(client, reply.handle, {tags.PidTagSubject: "Changed"})
    save(client, reply.handle)
    assert embedded(
        client, open_attachment_(client, again, 0), MODE.READ_ONLY
    ).body.summary.normalized_subject == ("Inside")
    save_attachment(client, found, again)
    save(client, again)
    third = embedded(client, open_attachment_(client, opened(client, logon, mid), 0), MODE.READ_ONLY)
    assert third.body.summary.normalized_subject == "Changed"
    set_(client, inner, {tags.PidTagSubject: "x"})
    assert get(client, inner, tags.PidTagSubject) == ["x"]


MIME = (
    b"From: b@x.test\r\nTo: anna@example.test\r\nSubject: Files\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee below\r\n'
    b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="a.bin"\r\n\r\nAAECAwQ=\r\n'
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: c@x.test\r\nTo: Dora <d@x.test>\r\nSubject: Re:"
    b" Inner\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="c"\r\n\r\n--c\r\n\r\ninner text\r\n--c\r\n'
    b'Content-Disposition: attachment; filename="i.txt"\r\n\r\ninside\r\n--c--\r\n--b--\r\n'
)


@pytest.mark.covers(
    "MS-OXCMSG_R312",
)
def test_attachments_of_mail_are_read_from_it(client: Client, office: Office) -> None:
    row = deliver(office, client.user, MIME)
    logon = client.logon()
    message = opened(client, logon, row.mid, Special.INBOX)
    assert get(client, message, tags.PidTagHasAttachments, tags.PidTagBody) == [True, "See below"]
    assert numbers(client, message) == (0, 1)
    first = open_attachment_(client, message, 0)
    assert get(client, first, tags.PidTagAttachLongFilename, tags.PidTagAttachMethod) == ["a.bin", 1]
    assert read(client, stream(client, first, DATA)) == bytes(range(5))
    second = open_attachment_(client, message, 1)
    assert get(client, second, tags.PidTagAttachMethod) == [5]
    reply = embedded(client, second, MODE.READ_ONLY)
    summary = reply.body.summary
    assert (summary.subject_prefix, summary.normalized_subject, summary.recipient_count) == (
        "Re: ",
        "Inner",
        1,
    )
    assert get(client, reply.handle, tags.PidTagBody) == ["inner text"]
    inside = open_attachment_(client, reply.handle, 0, 0)
    assert read(client, stream(client, inside, DATA)) == b"inside"
    assert get_all(client, message)[tags.PidTagSubject] == "Files"


def test_attachments_of_mail_change(client: Client, office: Office) -> None:
    row = deliver(office, client.user, MIME)
    logon = client.logon()
    message = opened(client, logon, row.mid, Special.INBOX)
    first = open_attachment_(client, message, 0)
    set_(client, first, {tags.PidTagAttachLongFilename: "b.bin"})
    save_attachment(client, first, message)
    second = open_attachment_(client, message, 1)
    inner = embedded(client, second, MODE.READ_WRITE).handle
    set_(client, inner, {tags.PidTagSubject: "New inner"})
    save(client, inner)
    save_attachment(client, second, message)
    assert attach(client, message, {DATA: b"third"}) == 2
    save(client, message)
    again = opened(client, logon, row.mid, Special.INBOX)
    assert numbers(client, again) == (0, 1, 2)
    first = open_attachment_(client, again, 0)
    assert get(client, first, tags.PidTagAttachLongFilename, DATA) == ["b.bin", bytes(range(5))]
    reply = embedded(client, open_attachment_(client, again, 1), MODE.READ_ONLY)
    assert reply.body.summary.normalized_subject == "New inner"
    assert get(client, reply.handle, tags.PidTagBody) == ["inner text"]
    assert get(client, again, tags.PidTagBody) == ["See below"]


@pytest.mark.covers(
    "MS-OXCMSG_R440",
    "MS-OXCMSG_R442",
    "MS-OXCMSG_R1620",
    "MS-OXCMSG_R1712",
    "MS-OXCMSG_R467",
    "MS-OXCMSG_R1064",
    "MS-OXCMSG_R1524",
    "MS-OXCMSG_R1066",
    "MS-OXCMSG_R1525",
    "MS-OXCMSG_R1068",
    "MS-OXCMSG_R1526",
    "MS-OXCMSG_R298",
)
def test_what_cannot_be_done(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    attachment = attach(client, message, {DATA: b"x"}, keep=True)
    mid = save(client, message)
    request = open_attachment.Request(open_attachment.OpenAttachmentFlags(0), 9)
    assert client.ask(open_attachment.ROP, request, on=message).code == ec.ecNotFound
    reader = opened(client, logon, mid, mode=READ_ONLY)
    denied = open_attachment.Request(open_attachment.OpenAttachmentFlags(1), 0)
    assert client.ask(open_attachment.ROP, denied, on=reader).code == ec.ecAccessDenied
    assert client.ask(create_attachment.ROP, on=reader).code == ec.ecAccessDenied
    assert (
        client.ask(delete_attachment.ROP, delete_attachment.Request(0), on=reader).code == ec.ecAccessDenied
    )
    readable = open_attachment_(client, reader, 0, 3)
    assert embedded(client, readable).code == ec.ecAccessDenied
    assert get(client, readable, tags.PidTagAccessLevel) == [0]
    for rop, wanted in (
        (create_attachment.ROP, None),
        (delete_attachment.ROP, delete_attachment.Request(0)),
        (open_attachment.ROP, request),
        (get_valid_attachments.ROP, None),
        (get_attachment_table.ROP, get_attachment_table.Request(get_attachment_table.TableFlags(0))),
    ):
        assert client.ask(rop, wanted, on=logon).code == ec.ecNullObject
        assert client.ask(rop, wanted, on=attachment).code == ec.ecNullObject
    saving = save_changes_attachment.Request(KEEP_RW)
    assert client.ask(save_changes_attachment.ROP, saving, on=message).code == ec.ecNotSupported
    assert embedded(client, message).code == ec.ecNullObject
    unknown = open_embedded_message.Request(4711, MODE.CREATE)
    assert client.ask(open_embedded_message.ROP, unknown, on=attachment).code == ec.ecUnknownCodePage


def test_nesting_has_an_end(client: Client) -> None:
    message = create(client, client.logon())
    handle = message
    codes = []
    for _ in range(20):
        attachment = client.do(create_attachment.ROP, on=handle).handle
        reply = embedded(client, attachment)
        codes.append(reply.code)
        if reply.code:
            break
        handle = reply.handle
    assert codes[-1] == ec.ecTooComplex
    assert 10 < len(codes) < 20


@pytest.mark.parametrize("count", [3])
@pytest.mark.covers(
    "MS-OXCMSG_2.2.3.17",
    "MS-OXCMSG_2.2.3.17.1",
    "MS-OXCMSG_2.2.3.17.2",
    "MS-OXCMSG_3.1.4.17",
    "MS-OXCMSG_3.1.5.16",
    "MS-OXCMSG_R490",
)
def test_the_attachment_table(client: Client, count: int) -> None:
    message = create(client, client.logon())
    for number in range(count):
        attach(client, message, {tags.PidTagAttachLongFilename: f"{number}.txt", DATA: b"x" * number})
    request = get_attachment_table.Request(get_attachment_table.TableFlags.UNICODE)
    table = client.do(get_attachment_table.ROP, request, on=message).handle
    columns = (tags.PidTagAttachNumber, tags.PidTagAttachLongFilename, tags.PidTagAttachSize)
    client.do(set_columns.ROP, set_columns.Request(0, columns), on=table)
    body = client.do(
        query_rows.ROP, query_rows.Request(query_rows.QueryRowsFlags(0), True, 10), on=table
    ).body
    assert body.row_count == count


@pytest.mark.covers("MS-OXCMSG_R466")
def test_flags_that_contradict_each_other(client: Client) -> None:
    message = create(client, client.logon())
    attachment = client.do(create_attachment.ROP, on=message).handle
    both = save_changes_attachment.Request(save_changes_attachment.SaveFlags(0x03))
    reply = client.ask(save_changes_attachment.ROP, both, on=attachment, dest=message)
    assert reply.code == ec.ecNotSupported
    assert numbers(client, message) == ()
    save_attachment(client, attachment, message)
    assert numbers(client, message) == (0,)


@pytest.mark.covers("MS-OXCMSG_R1060")
def test_more_attachments_than_a_message_may_have(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MAX_ATTACHMENTS", 3)
    message = create(client, client.logon())
    for _ in range(3):
        attach(client, message, {DATA: b"x"})
    assert client.ask(create_attachment.ROP, on=message).code == ec.ecMaxAttachmentExceeded
    assert numbers(client, message) == (0, 1, 2)


@pytest.mark.covers("MS-OXCMSG_2.2.1.52")
def test_one_name_stands_for_all_attachments(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    for name in ("a.txt", "b.txt"):
        attach(client, message, {tags.PidTagAttachLongFilename: name, DATA: b"x"})
    set_(client, message, {tags.PidTagSubject: "Files"})
    whole, without = create(client, logon), create(client, logon)
    for target, left_out in ((whole, ()), (without, (tags.PidTagMessageAttachments,))):
        request = copy_properties.ToRequest(False, True, copy_properties.CopyFlags(0), left_out)
        client.do(copy_properties.COPY_TO, request, on=message, dest=target)
    assert (numbers(client, whole), numbers(client, without)) == ((0, 1), ())
    assert get(client, without, tags.PidTagSubject) == ["Files"]
