"""The MIME scanner in Python: the readable twin of native/mime/scan.c, function by function.

The rules stand at the top of the C file; both give the same table, byte for byte, for every message and
every way of cutting it into chunks. States: HEADER (lines are fields until the empty line), BODY (lines
that open with "--" are held and judged), SKIP (the rest of a delimiter line). Held: the current header, kept
fields and HOLD bytes of a line. Never fails, except ValueError for use after `finish`.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from appliance.formats.mime.content import SPACE, boundary_of, parse_token, type_of
from appliance.formats.mime.headers import BOM, fields_of
from appliance.formats.mime.limits import HOLD, MAX_BOUNDARY, Finding

_VERSION = 1
_LEAF, _MULTIPART, _MESSAGE = range(3)
_NOTHING = Finding(0)
_FIELDS = (
    b"content-type", b"content-transfer-encoding", b"content-id", b"content-description",
    b"content-disposition", b"content-language", b"content-location", b"content-md5",
)  # fmt: skip
_CODED = frozenset((b"base64", b"quoted-printable", b"uuencode", b"x-uuencode", b"x-uue", b"uue"))


class _State(Enum):
    HEADER = auto()
    BODY = auto()
    SKIP = auto()


@dataclass(slots=True)
class _Part:
    header_start: int
    parent: int
    """Index + 1."""
    message: bool
    body_start: int = 0
    body_end: int = 0
    lines: int = 0
    kind: int = _LEAF
    findings: Finding = _NOTHING
    packed: bytes = b""


@dataclass(slots=True)
class _Frame:
    part: int
    boundary: bytes = b""
    """Empty: none, or closed already."""
    digest: bool = False


@dataclass(slots=True)
class _Line:
    """The line that is being held."""

    offset: int = 0
    count: int = 0
    term: int = 0
    """Bytes of the line end before it."""
    hold: bytearray = field(default_factory=bytearray)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _is_field(line: bytes) -> bool:
    name, colon, _ = line.partition(b":")
    name = name.rstrip(b" \t")  # RFC 5322 4.5
    return bool(colon and name) and not any(c <= 0x20 or c == 0x7F for c in name)


class Scanner:
    """As the native one: six limits, `feed`, `finish` -> (table, headers of messages)."""

    def __init__(
        self, header_bytes: int, kept_bytes: int, value_bytes: int, fields: int, depth: int, parts: int
    ) -> None:
        self._header_bytes, self._kept_bytes, self._value_bytes = header_bytes, kept_bytes, value_bytes
        self._max_fields, self._max_depth, self._max_parts = fields, depth, parts
        self._eol = 0x0A
        self._finished = False
        self._begin()

    def _begin(self) -> None:
        self._budget = self._kept_bytes
        self._offset = self._lf = self._cr = self._crlf = 0
        self._last = b""  # the last two bytes consumed
        self._seen = Finding(0)
        self._parts: list[_Part] = []
        self._frames: list[_Frame] = []
        self._headers: list[bytes] = []
        self._opening = self._at_start = False
        self._doubt = (0, 0)
        self._line = _Line()
        self._open_part(message=True)

    @property
    def _count(self) -> int:
        """Line ends so far."""
        return self._lf if self._eol == 0x0A else self._cr

    # Bytes

    def _consume(self, data: bytes) -> None:
        if not data:
            return
        self._lf += data.count(b"\n")
        self._cr += data.count(b"\r")
        self._crlf += data.count(b"\r\n") + (data[0] == 0x0A and self._last[-1:] == b"\r")
        if not data.isascii():
            self._seen |= Finding.EIGHT_BIT_BODY
        if 0 in data:
            self._seen |= Finding.NUL
        self._offset += len(data)
        self._last = (self._last + data)[-2:] if len(data) < 2 else data[-2:]

    def _attribute(self, index: int, *, header: bool) -> None:
        seen = self._seen
        if header and Finding.EIGHT_BIT_BODY in seen:
            seen = seen & ~Finding.EIGHT_BIT_BODY | Finding.EIGHT_BIT_HEADER
        self._parts[index].findings |= seen
        self._seen = Finding(0)

    def _mark_line(self) -> None:
        term = 0
        if self._last[-1:] == bytes((self._eol,)):
            term = 2 if self._eol == 0x0A and self._last == b"\r\n" else 1
        self._line = _Line(self._offset, self._count, term)

    def _hold(self, data: bytes) -> None:
        self._line.hold += data[: HOLD - len(self._line.hold)]

    # Content fields

    def _find_fields(self) -> list[bytes | None]:
        found: list[bytes | None] = [None] * len(_FIELDS)
        for item in fields_of(bytes(self._header), eol=self._eol):
            name = item.name.lower()
            if name.startswith(b"content-") and name in _FIELDS and found[_FIELDS.index(name)] is None:
                body = item.raw[item.raw.index(b":") + 1 :]
                found[_FIELDS.index(name)] = body.strip(SPACE)
        return found

    def _keep_fields(self, part: _Part, found: list[bytes | None]) -> None:
        mask, out = 0, b""
        for k, value in enumerate(found):
            if value is None:
                continue
            if len(value) > self._value_bytes:
                value = value[: self._value_bytes]
                part.findings |= Finding.HEADER_LIMIT
            if len(value) > self._budget:
                part.findings |= Finding.HEADER_LIMIT
                continue
            self._budget -= len(value)
            mask |= 1 << k
            out += _varint(len(value)) + value
        part.packed = bytes((mask,)) + out

    def _classify_type(self, part: _Part, frame: _Frame, found: list[bytes | None]) -> int:
        value, encoding = found[0], found[1]
        if value is None:  # RFC 2046 5.1.5
            message = part.parent > 0 and self._frames[-2].digest
        else:
            kind, subtype, at = type_of(value)
            kind, subtype = kind.lower(), subtype.lower()
            if not kind:
                part.findings |= Finding.BAD_TYPE
                return _LEAF
            if kind == b"multipart":
                frame.digest = subtype == b"digest"
                frame.boundary = boundary_of(value, at)
                if 0 < len(frame.boundary) <= MAX_BOUNDARY:
                    return _MULTIPART
                part.findings |= Finding.NO_BOUNDARY
                return _LEAF
            message = kind == b"message" and subtype in (b"rfc822", b"global")
        if message and encoding is not None and parse_token(encoding).lower() in _CODED:
            part.findings |= Finding.ENCODED_MESSAGE  # RFC 2045 6.4
            return _LEAF
        return _MESSAGE if message else _LEAF

    # Parts

    def _open_part(self, *, message: bool) -> None:
        parent = self._frames[-1].part + 1 if self._frames else 0
        self._frames.append(_Frame(len(self._parts)))
        self._parts.append(_Part(self._offset, parent, message))
        self._header = bytearray()
        self._header_line = self._header_fields = 0
        self._keeping = self._first_line = True
        self._in_line = self._in_doubt = False
        self._state = _State.HEADER

    def _close_part(self, end: int, count: int) -> tuple[int, int]:
        """Both are raised where the part has no body, so that what is around it does not end before it."""
        frame = self._frames.pop()
        part = self._parts[frame.part]
        if end < part.body_start:
            end, count = part.body_start, part.lines
        part.body_end = end
        part.lines = count - part.lines
        if frame.boundary:
            part.findings |= Finding.MISSING_END
        return end, count

    def _end_header(self, body_start: int, count: int, *, expand: bool) -> None:
        frame = self._frames[-1]
        part = self._parts[frame.part]
        found = self._find_fields()
        self._keep_fields(part, found)
        if part.message:
            if len(self._header) > self._budget:
                self._header.clear()
                part.findings |= Finding.HEADER_LIMIT
            self._budget -= len(self._header)
            self._headers.append(bytes(self._header))
        part.body_start, part.lines = body_start, count
        part.kind = self._classify_type(part, frame, found)
        if part.kind != _LEAF and len(self._frames) > self._max_depth:
            part.findings |= Finding.DEPTH_LIMIT
            part.kind = _LEAF
        if part.kind == _MESSAGE and len(self._parts) >= self._max_parts:
            part.findings |= Finding.PARTS_LIMIT
            part.kind = _LEAF
        if not expand and part.kind == _MESSAGE:
            part.kind = _LEAF
        if part.kind != _MULTIPART:
            frame.boundary = b""
        self._state = _State.BODY
        self._at_start = True
        self._line.hold.clear()
        if part.kind == _MESSAGE:
            self._open_part(message=True)

    def _match_boundary(self) -> tuple[int, bool, bool]:
        """(frame or -1, closing, loose) of the held line. RFC 2046 5.1.1."""
        hold = self._line.hold
        if not hold.startswith(b"--") or len(hold) < 3:
            return -1, False, False
        line = bytes(hold[2:])
        best, size, loose = -1, 0, True
        for k in range(len(self._frames) - 1, -1, -1):
            boundary = self._frames[k].boundary
            if not boundary or not line.startswith(boundary):
                continue
            rest = line[len(boundary) :]
            if not rest or rest[0] in SPACE or (rest[:2] == b"--" and (len(rest) == 2 or rest[2] in SPACE)):
                best, size, loose = k, len(boundary), False
                break
            if len(boundary) > size:
                best, size = k, len(boundary)
        return best, best >= 0 and line[size : size + 2] == b"--", loose

    def _meet_boundary(self, k: int, closing: bool, loose: bool) -> None:
        end = self._line.offset - self._line.term
        count = self._line.count - (1 if self._line.term else 0)
        while len(self._frames) - 1 > k:
            end, count = self._close_part(end, count)
        frame = self._frames[k]
        part = self._parts[frame.part]
        if loose:
            part.findings |= Finding.LOOSE_BOUNDARY
        self._attribute(frame.part, header=False)
        self._opening = False
        if closing:
            frame.boundary = b""
        elif len(self._parts) >= self._max_parts:
            part.findings |= Finding.PARTS_LIMIT
        else:
            self._opening = True
        self._state = _State.SKIP

    def _end_skip(self) -> None:
        self._state = _State.BODY
        self._at_start = True
        self._line.hold.clear()
        if self._opening:
            self._open_part(message=False)

    # Lines

    def _judge_body_line(self, ended: bool) -> None:
        k, closing, loose = self._match_boundary()
        if k >= 0:
            self._meet_boundary(k, closing, loose)
            if ended:
                self._end_skip()
            return
        self._attribute(self._frames[-1].part, header=False)
        self._at_start = ended
        self._line.hold.clear()

    def _drop_line(self) -> None:
        del self._header[self._header_line :]

    def _judge_header_line(self, ended: bool) -> None:
        hold = bytes(self._line.hold)
        line = hold.removesuffix(bytes((self._eol,)))
        if self._eol == 0x0A and len(line) < len(hold):
            line = line.removesuffix(b"\r")
        self._in_line = False
        if self._in_doubt:
            if line[:1] in (b" ", b"\t"):
                self._drop_line()
                return
            if not _is_field(line) or self._match_boundary()[0] >= 0:
                self._begin_body_at_doubt()
                self._judge_body_line(ended)
                return
            self._in_doubt = False
            self._parts[-1].findings |= Finding.BAD_LINE
        while not self._judge(line, hold, ended):
            pass

    def _begin_body_at_doubt(self) -> None:
        """The body began where the doubt did, and the held line is a line of it."""
        offset, count = self._doubt
        hold = bytes(self._line.hold)
        self._drop_line()
        self._parts[-1].findings |= Finding.MISSING_SEPARATOR
        self._end_header(offset, count, expand=True)
        if self._state is _State.HEADER:  # an embedded message without a header
            self._parts[-1].header_start = offset
            self._parts[-1].findings |= Finding.MISSING_SEPARATOR
            self._end_header(offset, count, expand=True)
        self._line.hold[:] = hold

    def _judge(self, line: bytes, hold: bytes, ended: bool) -> bool:
        """False: the line is to be judged again as the first of an embedded message."""
        index = self._frames[-1].part
        part = self._parts[index]
        if not line:
            self._drop_line()
            self._attribute(index, header=True)
            self._end_header(self._offset, self._count, expand=True)
            return True
        k, closing, loose = self._match_boundary()
        if k >= 0:
            self._drop_line()
            part.findings |= Finding.MISSING_SEPARATOR
            self._end_header(self._line.offset, self._line.count, expand=False)
            self._meet_boundary(k, closing, loose)
            if ended:
                self._end_skip()
            return True
        if self._belongs_to_header(line, part):
            self._first_line = False
            self._attribute(index, header=True)
            return True
        self._drop_line()
        if self._header_fields and not line.startswith(b"--"):
            self._in_doubt = True
            self._doubt = self._line.offset, self._line.count
            return True
        part.findings |= Finding.MISSING_SEPARATOR
        self._end_header(self._line.offset, self._line.count, expand=True)
        self._line.hold[:] = hold
        if self._state is _State.HEADER:
            self._parts[-1].header_start = self._line.offset
            return False
        self._judge_body_line(ended)
        return True

    def _belongs_to_header(self, line: bytes, part: _Part) -> bool:
        if line[0] in b" \t":
            if self._header_fields == 0:
                part.findings |= Finding.STRAY_CONTINUATION
                self._drop_line()
            return True
        if _is_field(line):
            self._header_fields += 1
            if self._header_fields > self._max_fields:
                part.findings |= Finding.HEADER_LIMIT
                self._keeping = False
                self._drop_line()
            return True
        if self._first_line and part.message and line.removeprefix(BOM).startswith((b"From ", b">From ")):
            part.findings |= Finding.MBOX_FROM
            self._drop_line()
            return True
        return False

    def _feed_header(self, data: bytes, at: int) -> int:
        stop = data.find(self._eol, at) + 1
        piece = data[at : stop or len(data)]
        if not self._in_line:
            self._mark_line()
            self._in_line = True
            self._header_line = len(self._header)
        self._hold(piece)
        if self._keeping and len(piece) > self._header_bytes - len(self._header):
            self._keeping = False
            self._drop_line()
            self._parts[self._frames[-1].part].findings |= Finding.HEADER_LIMIT
        if self._keeping:
            self._header += piece
        self._consume(piece)
        if stop:
            self._judge_header_line(ended=True)
        return at + len(piece)

    def _feed_body(self, data: bytes, at: int) -> int:
        if not any(frame.boundary for frame in self._frames):
            self._consume(data[at:])
            return len(data)
        if self._at_start and (self._line.hold or data[at] == 0x2D):
            if not self._line.hold:
                self._attribute(self._frames[-1].part, header=False)
                self._mark_line()
            room = HOLD - len(self._line.hold)
            stop = data.find(self._eol, at, at + room) + 1
            piece = data[at : stop or at + room]
            self._hold(piece)
            self._consume(piece)
            if stop or len(self._line.hold) == HOLD:
                self._judge_body_line(ended=bool(stop))
            return at + len(piece)
        stop = self._find_candidate(data, at)
        self._consume(data[at:stop])
        self._at_start = self._last[-1:] == bytes((self._eol,))
        self._line.hold.clear()
        return stop

    def _find_candidate(self, data: bytes, at: int) -> int:
        """The start of the next line that opens with "--", or with what may become it in the next chunk."""
        end = bytes((self._eol,))
        found = data.find(end + b"--", at)
        if found >= 0:
            return found + 1
        return len(data) - 1 if data.endswith(end + b"-") and len(data) - 2 >= at else len(data)

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """The next bytes of the message. ValueError after `finish`."""
        if self._finished:
            raise ValueError("scanner is finished")
        data = bytes(data)
        at = 0
        while at < len(data):
            if self._state is _State.HEADER:
                at = self._feed_header(data, at)
            elif self._state is _State.BODY:
                at = self._feed_body(data, at)
            else:
                stop = data.find(self._eol, at) + 1
                piece = data[at : stop or len(data)]
                self._consume(piece)
                if stop:
                    self._attribute(self._frames[-1].part, header=False)
                    self._end_skip()
                at += len(piece)

    def finish(self) -> tuple[bytes, list[bytes]]:
        """The end of the message."""
        if self._finished:
            raise ValueError("scanner is finished")
        if not self._lf and self._cr and self._state is _State.HEADER and len(self._header) == self._offset:
            self._reread_with_cr()
        if self._state is _State.HEADER and self._in_line:
            self._judge_header_line(ended=False)
        elif self._state is _State.BODY and self._at_start and self._line.hold:
            self._judge_body_line(ended=False)
        if self._state is _State.HEADER and self._in_doubt:
            self._header_line = len(self._header)
            self._begin_body_at_doubt()
        if self._state is _State.HEADER:
            self._end_header(self._offset, self._count, expand=False)
        self._attribute(self._frames[-1].part, header=False)
        while self._frames:
            self._close_part(self._offset, self._count)
        self._finished = True
        return self._table(), self._headers

    def _reread_with_cr(self) -> None:
        whole = bytes(self._header)
        self._eol = 0x0D
        self._begin()
        self._parts[0].findings |= Finding.CR_LINES
        self.feed(whole)

    def _table(self) -> bytes:
        findings = Finding(0)
        if self._lf > self._crlf:
            findings |= Finding.BARE_LF
        if self._cr > self._crlf:
            findings |= Finding.BARE_CR
        out, previous = [], 0
        for part in self._parts:
            findings |= part.findings
            out.append(
                _varint(part.parent)
                + bytes((part.kind,))
                + _varint(part.findings)
                + _varint(part.header_start - previous)
                + _varint(part.body_start - part.header_start)
                + _varint(part.body_end - part.body_start)
                + _varint(part.lines)
                + part.packed
            )
            previous = part.header_start
        head = bytes((_VERSION,)) + b"".join(
            map(_varint, (self._offset, self._count, findings, len(self._parts)))
        )
        return head + b"".join(out)


def scan(
    data: bytes | bytearray | memoryview,
    header_bytes: int,
    kept_bytes: int,
    value_bytes: int,
    fields: int,
    depth: int,
    parts: int,
) -> tuple[bytes, list[bytes]]:
    """As the native `scan`."""
    scanner = Scanner(header_bytes, kept_bytes, value_bytes, fields, depth, parts)
    scanner.feed(data)
    return scanner.finish()
