"""Property ROPs on messages and attachments (MS-OXCPRPT 3.2.5.1 to 3.2.5.10)."""

import pytest

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.names import PS_INTERNET_HEADERS, PS_MAPI, PS_PUBLIC_STRINGS, PropertyName
from appliance.mapi.rows import PropertyError
from appliance.mapi.types import PtypString, PtypString8
from appliance.mapi.values import TypedValue, rop_form
from appliance.rop import batch
from appliance.rop.ops import (
    copy_properties,
    create_attachment,
    delete_properties,
    get_names_from_property_ids,
    get_property_ids_from_names,
    modify_recipients,
    open_embedded_message,
    open_folder,
    query_named_properties,
    set_properties,
)
from appliance.rop.ops import get_properties_specific as specific
from appliance.store import names as name_rows
from appliance.store.mailboxes import Special
from tests.rop.kit import TOO_SMALL, Ask, Client, Reply
from tests.rop.mail import deliver
from tests.rop.ops.items import (
    FORM,
    attach,
    create,
    get,
    get_all,
    listed,
    note,
    numbers,
    open_attachment_,
    opened,
    recipients_request,
    row,
    save,
    save_attachment,
    set_,
    smtp,
)
from tests.transport.office import Office

MISSING, LARGE = PropertyError(ec.ecNotFound), PropertyError(ec.ecMAPIOOM)
SUBJECT, SUBJECT8, SUBJECT0 = tags.PidTagSubject, 0x0037001E, 0x00370000
CREATE = get_property_ids_from_names.NameFlags.CREATE
CYRILLIC = rop_form(1251)


def delete(client: Client, on: int, *wanted: int) -> Reply:
    return client.do(delete_properties.DELETE, delete_properties.Request(wanted), on=on)


@pytest.mark.covers("MS-OXCSTOR_R73", "MS-OXCSTOR_R75")
@pytest.mark.covers(
    "MS-OXCPRPT_R45602",
    "MS-OXCPRPT_R457",
    "MS-OXCPRPT_R457001",
    "MS-OXCPRPT_R457002",
    "MS-OXCPRPT_R457003",
    "MS-OXCPRPT_R45702",
    "MS-OXCPRPT_R45701",
    "MS-OXCPRPT_R458",
    "MS-OXCPRPT_R459",
    "MS-OXCPRPT_R460",
    "MS-OXCPRPT_R461",
    "MS-OXCPRPT_R462",
    "MS-OXCPRPT_R463",
    "MS-OXCPRPT_R464",
    "MS-OXCPRPT_2.2.2",
    "MS-OXCPRPT_2.2.2.2",
)
def test_strings_come_in_the_form_that_is_asked_for(client: Client) -> None:
    logon = client.logon()
    mid = note(client, logon, "Привет")
    message = opened(client, logon, mid, page=1251)
    wanted = (SUBJECT, SUBJECT8, SUBJECT0)
    assert get(client, message, *wanted, form=CYRILLIC) == [
        "Привет",
        "Привет",
        TypedValue(PtypString, "Привет"),
    ]
    open_8bit = get(client, message, SUBJECT0, form=CYRILLIC, unicode=False)
    assert open_8bit == [TypedValue(PtypString8, "Привет")]
    everything = get_all(client, message, unicode=False, form=CYRILLIC)
    assert everything[SUBJECT8] == "Привет"
    assert SUBJECT not in everything
    western = opened(client, logon, mid)
    assert get(client, western, SUBJECT8) == ["??????"]
    assert get(client, message) == []


@pytest.mark.covers(
    "MS-OXCROPS_R76",
    "MS-OXCROPS_R80",
)
@pytest.mark.covers(
    "MS-OXCPRPT_R90701",
    "MS-OXCPRPT_R9070101",
    "MS-OXCPRPT_R9070102",
    "MS-OXCPRPT_R90707",
)
def test_what_is_not_there_and_what_is_too_big(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    set_(client, message, {tags.PidTagBody: "b" * 12_000, tags.PidTagHtml: b"h" * 3000})
    assert get(client, message, 0x6DDD0003, tags.PidTagHtml, tags.PidTagBody) == [
        MISSING,
        b"h" * 3000,
        "b" * 12_000,
    ]
    assert get(client, message, tags.PidTagHtml, limit=10) == [b"h" * 3000]
    set_(client, message, {0x6DDD0102: b"x" * 20_000})
    assert get(client, message, 0x6DDD0102, tags.PidTagBody, SUBJECT) == [
        b"x" * 20_000,
        LARGE,
        MISSING,
    ]
    everything = get_all(client, message)
    assert everything[0x6DDD0102] == b"x" * 20_000
    assert everything[tags.PidTagBody & 0xFFFF0000 | 0x0A] == ec.ecMAPIOOM
    assert {tags.PidTagBody, 0x6DDD0102} <= {*listed(client, message)}


@pytest.mark.covers(
    "MS-OXCROPS_R454507",
    "MS-OXCROPS_R454508",
)
def test_a_row_that_does_not_fit_behind_others_is_given_back(client: Client) -> None:
    message = create(client, client.logon())
    set_(client, message, {0x6D000102 + (n << 16): bytes(4000) for n in range(7)})
    wanted = tuple(0x6D000102 + (n << 16) for n in range(7))
    ask = Ask(specific.ROP, specific.Request(0, 1, wanted))
    (data,) = client.raw(batch.pack(ask.pack() * 2, [message]))
    first, given_back = 6 + 1 + 7 * 4002, int.from_bytes(data[:2], "little") - len(ask.pack()) - 3
    assert row(data[8 : 2 + first], wanted) == [bytes(4000)] * 7
    assert given_back == 2 + first
    assert data[given_back] == TOO_SMALL
    assert data[given_back + 3 : -4] == ask.pack()


@pytest.mark.covers(
    "MS-OXCPRPT_R48402",
    "MS-OXCPRPT_R486",
    "MS-OXCPRPT_R48405",
    "MS-OXCPRPT_R485",
    "MS-OXCPRPT_R874",
    "MS-OXCPRPT_R875",
    "MS-OXCPRPT_R487",
    "MS-OXCPRPT_R488",
    "MS-OXCPRPT_R489",
    "MS-OXCPRPT_R835",
    "MS-OXCPRPT_R836",
    "MS-OXCPRPT_R83603",
    "MS-OXCPRPT_R83604",
    "MS-OXCPRPT_R83605",
    "MS-OXCPRPT_R8360501",
    "MS-OXCPRPT_R83606",
    "MS-OXCPRPT_2.2.7",
    "MS-OXCPRPT_2.2.7.2",
    "MS-OXCPRPT_R837",
    "MS-OXCPRPT_R84405",
    "MS-OXCPRPT_R84406",
    "MS-OXCPRPT_R84407",
)
def test_properties_are_deleted(client: Client) -> None:
    logon = client.logon()
    mid = note(client, logon, PidTagBody="text")
    message, other = opened(client, logon, mid), opened(client, logon, mid)
    assert delete(client, message, tags.PidTagBody, SUBJECT).body.problems == ()
    assert get(client, message, tags.PidTagBody, SUBJECT) == [MISSING, MISSING]
    assert tags.PidTagBody not in listed(client, message)
    assert get(client, other, tags.PidTagBody) == ["text"]
    save(client, message)
    assert get(client, opened(client, logon, mid), tags.PidTagBody) == [MISSING]
    problems = delete(client, message, tags.PidTagMessageSize, tags.PidTagBody).body.problems
    assert [(p.index, p.tag, p.code) for p in problems] == [(0, tags.PidTagMessageSize, ec.ecComputed)]


@pytest.mark.parametrize("rop", set_properties.ROPS)
@pytest.mark.covers(
    "MS-OXCPRPT_R11",
    "MS-OXCPRPT_R15",
    "MS-OXCPRPT_R853",
    "MS-OXCPRPT_R855",
    "MS-OXCPRPT_R857",
    "MS-OXCPRPT_R859",
    "MS-OXCPRPT_R39",
    "MS-OXCPRPT_R52",
    "MS-OXCPRPT_R863",
    "MS-OXCPRPT_R47502",
    "MS-OXCPRPT_R475",
    "MS-OXCPRPT_R47505",
    "MS-OXCPRPT_R47506",
    "MS-OXCPRPT_2.2.5",
    "MS-OXCPRPT_2.2.5.2",
    "MS-OXCPRPT_R822",
    "MS-OXCPRPT_R823",
    "MS-OXCPRPT_R824",
    "MS-OXCPRPT_R82401",
    "MS-OXCPRPT_R826",
    "MS-OXCPRPT_R830",
    "MS-OXCPRPT_R83306",
    "MS-OXCPRPT_R83307",
    "MS-OXCPRPT_R83308",
    "MS-OXCMSG_R1125",
    "MS-OXCMSG_R1128",
    "MS-OXCMSG_R1724",
    "MS-OXCMSG_R15",
    "MS-OXCMSG_R31",
    "MS-OXCMSG_R516",
    "MS-OXCMSG_R47",
    "MS-OXCMSG_R231",
    "MS-OXCMSG_R1078",
    "MS-OXCMSG_R1111",
)
def test_read_only_properties_are_problems(client: Client, rop: object) -> None:
    logon = client.logon()
    message = create(client, logon)
    read_only = (
        tags.PidTagAccess,
        tags.PidTagAccessLevel,
        tags.PidTagObjectType,
        tags.PidTagRecordKey,
        tags.PidTagMessageSize,
        tags.PidTagHasAttachments,
        tags.PidTagMessageStatus,
        tags.PidTagCreationTime,
        tags.PidTagLastModificationTime,
        tags.PidTagLastModifierName,
        tags.PidTagSearchKey,
        tags.PidTagChangeKey,
    )
    before = get(client, message, *read_only)
    values = {SUBJECT: "x"} | {tag: b"x" * 16 if tag & 0xFFFF == 0x102 else 1 for tag in read_only}
    values[tags.PidTagLastModifierName] = "x"
    request = set_properties.Request.of(list(values.items()), FORM)
    problems = client.do(rop, request, on=message).body.problems  # type: ignore[arg-type]
    assert [(p.index, p.tag) for p in problems] == [(n, tag) for n, tag in enumerate(read_only, 1)]
    assert {p.code for p in problems} == {ec.ecComputed}
    after = get(client, message, *read_only)
    assert [value for value, tag in zip(after, read_only, strict=True) if tag != tags.PidTagMessageSize] == [
        value for value, tag in zip(before, read_only, strict=True) if tag != tags.PidTagMessageSize
    ]
    assert get(client, message, SUBJECT) == ["x"]
    assert set_(client, message, {tags.PidTagMessageFlags: 0x8}).problems == ()
    save(client, message)
    assert [p.tag for p in set_(client, message, {tags.PidTagMessageFlags: 1}).problems] == [
        tags.PidTagMessageFlags
    ]
    attachment = attach(client, message, {}, keep=True)
    problem = set_(client, attachment, {tags.PidTagAttachSize: 1, tags.PidTagAttachNumber: 7}).problems
    assert len(problem) == 2


def test_bytes_that_are_no_values(client: Client) -> None:
    message = create(client, client.logon())
    for data in (b"", b"\x01\x00", b"\x00\x00x", b"\xff\xff" + bytes(20), b"\x01\x00\x99\x99\x37\x00aa"):
        reply = client.ask(set_properties.SET, set_properties.Request(data), on=message)
        assert reply.code == ec.ecInvalidParam
    assert [p.code for p in set_(client, message, {0x9FFF0003: 1}).problems] == [ec.ecInvalidParam]


def test_subjects_and_their_parts(client: Client) -> None:
    message = create(client, client.logon())
    prefix, rest = tags.PidTagSubjectPrefix, tags.PidTagNormalizedSubject
    for values, expected in (
        ({SUBJECT: "Re: one"}, ["Re: one", "Re: ", "one"]),
        ({prefix: "FW: "}, ["FW: one", "FW: ", "one"]),
        ({rest: "two"}, ["FW: two", "FW: ", "two"]),
        ({SUBJECT: "plain"}, ["plain", "", "plain"]),
    ):
        set_(client, message, values)
        assert get(client, message, SUBJECT, prefix, rest) == expected


def ids(client: Client, on: int, *wanted: PropertyName, create: bool = True) -> Reply:
    flags = CREATE if create else get_property_ids_from_names.NameFlags(0)
    return client.ask(
        get_property_ids_from_names.ROP, get_property_ids_from_names.Request(flags, wanted), on=on
    )


@pytest.mark.covers(
    "MS-OXCPRPT_3.2.5.9",
    "MS-OXCPRPT_2.2.12",
    "MS-OXCPRPT_2.2.12.1",
    "MS-OXCPRPT_2.2.13",
    "MS-OXCPRPT_2.2.13.2",
    "MS-OXCPRPT_R52502",
    "MS-OXCPRPT_R526",
    "MS-OXCPRPT_R642",
    "MS-OXCPRPT_R529",
    "MS-OXCPRPT_R530",
    "MS-OXCPRPT_R531",
    "MS-OXCPRPT_R532",
    "MS-OXCPRPT_R533",
    "MS-OXCPRPT_R534",
    "MS-OXCPRPT_R535",
    "MS-OXCMSG_2.2.1.39",
)
def test_named_properties(client: Client) -> None:
    logon = client.logon()
    color, shape = PropertyName(PS_PUBLIC_STRINGS, "Color"), PropertyName(PS_PUBLIC_STRINGS, 0x8899)
    reply = ids(client, logon, color, shape, create=False)
    assert (reply.code, reply.body.ids) == (ec.ecWarnWithErrors, (0, 0))
    made = ids(client, logon, color, shape).body.ids
    assert all(0x8000 <= number < 0xFFFF for number in made)
    assert len({*made}) == 2
    assert ids(client, logon, color, shape, create=False).body.ids == made
    assert ids(client, logon, PropertyName(PS_MAPI, 0x37)).body.ids == (0x37,)
    header = PropertyName(PS_INTERNET_HEADERS, "X-Color")
    lower = PropertyName(PS_INTERNET_HEADERS, "x-color")
    assert ids(client, logon, header).body.ids == ids(client, logon, lower, create=False).body.ids
    assert ids(client, logon, PropertyName(PS_PUBLIC_STRINGS, "color"), create=False).body.ids == (0,)
    assert set(made) <= {*ids(client, logon, create=False).body.ids}
    request = get_names_from_property_ids.Request((*made, 0x37, 0xFFF0))
    found = client.do(get_names_from_property_ids.ROP, request, on=logon).body.names
    assert found == (color, shape, PropertyName(PS_MAPI, 0x37), None)
    message = create(client, logon)
    assert get(client, message, tags.PidTagHasNamedProperties) == [False]
    set_(client, message, {made[0] << 16 | PtypString: "red"})
    mid = save(client, message)
    again = opened(client, logon, mid)
    assert get(client, again, made[0] << 16 | PtypString, made[0] << 16) == [
        "red",
        TypedValue(PtypString, "red"),
    ]
    assert get(client, again, tags.PidTagHasNamedProperties) == [True]


@pytest.mark.covers(
    "MS-OXCPRPT_3.2.5.6",
    "MS-OXCPRPT_2.2.9",
    "MS-OXCPRPT_2.2.9.1",
    "MS-OXCPRPT_2.2.9.2",
    "MS-OXCPRPT_R12904",
)
def test_named_properties_are_queried(client: Client) -> None:
    logon = client.logon()
    color, shape = PropertyName(PS_PUBLIC_STRINGS, "Color"), PropertyName(b"g" * 16, 0x8899)
    made = ids(client, logon, color, shape).body.ids

    def query(flags: int, guid: bytes | None = None) -> dict[int, PropertyName]:
        flags_ = query_named_properties.QueryFlags(flags)
        request = query_named_properties.Request(flags_, guid is not None, guid)
        body = client.do(query_named_properties.ROP, request, on=logon).body
        return dict(zip(body.ids, body.names, strict=True))

    assert query(0) == query(0xF0) == dict(zip(made, (color, shape), strict=True))
    assert query(1) == {made[1]: shape}
    assert query(2) == {made[0]: color}
    assert query(0, b"g" * 16) == {made[1]: shape}


@pytest.mark.covers(
    "MS-OXCPRPT_R53501",
    "MS-OXCPRPT_R53502",
)
def test_names_have_an_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    logon = client.logon()
    ids(client, logon, PropertyName(PS_PUBLIC_STRINGS, 1))
    monkeypatch.setattr(name_rows, "LAST", 0x8000)
    original = name_rows.assign
    monkeypatch.setattr(name_rows, "assign", lambda txn, name: original(txn, name, limit=0x8000))
    assert ids(client, logon, PropertyName(PS_PUBLIC_STRINGS, 2)).code == ec.ecMAPIOOM


def copy_to(
    client: Client, source: int, target: int, *excluded: int, flags: int = 0, sub: bool = True
) -> Reply:
    request = copy_properties.ToRequest(False, sub, copy_properties.CopyFlags(flags), excluded)
    return client.ask(copy_properties.COPY_TO, request, on=source, dest=target)


@pytest.mark.covers(
    "MS-OXCPRPT_2.2.11",
    "MS-OXCPRPT_2.2.11.1",
    "MS-OXCPRPT_2.2.11.2",
    "MS-OXCPRPT_R50702",
    "MS-OXCPRPT_R5070501",
    "MS-OXCPRPT_R5070507",
    "MS-OXCPRPT_R5070508",
    "MS-OXCPRPT_R50801",
    "MS-OXCPRPT_R50802",
    "MS-OXCPRPT_R55",
    "MS-OXCPRPT_R51",
)
def test_a_message_is_copied_to_another(client: Client, office: Office) -> None:
    logon = client.logon()
    source, target = create(client, logon), create(client, logon)
    set_(client, source, {SUBJECT: "Re: a", tags.PidTagBody: "body", tags.PidTagSensitivity: 2})
    client.do(modify_recipients.ROP, recipients_request({0: (1, smtp("b@x.test", "B"))}), on=source)
    attach(client, source, {tags.PidTagAttachDataBinary: b"data", tags.PidTagAttachLongFilename: "a"})
    attach(client, source, {tags.PidTagAttachDataBinary: b"more"})
    assert copy_to(client, source, target, tags.PidTagSensitivity).code == 0
    wanted = (SUBJECT, tags.PidTagBody, tags.PidTagSensitivity, tags.PidTagHasAttachments)
    assert get(client, target, *wanted) == ["Re: a", "body", 0, True]
    key = tags.PidTagSearchKey
    assert get(client, target, key) == get(client, source, key)
    mid = save(client, target)
    again = opened(client, logon, mid)
    assert get(client, again, tags.PidTagDisplayTo) == ["B"]
    assert numbers(client, again) == (0, 1)
    assert get(client, open_attachment_(client, again, 0), tags.PidTagAttachDataBinary) == [b"data"]
    raw = deliver(
        office,
        client.user,
        b"From: b@x.test\r\nTo: C <c@x.test>\r\nSubject: Mail\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n'
        b'Content-Disposition: attachment; filename="x"\r\n\r\n' + b"inside\r\n" * 20_000 + b"\r\n--b--\r\n",
    )
    mail = opened(client, logon, raw.mid, Special.INBOX)
    third = create(client, logon)
    assert copy_to(client, mail, third).code == 0
    mid = save(client, third)
    again = opened(client, logon, mid)
    assert get(client, again, SUBJECT, tags.PidTagBody, tags.PidTagDisplayTo) == ["Mail", "text", "C"]
    assert numbers(client, again) == (0,)
    plain = create(client, logon)
    assert copy_to(client, mail, plain, sub=False).code == 0
    assert numbers(client, plain) == ()


@pytest.mark.covers(
    "MS-OXCPRPT_2.2.10",
    "MS-OXCPRPT_2.2.10.1",
    "MS-OXCPRPT_2.2.10.2",
    "MS-OXCPRPT_R50003",
    "MS-OXCPRPT_R500",
    "MS-OXCPRPT_R50006",
    "MS-OXCPRPT_R501",
    "MS-OXCPRPT_R50101",
    "MS-OXCPRPT_R879",
    "MS-OXCPRPT_R880",
    "MS-OXCPRPT_R88001",
    "MS-OXCPRPT_R849",
    "MS-OXCPRPT_R504",
    "MS-OXCPRPT_R50402",
    "MS-OXCPRPT_R86502",
    "MS-OXCPRPT_R18402",
    "MS-OXCPRPT_R508",
    "MS-OXCPRPT_R890",
    "MS-OXCPRPT_R821",
    "MS-OXCPRPT_R5070502",
    "MS-OXCPRPT_R5070505",
    "MS-OXCPRPT_R5070506",
)
def test_single_properties_are_copied(client: Client) -> None:
    logon = client.logon()
    source, target = create(client, logon), create(client, logon)
    set_(client, source, {SUBJECT: "a", tags.PidTagBody: "body"})
    set_(client, target, {SUBJECT: "kept"})

    def copy(flags: int, *wanted: int, to: int = target) -> Reply:
        request = copy_properties.PropertiesRequest(False, copy_properties.CopyFlags(flags), wanted)
        return client.ask(copy_properties.COPY_PROPERTIES, request, on=source, dest=to)

    assert copy(2, SUBJECT, tags.PidTagBody).body.problems == ()
    assert get(client, target, SUBJECT, tags.PidTagBody) == ["kept", "body"]
    reply = copy(0, SUBJECT, tags.PidTagMessageSize, 0x6DDD0003)
    assert [(p.index, p.code) for p in reply.body.problems] == [(1, ec.ecComputed), (2, ec.ecNotFound)]
    assert get(client, target, SUBJECT) == ["a"]
    assert copy(4, SUBJECT).code == ec.ecInvalidParam
    assert copy(3, SUBJECT).code == ec.ecInvalidParam
    assert copy(0, SUBJECT, to=0x7777).code == ec.ecDstNullObject
    folder = client.do(
        open_folder.ROP, open_folder.Request(Special.INBOX, open_folder.OpenModeFlags(0)), on=logon
    )
    assert copy(0, SUBJECT, to=folder.handle).code == ec.ecNotSupported
    assert copy_to(client, source, target, flags=8).code == ec.ecInvalidParam


@pytest.mark.covers(
    "MS-OXCPRPT_R896",
    "MS-OXCPRPT_R89601",
    "MS-OXCPRPT_R89602",
)
def test_a_message_is_not_copied_into_itself(client: Client) -> None:
    message = create(client, client.logon())
    attachment = client.do(create_attachment.ROP, on=message).handle
    request = open_embedded_message.Request(0x0FFF, open_embedded_message.OpenModeFlags.CREATE)
    inner = client.do(open_embedded_message.ROP, request, on=attachment).handle
    assert copy_to(client, message, inner).code == ec.ecMsgCycle
    assert copy_to(client, inner, message).code == 0


@pytest.mark.covers(
    "MS-OXCPRPT_R848",
)
def test_attachments_are_copied(client: Client) -> None:
    logon = client.logon()
    one, other = create(client, logon), create(client, logon)
    source = attach(
        client, one, {tags.PidTagAttachLongFilename: "a", tags.PidTagAttachDataBinary: b"d"}, keep=True
    )
    target = attach(client, other, {}, keep=True)
    assert copy_to(client, source, target).code == 0
    assert get(client, target, tags.PidTagAttachLongFilename, tags.PidTagAttachDataBinary) == ["a", b"d"]
    assert copy_to(client, source, other).code == ec.ecNotSupported


@pytest.mark.covers(
    "MS-OXCPRPT_R110", "MS-OXCPRPT_R112", "MS-OXCPRPT_R122", "MS-OXCPRPT_R124", "MS-OXCPRPT_R83607",
    "MS-OXCPRPT_R83608", "MS-OXCPRPT_R841", "MS-OXCPRPT_R84404", "MS-OXCPRPT_R490", "MS-OXCPRPT_R491",
    "MS-OXCPRPT_R41404", "MS-OXCPRPT_R41405",
)  # fmt: skip
def test_properties_of_attachments_are_deleted(client: Client) -> None:
    logon = client.logon()
    name = tags.PidTagAttachLongFilename
    for rop in delete_properties.ROPS:
        message = create(client, logon)
        attachment = attach(client, message, {name: "a", tags.PidTagAttachDataBinary: b"x"}, keep=True)
        mid = save(client, message)
        request = delete_properties.Request((name, tags.PidTagAttachDataBinary))
        assert client.do(rop, request, on=attachment).body.problems == ()
        assert get(client, attachment, name, tags.PidTagAttachDataBinary) == [MISSING, MISSING]
        stored = open_attachment_(client, opened(client, logon, mid), 0)
        assert get(client, stored, name, tags.PidTagAttachDataBinary) == ["a", b"x"]
        save_attachment(client, attachment, message)
        save(client, message)
        stored = open_attachment_(client, opened(client, logon, mid), 0)
        assert get(client, stored, name, tags.PidTagAttachDataBinary) == [MISSING, MISSING]


@pytest.mark.covers(
    "MS-OXCMSG_2.2.1.58.2", "MS-OXCMSG_2.2.1.58.3", "MS-OXCMSG_2.2.1.58.4", "MS-OXCMSG_2.2.1.58.5",
    "MS-OXCMSG_2.2.1.58.9",
)  # fmt: skip
def test_the_native_body(client: Client) -> None:
    logon = client.logon()
    native, html = tags.PidTagNativeBody, tags.PidTagHtml
    message = create(client, logon)
    assert get(client, message, native) == [0]
    set_(client, message, {tags.PidTagBody: "plain"})
    assert get(client, message, native, tags.PidTagRtfInSync) == [1, False]
    set_(client, message, {html: b"<p>rich</p>", tags.PidTagInternetCodepage: 65001})
    assert get(client, message, native, tags.PidTagBodyHtml) == [3, "<p>rich</p>"]
    mid = save(client, message)
    again = opened(client, logon, mid)
    assert get(client, again, native, html) == [3, b"<p>rich</p>"]
    set_(client, again, {tags.PidTagBody: "new words"})
    assert get(client, again, native, tags.PidTagBody) == [1, "new words"]
    save(client, again)
    (made,) = get(client, opened(client, logon, mid), html)
    assert b"new words" in made
