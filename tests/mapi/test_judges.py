"""The vocabulary against tables that other people made: impacket's properties and error codes."""

import pytest

from appliance.mapi import codepages, errors, tags

# What impacket lists besides MS-OXCDATA 2.4: profile and messaging-service codes, LDAP codes.
NOT_OXCDATA = {0x80040120, 0x80040121, 0x80040122, 0x80040124, 0x80040502, 0x00040203, 0x00040580}


def test_property_ids_agree_with_impacket() -> None:
    constants = pytest.importorskip("impacket.mapi_constants", reason="impacket is not installed")
    compared = 0
    for property_id, facts in constants.MAPI_PROPERTIES.items():
        for name in facts:
            if isinstance(name, str) and name in tags.BY_NAME:
                assert tags.BY_NAME[name] >> 16 == property_id, name
                compared += 1
    assert compared > 500


def test_error_codes_are_those_that_impacket_knows() -> None:
    constants = pytest.importorskip("impacket.mapi_constants", reason="impacket is not installed")
    for code, name in constants.ERROR_MESSAGES.items():
        if not name.startswith("LDAP") and code not in NOT_OXCDATA:
            assert code in errors.NAMES, name


def test_page_numbers_agree_with_python() -> None:
    for page in (437, 850, 866, 874, 932, 949, 950, *range(1250, 1259)):
        assert "é".encode(codepages.codec_of(page), "replace") == "é".encode(f"cp{page}", "replace")
    assert codepages.page_of("ISO-8859-15") == 28605
    assert codepages.charset_of(1252) == "windows-1252"
    assert codepages.decode(b"\x81", 1252) == "�"
    assert codepages.encode("日", 1252) == b"?"
    assert codepages.codec_of(99999) == "cp1252"
    assert not codepages.is_known(99999)
    for page in codepages._PAGES:
        assert codepages.decode(codepages.encode("abc", page), page) == "abc"
        assert codepages.page_of(codepages.charset_of(page)) is not None
