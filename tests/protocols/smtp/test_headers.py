"""The header section of a message, in whatever pieces it comes."""

import pytest

from appliance.protocols.smtp.headers import MAX_HEAD, MAX_SEEN, HeadReader

LINE = b"X: y\r\n"


@pytest.mark.parametrize("step", [1000, 64 << 10, 256 << 10, 1 << 22])
@pytest.mark.parametrize("hold", [True, False])
def test_a_section_that_is_too_long(step: int, hold: bool) -> None:
    for lines in (MAX_HEAD // 6, MAX_HEAD // 6 + 1, MAX_SEEN // 6, MAX_SEEN // 6 + 1):
        head = LINE * lines
        reader, data, passed = HeadReader(hold=hold), head + b"\r\nBody\r\n", b""
        for at in range(0, len(data), step):
            passed += reader.feed(data[at : at + step])
        too_long = len(head) > (MAX_HEAD if hold else MAX_SEEN)
        assert (reader.overflow, reader.complete) == (too_long, not too_long)
        if not hold:
            assert passed == data
            assert reader.head == head[:MAX_SEEN]
        elif not too_long:
            assert (reader.head, passed) == (head, b"\r\nBody\r\n")
