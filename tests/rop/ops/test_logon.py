"""RopLogon and the properties of a logon (MS-OXCSTOR 2.2.1.1, 2.2.2, 3.2.5.1; MS-OXCROPS 2.2.3.1)."""

import datetime
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.directory import entries
from appliance.directory.links import Link
from appliance.directory.model import Entry, Right
from appliance.directory.properties import entry_id
from appliance.mailbox import public, quotas
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.ids import ServerId, short_to_wire
from appliance.mapi.names import PS_PUBLIC_STRINGS, PropertyName
from appliance.mapi.rows import PropertyError
from appliance.rop import batch
from appliance.rop.ops import (
    delete_properties,
    get_property_ids_from_names,
    logon,
    long_term_ids,
    set_properties,
)
from appliance.store import mailboxes
from appliance.store.mailboxes import PublicSpecial, Special
from tests.conftest import EPOCH
from tests.rop.kit import Client, Reply
from tests.rop.mail import append
from tests.rop.ops.items import FORM, get, listed, set_
from tests.transport.office import Office

PRIVATE = logon.LogonFlags.PRIVATE
MAPPED = logon.OpenFlags.HOME_LOGON | logon.OpenFlags.USE_PER_MDB_REPLID_MAPPING


def ask(
    client: Client,
    name: str,
    flags: logon.OpenFlags = MAPPED,
    kind: logon.LogonFlags = PRIVATE,
    logon_id: int = 0,
) -> Reply:
    request = logon.Request(kind, flags, 0, name.encode() + b"\0")
    return client.ask(logon.ROP, request, logon_id=logon_id)


@pytest.mark.covers(
    "MS-OXCSTOR_R4",
    "MS-OXCSTOR_R767",
    "MS-OXCSTOR_R815",
    "MS-OXCSTOR_R821",
    "MS-OXCSTOR_R1200",
)
@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.1",
    "MS-OXCROPS_2.2.3.1.1",
    "MS-OXCROPS_2.2.3.1.2",
    "MS-OXCROPS_2.2.3.1.2.1",
    "MS-OXCSTOR_2.2.1.1",
    "MS-OXCSTOR_2.2.1.1.1",
    "MS-OXCSTOR_2.2.1.1.3",
    "MS-OXCSTOR_3.2.5.1",
)
def test_the_bytes_of_a_private_logon(client: Client, office: Office, anna: Entry) -> None:
    name = anna.legacy_dn.encode() + b"\0"
    body = b"\x01\x04\x00\x00\x01" + b"\xaa\xbb\xcc\xdd" + struct.pack("<H", len(name)) + name
    before = datetime.datetime.now(datetime.UTC)
    (data,) = client.raw(batch.pack(b"\xfe\x07\x00" + body, [batch.NO_HANDLE]))
    assert struct.unpack_from("<H", data) == (len(data) - 4,)
    assert len(data) == 2 + 6 + 160 + 4
    assert data[2:9] == b"\xfe\x00\0\0\0\0\x01"
    with office.store.read() as txn:
        identity = mailboxes.identity(txn, anna.mailbox)
    ids = [data[at : at + 8] for at in range(9, 9 + 104, 8)]
    order = (
        Special.ROOT, Special.DEFERRED_ACTION, Special.SPOOLER_QUEUE, Special.IPM_SUBTREE, Special.INBOX,
        Special.OUTBOX, Special.SENT, Special.TRASH, Special.COMMON_VIEWS, Special.SCHEDULE,
        Special.FINDER, Special.VIEWS, Special.SHORTCUTS,
    )  # fmt: skip
    assert ids == [short_to_wire(fid) for fid in order]
    rest = data[113:-4]
    assert rest[0] == 0x07
    assert rest[1:17] == identity.guid
    assert rest[17:19] == b"\x01\x00"
    assert rest[19:35] == identity.replica_guid
    second, minute, hour, weekday, day, month, year = struct.unpack_from("<6BH", rest, 35)
    at = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    assert abs((at - before).total_seconds()) < 600
    assert weekday == at.isoweekday() % 7
    assert rest[43:] == bytes(8) + bytes(4)


@pytest.mark.covers(
    "MS-OXCSTOR_R163",
    "MS-OXCSTOR_R59751",
)
@pytest.mark.covers(
    "MS-OXCROPS_R214",
)
@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.1.3",
    "MS-OXCSTOR_2.2.1.1.4",
    "MS-OXCSTOR_R825",
    "MS-OXCSTOR_R826",
    "MS-OXCSTOR_R827",
    "MS-OXCSTOR_R841",
    "MS-OXCSTOR_R3110001",
    "MS-OXCSTOR_R835",
    "MS-OXCSTOR_R59753",
)
def test_public_folders(client: Client, office: Office) -> None:
    public_flags = logon.OpenFlags.PUBLIC | MAPPED
    kind = logon.LogonFlags(0)
    assert ask(client, "", public_flags, kind).code == ec.ecLoginFailure
    office.write(lambda txn: public.create_store(txn, guids=(bytes(16), bytes(16)), uidvalidity=5, now=EPOCH))
    assert ask(client, "", MAPPED, kind).code == ec.ecError
    other = public_flags | logon.OpenFlags.ALTERNATE_SERVER
    assert ask(client, "", other, kind).code == ec.ecLoginFailure
    request = b"\xfe\x00\x00\x00" + int(public_flags).to_bytes(4, "little") + bytes(4) + b"\x01\x00\0"
    (data,) = client.raw(batch.pack(request, [batch.NO_HANDLE]))
    assert len(data) == 2 + 6 + 1 + 104 + 2 + 16 + 16 + 4
    ids = [data[at : at + 8] for at in range(9, 9 + 104, 8)]
    assert ids[:5] == [short_to_wire(PublicSpecial.ROOT + n) for n in range(5)]
    assert data[113:115] == b"\x01\x00"
    assert data[-20:-4] == bytes(16)


@pytest.mark.covers(
    "MS-OXCSTOR_R193",
    "MS-OXCSTOR_R1273",
)
@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.1.5",
    "MS-OXCSTOR_3.2.5.1.3",
    "MS-OXCSTOR_R787",
    "MS-OXCSTOR_R788",
    "MS-OXCSTOR_R794",
    "MS-OXCSTOR_R1202",
    "MS-OXCSTOR_R59746",
)
def test_who_cannot_be_logged_on_to(client: Client, office: Office, anna: Entry) -> None:
    gone = office.user("gone@example.test", enabled=False)
    contact = office.contact("someone@elsewhere.test")
    for name in ("/o=Example Ltd/cn=nobody", "", "\x7f\x01", gone.legacy_dn, contact.legacy_dn):
        assert ask(client, name).code == ec.ecUnknownUser
    assert client.ask(logon.ROP, logon.Request(PRIVATE, MAPPED, 0, b"\xff\xfe\0")).code == ec.ecUnknownUser
    assert ask(client, anna.legacy_dn, logon.OpenFlags(0x40000000)).code == ec.ecError
    assert ask(client, anna.legacy_dn, kind=logon.LogonFlags(0x81)).code == ec.ecError
    assert ask(client, anna.legacy_dn).code == 0


@pytest.mark.covers(
    "MS-OXCSTOR_R3102001",
)
@pytest.mark.covers("MS-OXCSTOR_R3102", "MS-OXCSTOR_R175", "MS-OXCSTOR_R176")
def test_an_unknown_code_page(connect: Callable[..., Client], anna: Entry) -> None:
    assert ask(connect(anna, code_page=4711), anna.legacy_dn).code == ec.ecUnknownCodePage


@pytest.mark.covers(
    "MS-OXCSTOR_R3155",
    "MS-OXCSTOR_R3146",
)
@pytest.mark.covers(
    "MS-OXCSTOR_R1046", "MS-OXCSTOR_R802", "MS-OXCSTOR_R803", "MS-OXCSTOR_R1204", "MS-OXCSTOR_R3905001"
)
def test_other_mailboxes(client: Client, office: Office, anna: Entry) -> None:
    boss = office.user("boss@example.test")
    assert ask(client, anna.legacy_dn).code == 0
    assert ask(client, boss.legacy_dn, logon.OpenFlags(0), logon_id=1).code == ec.ecInvalidParam
    reply = ask(client, boss.legacy_dn, logon_id=1)
    assert reply.body.private.response_flags == logon.ResponseFlags.RESERVED
    office.link(Link.SEND_AS, boss, anna)
    flags = ask(client, boss.legacy_dn, logon_id=1).body.private.response_flags
    assert flags == logon.ResponseFlags.RESERVED | logon.ResponseFlags.SEND_AS_RIGHT


@pytest.mark.covers("MS-OXCSTOR_R1061", "MS-OXCSTOR_R3145")
def test_flags_come_back_and_the_mapping_is_for_other_mailboxes(client: Client, anna: Entry) -> None:
    for kind in (PRIVATE, PRIVATE | logon.LogonFlags.UNDERCOVER, PRIVATE | logon.LogonFlags.GHOSTED):
        for flags in (MAPPED, logon.OpenFlags.HOME_LOGON):
            reply = ask(client, anna.legacy_dn, flags, kind)
            assert (reply.code, reply.body.logon_flags) == (0, kind)


@pytest.mark.covers(
    "MS-OXCSTOR_R1218", "MS-OXCSTOR_R838", "MS-OXCSTOR_R838001", "MS-OXCSTOR_R1219", "MS-OXCSTOR_R1221",
    "MS-OXCSTOR_R3109", "MS-OXCSTOR_R20027",
)  # fmt: skip
def test_the_public_folders_are_here_whatever_is_ghosted(client: Client, office: Office) -> None:
    office.write(lambda txn: public.create_store(txn, guids=(bytes(16), bytes(16)), uidvalidity=5, now=EPOCH))
    plain, ghosted = logon.LogonFlags(0), logon.LogonFlags.GHOSTED
    for more, code in (
        (logon.OpenFlags(0), 0),
        (logon.OpenFlags.IGNORE_HOME_MDB, 0),
        (logon.OpenFlags.ALTERNATE_SERVER, ec.ecLoginFailure),
    ):
        one, other = (
            ask(client, "", logon.OpenFlags.PUBLIC | MAPPED | more, kind) for kind in (plain, ghosted)
        )
        assert (one.code, other.code) == (code, code)
        if code == 0:
            assert one.body.folder_ids == other.body.folder_ids
            assert one.body.public == other.body.public
    for kind, flags in ((logon.LogonFlags(0x40), 0), (plain, 0x00100000)):
        assert ask(client, "", logon.OpenFlags.PUBLIC | MAPPED | flags, kind).code == ec.ecError


@pytest.mark.covers("MS-OXCSTOR_R1205")
def test_logons_with_one_replica_guid_have_one_mapping(client: Client) -> None:
    one, other = client.logon(), client.logon(logon_id=1)
    foreign = long_term_ids.ROPS[1].request.parse(b"f" * 16 + b"\0\0\0\0\x12\x34\0\0")
    color = PropertyName(PS_PUBLIC_STRINGS, "Color")
    named = get_property_ids_from_names.Request(get_property_ids_from_names.NameFlags.CREATE, (color,))
    for rop, request in ((long_term_ids.ROPS[1], foreign), (get_property_ids_from_names.ROP, named)):
        first = client.do(rop, request, on=one).body
        assert client.do(rop, request, on=other, logon_id=1).body == first


@pytest.mark.covers("MS-OXCSTOR_R72")
def test_administrators(connect: Callable[..., Client], office: Office, anna: Entry) -> None:
    chief = office.user("chief@example.test")
    wants = MAPPED | logon.OpenFlags.USE_ADMIN_PRIVILEGE
    assert ask(connect(chief), anna.legacy_dn, wants).code == ec.ecLoginPerm
    chief = office.write(
        lambda txn: entries.update(txn, replace(chief, rights=Right.ORGANIZATION_MANAGEMENT))
    )
    reply = ask(connect(chief), anna.legacy_dn, wants)
    assert reply.body.private.response_flags & logon.ResponseFlags.OWNER_RIGHT


@pytest.mark.covers(
    "MS-OXCSTOR_R779",
    "MS-OXCSTOR_R3104",
    "MS-OXCSTOR_R3130",
)
@pytest.mark.covers(
    "MS-OXCSTOR_2.2.2.1.1",
    "MS-OXCSTOR_2.2.2.1.1.1",
    "MS-OXCSTOR_2.2.2.1.1.2",
    "MS-OXCSTOR_2.2.2.1.1.3",
    "MS-OXCSTOR_2.2.2.1.1.4",
    "MS-OXCSTOR_2.2.2.1.1.5",
    "MS-OXCSTOR_2.2.2.1.1.6",
    "MS-OXCSTOR_2.2.2.1.1.7",
    "MS-OXCSTOR_2.2.2.1.1.8",
    "MS-OXCSTOR_2.2.2.1.1.9",
    "MS-OXCSTOR_2.2.2.1.1.10",
    "MS-OXCSTOR_2.2.2.1.1.11",
    "MS-OXCSTOR_2.2.2.1.1.12",
    "MS-OXCSTOR_2.2.2.1.1.13",
    "MS-OXCSTOR_2.2.2.1.1.14",
    "MS-OXCSTOR_2.2.2.1.1.15",
)
def test_what_a_mailbox_tells(client: Client, office: Office, anna: Entry) -> None:
    append(office, anna)
    office.write(lambda txn: quotas.set_quota(txn, anna.mailbox, 10 << 20))
    handle = client.logon()
    with office.store.read() as txn:
        row = mailboxes.get(txn, anna.mailbox)
        own = mailboxes.identity(txn, anna.mailbox).replica_guid
    expected = {
        tags.PidTagExtendedRuleSizeLimit: 98304,
        tags.PidTagMaximumSubmitMessageSize: -1,
        tags.PidTagProhibitReceiveQuota: 10240,
        tags.PidTagProhibitSendQuota: 10240,
        tags.PidTagStoreState: 0,
        tags.PidTagContentCount: 1,
        tags.PidTagMailboxOwnerEntryId: entry_id(anna),
        tags.PidTagMailboxOwnerName: anna.display_name,
        tags.PidTagMessageSize: row.size,
        tags.PidTagMessageSizeExtended: row.size,
        tags.PidTagUserEntryId: entry_id(anna),
        tags.PidTagLocaleId: 1033,
        tags.PidTagSortLocaleId: 1033,
        tags.PidTagCodePageId: 1252,
        tags.PidTagSerializedReplidGuidMap: b"\x01\x00" + own,
    }
    assert get(client, handle, *expected) == list(expected.values())
    assert expected.keys() <= set(listed(client, handle))
    for tag in expected.keys() - {tags.PidTagLocaleId, tags.PidTagSortLocaleId}:
        (problem,) = set_(client, handle, {tag: expected[tag]}).problems
        assert (problem.tag, problem.code) == (tag, ec.ecComputed)


@pytest.mark.covers(
    "MS-OXCSTOR_R3068001",
    "MS-OXCSTOR_R654",
    "MS-OXCSTOR_R654001",
    "MS-OXCSTOR_R3068004",
    "MS-OXCSTOR_R3068005",
    "MS-OXCSTOR_R3068006",
    "MS-OXCSTOR_R3068007",
    "MS-OXCSTOR_2.2.2.1.2.4",
    "MS-OXCSTOR_2.2.2.1.2.5",
)
def test_what_a_client_sets_on_a_mailbox(client: Client, anna: Entry) -> None:
    handle = client.logon()
    values = {
        tags.PidTagOutOfOfficeState: True,
        tags.PidTagSentMailSvrEID: ServerId(Special.SENT).pack(),
        tags.PidTagLocaleId: 1031,
        tags.PidTagSortLocaleId: 1031,
    }
    assert set_(client, handle, values).problems == ()
    assert get(client, handle, *values) == list(values.values())
    assert ask(client, anna.legacy_dn).body.private.response_flags & logon.ResponseFlags.OOF
    handle = client.logon()
    assert get(client, handle, *values) == list(values.values())
    gone = (tags.PidTagSentMailSvrEID, tags.PidTagDeleteAfterSubmit)
    request = delete_properties.Request(gone)
    assert client.do(delete_properties.DELETE, request, on=handle).body.problems == ()
    assert get(client, handle, *gone) == [PropertyError(ec.ecNotFound)] * 2


@pytest.mark.covers("MS-OXCSTOR_R6280001", "MS-OXCSTOR_R3128", "MS-OXCSTOR_R306800301")
def test_what_newer_servers_refuse_to_set_on_a_mailbox(client: Client) -> None:
    handle = client.logon()
    for tag, value in (
        (tags.PidTagComment, "mine"),
        (tags.PidTagDeleteAfterSubmit, True),
        (tags.PidTagDisplayName, "Mailbox of Anna"),
    ):
        (problem,) = set_(client, handle, {tag: value}).problems
        assert (problem.tag, problem.code) == (tag, ec.ecAccessDenied)


def test_who_may_not_set_them(connect: Callable[..., Client], office: Office, anna: Entry) -> None:
    bert = office.user("bert@example.test")
    other = connect(bert)
    handle = other.logon(anna)
    assert get(other, handle, tags.PidTagMailboxOwnerName) == [anna.display_name]
    request = set_properties.Request.of([(tags.PidTagLocaleId, 1031)], FORM)
    assert other.ask(set_properties.SET, request, on=handle).code in (ec.ecAccessDenied, ec.ecNotFound)


@pytest.mark.covers("MS-OXCSTOR_2.2.2.2", "MS-OXCSTOR_2.2.2.2.1", "MS-OXCSTOR_2.2.2.2.2")
def test_what_the_public_folders_tell(client: Client, office: Office, anna: Entry) -> None:
    office.write(lambda txn: public.create_store(txn, guids=(bytes(16), bytes(16)), uidvalidity=5, now=EPOCH))
    handle = ask(client, "", logon.OpenFlags.PUBLIC | MAPPED, logon.LogonFlags(0)).handle
    wanted = (tags.PidTagUserEntryId, tags.PidTagAddressBookMessageId, tags.PidTagMailboxOwnerName)
    user, book, owner = get(client, handle, *wanted)
    assert user == entry_id(anna)
    assert book == owner == PropertyError(ec.ecNotFound)
