"""Recipients of messages (MS-OXCMSG 3.2.5.4 to 3.2.5.7, MS-OXCDATA 2.8.3)."""

import pytest

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.rows import AddressType, RecipientRow
from appliance.rop.ops import (
    modify_recipients,
    read_recipients,
    reload_cached_information,
    remove_all_recipients,
)
from appliance.store.mailboxes import Special
from appliance.wire.cursor import Reader
from tests.rop.kit import Client, Reply
from tests.rop.mail import deliver
from tests.rop.ops.items import (
    FORM,
    READ_ONLY,
    create,
    get,
    open_,
    opened,
    recipients_request,
    save,
    set_,
    smtp,
    try_save,
)
from tests.transport.office import Office

REMOVE = remove_all_recipients.Request(0)


def modify(client: Client, message: int, rows: dict, columns: tuple[int, ...] = ()) -> Reply:  # type: ignore[type-arg]
    return client.ask(modify_recipients.ROP, recipients_request(rows, columns), on=message)


def reload(client: Client, message: int) -> list[RecipientRow]:
    body = client.do(reload_cached_information.ROP, reload_cached_information.Request(0), on=message).body
    assert body.row_count == len(body.rows) <= body.recipient_count
    found = []
    for each in body.rows:
        reader = Reader(each.row)
        found.append(RecipientRow.decode(reader, body.columns, FORM))
        reader.expect_end()
    return found


def read_rows(client: Client, message: int, first: int = 0) -> Reply:
    return client.ask(read_recipients.ROP, read_recipients.Request(first, 0), on=message)


@pytest.mark.covers(
    "MS-OXCMSG_2.8.3.2",
    "MS-OXCMSG_2.2.1.37",
    "MS-OXCMSG_2.2.1.54",
    "MS-OXCMSG_2.2.3.5",
    "MS-OXCMSG_2.2.3.5.2",
    "MS-OXCMSG_2.2.3.6",
    "MS-OXCMSG_2.2.3.6.2",
    "MS-OXCMSG_2.2.3.7",
    "MS-OXCMSG_2.2.3.7.2",
    "MS-OXCMSG_3.1.4.5",
    "MS-OXCMSG_3.1.4.6",
    "MS-OXCMSG_3.1.4.7",
    "MS-OXCMSG_3.1.5.4",
    "MS-OXCMSG_3.1.5.5",
    "MS-OXCMSG_3.1.5.6",
    "MS-OXCMSG_2.2.1.38",
    "MS-OXCMSG_R388",
    "MS-OXCMSG_R389",
    "MS-OXCMSG_R390",
    "MS-OXCMSG_R391",
    "MS-OXCMSG_R393",
    "MS-OXCMSG_R394",
    "MS-OXCMSG_R400",
    "MS-OXCMSG_R401",
    "MS-OXCMSG_R1055",
)
def test_recipients_are_added_changed_deleted_and_saved(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    columns = (tags.PidTagRecipientTrackStatus, tags.PidTagSmtpAddress)
    bob = smtp("bob@other.test", "Bob", cells=[3, "bob@other.test"])
    rows = {0: (1, bob), 1: (2, smtp("c@other.test", "Carl", cells=[])), 7: (3, smtp("d@x.test", "Dora"))}
    assert modify(client, message, rows, columns).code == 0
    assert [(row.email, row.display_name) for row in reload(client, message)] == [
        ("bob@other.test", "Bob"),
        ("c@other.test", "Carl"),
        ("d@x.test", "Dora"),
    ]
    assert modify(client, message, {1: (2, None), 0: (1, smtp("bob@new.test", "Bob"))}).code == 0
    mid = save(client, message)
    body = open_(client, logon, mid).body
    assert (body.recipient_count, body.row_count) == (2, 2)
    assert [row.recipient_type for row in body.rows] == [1, 3]
    again = opened(client, logon, mid)
    assert [row.email for row in reload(client, again)] == ["bob@new.test", "d@x.test"]
    assert get(client, again, tags.PidTagDisplayTo, tags.PidTagDisplayCc, tags.PidTagDisplayBcc) == [
        "Bob",
        "",
        "Dora",
    ]
    found = read_rows(client, again)
    assert [row.row_id for row in found.body.rows] == [0, 7]
    assert [row.row_id for row in read_rows(client, again, 7).body.rows] == [7]
    assert read_rows(client, again, 3).code == ec.ecNotFound


@pytest.mark.covers(
    "MS-OXCMSG_2.2.3.4",
    "MS-OXCMSG_2.2.3.4.2",
    "MS-OXCMSG_3.1.4.4",
    "MS-OXCMSG_R379",
    "MS-OXCMSG_R381",
    "MS-OXCMSG_R382",
    "MS-OXCMSG_R1491",
    "MS-OXCMSG_R395",
    "MS-OXCMSG_R403",
)
def test_unsaved_recipients_are_seen_through_their_handle_alone(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    modify(client, message, {0: (1, smtp("bob@other.test", "Bob"))})
    mid = save(client, message)
    other = opened(client, logon, mid)
    assert client.ask(remove_all_recipients.ROP, REMOVE, on=message).code == 0
    assert reload(client, message) == []
    assert read_rows(client, message).code == ec.ecNotFound
    assert len(reload(client, other)) == 1
    assert client.ask(remove_all_recipients.ROP, REMOVE, on=message).code == 0
    save(client, message)
    assert reload(client, opened(client, logon, mid)) == []


@pytest.mark.parametrize(
    ("row", "address_type", "email"),
    [
        (RecipientRow(AddressType.NONE, address_type="FOO", email="x", display_name="X"), "FOO", "x"),
        (RecipientRow(AddressType.MS_MAIL, email="n/p/u", display_name="X"), "MS", "n/p/u"),
        (RecipientRow(AddressType.FAX, email="+49", display_name="X"), "FAX", "+49"),
        (RecipientRow(AddressType.PROFESSIONAL_OFFICE_SYSTEM, email="p", display_name="X"), "PROFS", "p"),
        (
            RecipientRow(
                AddressType.PERSONAL_DISTRIBUTION_LIST_1,
                entry_id=b"e" * 30,
                search_key=b"k",
                display_name="X",
            ),
            "MAPIPDL",
            None,
        ),
    ],
)
@pytest.mark.covers(
    "MS-OXCMSG_2.8.3.1",
)
def test_every_type_of_address(
    client: Client, row: RecipientRow, address_type: str, email: str | None
) -> None:
    logon = client.logon()
    message = create(client, logon)
    assert modify(client, message, {0: (1, row)}).code == 0
    (found,) = reload(client, opened(client, logon, save(client, message)))
    assert (found.type, found.address_type, found.email) == (row.type, row.address_type, email)
    assert (found.entry_id, found.search_key) == (row.entry_id, row.search_key)


@pytest.mark.covers(
    "MS-OXCMSG_2.2.5.2",
)
def test_people_of_the_office_are_known_by_their_name(client: Client, office: Office) -> None:
    bob = office.user("bob@example.test", display_name="Bob")
    message = create(client, client.logon())
    prefix = len(client.user.legacy_dn) - 4
    assert bob.legacy_dn[:prefix] != bob.legacy_dn
    whole = RecipientRow(AddressType.X500DN, x500dn=bob.legacy_dn, display_name="Bob")
    own = RecipientRow(AddressType.X500DN, prefix_used=prefix, x500dn=client.user.legacy_dn[prefix:])
    assert modify(client, message, {0: (1, whole), 1: (2, own)}).code == 0
    first, second = reload(client, message)
    assert first.x500dn == bob.legacy_dn
    assert second.x500dn == client.user.legacy_dn
    assert second.display_name == client.user.display_name


def test_rows_that_are_none_change_nothing(client: Client) -> None:
    message = create(client, client.logon())
    request = recipients_request({0: (1, smtp("a@b.test", "A")), 1: (1, smtp("b@b.test", "B"))})
    request.rows[1].row = request.rows[1].row[:-1]
    assert client.ask(modify_recipients.ROP, request, on=message).code == ec.ecInvalidParam
    assert reload(client, message) == []


@pytest.mark.covers(
    "MS-OXCMSG_R1054",
    "MS-OXCMSG_R1495",
    "MS-OXCMSG_R1056",
    "MS-OXCMSG_2.2.1.47",
)
def test_more_recipients_than_fit(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    for start in range(0, 600, 100):
        rows = {n: (1, smtp(f"user{n}@other.test", f"User {n}")) for n in range(start, start + 100)}
        assert modify(client, message, rows).code == 0
    mid = save(client, message)
    body = open_(client, logon, mid).body
    assert body.recipient_count == 600
    assert 0 < body.row_count == len(body.rows) < 256
    handle = opened(client, logon, mid)
    seen: list[int] = []
    while len(seen) < 600:
        seen += [row.row_id for row in read_rows(client, handle, len(seen)).body.rows]
    assert seen == list(range(600))


def test_a_mail_gets_other_recipients(client: Client, office: Office) -> None:
    raw = b"From: b@x.test\r\nTo: Anna <anna@example.test>, c@x.test\r\nSubject: S\r\n\r\nText\r\n"
    row = deliver(office, client.user, raw)
    logon = client.logon()
    message = opened(client, logon, row.mid, Special.INBOX)
    assert [each.email for each in reload(client, message)] == ["anna@example.test", "c@x.test"]
    assert modify(client, message, {1: (1, None), 2: (2, smtp("d@x.test", "D"))}).code == 0
    assert [each.email for each in reload(client, message)] == ["anna@example.test", "d@x.test"]
    save(client, message)
    again = opened(client, logon, row.mid, Special.INBOX)
    assert [each.email for each in reload(client, again)] == ["anna@example.test", "d@x.test"]
    assert get(client, again, tags.PidTagBody, tags.PidTagSubject) == ["Text\r\n", "S"]


@pytest.mark.covers(
    "MS-OXCMSG_R1493",
    "MS-OXCMSG_R1982",
    "MS-OXCMSG_R1057",
    "MS-OXCMSG_R1498",
)
def test_wrong_handles(client: Client) -> None:
    logon = client.logon()
    for rop, request in (
        (remove_all_recipients.ROP, REMOVE),
        (modify_recipients.ROP, recipients_request({})),
        (read_recipients.ROP, read_recipients.Request(0, 0)),
        (reload_cached_information.ROP, reload_cached_information.Request(0)),
    ):
        assert client.ask(rop, request, on=logon).code == ec.ecNullObject
    message = create(client, logon)
    mid = save(client, message)
    reader = opened(client, logon, mid, mode=READ_ONLY)
    assert client.ask(remove_all_recipients.ROP, REMOVE, on=reader).code == ec.ecAccessDenied
    assert modify(client, reader, {0: (1, smtp("a@b.test", "A"))}).code == ec.ecAccessDenied
    set_(client, message, {tags.PidTagSubject: "x"})
    assert try_save(client, message).code == 0


@pytest.mark.covers("MS-OXCMSG_2.2.1.30", "MS-OXCMSG_2.2.1.40")
def test_columns_of_recipients_are_kept(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    columns = (tags.PidTagRecipientOrder, tags.PidTagAddressBookDisplayNamePrintable)
    rows = {
        number: (1, smtp(f"{name}@other.test", name, cells=[order, f"{name} (printable)"]))
        for number, (name, order) in enumerate((("bob", 2), ("carl", 0), ("dora", 1)))
    }
    assert modify(client, message, rows, columns).code == 0
    body_of = reload_cached_information.Request(0)
    again = opened(client, logon, save(client, message))
    shown = client.do(reload_cached_information.ROP, body_of, on=again).body.columns
    found = [
        dict(zip(shown, row.cells, strict=True)) | {tags.PidTagDisplayName: row.display_name}
        for row in reload(client, again)
    ]
    assert [[row[tag] for tag in (tags.PidTagDisplayName, *columns)] for row in found] == [
        ["bob", 2, "bob (printable)"],
        ["carl", 0, "carl (printable)"],
        ["dora", 1, "dora (printable)"],
    ]
