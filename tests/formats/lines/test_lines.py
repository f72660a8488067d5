"""The C and its twin say the same of any lines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import lines
from appliance.formats.lines import reference
from tests.sanitized import fuzz_driver

TEXT = st.lists(
    st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"\r\n.\r\n", b"\r\n.", b"..", b"\0", b"x" * 70])
).map(b"".join)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", (-1, False, False)),
        (b"a\r\n.\r\nQUIT\r\n", (1, False, False)),
        (b"\r\n.\r\n", (0, False, False)),
        (b"a\n.\r\n", (-1, True, False)),
        (b"a\r\n.\n", (-1, True, True)),
        (b"a\r\n.\r", (-1, False, True)),
        (b"a\r\n..\r\nb\r\n.\r\n\n", (8, False, True)),
        (b"a\rb\r\n.\r\n", (3, True, False)),
        (b"a\r\r\n", (-1, True, False)),
        (b"\n", (-1, True, False)),
        (b".\r\n", (-1, False, False)),
    ],
)
def test_what_is_found(data: bytes, found: tuple[int, bool, bool]) -> None:
    assert lines.look(data) == reference.look(data) == found


@given(TEXT)
def test_twins(data: bytes) -> None:
    assert lines.look(data) == reference.look(data)
    assert lines.look(memoryview(data)) == lines.look(bytearray(data)) == lines.look(data)
    assert lines.bare(data) is reference.bare(data)


def test_every_truncation() -> None:
    data = b"a\r\n..b\r\r\n\nc\r\n.\r\nd"
    for start in range(len(data)):
        for stop in range(start, len(data) + 1):
            piece = data[start:stop]
            assert lines.look(piece) == reference.look(piece)
            assert lines.bare(piece) is reference.bare(piece)


@pytest.mark.slow
def test_fuzz_under_sanitizers(tmp_path: Path) -> None:
    seeds = [b"a\r\n.\r\nQUIT\r\n", b"a\rb\n\r\n..\r\n.", b"\r\n.\r", b"x" * 300 + b"\r\n.\r\n"]
    fuzz_driver(tmp_path, ["lines/fuzz.c", "lines/lines.c"], seeds, 2000)
