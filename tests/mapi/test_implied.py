"""Compact bags: nothing is lost, and ordinary mail takes little room."""

import random

from hypothesis import given
from hypothesis import strategies as st

from appliance.convert.mime.derive import derive
from appliance.formats import bags
from appliance.mapi import implied, tags
from appliance.mapi.types import PtypBinary, PtypBoolean, PtypInteger32, PtypString, PtypTime, Value
from tests.convert.mime.kit import at_hand, crlf, derived, samples

_PLAIN = (
    tags.PidTagSentRepresentingName,
    tags.PidTagSentRepresentingEmailAddress,
    tags.PidTagClientSubmitTime,
    tags.PidTagInternetReferences,
    tags.PidTagBody,
)
_VALUES: dict[int, list[Value]] = {
    PtypString: ["", "SMTP", "EX", "Re: x", "x", "a@b.test", "<1@x> <2@x>", "<2@x>", "IPM.Note"],
    PtypBoolean: [True, False],
    PtypInteger32: [-1, 0, 1, 2, 3, 16, 65001, 1252, 20127],
    PtypTime: [0x01D9000000000000],
    PtypBinary: [b"", b"x" * 16, b"\x01" + b"i" * 21, implied.one_off("x", "SMTP", "a@b.test")],
}


@given(st.randoms(use_true_random=False))
def test_nothing_is_lost(rng: random.Random) -> None:
    bag = {tag: rng.choice(_VALUES[tag & 0xFFFF]) for tag in (*implied.RULES, *_PLAIN) if rng.random() < 0.7}
    # Some of the values are what the rules give: those are the ones that go.
    for tag in implied.RULES:
        if (
            rng.random() < 0.5
            and (value := implied.RULES[tag](implied.Known(bag.get, whole=True))) is not None
        ):
            bag[tag] = value
    compacted = implied.compact(bag)
    assert implied.expand(compacted) == bag
    for tag in (*implied.RULES, *_PLAIN):
        assert implied.get(compacted.get, tag) == bag.get(tag)


def test_derived_bags_are_as_compact_as_can_be() -> None:
    for name, data in samples():
        scan, read = at_hand(data)
        found = derive(scan, read)
        assert implied.compact(found.props) == found.stored, name


def test_an_ordinary_mail_takes_little_room() -> None:
    message = """\
        From: Anna Schmidt <anna@example.org>
        To: Bernd Maier <bernd@example.net>, Carla Weiss <carla@example.net>
        Subject: Re: Minutes of the meeting on Tuesday
        Date: Tue, 3 Nov 2026 10:00:00 +0100
        Message-ID: <20261103100000.12345@mail.example.org>
        In-Reply-To: <20261102100000.777@mx.example.net>
        References: <20261102080000.1@mx.example.net> <20261102100000.777@mx.example.net>

        Thank you.
        """.replace("\n        ", "\n").lstrip()
    found = derived(message)
    assert len(bags.pack(found.stored)) <= 350
    assert found.props[tags.PidTagSenderName] == "Anna Schmidt"
    assert found.props[tags.PidTagInReplyToId] == "<20261102100000.777@mx.example.net>"
    assert found.props[tags.PidTagConversationTopic] == "Minutes of the meeting on Tuesday"
    assert found.props[tags.PidTagSenderEntryId] == implied.one_off(
        "Anna Schmidt", "SMTP", "anna@example.org"
    )
    assert crlf(message).count(b"\r\n") == 9
