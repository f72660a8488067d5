"""Addresses: what is one, and when two are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.directory.addresses import BadAddress, display_domain, parse, parse_domain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice@Example.TEST", "alice@example.test"),
        ("a@bücher.example", "a@XN--BCHER-KVA.example"),
        ("a@example.test.", "a@example.test"),
        ('"alice"@example.test', "alice@example.test"),
        ("jürgen@example.test", "JU\u0308RGEN@example.test"),
        (" a@example.test ", "a@example.test"),
    ],
)
def test_the_same_address(one: str, other: str) -> None:
    assert parse(one).key == parse(other).key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@example.test",
        "a b@example.test",
        "a..b@x.test",
        ".a@x.test",
        "a@",
        "a@-x.test",
        "a@x..test",
        "a@b c",
        '"a"b"@x.test',
        '"a\\"@x.test',
        "a\n@x.test",
        "a@" + "x" * 64,
        "x" * 65 + "@x.test",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadAddress):
        parse(text)


def test_quoting_survives() -> None:
    address = parse('"john \\"q\\" doe"@example.test')
    assert address.local == 'john "q" doe'
    assert str(address) == '"john \\"q\\" doe"@example.test'
    assert parse(str(address)) == address


def test_details() -> None:
    base = parse("alice+news+old@example.test").base()
    assert base is not None
    assert (str(base[0]), base[1]) == ("alice@example.test", "news+old")
    assert parse("+x@example.test").base() is None
    assert parse("alice@example.test").base() is None


def test_domains_for_people() -> None:
    assert parse_domain("Bücher.Example") == "xn--bcher-kva.example"
    assert display_domain("xn--bcher-kva.example") == "bücher.example"


@given(st.text(max_size=80))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        address = parse(text)
    except BadAddress:
        return
    assert parse(str(address)) == address
    assert parse(str(address)).key == address.key
