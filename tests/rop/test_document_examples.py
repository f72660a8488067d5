"""ROP buffers that the documents show byte for byte: read as they explain them, written as they are shown."""

from typing import NamedTuple

import pytest

from appliance.mapi import tags
from appliance.mapi.values import rop_form
from appliance.rop.ops import create_folder, get_property_ids_from_names
from appliance.rop.table import ROPS
from appliance.rop.tagged import TaggedValues
from appliance.wire.cursor import Reader

FOLDER = 0x0001_0000_0E8E_DF36
NAME = "46 00 6F 00 6C 00 64 00 65 00 72 00 31 00 00 00 "
"""Folder1"""


class Example(NamedTuple):
    """A request with its header of RopId, LogonId and handle indexes, and what its fields say."""

    section: str
    data: str
    handles: tuple[int, ...]
    fields: dict[str, object]


REQUESTS = (
    Example(
        "MS-OXCFOLD 4.1.1",
        "1C 00 00 01 01 01 00 00 " + NAME + "00 00",
        (0, 1),
        {
            "folder_type": 1,
            "use_unicode_strings": True,
            "open_existing": False,
            "reserved": 0,
            "display_name": "Folder1",
            "comment": "",
        },
    ),
    Example(
        "MS-OXCFOLD 4.2.1",
        "1D 00 01 05 01 00 00 00 0E 8E DF 36",
        (1,),
        {"delete_folder_flags": 5, "folder_id": FOLDER},
    ),
    Example(
        "MS-OXCFOLD 4.3.1",
        "1E 00 00 00 01 02 00 01 00 00 00 0E 8E F1 48 01 00 00 00 0E 8E C3 02",
        (0,),
        {
            "want_asynchronous": False,
            "notify_non_read": True,
            "message_ids": (0x0001_0000_0E8E_F148, 0x0001_0000_0E8E_C302),
        },
    ),
    Example(
        "MS-OXCFOLD 4.4.1",
        "33 00 00 01 01 00 01 00 00 00 0E 8E EC 5D 00 00",
        (0, 1),
        {"message_ids": (0x0001_0000_0E8E_EC5D,), "want_asynchronous": False, "want_copy": False},
    ),
    Example(
        "MS-OXCFOLD 4.5.1",
        "35 00 01 02 01 01 01 00 00 00 0E 8E DF 36 " + NAME,
        (1, 2),
        {"want_asynchronous": True, "use_unicode": True, "folder_id": FOLDER, "new_folder_name": "Folder1"},
    ),
    Example(
        "MS-OXCFOLD 4.6.1",
        "36 00 00 01 01 01 01 01 00 00 00 0E 8E DF 36 " + NAME,
        (0, 1),
        {
            "want_asynchronous": True,
            "want_recursive": True,
            "use_unicode": True,
            "folder_id": FOLDER,
            "new_folder_name": "Folder1",
        },
    ),
    Example("MS-OXCTABL 4.1.1", "05 00 00 01 00", (0, 1), {"table_flags": 0}),
    Example(
        "MS-OXCTABL 4.2.1",
        "12 00 01 00 06 00 14 00 48 67 14 00 4A 67 14 00 4D 67 03 00 4E 67 1F 00 37 00 40 00 06 0E",
        (1,),
        {
            "set_columns_flags": 0,
            "property_tags": (
                tags.PidTagFolderId,
                tags.PidTagMid,
                tags.PidTagInstID,
                tags.PidTagInstanceNum,
                tags.PidTagSubject,
                tags.PidTagMessageDeliveryTime,
            ),
        },
    ),
    Example(
        "MS-OXCTABL 4.5.1",
        "13 00 00 00 02 00 01 00 01 00 1F 30 08 80 00 40 00 06 0E 01",
        (0,),
        {"sort_table_flags": 0, "category_count": 1, "expanded_count": 1},
    ),
    Example("MS-OXORULE 4.2.1", "3F 00 00 01 40", (0, 1), {"table_flags": 0x40}),
    Example(
        "MS-OXORULE 4.2.1",
        "12 00 01 00 03 00 14 00 74 66 02 01 84 66 1F 00 82 66",
        (1,),
        {"property_tags": (tags.PidTagRuleId, tags.PidTagRuleProviderData, tags.PidTagRuleName)},
    ),
    Example(
        "MS-OXORULE 4.2.1",
        "15 00 01 00 01 32 00",
        (1,),
        {"query_rows_flags": 0, "forward_read": True, "row_count": 50},
    ),
    Example("MS-OXCPERM 4.1", "3E 00 00 01 02", (0, 1), {"table_flags": 2}),
    Example(
        "MS-OXCPERM 4.1",
        "2B 00 01 02 1F 00 6A 0E 00",
        (1, 2),
        {"property_tag": 0x0E6A001F, "open_mode_flags": 0},
    ),
    Example(
        "MS-OXCPRPT 4.3.1",
        "07 00 00 00 00 01 00 03 00 0B 00 3E 86 03 00 3F 86 02 01 E2 65",
        (0,),
        {
            "property_size_limit": 0,
            "want_unicode": 1,
            "tags": (0x863E000B, 0x863F0003, tags.PidTagChangeKey),
        },
    ),
)


@pytest.mark.parametrize("example", REQUESTS, ids=[f"{each.section} {each.data[:2]}" for each in REQUESTS])
def test_requests(example: Example) -> None:
    data = bytes.fromhex(example.data)
    rop = ROPS[data[0]]
    head = 2 + len(rop.handles.value)
    assert (data[1], tuple(data[2:head])) == (0, example.handles)
    reader = Reader(data, head)
    request = rop.request.decode(reader)
    reader.expect_end()
    assert {name: getattr(request, name) for name in example.fields} == example.fields
    assert request.pack() == data[head:]


def test_sorting_by_a_named_multivalue_property() -> None:
    """MS-OXCTABL 4.5.1: each of the two columns with its direction."""
    data = bytes.fromhex("13 00 00 00 02 00 01 00 01 00 1F 30 08 80 00 40 00 06 0E 01")
    request = ROPS[0x13].request.decode(Reader(data, 3))
    orders = [(order.tag, order.order) for order in request.sort_orders]  # type: ignore[attr-defined]
    assert orders == [(0x8008301F, 0), (tags.PidTagMessageDeliveryTime, 1)]


def test_setting_two_properties() -> None:
    """MS-OXCPRPT 4.2.1: PropertyValueSize counts the number of values too."""
    data = bytes.fromhex(
        "0A 00 00 24 00 02 00 1F 00 3D 00 00 00 1F 00 1D 0E 48 00 65 00 6C 00 6C 00 6F 00 20 00 57 00 6F 00"
        "72 00 6C 00 64 00 00 00"
    )
    request = ROPS[0x0A].request.decode(Reader(data, 3))
    assert request.pack() == data[3:]
    values = TaggedValues(rop_form(1252)).decode(Reader(data, 5))
    assert values == ((tags.PidTagSubjectPrefix, ""), (tags.PidTagNormalizedSubject, "Hello World"))


def test_responses() -> None:
    """MS-OXCFOLD 4.1.2, MS-OXCPRPT 4.1.2."""
    data = bytes.fromhex("01 00 00 00 0E 91 52 12 00")
    made = create_folder.ROP.response.decode(Reader(data))
    assert (made.folder_id, made.is_existing_folder) == (0x0001_0000_0E91_5212, False)  # type: ignore[attr-defined]
    assert made.pack() == data
    data = bytes.fromhex("02 00 3E 86 3F 86")
    found = get_property_ids_from_names.ROP.response.decode(Reader(data))
    assert found.ids == (0x863E, 0x863F)  # type: ignore[attr-defined]
    assert found.pack() == data
