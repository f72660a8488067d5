"""Tags, names, errors, times and objects against the reference tables and the calendar."""

import csv
from datetime import UTC, datetime, timedelta, timezone

import pytest

from appliance.mapi import errors, names, tags, times
from appliance.mapi import types as t
from appliance.mapi.objects import BytesContent, chunks
from tests.shared import shared_path


def test_tags_are_those_of_the_reference_table() -> None:
    with shared_path("spec", "properties-tagged.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            name, tag = row["canonical_name"], int(row["property_id"], 16) << 16 | int(row["type_code"], 16)
            if tag == 0x66410003:  # listed a second time under the name of 0x6640
                name = "PidTagDeletedFolderCount"
            if name == "PidTagAlternateRecipientAllowed":  # MS-OXCMSG 2.2.1.36 gives another type
                tag = 0x0002000B
            if name == "PidTagDeferredActionMessageOriginalEntryId":  # and so does MS-OXORULE 2.2.6.8
                tag = 0x674100FB
            assert tags.BY_NAME[name] == t.unicode_tag(tag), name
            if t.type_of(tag) == t.PtypString8:
                assert tags.BY_NAME[name] in tags.STRING8_TAGS


def test_named_properties_are_those_of_the_reference_table() -> None:
    with shared_path("spec", "properties-named.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["property_set"] == "PSETID_Appointment2":  # a set without a published GUID
                continue
            named = names.BY_NAME[row["canonical_name"]]
            text = row["lid_or_name"]
            assert named.name.guid == names.PROPERTY_SETS[row["property_set"]]
            assert named.name.lid_or_name == (int(text, 16) if text.startswith("0x") else text)
            expected = 0 if row["type"] == "PtypNull" else int(row["type_code"], 16)
            assert named.type == t.unicode_tag(expected)
            canonical = names.canonical_name(named.name)
            assert canonical is not None
            assert names.BY_NAME[canonical].name == named.name


def test_names_of_tags() -> None:
    assert tags.name_of(tags.PidTagSubject) == "PidTagSubject"
    assert tags.name_of(0x0037001E) == "PidTagSubject:001E"
    assert tags.name_of(0x8123001F) == "0x8123001F"
    assert tags.tag_of_id(0x0037) == tags.PidTagSubject
    assert tags.tag_of_id(0x8123) is None


def test_type_arithmetic() -> None:
    assert t.with_type(tags.PidTagSubject, t.PtypErrorCode) == 0x0037000A
    assert t.unicode_tag(0x0037001E) == tags.PidTagSubject
    assert t.unicode_tag(0x8000101E) == 0x8000101F
    assert t.unicode_tag(tags.PidTagImportance) == tags.PidTagImportance
    assert t.is_multiple(0x8000101F)
    assert not t.is_multiple(0x8000001F)
    assert t.element_type(0x301F) == t.PtypString
    assert t.is_named(0x8000001F)
    assert not t.is_named(0x7FFF001F)


def test_property_names_say_what_they_are() -> None:
    assert repr(names.PidLidBusyStatus.name) == "PropertyName(PSETID_Appointment, 0x8205)"
    assert repr(names.PidNameKeywords.name) == "PropertyName(PS_PUBLIC_STRINGS, 'Keywords')"
    assert names.PSETID_Appointment.hex() == "0220060000000000c000000000000046"
    assert names.type_of(names.PidLidBusyStatus.name) == t.PtypInteger32
    assert names.type_of(names.PropertyName(bytes(16), 1)) == t.PtypUnspecified


def test_error_codes_have_names() -> None:
    assert errors.name_of(0x8004010F) == "ecNotFound"
    assert errors.name_of(0x12345678) == "0x12345678"
    assert str(errors.MapiError(errors.ecNullObject, "handle 3")) == "ecNullObject: handle 3"
    assert errors.is_warning(errors.ecPartialCompletion)
    assert not errors.is_warning(errors.ecNullObject)


@pytest.mark.parametrize(
    ("moment", "filetime"),
    [
        (datetime(1601, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, tzinfo=UTC), times.UNIX_EPOCH),
        (datetime(2024, 2, 29, 12, 30, 15, 250, tzinfo=UTC), 133536834150002500),
        (datetime(2024, 2, 29, 14, 30, 15, 250, tzinfo=timezone(timedelta(hours=2))), 133536834150002500),
    ],
)
def test_datetimes(moment: datetime, filetime: int) -> None:
    assert times.from_datetime(moment) == filetime
    assert times.to_datetime(filetime) == moment


def test_times_at_their_ends() -> None:
    assert times.to_datetime(times.MAX_FILETIME).year == 9999
    assert times.from_datetime(datetime(1500, 1, 1, tzinfo=UTC)) == 0
    assert times.to_minutes(times.MAX_FILETIME) == 0xFFFFFFFF
    with pytest.raises(ValueError):
        times.from_datetime(datetime(2024, 1, 1))


def test_unix_and_minutes() -> None:
    assert times.from_unix(1) == times.UNIX_EPOCH + 10_000_000
    assert times.from_unix(0.5) == times.UNIX_EPOCH + 5_000_000
    assert times.to_unix(times.UNIX_EPOCH + 5_000_000) == 0.5
    assert times.from_unix_ns(1_500) == times.UNIX_EPOCH + 15
    assert times.to_minutes(times.from_minutes(215_000_000) + 7) == 215_000_000
    assert times.format_utc(times.from_unix(0)) == "1970-01-01T00:00:00Z"
    assert times.to_datetime(times.from_minutes(times.NO_DATE_MINUTES)).year == 4500


def test_content_in_pieces() -> None:
    content = BytesContent(b"abcdefg")
    assert content.size == 7
    assert list(chunks(content, 3)) == [b"abc", b"def", b"g"]
    assert content.read(9, 3) == b""
