"""Conversation indexes and ids (MS-OXOMSG 2.2.1.2 and 2.2.1.3), code pages."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.convert.mime import codepages
from appliance.mapi import conversation, times

NOW = times.from_unix(1_772_445_600)
GUID = bytes(range(16))


def test_a_new_index_holds_time_and_guid() -> None:
    index = conversation.new_index(NOW, GUID)
    assert len(index) == conversation.HEADER_LENGTH
    parsed = conversation.parse_index(index)
    assert parsed is not None
    assert parsed.guid == GUID
    assert parsed.depth == 0
    assert 0 <= NOW - parsed.time < 1 << 24


def test_old_indexes_leave_out_the_top_byte_of_the_time() -> None:
    old = b"\x01" + (NOW >> 16 & 0xFF_FFFF_FFFF).to_bytes(5, "big") + GUID
    parsed = conversation.parse_index(old)
    assert parsed is not None
    assert 0 <= NOW - parsed.time < 1 << 16


@given(st.integers(0, 20 * 365 * times.TICKS_PER_DAY), st.integers(0, 255))
def test_a_reply_is_one_level_deeper_and_knows_how_much_later(later: int, salt: int) -> None:
    parent = conversation.new_index(NOW, GUID)
    child = conversation.reply_index(parent, NOW + later, salt)
    assert child[:22] == parent
    parsed = conversation.parse_index(child)
    assert parsed is not None
    assert parsed.depth == 1
    value = int.from_bytes(child[22:26], "big")
    shift = 23 if value >> 31 else 18
    start = conversation.parse_index(parent)
    assert start is not None
    assert (value & 0x7FFF_FFFF) << shift <= NOW + later - start.time < ((value & 0x7FFF_FFFF) + 1) << shift


def test_damaged_parents_are_left_alone() -> None:
    assert conversation.reply_index(b"junk", NOW, 1) == b"junk"
    assert conversation.parse_index(b"\x02" * 30) is None
    assert conversation.read_thread_index("!!") in (None, b"")


def test_ids_come_from_the_index_if_it_is_tracked_else_from_the_topic() -> None:
    index = conversation.new_index(NOW, GUID)
    topic = hashlib.md5("T\u00d6PIC".encode("utf-16-le")).digest()
    assert conversation.conversation_id(index, "t\u00f6pic", True) == GUID
    assert conversation.conversation_id(index, "t\u00f6pic", False) == topic
    assert conversation.conversation_id(None, "", False) is None
    assert conversation.topic_id("x" * 300) == conversation.topic_id("X" * 255)


@pytest.mark.parametrize(
    ("charset", "page"),
    [("UTF-8", 65001), ("iso-8859-1", 28591), ("windows-1252", 1252), ("koi8-r", 20866), ("gb2312", 936),
     ("Shift_JIS", 932), ("iso-2022-jp", 50220), ("us-ascii", 20127), ("big5", 950), ("x-nothing", None)],
)  # fmt: skip
def test_character_sets_have_code_pages(charset: str, page: int | None) -> None:
    assert codepages.code_page(charset) == page
    if page is not None:
        name = codepages.name_of(page)
        assert name is not None
        assert "abc".encode(codepages.codec(page) or "") == b"abc"
