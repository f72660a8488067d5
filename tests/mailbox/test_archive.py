"""mbox out and in again: bytes, flags, folders."""

import io
import mailbox as standard
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.mailbox import archive
from appliance.store.contents import Row, RowFlag

ROW = Row(1, 2, False, 5, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0x01D9000000000000, 0, 0, 1, 1, ("a", "b"))


def written(*bodies: bytes) -> bytes:
    out = io.BytesIO()
    for body in bodies:
        archive.write_mbox(out, ("Inbox", "a/b c"), ROW, iter([body]))
    return out.getvalue()


LINE = st.sampled_from([b"From here", b">From x", b">>From", b"", b"text", b"Subject: x", b"From ", b"\xff"])


@given(st.lists(st.lists(LINE, min_size=1, max_size=8), min_size=1, max_size=4))
def test_bytes_flags_and_folder_come_back(messages: list[list[bytes]]) -> None:
    bodies = [b"\r\n".join(lines) + b"\r\n" for lines in messages]
    found = [(filed, b"".join(lines)) for filed, lines in archive.read_mbox(io.BytesIO(written(*bodies)))]
    assert [body for _, body in found] == bodies
    for filed, _ in found:
        assert filed.folder == ("Inbox", "a/b c")
        assert filed.flags == RowFlag.SEEN | RowFlag.FLAGGED
        assert filed.keywords == ("a", "b")
        assert abs(filed.received - ROW.received) < 10_000_000


def test_the_standard_library_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "box"
    path.write_bytes(written(b"Subject: one\r\n\r\nFrom me\r\n", b"Subject: two\r\n\r\n\r\nx\r\n"))
    box = standard.mbox(path)
    assert [message["subject"] for message in box] == ["one", "two"]
    assert box[0].get_payload() == ">From me\n"
    box.close()


def test_pieces_of_any_size_give_the_same_lines() -> None:
    body = b"a\r\nb\nc\rd\r\n" + b"x" * (archive.MAX_LINE * 2) + b"\nend"
    whole = b"".join(archive.lines(iter([body])))
    assert whole == body
    assert b"".join(archive.lines(bytes([b]) for b in body[:20])) == body[:20]
    assert list(archive.lines(iter([b"a\r", b"\nb"]))) == [b"a\r\n", b"b"]


def test_what_is_no_mbox_is_refused() -> None:
    with pytest.raises(ValueError, match="From line"):
        next(archive.read_mbox(io.BytesIO(b"Subject: x\n\n")))
