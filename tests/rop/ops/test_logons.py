"""Logons and their properties, and the properties of folders (MS-OXCSTOR 2.2.1.1, 2.2.2, 3.2.5.1, MS-OXCFOLD
2.2.2)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from appliance.directory import entries, links
from appliance.directory.links import Link
from appliance.directory.model import Entry, Protocol
from appliance.mailbox import quotas
from appliance.mailbox.rights import ROLES
from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.entryids import FolderEntryId, PermanentEntryId, parse
from appliance.mapi.ids import to_int64
from appliance.mapi.rows import PropertyError
from appliance.rop import batch
from appliance.rop.ops import copy_properties, delete_properties, logon, set_properties
from appliance.store import mailboxes, permissions, replids
from appliance.store.mailboxes import PublicSpecial, Special
from tests.conftest import EPOCH
from tests.rop.kit import Client, Reply
from tests.rop.ops.foldering import create, delete, made, opening, search
from tests.rop.ops.items import get, get_all, listed, set_
from tests.rop.ops.tabling import SUBJECT, contents, hierarchy, insert, opened
from tests.transport.office import Office

MISSING = PropertyError(ec.ecNotFound)
MAPPED = 0x01000000


def log_on(
    client: Client, name: str | bytes = "", *, flags: int = 1, opening: int = MAPPED, logon_id: int = 0
) -> Reply:
    essdn = name if isinstance(name, bytes) else name.encode() + b"\0"
    request = logon.Request(logon.LogonFlags(flags), logon.OpenFlags(opening), 0, essdn)
    return client.ask(logon.ROP, request, logon_id=logon_id)


# -- logging on ---------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.1", "MS-OXCROPS_2.2.3.1.1", "MS-OXCROPS_2.2.3.1.2", "MS-OXCROPS_2.2.3.1.2.1",
    "MS-OXCSTOR_2.2.1.1", "MS-OXCSTOR_2.2.1.1.1", "MS-OXCSTOR_2.2.1.1.3", "MS-OXCSTOR_3.2.5.1",
    "MS-OXCSTOR_R787", "MS-OXCSTOR_R815", "MS-OXCSTOR_R821", "MS-OXCSTOR_R1200",
)  # fmt: skip
def test_the_bytes_of_a_private_logon(client: Client, office: Office, anna: Entry) -> None:
    name = anna.legacy_dn.encode() + b"\0"
    request = bytes.fromhex("FE 05 00 01 0C000001 00000000") + len(name).to_bytes(2, "little") + name
    (answer,) = client.raw(batch.pack(request, [0xFFFFFFFF]))
    size = int.from_bytes(answer[:2], "little")
    body, handle = answer[2:size], answer[size:]
    assert body[:7] == bytes.fromhex("FE 00 00000000 01")
    ids = [body[7 + 8 * n : 15 + 8 * n].hex() for n in range(13)]
    assert [int(each[:2], 16) for each in ids] == [1] * 13
    assert int(ids[4][4:], 16) == Special.INBOX & 0xFFFF_FFFF_FFFF
    rest = body[7 + 104 :]
    with office.store.read() as txn:
        identity = mailboxes.identity(txn, anna.mailbox)
    assert rest[0] == 0x07
    assert rest[1:17] == identity.guid
    assert rest[17:19] == b"\1\0"
    assert rest[19:35] == identity.replica_guid
    seconds, minutes, hour, day_of_week, day, month = rest[35:41]
    assert max(seconds, minutes) < 60
    assert (hour < 24, day_of_week < 7, 1 <= day <= 31, 1 <= month <= 12) == (True,) * 4
    assert int.from_bytes(rest[41:43], "little") > 2020
    assert len(rest) == 35 + 8 + 8 + 4
    assert rest[-4:] == bytes(4)
    assert handle != b"\xff\xff\xff\xff"


@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.1.3", "MS-OXCSTOR_2.2.1.1.4", "MS-OXCSTOR_R786", "MS-OXCSTOR_R825", "MS-OXCSTOR_R841",
    "MS-OXCSTOR_R3110001", "MS-OXCSTOR_R833", "MS-OXCSTOR_R834", "MS-OXCSTOR_R835", "MS-OXCSTOR_R838",
    "MS-OXCSTOR_R838001", "MS-OXCSTOR_R1218", "MS-OXCSTOR_R1219", "MS-OXCSTOR_R1221", "MS-OXCSTOR_R3109",
)  # fmt: skip
def test_a_public_logon_on_a_fresh_server(
    client: Client, connect: Callable[..., Client], anna: Entry
) -> None:
    reply = log_on(client, flags=0, opening=MAPPED | 2)
    assert reply.code == 0
    assert reply.body.folder_ids[:4] == (
        PublicSpecial.ROOT, PublicSpecial.IPM_SUBTREE, PublicSpecial.NON_IPM_SUBTREE,
        PublicSpecial.EFORMS_REGISTRY,
    )  # fmt: skip
    assert reply.body.folder_ids[9:] == (0, 0, 0, 0)
    assert reply.body.public.replica_id == 1
    assert reply.body.private is None
    again = log_on(connect(anna), flags=4, opening=MAPPED | 2)
    assert again.body.public.replica_guid == reply.body.public.replica_guid
    for flags, how, code in (
        (0, MAPPED, ec.ecError),
        (0, MAPPED | 2 | 0x100, ec.ecLoginFailure),
        (4, MAPPED | 2 | 0x100, ec.ecLoginFailure),
        (0x10, MAPPED | 2, ec.ecError),
        (0, MAPPED | 2 | 0x10, ec.ecError),
    ):
        assert log_on(client, flags=flags, opening=how, logon_id=1).code == code
    assert log_on(client, flags=4, opening=MAPPED | 2 | 0x200, logon_id=1).code == 0
    top = opening(client, reply.handle, PublicSpecial.IPM_SUBTREE)
    assert top.code == 0
    assert create(client, top.handle, "Search", kind=2).code == ec.ecNotSupported


@pytest.mark.covers(
    "MS-OXCSTOR_R788", "MS-OXCSTOR_R59746", "MS-OXCSTOR_R1202", "MS-OXCSTOR_R3102", "MS-OXCSTOR_R803",
    "MS-OXCSTOR_R802", "MS-OXCSTOR_R3155", "MS-OXCSTOR_R1046", "MS-OXCSTOR_R3146", "MS-OXCSTOR_R1346",
    "MS-OXCSTOR_R1205", "MS-OXCSTOR_R165", "MS-OXCSTOR_R166", "MS-OXCSTOR_R167", "MS-OXCSTOR_R168",
    "MS-OXCSTOR_R173", "MS-OXCSTOR_R174", "MS-OXCSTOR_R175", "MS-OXCSTOR_R176", "MS-OXCSTOR_R177",
    "MS-OXCSTOR_R178", "MS-OXCSTOR_R1800001", "MS-OXCSTOR_R1820001", "MS-OXCSTOR_R785",
)  # fmt: skip
def test_who_is_refused(office: Office, anna: Entry, client: Client, connect: Callable[..., Client]) -> None:
    bob = office.user("bob@example.test")
    gone = office.user("gone@example.test", enabled=False)
    for name, code in (
        ("/o=nobody", ec.ecUnknownUser),
        (b"\xff\xfe\0", ec.ecUnknownUser),
        ("", ec.ecUnknownUser),
        (office.contact("x@else.test").legacy_dn, ec.ecUnknownUser),
        (gone.legacy_dn, ec.ecMailboxDisabled),
        (bob.legacy_dn, ec.ecLoginPerm),
    ):
        assert log_on(client, name).code == code
    assert log_on(client, anna.legacy_dn, opening=MAPPED | 0x100).code == ec.ecLoginFailure
    assert log_on(client, anna.legacy_dn, flags=0x11).code == ec.ecError
    assert log_on(client, anna.legacy_dn, opening=MAPPED | 0x800).code == ec.ecError
    assert log_on(connect(anna, code_page=4711), anna.legacy_dn).code == ec.ecUnknownCodePage
    office.write(lambda txn: permissions.put(txn, bob.mailbox, Special.CALENDAR, anna.id, ROLES["reviewer"]))
    assert log_on(client, anna.legacy_dn, opening=0).code == 0
    assert log_on(client, anna.legacy_dn, opening=0, logon_id=1).code == 0
    assert log_on(client, bob.legacy_dn, opening=0, logon_id=2).code == ec.ecInvalidParam
    delegate = log_on(client, bob.legacy_dn, logon_id=2)
    assert (delegate.code, delegate.body.private.response_flags) == (0, 0x01)
    office.write(lambda txn: links.add(txn, Link.SEND_AS, bob.id, anna.id))
    assert log_on(client, bob.legacy_dn, logon_id=2).body.private.response_flags == 0x05
    office.write(lambda txn: entries.update(txn, replace(bob, disabled_protocols=frozenset({Protocol.MAPI}))))
    with office.store.read() as txn:
        bob = entries.get(txn, bob.id)
    assert log_on(connect(bob), bob.legacy_dn).code == ec.ecProtocolDisabled


# -- properties of a logon ----------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCSTOR_2.2.2.1.1", "MS-OXCSTOR_2.2.2.1.1.1", "MS-OXCSTOR_2.2.2.1.1.2", "MS-OXCSTOR_2.2.2.1.1.3",
    "MS-OXCSTOR_2.2.2.1.1.4", "MS-OXCSTOR_2.2.2.1.1.5", "MS-OXCSTOR_2.2.2.1.1.6", "MS-OXCSTOR_2.2.2.1.1.7",
    "MS-OXCSTOR_2.2.2.1.1.8", "MS-OXCSTOR_2.2.2.1.1.9", "MS-OXCSTOR_2.2.2.1.1.10", "MS-OXCSTOR_2.2.2.1.1.11",
    "MS-OXCSTOR_2.2.2.1.1.12", "MS-OXCSTOR_2.2.2.1.1.13", "MS-OXCSTOR_2.2.2.1.1.14",
    "MS-OXCSTOR_2.2.2.1.1.15", "MS-OXCSTOR_R3104",
)  # fmt: skip
def test_what_a_mailbox_tells(office: Office, anna: Entry, client: Client) -> None:
    handle = client.logon()
    quota = (tags.PidTagProhibitReceiveQuota, tags.PidTagProhibitSendQuota)
    assert get(client, handle, *quota, tags.PidTagMaximumSubmitMessageSize) == [-1, -1, -1]
    office.write(lambda txn: quotas.set_quota(txn, anna.mailbox, 5 << 20))
    assert get(client, handle, *quota) == [5 << 10, 5 << 10]
    insert(office, anna, "one", size=100)
    insert(office, anna, "fai", size=10, associated=True)
    counted = (tags.PidTagContentCount, tags.PidTagMessageSize, tags.PidTagMessageSizeExtended)
    assert get(client, handle, *counted) == [1, 110, 110]
    own = PermanentEntryId(anna.legacy_dn).pack()
    named = (tags.PidTagMailboxOwnerEntryId, tags.PidTagUserEntryId, tags.PidTagMailboxOwnerName)
    assert get(client, handle, *named) == [own, own, anna.display_name]
    languages = (tags.PidTagLocaleId, tags.PidTagSortLocaleId, tags.PidTagCodePageId)
    assert get(client, handle, *languages) == [1033, 1033, 1252]
    assert get(client, handle, tags.PidTagExtendedRuleSizeLimit)[0] > 0
    assert get(client, handle, tags.PidTagStoreState) == [0]
    found, _ = made(client, opened(client, handle, Special.IPM_SUBTREE), "Found", kind=2)
    search(client, found, r.Exist(SUBJECT), Special.INBOX)
    assert get(client, handle, tags.PidTagStoreState) == [0x01000000]
    foreign = bytes(range(16))
    number = office.write(lambda txn: replids.assign(txn, anna.mailbox, foreign))
    (pairs,) = get(client, handle, tags.PidTagSerializedReplidGuidMap)
    with office.store.read() as txn:
        own_guid = mailboxes.identity(txn, anna.mailbox).replica_guid
    assert pairs == b"\1\0" + own_guid + number.to_bytes(2, "little") + foreign
    assert set(listed(client, handle)) >= {*quota, *counted, *named, *languages}
    everything = get_all(client, handle)
    assert everything[tags.PidTagMailboxOwnerName] == anna.display_name
    read_only = (*quota, *counted, *named, tags.PidTagCodePageId, tags.PidTagStoreState,
                 tags.PidTagExtendedRuleSizeLimit, tags.PidTagMaximumSubmitMessageSize)  # fmt: skip
    values = dict(zip(read_only, get(client, handle, *read_only), strict=True))
    problems = set_(client, handle, values).problems
    assert {problem.tag: problem.code for problem in problems} == dict.fromkeys(read_only, ec.ecComputed)


@pytest.mark.covers(
    "MS-OXCSTOR_2.2.2.1.2", "MS-OXCSTOR_2.2.2.1.2.1", "MS-OXCSTOR_2.2.2.1.2.2", "MS-OXCSTOR_2.2.2.1.2.3",
    "MS-OXCSTOR_R3072", "MS-OXCSTOR_R661", "MS-OXCSTOR_R662", "MS-OXCSTOR_2.2.2.1.2.5",
)  # fmt: skip
def test_what_a_client_sets_on_a_mailbox(
    office: Office, anna: Entry, client: Client, connect: Callable[..., Client]
) -> None:
    handle = client.logon()
    assert get(client, handle, tags.PidTagOutOfOfficeState, tags.PidTagDeleteAfterSubmit) == [False, False]
    assert get(client, handle, tags.PidTagComment, tags.PidTagSentMailSvrEID) == [MISSING, MISSING]
    assert get(client, handle, tags.PidTagDisplayName) == [anna.display_name]
    values: dict[int, Any] = {
        tags.PidTagComment: "Mine",
        tags.PidTagDeleteAfterSubmit: True,
        tags.PidTagDisplayName: "Anna's",
        tags.PidTagOutOfOfficeState: True,
        tags.PidTagSentMailSvrEID: b"\x01" + bytes(20),
        tags.PidTagLocaleId: 1031,
        tags.PidTagSortLocaleId: 1031,
    }
    assert set_(client, handle, values).problems == ()
    assert get(client, handle, *values) == list(values.values())
    other = connect(anna)
    reply = log_on(other, anna.legacy_dn)
    assert reply.body.private.response_flags == 0x17
    assert get(other, reply.handle, tags.PidTagComment, tags.PidTagLocaleId) == ["Mine", 1033]
    gone = (
        tags.PidTagComment,
        tags.PidTagDeleteAfterSubmit,
        tags.PidTagSentMailSvrEID,
        tags.PidTagCodePageId,
    )
    problems = client.do(delete_properties.DELETE, delete_properties.Request(gone), on=handle).body.problems
    assert [(problem.tag, problem.code) for problem in problems] == [(tags.PidTagCodePageId, ec.ecComputed)]
    assert get(client, handle, *gone[:3]) == [MISSING, False, MISSING]
    assert set_(client, handle, {tags.PidTagComment: "x" * 10_000}).problems == ()
    bob = office.user("bob@example.test")
    office.write(lambda txn: permissions.put(txn, anna.mailbox, Special.INBOX, bob.id, ROLES["owner"]))
    theirs = connect(bob)
    there = theirs.logon(anna)
    request = set_properties.Request.of([(tags.PidTagComment, "theirs")], theirs.session.form)
    assert theirs.ask(set_properties.SET, request, on=there).code == ec.ecAccessDenied
    assert get(theirs, there, tags.PidTagUserEntryId) == [PermanentEntryId(bob.legacy_dn).pack()]


@pytest.mark.covers(
    "MS-OXCSTOR_2.2.2.2", "MS-OXCSTOR_2.2.2.2.1", "MS-OXCSTOR_2.2.2.2.2",
)  # fmt: skip
def test_what_the_public_folders_tell(client: Client, anna: Entry) -> None:
    handle = log_on(client, flags=0, opening=MAPPED | 2).handle
    wanted = (tags.PidTagUserEntryId, tags.PidTagAddressBookMessageId, tags.PidTagMailboxOwnerName)
    assert get(client, handle, *wanted) == [PermanentEntryId(anna.legacy_dn).pack(), MISSING, MISSING]
    request = set_properties.Request.of([(tags.PidTagUserEntryId, b"x")], client.session.form)
    assert client.ask(set_properties.SET, request, on=handle).code == ec.ecAccessDenied


# -- properties of folders ----------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_2.2.2", "MS-OXCFOLD_2.2.2.1", "MS-OXCFOLD_2.2.2.2.1.1", "MS-OXCFOLD_2.2.2.2.1.2",
    "MS-OXCFOLD_R35101", "MS-OXCFOLD_R1035110", "MS-OXCFOLD_R1035111", "MS-OXCFOLD_R1035103",
    "MS-OXCFOLD_R1035105", "MS-OXCFOLD_R1035107", "MS-OXCFOLD_2.2.2.2.1.6", "MS-OXCFOLD_2.2.2.2.1.8",
    "MS-OXCFOLD_2.2.2.2.1.9", "MS-OXCFOLD_2.2.2.2.1.10", "MS-OXCFOLD_2.2.2.2.1.11", "MS-OXCFOLD_2.2.2.2.1.12",
    "MS-OXCFOLD_2.2.2.2.1.13", "MS-OXCFOLD_2.2.2.2.1.14", "MS-OXCFOLD_2.2.2.2.1.15", "MS-OXCFOLD_2.2.2.2.2.7",
    "MS-OXCFOLD_R367", "MS-OXCFOLD_2.11.1", "MS-OXCFOLD_2.500", "MS-OXCFOLD_2.606", "MS-OXCFOLD_2.626",
    "MS-OXCFOLD_2.632", "MS-OXCFOLD_2.637", "MS-OXCFOLD_2.641", "MS-OXCFOLD_2.643", "MS-OXCFOLD_2.649",
    "MS-OXCFOLD_2.671", "MS-OXCFOLD_2.687", "MS-OXCFOLD_2.695", "MS-OXCFOLD_2.697", "MS-OXCFOLD_2.715",
    "MS-OXCFOLD_2.759", "MS-OXCFOLD_2.791", "MS-OXCFOLD_2.792", "MS-OXCFOLD_2.853", "MS-OXCFOLD_2.930",
    "MS-OXCFOLD_2.1027",
)  # fmt: skip
def test_what_a_folder_tells(office: Office, anna: Entry, client: Client) -> None:
    handle = client.logon()
    top = opened(client, handle, Special.IPM_SUBTREE)
    box, fid = made(client, top, "Box")
    insert(office, anna, "one", fid, size=70)
    insert(office, anna, "two", fid, size=30, seen=True)
    insert(office, anna, "fai", fid, size=5, associated=True)
    counts = (tags.PidTagContentCount, tags.PidTagContentUnreadCount, tags.PidTagMessageSize,
              tags.PidTagMessageSizeExtended, tags.PidTagSubfolders)  # fmt: skip
    assert get(client, box, *counts) == [2, 1, 100, 100, False]
    (before,) = get(client, box, tags.PidTagHierarchyChangeNumber)
    made(client, box, "Below")
    after, below = get(client, box, tags.PidTagHierarchyChangeNumber, tags.PidTagSubfolders)
    assert after > before
    assert below is True
    facts = (
        tags.PidTagFolderId,
        tags.PidTagFolderType,
        tags.PidTagFolderFlags,
        tags.PidTagAccess,
        tags.PidTagRights,
    )
    assert get(client, box, *facts) == [to_int64(fid), 1, 5, 0x3F, 0x1FFB]
    search_folder, _ = made(client, top, "Search", kind=2)
    assert get(client, search_folder, tags.PidTagFolderType, tags.PidTagFolderFlags) == [2, 2]
    root = opened(client, handle, Special.ROOT)
    assert get(client, root, tags.PidTagFolderType) == [0]
    times = (tags.PidTagCreationTime, tags.PidTagLastModificationTime, tags.PidTagLocalCommitTime,
             tags.PidTagHierRev, tags.PidTagLocalCommitTimeMax)  # fmt: skip
    assert all(isinstance(each, int) and each >= EPOCH for each in get(client, box, *times))
    (parent,) = get(client, box, tags.PidTagParentEntryId)
    found = parse(parent)
    assert isinstance(found, FolderEntryId)
    assert found.folder.counter == Special.IPM_SUBTREE & 0xFFFF_FFFF_FFFF
    assert get(client, box, tags.PidTagDeletedCountTotal) == [0]
    assert get(client, box, tags.PidTagDeletedOn) == [MISSING]
    assert set(listed(client, box)) >= {*counts, *facts, tags.PidTagDisplayName}
    assert get_all(client, box)[tags.PidTagDisplayName] == "Box"


@pytest.mark.covers(
    "MS-OXCFOLD_2.2.2.2.1.3", "MS-OXCFOLD_2.2.2.2.2.1", "MS-OXCFOLD_2.2.2.2.2.2", "MS-OXCFOLD_2.2.2.2.2.3",
    "MS-OXCFOLD_2.2.2.2.2.5", "MS-OXCFOLD_2.665", "MS-OXCFOLD_2.668",
)  # fmt: skip
def test_what_a_client_sets_on_a_folder(client: Client) -> None:
    handle = client.logon()
    top = opened(client, handle, Special.IPM_SUBTREE)
    box, fid = made(client, top, "Box")
    made(client, top, "Taken")
    values: dict[int, Any] = {
        tags.PidTagDisplayName: "Crate",
        tags.PidTagContainerClass: "IPF.Note",
        tags.PidTagComment: "for things",
        tags.PidTagAttributeHidden: True,
        0x66660102: b"own",
    }
    assert set_(client, box, values).problems == ()
    assert get(client, box, *values) == list(values.values())
    assert opening(client, handle, fid).code == 0
    refused = {
        tags.PidTagDisplayName: ("taken", ec.ecDuplicateName),
        tags.PidTagContentCount: (7, ec.ecComputed),
        tags.PidTagFolderType: (2, ec.ecComputed),
        tags.PidTagRights: (0, ec.ecComputed),
    }
    problems = set_(client, box, {tag: value for tag, (value, _) in refused.items()}).problems
    assert {problem.tag: problem.code for problem in problems} == {
        tag: code for tag, (_, code) in refused.items()
    }
    assert set_(client, box, {tags.PidTagDisplayName: ""}).problems[0].code == ec.ecInvalidParam
    inbox = opened(client, handle)
    assert set_(client, inbox, {tags.PidTagDisplayName: "Post"}).problems[0].code == ec.ecAccessDenied
    gone = (tags.PidTagComment, tags.PidTagAttributeHidden, tags.PidTagContainerClass, tags.PidTagDisplayName)
    problems = client.do(delete_properties.DELETE, delete_properties.Request(gone), on=box).body.problems
    assert [problem.tag for problem in problems] == [tags.PidTagDisplayName]
    assert get(client, box, *gone) == [MISSING, False, MISSING, "Crate"]
    delete(client, top, fid)
    old = opening(client, handle, fid, 4).handle
    assert get(client, old, tags.PidTagDeletedOn)[0] > EPOCH
    assert "Taken" in hierarchy(client, top).rows()


def test_folders_are_copied_into_others(office: Office, anna: Entry, client: Client) -> None:
    top = opened(client, client.logon(), Special.IPM_SUBTREE)
    box, fid = made(client, top, "Box")
    below, below_fid = made(client, box, "Below")
    set_(client, box, {tags.PidTagComment: "kept", 0x66660102: b"own"})
    insert(office, anna, "one", fid)
    insert(office, anna, "two", below_fid)
    there, _ = made(client, top, "There")
    request = copy_properties.ToRequest(False, True, copy_properties.CopyFlags(0), (0x66660102,))
    assert client.ask(copy_properties.COPY_TO, request, on=box, dest=there).code == 0
    assert get(client, there, tags.PidTagComment, 0x66660102, tags.PidTagDisplayName) == [
        "kept",
        MISSING,
        "There",
    ]
    assert contents(client, there).rows() == ["one"]
    assert hierarchy(client, there).rows() == ["Below"]
    assert client.ask(copy_properties.COPY_TO, request, on=box, dest=below).code == ec.ecRootFolder
