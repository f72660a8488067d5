"""Filters of dynamic groups."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.directory.filters import BadFilter, matches, parse
from appliance.directory.model import Entry, Kind, Person

ENTRY = Entry(
    16,
    Kind.USER,
    "emile@example.test",
    "Émile (Sales) Zola",
    "/cn=x",
    bytes(16),
    person=Person(department="Sales Europe", title="Senior Manager"),
)


@pytest.mark.parametrize(
    "text",
    [
        "department=sales europe",
        "(department=Sales*)",
        "title=*manager",
        "title=*nior*man*",
        "name=emile*",
        "(&(kind=user)(|(office=*)(title=*)))",
        "(!(office=*))",
        "domain=example.test",
        "(&)",
        "name=*\\28sales\\29*",
        "( & (kind=user) (enabled=yes) )",
        "mailbox=yes",
    ],
)
def test_matches(text: str) -> None:
    assert matches(text, ENTRY)


@pytest.mark.parametrize(
    "text", ["department=sales", "office=*", "(|)", "(!(kind=user))", "kind=room", "broken"]
)
def test_does_not_match(text: str) -> None:
    assert not matches(text, ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        "department",
        "colour=red",
        "(a=b",
        "(&(kind=user)",
        "(kind=user))",
        "(!(kind=user)(kind=user))",
        "department=",
        "name=\\2",
        "(" * 40 + "kind=user",
        "(!" * 20 + "(kind=user)" + ")" * 20,
        "x" * 3000,
    ],
)
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(BadFilter):
        parse(text)


@given(st.text(alphabet="()&|!=*\\2ak indeprtmuser-", max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    with contextlib.suppress(BadFilter):
        parse(text)(ENTRY)
