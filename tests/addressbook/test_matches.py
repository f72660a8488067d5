"""NspiGetMatches: restrictions, and tables that properties hold; how strings compare."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.addressbook import collation, matches, rows
from appliance.addressbook.stat import CP_WINUNICODE, Retrieve, SortType, Stat
from appliance.directory import lists
from appliance.directory import sort as directory_sort
from appliance.mapi import errors, tags
from appliance.mapi import restrictions as r
from appliance.mapi import types as t
from appliance.mapi.entryids import PermanentEntryId
from appliance.mapi.names import PS_MAPI, PropertyName
from tests.addressbook.conftest import GAL, Office, code, shown

NAME = tags.PidTagDisplayName
PRINTABLE = tags.PidTagAddressBookDisplayNamePrintable
ANYTHING = r.FuzzyFlags.IGNORE_CASE


def content(value: str, level: int = 1, tag: int = NAME) -> r.Restriction:
    return r.Content(level, ANYTHING, tag, tag, value)


def prop(operator: r.RelOp, tag: int, value: t.Value) -> r.Restriction:
    return r.Property(operator, tag, tag, value)


def found(office: Office, restriction: r.Restriction, stat: Stat | None = None) -> list[str]:
    """The names that a restriction finds, in order."""
    return office.names(office.session().get_matches(stat or Stat(), restriction, None, 1000, None).mids)


@pytest.mark.covers(
    "MS-OXNSPI_R1077", "MS-OXNSPI_R1078", "MS-OXNSPI_R646", "MS-OXNSPI_R1086", "MS-OXNSPI_R1908",
    "MS-OXNSPI_R1909", "MS-OXNSPI_R1910", "MS-OXNSPI_R1911", "MS-OXNSPI_R1912", "MS-OXNSPI_R1913",
    "MS-OXNSPI_R1914", "MS-OXNSPI_R1091", "MS-OXNSPI_R1092", "MS-OXNSPI_R1124", "MS-OXNSPI_R1127",
    "MS-OXNSPI_R1128", "MS-OXNSPI_R508", "MS-OXNSPI_R509", "MS-OXNSPI_R510", "MS-OXNSPI_R1097",
    "MS-OXNSPI_R1081", "MS-OXNSPI_R473", "MS-OXNSPI_R474", "MS-OXNSPI_R475", "MS-OXNSPI_R480",
    "MS-OXNSPI_R481", "MS-OXNSPI_R1817", "MS-OXNSPI_R1818", "MS-OXNSPI_R1819", "MS-OXNSPI_R1820",
    "MS-OXNSPI_R1821", "MS-OXNSPI_R484", "MS-OXNSPI_R488", "MS-OXNSPI_R489", "MS-OXNSPI_R490",
    "MS-OXNSPI_R491", "MS-OXNSPI_R492", "MS-OXNSPI_R493", "MS-OXNSPI_R486", "MS-OXNSPI_R487",
)  # fmt: skip
@pytest.mark.parametrize(
    ("restriction", "names"),
    [
        (content("emile", 2), ["Émile Zola"]),
        (content("ER"), ["Carol Fern", "Grace Hopper", "Users"]),
        (content("staff", 0), ["Staff"]),
        (r.And((content("a"), content("n"))), ["Äbtissin Hildegard", "Alan Turing", "Carol Fern"]),
        (r.And((content("a"), content("o"))), ["Ada Lovelace", "Carol Fern", "Émile Zola", "Grace Hopper"]),
        (r.Or((content("staff"), content("zola"))), ["Émile Zola", "Staff"]),
        (r.Not(prop(r.RelOp.EQ, tags.PidTagDisplayType, 0)), ["Carol Fern", "news", "Staff", "Users"]),
        (prop(r.RelOp.GE, NAME, "news"), ["news", "Staff", "Users"]),
        (prop(r.RelOp.LT, NAME, "ALAN"), ["Äbtissin Hildegard", "Ada Lovelace"]),
        (prop(r.RelOp.EQ, NAME, "ÄBTISSIN  hildegard"), ["Äbtissin Hildegard"]),
        (prop(r.RelOp.NE, tags.PidTagObjectType, 6), ["news", "Staff", "Users"]),
        (r.Exist(tags.PidTagTitle), ["Ada Lovelace"]),
        (r.Exist(tags.PidTagAddressBookReports), ["Alan Turing"]),
        (r.Exist(0x12340003), []),
        (prop(r.RelOp.EQ, tags.PidTagAnr, "al"), ["Ada Lovelace", "Alan Turing"]),
        (r.Not(content("zola", 2, tags.PidTagAnr)), [name for name in GAL if name != "Émile Zola"]),
        (prop(r.RelOp.EQ, tags.PidTagAnr, ""), []),
        (r.BitMask(True, tags.PidTagObjectType, 8), ["Staff", "Users"]),
        (prop(r.RelOp.EQ, tags.PidTagEmsAbProxyAddresses, "SMTP:al@example.test"), ["Ada Lovelace"]),
        (prop(r.RelOp.EQ, PRINTABLE, "Staff"), ["Staff"]),
        (prop(r.RelOp.EQ, PRINTABLE, "staff"), []),
        (prop(r.RelOp.LT, PRINTABLE, "Users"), ["news", "Staff"]),
        (content("mile", 1, PRINTABLE), ["Émile Zola"]),
        (r.And(()), list(GAL)),
        (r.Or(()), []),
    ],
)  # fmt: skip
def test_restrictions(office: Office, restriction: r.Restriction, names: list[str]) -> None:
    assert found(office, restriction) == names


@pytest.mark.covers("MS-OXNSPI_R462", "MS-OXNSPI_R463", "MS-OXNSPI_R461")
def test_values_of_both_string_types(office: Office) -> None:
    """Restrictions are read with Unicode types; a native 8-bit property is compared as one either way."""
    for tag in (PRINTABLE, PRINTABLE & ~1):
        assert found(office, r.Property(r.RelOp.EQ, t.unicode_tag(tag), t.unicode_tag(tag), "news")) == [
            "news"
        ]


def test_member_of(office: Office) -> None:
    key = PermanentEntryId(office.staff.legacy_dn).pack()
    restriction = prop(r.RelOp.MEMBER_OF_DL, tags.PidTagEntryId, key)
    assert found(office, restriction) == ["Ada Lovelace", "Carol Fern", "Émile Zola"]
    for nothing in (b"", b"x" * 40, PermanentEntryId(office.ada.legacy_dn).pack()):
        assert found(office, prop(r.RelOp.MEMBER_OF_DL, tags.PidTagEntryId, nothing)) == []


def test_restrictions_in_a_list(office: Office) -> None:
    users = Stat(container_id=lists.USERS.container_id, sort_type=SortType.PHONETIC_DISPLAY_NAME)
    assert found(office, content("a"), users)[-2:] == ["Alan Turing", "Ada Lovelace"]
    assert "Carol Fern" not in found(office, content("a"), users)


@pytest.mark.covers(
    "MS-OXNSPI_R1146", "MS-OXNSPI_R1147", "MS-OXNSPI_R1154", "MS-OXNSPI_R1155", "MS-OXNSPI_R1696",
    "MS-OXNSPI_R1165", "MS-OXNSPI_R1166", "MS-OXNSPI_R1167", "MS-OXNSPI_R1094", "MS-OXNSPI_R1095",
    "MS-OXNSPI_R1096",
)  # fmt: skip
def test_rows_and_stat(office: Office) -> None:
    book, columns = office.session(), [NAME, tags.PidTagEntryId, tags.PidTagTitle]
    asked = Stat(current_rec=office.grace.id, delta=3, num_pos=4, total_recs=5)
    answer = book.get_matches(asked, content("al"), None, 10, columns)
    assert answer.stat == replace(asked, container_id=office.grace.id)
    explicit = book.query_rows(Retrieve.EPHEMERAL_IDS, asked, answer.mids, len(answer.mids), columns)
    assert answer.rows == explicit.rows
    assert book.get_matches(asked, content("al"), None, 10, None).rows is None


@pytest.mark.covers(
    "MS-OXNSPI_R1090", "MS-OXNSPI_R1149", "MS-OXNSPI_R1151", "MS-OXNSPI_R1152", "MS-OXNSPI_R1122",
    "MS-OXNSPI_R1125", "MS-OXNSPI_R1126", "MS-OXNSPI_R1635", "MS-OXNSPI_R1756", "MS-OXNSPI_R1636",
    "MS-OXNSPI_R1105", "MS-OXNSPI_R1106", "MS-OXNSPI_R1107", "MS-OXNSPI_R1101", "MS-OXNSPI_R1102",
    "MS-OXNSPI_R1103",
)  # fmt: skip
def test_refused(office: Office) -> None:
    book, everybody = office.session(), r.And(())
    assert len(book.get_matches(Stat(), everybody, None, len(GAL), None).mids) == len(GAL)
    assert code(lambda: book.get_matches(Stat(), everybody, None, len(GAL) - 1, None)) == errors.ecTableTooBig
    assert (
        code(lambda: book.get_matches(Stat(container_id=3), everybody, None, 99, None))
        == errors.ecInvalidBookmark
    )
    assert code(lambda: book.get_matches(Stat(sort_type=1000), everybody, None, 99, None)) == errors.ecError
    for complex in (
        r.SubObject(tags.PidTagMessageRecipients, everybody),
        r.Not(r.Count(1, everybody)),
        r.Comment((), None),
        r.Or(tuple([everybody] * (matches.MAX_TERMS + 1))),
    ):
        assert code(lambda c=complex: book.get_matches(Stat(), c, None, 99, None)) == errors.ecTooComplex  # type: ignore[misc]
    wide = Stat(code_page=CP_WINUNICODE)
    assert book.get_matches(wide, everybody, None, 99, [NAME]).rows is not None
    assert code(lambda: book.get_matches(wide, everybody, None, 99, [NAME & ~1])) == errors.ecInvalidCodepage
    too_many = [NAME] * (rows.MAX_COLUMNS + 1)
    assert code(lambda: book.get_matches(Stat(), everybody, None, 99, too_many)) == errors.ecTableTooBig


@pytest.mark.covers(
    "MS-OXNSPI_R1130", "MS-OXNSPI_R1131", "MS-OXNSPI_R1132", "MS-OXNSPI_R1133", "MS-OXNSPI_R1134",
    "MS-OXNSPI_R1135", "MS-OXNSPI_R1136", "MS-OXNSPI_R1137", "MS-OXNSPI_R1142", "MS-OXNSPI_R1143",
    "MS-OXNSPI_R1144", "MS-OXNSPI_R1145", "MS-OXNSPI_R1639", "MS-OXNSPI_R1088", "MS-OXNSPI_R98",
    "MS-OXNSPI_R513", "MS-OXNSPI_R514", "MS-OXNSPI_R515", "MS-OXNSPI_R656",
)  # fmt: skip
def test_tables_that_properties_hold(office: Office) -> None:
    """Members, managers, reports, memberships: by the tag in ContainerID or by name, sorted by names."""
    book = office.session()
    read = Stat(sort_type=SortType.DISPLAY_NAME_RO, delta=99)
    for entry, tag, names in (
        (office.staff, tags.PidTagAddressBookMember, ["Ada Lovelace", "Carol Fern", "Émile Zola"]),
        (office.staff, tags.PidTagAddressBookOwner, ["Alan Turing"]),
        (office.ada, tags.PidTagAddressBookManager, ["Alan Turing"]),
        (office.alan, tags.PidTagAddressBookReports, ["Ada Lovelace"]),
        (office.ada, 0x8008000D, ["Staff", "Users"]),
        (office.ada, tags.PidTagAddressBookPublicDelegates, []),
        (office.grace, tags.PidTagAddressBookReports, []),
        (office.ghost, tags.PidTagAddressBookManager, []),
    ):
        asked = replace(read, container_id=tag, current_rec=entry.id)
        answer = book.get_matches(asked, None, None, 100, [NAME])
        assert answer.rows is not None
        assert shown(answer.rows) == names
        assert answer.stat == replace(asked, container_id=entry.id)
        named = PropertyName(PS_MAPI, tag >> 16)
        assert book.get_matches(replace(asked, container_id=0), None, named, 100, None).mids == answer.mids


@pytest.mark.covers("MS-OXNSPI_R1138", "MS-OXNSPI_R1140", "MS-OXNSPI_R1141", "MS-OXNSPI_R517")
def test_properties_that_hold_no_objects(office: Office) -> None:
    book, read = office.session(), Stat(sort_type=SortType.DISPLAY_NAME_RO)
    member = tags.PidTagAddressBookMember
    for missing in (0, 1, 4711, lists.ROOMS.container_id):
        asked = replace(read, container_id=member, current_rec=missing)
        assert code(lambda a=asked: book.get_matches(a, None, None, 9, None)) == errors.ecError  # type: ignore[misc]
    for tag in (NAME, tags.PidTagEntryId, 0x1234000D, 0):
        asked = replace(read, container_id=tag, current_rec=office.staff.id)
        assert code(lambda a=asked: book.get_matches(a, None, None, 9, None)) == errors.ecNotSupported  # type: ignore[misc]
    asked = replace(read, current_rec=office.staff.id)
    for name in (
        PropertyName(bytes(16), 0x8009),
        PropertyName(PS_MAPI, "members"),
        PropertyName(PS_MAPI, 0x3001),
    ):
        assert code(lambda n=name: book.get_matches(asked, None, n, 9, None)) == errors.ecNotSupported  # type: ignore[misc]
    plain = Stat(container_id=77, current_rec=office.staff.id)
    named = PropertyName(PS_MAPI, 0x8009)
    assert code(lambda: book.get_matches(plain, None, named, 9, None)) == errors.ecInvalidBookmark


@pytest.mark.covers("MS-OXNSPI_R1139", "MS-OXNSPI_R100")
def test_writable_tables(office: Office) -> None:
    """Open to who may change the property, and to nobody for properties that cannot be changed."""
    member, delegates = tags.PidTagAddressBookMember, tags.PidTagAddressBookPublicDelegates
    write = Stat(sort_type=SortType.DISPLAY_NAME_W, current_rec=office.staff.id, container_id=member)
    own = replace(write, current_rec=office.ada.id, container_id=delegates)
    for user, asked, refused in (
        (office.alan, write, 0),
        (office.grace, write, 0),
        (office.ada, write, errors.ecNotSupported),
        (office.ada, own, 0),
        (office.alan, own, errors.ecNotSupported),
        (office.grace, replace(write, current_rec=office.users.id), errors.ecNotSupported),
        (office.grace, replace(own, container_id=tags.PidTagAddressBookReports), errors.ecNotSupported),
    ):
        book = office.session(user)
        assert code(lambda b=book, a=asked: b.get_matches(a, None, None, 9, None)) == refused  # type: ignore[misc]


# How strings compare


@pytest.mark.covers(
    "MS-OXNSPI_R482", "MS-OXNSPI_R1823", "MS-OXNSPI_R1824", "MS-OXNSPI_R1828", "MS-OXNSPI_R1829",
    "MS-OXNSPI_R1830", "MS-OXNSPI_R1844", "MS-OXNSPI_R1845", "MS-OXNSPI_R1846", "MS-OXNSPI_R1840",
    "MS-OXNSPI_R67",
)  # fmt: skip
def test_what_makes_no_difference() -> None:
    """Case, accents, kana and width; in other languages than the default one symbols too."""
    default, other = collation.closest(0x409), collation.closest(0x40C)
    for order in (default, other):
        for one, two in (
            ("ADA", "ada"),
            ("Émile", "emile"),
            ("エイダ", "えいだ"),
            ("ｴｲﾀﾞ", "えいだ"),
            ("Ａｄａ", "ada"),
        ):
            assert collation.weight(one, order) == collation.weight(two, order)
    assert collation.weight("O'Neil", default) != collation.weight("ONeil", default)
    assert collation.weight("O'Neil", other) == collation.weight("ONeil", other)
    assert collation.weight("-a", default) < collation.weight("a", default)  # a symbol like any other


@pytest.mark.covers(
    "MS-OXNSPI_R476", "MS-OXNSPI_R477", "MS-OXNSPI_R478", "MS-OXNSPI_R479", "MS-OXNSPI_R532",
    "MS-OXNSPI_R533", "MS-OXNSPI_R341", "MS-OXNSPI_R342", "MS-OXNSPI_R343", "MS-OXNSPI_R494",
    "MS-OXNSPI_R496",
)  # fmt: skip
@pytest.mark.parametrize(
    ("lcid", "names"),
    [
        (0x409, ["Äpple", "Ohm", "Öl", "Zebra"]),
        (0x41D, ["Ohm", "Zebra", "Äpple", "Öl"]),
        (0x406, ["Ohm", "Zebra", "Äpple", "Öl"]),
        (0x405, ["cizí", "čas", "hora", "chata", "ida"]),
        (0x40A, ["nube", "ñandú", "oso"]),
        (0x41F, ["cam", "çam", "ısı", "ilk"]),
        (0x407, ["Äpple", "Ohm", "Öl", "Zebra"]),
        (0xFFFFFFFF, ["Äpple", "Ohm", "Öl", "Zebra"]),
    ],
)
def test_languages(office: Office, lcid: int, names: list[str]) -> None:
    order = collation.closest(lcid)
    assert sorted(set(names), key=lambda name: collation.ordering(name, order)) == names
    stat = Stat(sort_locale=lcid, current_rec=2, delta=-1)
    last = office.session().update_stat(stat)[0].current_rec
    assert office.names([last]) == ["Äbtissin Hildegard" if lcid in (0x41D, 0x406) else "Users"]


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_default_order_is_the_directory_s(one: str, other: str) -> None:
    """Without kana, the order of NSPI is that of the store's index and of every other listing."""
    if any("\u3040" < char < "\u3100" or "\uff65" < char < "\uffa0" for char in one + other):
        return
    ours = collation.ordering(one, 0) < collation.ordering(other, 0)
    theirs = directory_sort.sort_key(one) < directory_sort.sort_key(other)
    same = collation.weight(one, 0) == collation.weight(other, 0)
    assert (
        ours == theirs
        or same
        or collation.weight(one, 0).startswith(collation.weight(other, 0))
        or (collation.weight(other, 0).startswith(collation.weight(one, 0)))
    )
