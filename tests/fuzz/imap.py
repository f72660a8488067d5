"""Fuzz targets of IMAP: octets to commands, commands to requests, names and strings both ways."""

from collections.abc import Iterable

from appliance.mailbox.errors import Refused
from appliance.protocols.imap import names, sequence, wire
from appliance.protocols.imap.commands import TABLE
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.reader import CommandRead, LiteralAsked, Piece, Reader
from appliance.protocols.imap.tokens import Cursor
from tests.fuzz.runner import Target


def _read(data: bytes, step: int) -> list[tuple[Piece, ...]]:
    reader = Reader()
    found = []
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
        while (event := reader.next()) is not None:
            if isinstance(event, LiteralAsked):
                if event.size > 4096:
                    reader.abandon()
                elif b"APPEND" in b"".join(piece for piece in event.pieces if isinstance(piece, bytes)):
                    reader.stream()
                else:
                    reader.take()
            elif isinstance(event, CommandRead):
                found.append(event.pieces)
    return found


def commands(data: bytes) -> None:
    """Pieces of input do not matter, and every command is a request or is refused."""
    found = _read(data, max(1, len(data)))
    if len(data) <= 2000:
        assert _read(data, 1) == found
    for pieces in found:
        for utf8 in (False, True):
            cursor = Cursor(pieces, utf8=utf8)
            try:
                cursor.tag()
                cursor.space()
                name = cursor.word()
                if name == b"UID":
                    cursor.space()
                    name += b" " + cursor.word()
                command = TABLE.get(name)
                if command is not None:
                    command.parse(cursor)
            except (Bad, No, Refused):
                continue


def texts(data: bytes) -> None:
    """What is written is read back."""
    for utf8 in (False, True):
        written = wire.string(data, utf8=utf8)
        if written.startswith(b'"'):
            assert Cursor((written,)).string() == data
    try:
        name = names.decode(data, utf8=False)
    except (Bad, No):
        return
    if len(name) < 1000 and all(not "\ud800" <= char <= "\udfff" for char in name) and name.isprintable():
        assert names.decode(names.encode(name, False), utf8=False) == name
    try:
        ranges = sequence.parse(data).resolve(1000)
    except Bad:
        return
    if ranges:
        assert sequence.parse(sequence.render(ranges.pairs)).resolve(1000) == ranges


def _commands() -> Iterable[bytes]:
    yield b'a LOGIN "x" {3+}\r\nabc\r\nb SELECT INBOX (QRESYNC (1 2 1:5,9 (1:2 3:4)) CONDSTORE)\r\n'
    yield b"a UID FETCH 1:* (BODY.PEEK[1.2.HEADER.FIELDS (A B)]<0.9>) (CHANGEDSINCE 5)\r\n"
    yield b'a SEARCH RETURN (MIN SAVE) CHARSET UTF-8 OR NOT SUBJECT "x" (UID 1:* ON 1-Jan-2020) MODSEQ 5\r\n'
    yield b"a SORT (REVERSE DATE SUBJECT) UTF-8 ALL\r\nb THREAD REFERENCES UTF-8 YOUNGER 5 EMAILID M1\r\n"
    yield b'a APPEND INBOX (\\Seen $x) "01-Feb-2020 10:00:00 +0100" {3+}\r\nabc ~{2+}\r\nab\r\n'
    yield b'a LIST (SUBSCRIBED RECURSIVEMATCH) "" (% "a/*") RETURN (CHILDREN STATUS (MESSAGES SIZE))\r\n'
    yield b"a NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) MessageExpunge)) (subtree (a b) NONE)\r\n"
    yield b'a STORE 1:2 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Deleted a)\r\nb ID ("a" NIL)\r\nc ENABLE A B\r\n'
    yield b'a CREATE x (USE (\\Sent))\r\nb SETACL x y +lr\r\nc SETQUOTA "" (STORAGE 5)\r\nd NOOP\r\n'


def _texts() -> Iterable[bytes]:
    yield b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    yield b"1:5,7,9:*"
    yield 'INBOX/Entw\xfcrfe "x" \\'.encode()


IMAP_TARGETS = (
    Target("imap.commands", commands, _commands, errors=()),
    Target("imap.texts", texts, _texts, errors=()),
)
