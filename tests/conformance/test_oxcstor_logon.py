"""MS-OXCSTOR 2.2.1.1, 3.2.5.1: logging on to mailboxes, to those of others, and to the public folders."""

import struct
import time

import pytest

from tests.conformance.client import Mapi
from tests.conformance.office import Office, Person
from tests.conformance.store_rops import (
    ADMIN,
    EC_ACCESS_DENIED,
    EC_LOGIN_FAILURE,
    EC_LOGIN_PERM,
    EC_NOT_FOUND,
    EC_UNKNOWN_CODE_PAGE,
    EC_UNKNOWN_USER,
    EC_WRONG_SERVER,
    INBOX,
    NO_LOCALIZATION,
    NONE,
    PRIVATE,
    PUBLIC,
    ROOT,
    SUCCESS,
    Store,
    delete_properties,
    get_hierarchy_table,
    head,
    logon,
    open_folder,
    private,
    public,
    read,
    set_properties,
)
from tests.conformance.values import Error, read_row, tagged

DISPLAY_NAME = 0x3001001F
COMMENT = 0x3004001F
MEMBER = 0x6748_0014
GHOSTED = 0x04
UNDERCOVER = 0x02


def try_logon(mapi: Mapi, essdn: str, flags: int = PRIVATE, open_flags: int = NO_LOCALIZATION) -> int:
    """The ReturnValue of a RopLogon that is expected to fail."""
    answer = read(*mapi.execute(logon(essdn, flags, open_flags), [NONE]))
    assert answer.index == 0
    assert answer.rop == 0xFE
    return answer.value


# --- one's own mailbox --------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCSTOR_R13",
    "MS-OXCSTOR_R117",
    "MS-OXCSTOR_R118",
    "MS-OXCSTOR_R1062",
    "MS-OXCSTOR_R119",
    "MS-OXCSTOR_R122",
    "MS-OXCSTOR_R123",
    "MS-OXCSTOR_R125",
    "MS-OXCSTOR_R127",
    "MS-OXCSTOR_R131",
    "MS-OXCSTOR_R138",
    "MS-OXCSTOR_R141",
    "MS-OXCSTOR_R1410001",
    "MS-OXCSTOR_R785",
)
def test_a_logon_to_ones_own_mailbox(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    assert len(set(store.folders)) == 13
    assert all(fid & 0xFFFF == store.replid and fid >> 16 for fid in store.folders)
    assert store.response_flags == 0x07, "reserved, owner, send as; not out of office"
    assert store.mailbox_guid != bytes(16)
    assert store.replid != 0
    assert store.replguid != bytes(16)
    second, minute, hour, weekday, day, month, year = store.logon_time
    now = time.gmtime()
    assert (year, month) == (now.tm_year, now.tm_mon)
    assert abs(day - now.tm_mday) <= 1
    assert second < 61
    assert minute < 60
    assert hour < 24
    assert weekday == (time.strptime(f"{year}-{month}-{day}", "%Y-%m-%d").tm_wday + 1) % 7, "Sunday is 0"
    assert store.store_state == 0


@pytest.mark.covers("MS-OXCSTOR_R119")
def test_the_folders_of_a_logon_hang_below_the_root(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    root = store.open(store.folders[ROOT])
    rows = store.table(get_hierarchy_table(4), root, MEMBER, DISPLAY_NAME)
    named = {row[0]: row[1] for row in rows}
    assert set(store.folders[1:]) <= set(named)
    names = [named[fid] for fid in store.folders[4:8]]
    assert names == ["Inbox", "Outbox", "Sent Items", "Deleted Items"]


@pytest.mark.covers(
    "MS-OXCSTOR_R59",
    "MS-OXCSTOR_R2001",
    "MS-OXCSTOR_R20027",
    "MS-OXCSTOR_R79",
    "MS-OXCSTOR_R7900",
    "MS-OXCSTOR_R84",
    "MS-OXCSTOR_R8401",
    "MS-OXCSTOR_R96",
)
@pytest.mark.parametrize(
    ("flags", "open_flags"),
    [
        (PRIVATE | UNDERCOVER, 0),
        (PRIVATE | GHOSTED, 0),
        (PRIVATE | UNDERCOVER | GHOSTED, NO_LOCALIZATION),
        (PRIVATE, 0x00000004),  # HOME_LOGON
        (PRIVATE, 0x00000008),  # TAKE_OWNERSHIP
        (PRIVATE | 0x08, 0),  # SpoolerProcess
        (PRIVATE, 0x00000100),  # ALTERNATE_SERVER
        (PRIVATE, 0x00000200),  # IGNORE_HOME_MDB
        (PRIVATE, 0x00000400),  # NO_MAIL
        (PRIVATE, 0x01000000),  # USE_PER_MDB_REPLID_MAPPING
        (PRIVATE, 0x20000000),  # SUPPORT_PROGRESS
    ],
)
def test_flags_without_meaning_change_nothing(mapi: Mapi, anna: Person, flags: int, open_flags: int) -> None:
    plain = private(mapi, anna)
    store = Store(mapi, anna.dn, flags, open_flags)
    assert store.folders == plain.folders
    assert store.response_flags == plain.response_flags
    assert (store.replid, store.replguid, store.mailbox_guid) == (
        plain.replid,
        plain.replguid,
        plain.mailbox_guid,
    )


@pytest.mark.covers("MS-OXCSTOR_R106", "MS-OXCSTOR_R787")
def test_the_case_of_the_name_does_not_matter(mapi: Mapi, anna: Person) -> None:
    assert Store(mapi, anna.dn.upper()).folders == private(mapi, anna).folders


@pytest.mark.covers("MS-OXCSTOR_R133", "MS-OXCSTOR_R1200", "MS-OXCSTOR_R1205", "MS-OXCSTOR_R947")
def test_the_replica_is_the_same_at_every_logon(anna: Person) -> None:
    seen = set()
    for _ in range(2):
        with anna.mapi() as client:
            store = private(client, anna)
            seen.add((store.replid, store.replguid, store.mailbox_guid, store.folders))
    assert len(seen) == 1


@pytest.mark.covers("MS-OXCSTOR_R788", "MS-OXCSTOR_R173", "MS-OXCSTOR_R174", "MS-OXCSTOR_R1273")
@pytest.mark.parametrize("essdn", ["/o=nowhere/cn=Recipients/cn=nobody", "x", "anna@nowhere.test", "/"])
def test_an_unknown_mailbox(mapi: Mapi, essdn: str) -> None:
    assert try_logon(mapi, essdn) == EC_UNKNOWN_USER


@pytest.mark.covers("MS-OXCSTOR_R788")
def test_a_private_logon_without_a_name(mapi: Mapi) -> None:
    assert try_logon(mapi, "") in (EC_UNKNOWN_USER, EC_LOGIN_FAILURE)


@pytest.mark.covers("MS-OXCSTOR_R193", "MS-OXCSTOR_R794")
def test_a_disabled_mailbox_is_unknown(mapi: Mapi, ben: Person, office: Office) -> None:
    office.command("user", "disable", ben.address)
    assert try_logon(mapi, ben.dn) == EC_UNKNOWN_USER


@pytest.mark.covers("MS-OXCSTOR_R3102", "MS-OXCSTOR_R3102001", "MS-OXCSTOR_R175", "MS-OXCSTOR_R176")
@pytest.mark.parametrize("code_page", [0xFFFF, 99999, 1])
def test_an_unknown_code_page(anna: Person, code_page: int) -> None:
    """It is refused where it is first seen: by Connect (MS-OXCRPC 3.1.4.1), or by RopLogon."""
    with anna.session() as client:
        reply = client.connect(anna.dn, code_page=code_page)
        assert reply.code == 0
        status, error = struct.unpack_from("<II", reply.body)
        assert status == 0
        if error == 0:
            error = try_logon(client, anna.dn)
        assert error == EC_UNKNOWN_CODE_PAGE


@pytest.mark.parametrize("code_page", [1252, 1250, 932, 936, 949, 950, 65001, 1200, 20127, 28591, 874, 1255])
def test_code_pages_that_clients_have(anna: Person, code_page: int) -> None:
    with anna.session() as client:
        assert client.connect(anna.dn, code_page=code_page).body[:8] == bytes(8)
        assert private(client, anna).handle != NONE


# --- the mailbox of another ---------------------------------------------------------------------------------


@pytest.mark.covers("MS-OXCSTOR_R187", "MS-OXCSTOR_R188")
def test_the_mailbox_of_a_stranger_shows_nothing(mapi: Mapi, ben: Person) -> None:
    """<31>: newer servers let anybody log on; the folders are closed all the same."""
    answer = read(*mapi.execute(logon(ben.dn), [NONE]))
    if answer.value != SUCCESS:
        assert answer.value in (EC_ACCESS_DENIED, EC_LOGIN_PERM)
        return
    store = Store(mapi, ben.dn)
    assert store.response_flags == 0x01
    assert store.call(open_folder(store.folders[INBOX]), NONE).value in (EC_NOT_FOUND, EC_ACCESS_DENIED)
    assert store.call(open_folder(store.folders[ROOT]), NONE).value in (EC_NOT_FOUND, EC_ACCESS_DENIED)


@pytest.mark.covers("MS-OXCSTOR_R3146", "MS-OXCSTOR_R3905001")
def test_a_delegate_sees_what_is_shared(mapi: Mapi, anna: Person, ben: Person, office: Office) -> None:
    office.command("folder", "permission", ben.address, "Calendar", anna.address, "reviewer")
    store = Store(mapi, ben.dn)
    assert not store.response_flags & 0x02, "not the owner"
    assert store.call(open_folder(store.folders[INBOX]), NONE).value == EC_NOT_FOUND
    with ben.mapi() as of_ben:
        mine = private(of_ben, ben)
        rows = mine.table(get_hierarchy_table(4), mine.open(mine.folders[ROOT]), MEMBER, DISPLAY_NAME)
        (calendar,) = [fid for fid, name in rows if name == "Calendar"]
    assert store.open(int(str(calendar))) != NONE


@pytest.mark.covers("MS-OXCSTOR_R72", "MS-OXCSTOR_R185", "MS-OXCSTOR_R186")
def test_administrative_access_is_for_administrators(
    mapi: Mapi, ben: Person, anna: Person, office: Office
) -> None:
    value = try_logon(mapi, ben.dn, PRIVATE, NO_LOCALIZATION | ADMIN)
    assert value in (EC_ACCESS_DENIED, EC_LOGIN_PERM)
    office.command("right", "add", anna.address, "organization-management")
    with anna.mapi() as chief:
        store = Store(chief, ben.dn, PRIVATE, NO_LOCALIZATION | ADMIN)
        assert store.response_flags & 0x02, "like an owner"
        assert store.open(store.folders[INBOX]) != NONE


# --- the public folders -------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCSTOR_R3012",
    "MS-OXCSTOR_R146",
    "MS-OXCSTOR_R1071",
    "MS-OXCSTOR_R147",
    "MS-OXCSTOR_R148",
    "MS-OXCSTOR_R149",
    "MS-OXCSTOR_R1530001",
    "MS-OXCSTOR_R162",
    "MS-OXCSTOR_R163",
    "MS-OXCSTOR_R59793",
    "MS-OXCSTOR_R786",
    "MS-OXCSTOR_R3110001",
    "MS-OXCSTOR_R56",
)
def test_a_logon_to_the_public_folders(mapi: Mapi) -> None:
    store = public(mapi)
    root, ipm, other, forms, freebusy, book, own_forms, own_freebusy, own_book, nntp, *empty = store.folders
    assert len({root, ipm, other, forms}) == 4
    assert all((root, ipm, other, forms))
    for fid in (freebusy, book, own_freebusy, own_book, nntp):  # <9>: empty since Exchange 2013
        assert fid == 0 or store.open(fid) != NONE
    assert empty == [0, 0, 0]
    assert own_forms == 0 or own_forms & 0xFFFF == store.replid
    assert store.per_user_guid == bytes(16)
    assert store.open(root) != NONE
    assert store.open(ipm) != NONE


@pytest.mark.covers(
    "MS-OXCSTOR_R3540", "MS-OXCSTOR_R354", "MS-OXCSTOR_R1218", "MS-OXCSTOR_R838001", "MS-OXCSTOR_R838"
)
@pytest.mark.parametrize(
    ("flags", "open_flags"),
    [
        (0, PUBLIC),
        (GHOSTED, PUBLIC),
        (0, PUBLIC | 0x200),
        (GHOSTED, PUBLIC | 0x200),
        (0, PUBLIC | 4),
        (0, PUBLIC | 0x01000000),
    ],
)
def test_flags_of_a_public_logon(mapi: Mapi, flags: int, open_flags: int) -> None:
    assert Store(mapi, "", flags, open_flags).folders == public(mapi).folders


@pytest.mark.covers("MS-OXCSTOR_R835", "MS-OXCSTOR_R168")
@pytest.mark.parametrize("flags", [0, GHOSTED])
def test_there_is_no_alternate_server(mapi: Mapi, flags: int) -> None:
    assert try_logon(mapi, "", flags, PUBLIC | 0x100) in (EC_LOGIN_FAILURE, EC_WRONG_SERVER)


@pytest.mark.covers("MS-OXCSTOR_R107")
def test_the_name_of_a_server_is_allowed_at_a_public_logon(mapi: Mapi, anna: Person) -> None:
    server = anna.dn.partition("/cn=")[0] + "/cn=Configuration/cn=Servers/cn=mail.example.test"
    assert Store(mapi, server, 0, PUBLIC).folders == public(mapi).folders


@pytest.mark.covers("MS-OXCSTOR_R3110001")
def test_a_public_logon_sets_the_flag(mapi: Mapi) -> None:
    assert try_logon(mapi, "", 0, 0) != SUCCESS


# --- properties of a logon ----------------------------------------------------------------------------------

READ_ONLY = {
    "PidTagExtendedRuleSizeLimit": 0x0E9B0003,
    "PidTagMaximumSubmitMessageSize": 0x666D0003,
    "PidTagProhibitReceiveQuota": 0x666A0003,
    "PidTagProhibitSendQuota": 0x666E0003,
    "PidTagStoreState": 0x340E0003,
    "PidTagContentCount": 0x36020003,
    "PidTagMailboxOwnerEntryId": 0x661B0102,
    "PidTagMailboxOwnerName": 0x661C001F,
    "PidTagMessageSize": 0x0E080003,
    "PidTagMessageSizeExtended": 0x0E080014,
    "PidTagUserEntryId": 0x66190102,
    "PidTagCodePageId": 0x66C30003,
}
REFUSED = {"PidTagComment": COMMENT, "PidTagDisplayName": DISPLAY_NAME, "PidTagDeleteAfterSubmit": 0x0E01000B}
"""<14> to <16>: since Exchange 2013 SP1 the answer to a client that sets them is ecAccessDenied."""

LOCALE, SORT_LOCALE, OOF, SENT_MAIL = 0x66A10003, 0x67050003, 0x661D000B, 0x673E00FB


@pytest.mark.covers("MS-OXCSTOR_2.2.2.1.1", "MS-OXCSTOR_R3071", "MS-OXCSTOR_R655")
def test_properties_that_can_be_read(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    assert store.properties(store.handle, DISPLAY_NAME) == [anna.name]
    values = dict(zip(READ_ONLY, store.properties(store.handle, *READ_ONLY.values()), strict=True))
    assert values["PidTagMailboxOwnerName"] == anna.name
    assert values["PidTagContentCount"] == 0
    assert values["PidTagMessageSizeExtended"] == values["PidTagMessageSize"]
    assert values["PidTagCodePageId"] == 1252
    assert values["PidTagStoreState"] == 0
    for name in ("PidTagMailboxOwnerEntryId", "PidTagUserEntryId"):
        assert_user_entry_id(values[name], anna.dn)
    for name in ("PidTagMaximumSubmitMessageSize", "PidTagProhibitReceiveQuota", "PidTagProhibitSendQuota"):
        assert isinstance(values[name], int) or values[name] == Error(EC_NOT_FOUND)
    assert isinstance(values["PidTagExtendedRuleSizeLimit"], int)


def assert_user_entry_id(value: object, dn: str) -> None:
    """A PermanentEntryID of a mailbox user: MS-OXNSPI 2.2.9.3."""
    assert isinstance(value, bytes)
    provider = bytes.fromhex("dca740c8c042101ab4b908002b2fe182")
    assert value[:28] == bytes(4) + provider + struct.pack("<II", 1, 0)
    assert value[28:-1].decode("ascii").lower() == dn.lower()
    assert value[-1:] == b"\0"


@pytest.mark.covers("MS-OXCSTOR_R651", "MS-OXCSTOR_R658", "MS-OXCSTOR_R660")
def test_count_and_size_follow_the_contents(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    tags = (READ_ONLY["PidTagContentCount"], READ_ONLY["PidTagMessageSizeExtended"])
    before = store.properties(store.handle, *tags)
    inbox = store.open(store.folders[INBOX])
    store.message(inbox, store.folders[INBOX], tagged(0x1000001F, "x" * 5000))
    store.message(inbox, store.folders[INBOX], associated=True)
    count, size = store.properties(store.handle, *tags)
    assert (before[0], count) == (0, 1), "FAI messages do not count"
    assert int(str(size)) >= int(str(before[1])) + 5000


@pytest.mark.covers("MS-OXCSTOR_R3055", "MS-OXCSTOR_R3055008", "MS-OXCSTOR_R3055009")
@pytest.mark.parametrize("name", [name for name in READ_ONLY if READ_ONLY[name] & 0xFFFF == 3])
def test_read_only_properties_cannot_be_set(mapi: Mapi, anna: Person, name: str) -> None:
    store = private(mapi, anna)
    answer = store.call(set_properties([tagged(READ_ONLY[name], 7)]))
    assert refusal(answer.value, answer.fields.rest, READ_ONLY[name]) in (0x80070005, 0x8004011A)


def refusal(value: int, body: bytes, tag: int) -> int:
    """Why a property was not set: the ROP's error, or that of the only PropertyProblem. MS-OXCDATA 2.7."""
    if value != SUCCESS:
        return value
    count, index, problem, error = struct.unpack("<HHII", body)
    assert (count, index, problem) == (1, 0, tag)
    return int(error)


@pytest.mark.covers("MS-OXCSTOR_R6280001", "MS-OXCSTOR_R3128", "MS-OXCSTOR_R306800301")
@pytest.mark.parametrize("name", REFUSED)
def test_properties_that_newer_servers_refuse_to_set(mapi: Mapi, anna: Person, name: str) -> None:
    store = private(mapi, anna)
    tag = REFUSED[name]
    answer = store.call(set_properties([tagged(tag, 1 if tag & 0xFFFF == 0x0B else "text")]))
    assert refusal(answer.value, answer.fields.rest, tag) == EC_ACCESS_DENIED


@pytest.mark.covers(
    "MS-OXCSTOR_R3068006", "MS-OXCSTOR_R3068007", "MS-OXCSTOR_R4003", "MS-OXCSTOR_R4005", "MS-OXCSTOR_R3104"
)
@pytest.mark.parametrize("tag", [LOCALE, SORT_LOCALE])
def test_locales_can_be_set(mapi: Mapi, anna: Person, tag: int) -> None:
    store = private(mapi, anna)
    assert store.call(set_properties([tagged(tag, 1031)])).fields.rest == b"\0\0"
    assert store.properties(store.handle, tag) == [1031]


@pytest.mark.covers(
    "MS-OXCSTOR_R3068004", "MS-OXCSTOR_R661", "MS-OXCSTOR_R662", "MS-OXCSTOR_R128", "MS-OXCSTOR_R129"
)
def test_out_of_office_shows_at_the_next_logon(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    assert store.properties(store.handle, OOF) in ([False], [Error(EC_NOT_FOUND)])
    assert store.call(set_properties([tagged(OOF, 1)])).fields.rest == b"\0\0"
    assert store.properties(store.handle, OOF) == [True]
    assert private(mapi, anna).response_flags == 0x17
    again = private(mapi, anna)
    assert again.call(set_properties([tagged(OOF, 0)])).fields.rest == b"\0\0"
    assert private(mapi, anna).response_flags == 0x07


@pytest.mark.covers("MS-OXCSTOR_R3068005", "MS-OXCSTOR_R665", "MS-OXCSTOR_R666", "MS-OXCSTOR_R59734")
def test_the_sent_mail_folder_can_be_set_and_deleted(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    value = struct.pack("<BQQI", 1, store.folders[6], 0, 0)
    assert store.call(set_properties([tagged(SENT_MAIL, value)])).fields.rest == b"\0\0"
    assert store.properties(store.handle, SENT_MAIL) == [value]
    assert store.call(delete_properties([SENT_MAIL])).fields.rest == b"\0\0"
    assert store.properties(store.handle, SENT_MAIL) == [Error(EC_NOT_FOUND)]


@pytest.mark.covers(
    "MS-OXCSTOR_R673", "MS-OXCSTOR_R59737", "MS-OXCSTOR_R674", "MS-OXCSTOR_R59738", "MS-OXCSTOR_R3093"
)
def test_properties_of_a_public_logon(mapi: Mapi, anna: Person) -> None:
    store = public(mapi)
    user, book = store.properties(store.handle, 0x66190102, 0x674F0014)
    assert_user_entry_id(user, anna.dn)
    assert book == Error(EC_NOT_FOUND), "there is no offline address book folder"


@pytest.mark.covers("MS-OXCSTOR_R4003004", "MS-OXCSTOR_R4003005")
def test_the_map_of_replicas_has_whole_pairs(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    answer = store.call(head(0x07) + struct.pack("<HHHI", 0, 1, 1, 0x66380102))
    (value,) = read_row(answer.fields, [0x66380102])
    if not isinstance(value, Error):
        assert isinstance(value, bytes)
        pairs = [value[at : at + 18] for at in range(0, len(value) // 18 * 18, 18)]
        assert struct.pack("<H", store.replid) + store.replguid in pairs
