"""Macintosh files: every form gives back what was put in, and other programs read what is written."""

import binascii
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats.macintosh import applefile, binary, binhex
from appliance.formats.macintosh.file import Chain, MacFile, Range
from appliance.mapi.objects import BytesContent, Content
from appliance.wire.errors import DecodeError

FILE = MacFile(
    name="Grüße".encode("mac-roman"),
    data=BytesContent(b"data fork \x90\x90" + b"z" * 700),
    resource=BytesContent(bytes(range(256))),
    type=b"TEXT",
    creator=b"ttxt",
    flags=0x2101,
    place=b"\0\1\0\2",
    folder=b"\0\3",
    protected=True,
    created=3_800_000_000,
    modified=3_800_000_001,
    comment=b"a comment",
)
FILES = st.builds(
    MacFile,
    name=st.binary(min_size=1, max_size=63).filter(
        lambda name: name == name.rstrip(b"\0") and name[:1] > b"\0"
    ),
    data=st.binary(max_size=400).map(BytesContent),
    resource=st.binary(max_size=400).map(BytesContent),
    type=st.binary(min_size=4, max_size=4),
    creator=st.binary(min_size=4, max_size=4),
    flags=st.integers(0, 0xFFFF),
    place=st.binary(min_size=4, max_size=4),
    folder=st.binary(min_size=2, max_size=2),
    protected=st.booleans(),
    created=st.integers(1_000_000_000, 0xFFFFFFFF) | st.just(0),
    modified=st.integers(1_000_000_000, 0xFFFFFFFF) | st.just(0),
    comment=st.binary(max_size=200),
)


def whole(content: Content) -> bytes:
    return content.read(0, content.size)


def flat(file: MacFile) -> MacFile:
    """With its forks in memory, to compare."""
    return replace(file, data=BytesContent(whole(file.data)), resource=BytesContent(whole(file.resource)))


@given(FILES)
def test_macbinary(file: MacFile) -> None:
    content = binary.build(file)
    assert content.size % 128 == 0
    assert flat(binary.parse(content)) == file


@given(FILES)
def test_appledouble(file: MacFile) -> None:
    parsed = flat(applefile.parse(applefile.double(file)))
    assert parsed == replace(file, data=BytesContent(b""))


def test_applesingle() -> None:
    """Offset by offset, as RFC 1740 has it."""
    head = bytes.fromhex("0005160000020000") + bytes(16) + b"\0\4"
    finder = b"TEXTttxt" + bytes.fromhex("0100 0001 0002 0003") + bytes(16)
    dates = (1).to_bytes(4, "big") + (-1 & 0xFFFFFFFF).to_bytes(4, "big") + bytes(8)
    at = len(head) + 4 * 12
    table = b""
    for id, size in ((3, 4), (9, len(finder)), (8, len(dates)), (1, 5)):
        table += b"".join(number.to_bytes(4, "big") for number in (id, at, size))
        at += size
    file = applefile.parse(BytesContent(head + table + b"name" + finder + dates + b"bytes"))
    assert (file.name, whole(file.data), whole(file.resource)) == (b"name", b"bytes", b"")
    assert (file.type, file.creator, file.flags) == (b"TEXT", b"ttxt", 0x100)
    assert (file.place, file.folder) == (b"\0\1\0\2", b"\0\3")
    assert (file.created, file.modified) == (3029529601, 3029529599)


def test_old_macbinary() -> None:
    """The first version has no check sum and zeros where later ones have something."""
    head = bytearray(whole(binary.build(FILE))[:128])
    head[99:] = bytes(29)
    forks = whole(binary.build(FILE))[128:]
    parsed = binary.parse(BytesContent(bytes(head) + forks))
    assert (parsed.name, parsed.flags, whole(parsed.data)) == (FILE.name, 0x2100, whole(FILE.data))
    head[120] = 1
    with pytest.raises(DecodeError):
        binary.parse(BytesContent(bytes(head) + forks))


def test_a_secondary_header_is_passed_over() -> None:
    data = bytearray(whole(binary.build(FILE)))
    data[120:122] = (5).to_bytes(2, "big")
    data[124:126] = binascii.crc_hqx(bytes(data[:124]), 0).to_bytes(2, "big")
    assert whole(
        binary.parse(BytesContent(bytes(data[:128]) + b"second".ljust(128, b"\0") + data[128:])).data
    ) == (whole(FILE.data))


@pytest.mark.parametrize("parse", [binary.parse, applefile.parse])
@pytest.mark.parametrize("written", [whole(binary.build(FILE)), whole(applefile.double(FILE))])
@given(at=st.integers(0, 2000), byte=st.integers(0, 255), cut=st.integers(0, 2000))
def test_what_is_broken(parse: object, written: bytes, at: int, byte: int, cut: int) -> None:
    data = bytearray(written)
    data[at % len(data)] = byte
    assert callable(parse)
    try:
        file = parse(BytesContent(bytes(data[:cut])))
    except DecodeError:
        return
    assert file.data.size + file.resource.size <= cut
    assert len(whole(file.data)) == file.data.size


def test_contents_of_contents() -> None:
    parts = [BytesContent(b"abc"), BytesContent(b""), Range(BytesContent(b"0123456789"), 2, 4)]
    chain = Chain(parts)
    assert chain.size == 7
    for offset in range(9):
        for length in range(9):
            assert chain.read(offset, length) == b"abc2345"[offset : offset + length]
    assert Chain([]).read(0, 5) == b""


JUDGE = pytest.mark.skipif(shutil.which("binhex") is None, reason="macutils is not installed")


@JUDGE
@pytest.mark.parametrize("size", [0, 1, 2, 3, 700, 70_000])
def test_what_another_program_makes_of_it(tmp_path: Path, size: int) -> None:
    """`binhex` reads our MacBinary, we read its BinHex, and `hexbin` turns that back into our MacBinary."""
    file = replace(
        FILE, data=BytesContent((b"\x90\x90\x90aaaaab" * size)[:size]), comment=b"", protected=False
    )
    (tmp_path / "in.bin").write_bytes(whole(binary.build(file)))
    text = subprocess.run(["binhex", "in.bin"], cwd=tmp_path, check=True, capture_output=True).stdout
    found = binhex.decode(b"Some words first.\r\n\r\n" + text + b"\r\nand words behind")
    assert (found.name, whole(found.data), whole(found.resource)) == (
        file.name,
        whole(file.data),
        whole(file.resource),
    )
    assert (found.type, found.creator) == (file.type, file.creator)
    (tmp_path / "in.hqx").write_bytes(text)
    subprocess.run(["hexbin", "-3", "in.hqx"], cwd=tmp_path, check=True, capture_output=True)
    (made,) = tmp_path.glob("*.data")
    assert made.read_bytes() == whole(file.data)
    subprocess.run(["hexbin", "-b", "in.hqx"], cwd=tmp_path, check=True, capture_output=True)
    (again,) = (path for path in tmp_path.glob("*.bin") if path.name != "in.bin")
    parsed = binary.parse(BytesContent(again.read_bytes()))
    assert (whole(parsed.data), whole(parsed.resource)) == (whole(file.data), whole(file.resource))
    assert (parsed.name, parsed.type, parsed.creator) == (file.name, file.type, file.creator)
