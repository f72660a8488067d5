"""The C scanner and its Python twin give the same tables, however a message is cut into chunks."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.formats.mime import _native, headers, reference
from appliance.formats.mime.limits import DEFAULT_LIMITS, Limits
from appliance.formats.mime.scan import Scan, limits_as_numbers
from appliance.wire.errors import DecodeError
from tests.formats.mime.corpus import AWKWARD, mailbox_messages, real_files

NUMBERS = limits_as_numbers(DEFAULT_LIMITS)
TIGHT = Limits(header_bytes=120, kept_bytes=300, value_bytes=40, fields=4, depth=3, parts=6)
Result = tuple[bytes, list[bytes]]


def twin(module: object, data: bytes, sizes: list[int], limits: Limits = DEFAULT_LIMITS) -> Result:
    scanner = module.Scanner(*limits_as_numbers(limits))  # type: ignore[attr-defined]
    at = 0
    for size in sizes:
        scanner.feed(data[at : at + size])
        at += size
    scanner.feed(data[at:])
    result: Result = scanner.finish()
    return result


def check(data: bytes, sizes: list[int], limits: Limits = DEFAULT_LIMITS) -> Scan:
    whole = _native.scan(data, *limits_as_numbers(limits))
    assert twin(reference, data, [], limits) == whole
    assert twin(_native, data, sizes, limits) == whole
    assert twin(reference, data, sizes, limits) == whole
    return verify(Scan(*whole), data)


def verify(result: Scan, data: bytes) -> Scan:
    """The invariants of `scan`: nesting, order, sizes, and that line counts are those of the bytes."""
    assert result.size == len(data)
    eol = b"\r" if b"\n" not in data and result.lines else b"\n"
    assert result.lines == data.count(eol)
    for part in result.parts:
        assert 0 <= part.header_start <= part.body_start <= part.body_end <= len(data)
        assert part.lines == data.count(eol, part.body_start, part.body_end)
        if part.parent >= 0:
            above = result.parts[part.parent]
            assert part.parent < part.index
            assert above.body_start <= part.header_start
            assert part.body_end <= above.body_end
            assert part.index in above.children
        for a, b in zip(part.children, part.children[1:], strict=False):
            assert result.parts[a].body_end <= result.parts[b].header_start
    assert Scan.unpack(result.pack()).parts == result.parts
    return result


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_messages_in_all_cuts(name: str) -> None:
    data = AWKWARD[name]
    for limits in (DEFAULT_LIMITS, TIGHT):
        check(data, [1] * len(data), limits)
        for size in (2, 3, 7, 64, 1007, 1008, 1009):
            check(data, [size] * (len(data) // size), limits)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "nest" else ()) for name in AWKWARD]
)
def test_every_truncation(name: str) -> None:
    data = AWKWARD[name]
    step = max(1, len(data) // 400)
    for stop in range(0, len(data), step):
        check(data[:stop], [stop // 2])


@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_real_messages(path) -> None:  # type: ignore[no-untyped-def]
    data = path.read_bytes()
    check(data, [4096] * (len(data) // 4096))
    check(data.replace(b"\r\n", b"\n"), [1000], TIGHT)


def test_mailboxes() -> None:
    for data in mailbox_messages()[:2000]:
        check(data, [997] * (len(data) // 997))


_pieces = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b"--",
        b"-",
        b"a",
        b"b",
        b"ab",
        b"--a",
        b"--b",
        b"--ab--",
        b" ",
        b"\t",
        b":",
        b";",
        b'"',
        b"=",
        b"(",
        b")",
        b"\\",
        b"\0",
        b"\xe9",
        b"From ",
        b"Subject: x\r\n",
        b"\r\n\r\n",
        b"\n\n",
        b"Content-Type: multipart/mixed; boundary=a\r\n",
        b"Content-Type: multipart/digest; boundary=ab\n",
        b"content-type : multipart/x;boundary*0=a;boundary*1*=%62\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment\r\n",
        b"--a\r\n",
        b"--ab\r\n",
        b"--a--\r\n",
        b"x" * 1010,
        b"\n--" + b"y" * 1005,
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_pieces, max_size=60).map(b"".join), st.lists(st.integers(1, 40), max_size=40), st.booleans())
def test_any_message(data: bytes, sizes: list[int], tight: bool) -> None:
    check(data, sizes, TIGHT if tight else DEFAULT_LIMITS)


def test_mutated_real_messages() -> None:
    chance = random.Random(7)
    files = [path.read_bytes() for path in real_files()]
    for data in [f for f in files if len(f) < 20_000] or list(AWKWARD.values()):
        mutated = bytearray(data)
        for _ in range(1 + len(mutated) // 200):
            at = chance.randrange(len(mutated) + 1)
            mutated[at : at + chance.randrange(3)] = chance.choice(
                [b"\n", b"\r", b"--", b"", b"\0", b'"', b";"]
            )
        check(bytes(mutated), [chance.randrange(1, 500) for _ in range(10)])


def test_use_after_finish() -> None:
    for module in (_native, reference):
        scanner = module.Scanner(*limits_as_numbers(DEFAULT_LIMITS))
        scanner.finish()
        with pytest.raises(ValueError):
            scanner.feed(b"x")
        with pytest.raises(ValueError):
            scanner.finish()


def check_block(block: bytes) -> None:
    assert headers.bodies(block) == headers.bodies_of(block)


BLOCKS = st.lists(
    st.sampled_from(
        [
            b"A: b",
            b"\r\n",
            b"\n",
            b"\r",
            b" ",
            b"\t",
            b"Subject",
            b":",
            b"x" * 600,
            b"\xef\xbb\xbf",
            b"\xe9",
            b"\0",
        ]
    )
).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(BLOCKS)
def test_fields_of_any_block(block: bytes) -> None:
    check_block(block)


@pytest.mark.parametrize("name", AWKWARD)
def test_fields_of_awkward_messages(name: str) -> None:
    for stop in range(min(len(AWKWARD[name]), 400)):
        check_block(AWKWARD[name][:stop])
        check_block(AWKWARD[name][stop : stop + 400])


@pytest.mark.parametrize(
    ("block", "found"),
    [
        (b"\xef\xbb\xbfA: b\r\n", [(b"a", b"b")]),
        (b"SUBJECT \t:\t a\r\n\tb \r\nx\r\n: no name\r\n C: no\r\n", [(b"subject", b"a\tb")]),
        (b"A:1\rB: 2\r 3\r", [(b"a", b"1"), (b"b", b"2  3")]),
        (b"\n A: b\n\nC:\n", [(b"c", b"")]),
        (b"A: b\rc\n", [(b"a", b"b c")]),
    ],
)
def test_what_fields_are_read(block: bytes, found: list[tuple[bytes, bytes]]) -> None:
    assert headers.bodies(block) == headers.bodies_of(block) == found


@given(st.data())
def test_tables_that_are_damaged(data: st.DataObject) -> None:
    whole = Scan(*_native.scan(data.draw(st.sampled_from(list(AWKWARD.values()))), *NUMBERS)).pack()
    assert _native.parts(whole) == Scan.unpack(whole).entries()
    table = bytearray(whole)
    table[data.draw(st.integers(0, len(table) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(table[: data.draw(st.integers(1, len(table)))])
    try:
        entries = Scan.unpack(damaged).entries()
    except DecodeError:
        assert _native.parts(damaged) is None
    else:
        assert _native.parts(damaged) in (None, entries)
