"""NegTokenInit and NegTokenResp in DER, both ways (RFC 4178 4.2, MS-SPNG 2.2.1).

A token is a SEQUENCE of fields with context tags, all optional. Lengths must be in definite form; what is
left over, cut short, out of order or not known is refused with DecodeError. Limit: MAX_TOKEN bytes.
"""

from dataclasses import dataclass
from enum import IntEnum

from appliance.wire.errors import DecodeError

MAX_TOKEN = 0x10000
MAX_MECHANISMS = 32

SPNEGO = bytes.fromhex("2b0601050502")
"""1.3.6.1.5.5.2"""

NTLM = bytes.fromhex("2b06010401823702020a")
"""1.3.6.1.4.1.311.2.2.10"""

KERBEROS = bytes.fromhex("2a864886f712010202")
"""1.2.840.113554.1.2.2"""

MS_KERBEROS = bytes.fromhex("2a864882f712010202")
"""1.2.840.48018.1.2.2, what Windows 2000 made of it (MS-SPNG 3.1.5.2)"""

_SEQUENCE, _OID, _OCTETS, _ENUMERATED = 0x30, 0x06, 0x04, 0x0A
_BITS, _GENERAL_STRING, _APPLICATION, _CONTEXT = 0x03, 0x1B, 0x60, 0xA0
HINT = b"not_defined_in_RFC4178@please_ignore"


class State(IntEnum):
    """negState (RFC 4178 4.2.2)."""

    ACCEPT_COMPLETED = 0
    ACCEPT_INCOMPLETE = 1
    REJECT = 2
    REQUEST_MIC = 3


@dataclass(frozen=True, slots=True)
class Init:
    """NegTokenInit. `mechanisms`: OIDs without tag and length, the preferred one first. `hint`: a server's
    NegTokenInit2 carries one, by which it is told from the client's."""

    mechanisms: tuple[bytes, ...] = ()
    token: bytes | None = None
    mic: bytes | None = None
    hint: bytes | None = None


@dataclass(frozen=True, slots=True)
class Resp:
    """NegTokenResp."""

    state: State | None = None
    mechanism: bytes | None = None
    token: bytes | None = None
    mic: bytes | None = None


def pack(token: Init | Resp) -> bytes:
    """A token's bytes; an Init stands in the frame of an initial context token (RFC 2743 3.1)."""
    if isinstance(token, Resp):
        state = None if token.state is None else _tlv(_ENUMERATED, bytes([token.state]))
        mechanism = None if token.mechanism is None else _tlv(_OID, token.mechanism)
        content = _fields(state, mechanism, _octets(token.token), _octets(token.mic))
        return _tlv(_CONTEXT | 1, _tlv(_SEQUENCE, content))
    mechanisms = mechanism_list(token.mechanisms) if token.mechanisms else None
    if token.hint is None:
        content = _fields(mechanisms, None, _octets(token.token), _octets(token.mic))
    else:
        hints = _tlv(_SEQUENCE, _tlv(_CONTEXT, _tlv(_GENERAL_STRING, token.hint)))
        content = _fields(mechanisms, None, _octets(token.token), hints, _octets(token.mic))
    inner = _tlv(_CONTEXT, _tlv(_SEQUENCE, content))
    return _tlv(_APPLICATION, _tlv(_OID, SPNEGO) + inner)


def mechanism_list(mechanisms: tuple[bytes, ...]) -> bytes:
    """MechTypeList in DER: what mechListMIC signs (RFC 4178 5)."""
    return _tlv(_SEQUENCE, b"".join(_tlv(_OID, oid) for oid in mechanisms))


def unpack(data: bytes) -> Init | Resp:
    """A token. Raises DecodeError."""
    if len(data) > MAX_TOKEN:
        raise DecodeError(f"a token of {len(data)} bytes", MAX_TOKEN)
    whole = _Reader(data, 0, len(data))
    tag, inner = whole.element()
    whole.end()
    if tag == _APPLICATION:
        if inner.expect(_OID).rest() != SPNEGO:
            raise DecodeError("not SPNEGO", 2)
        body = inner.expect(_CONTEXT)
        inner.end()
        return _init(body)
    if tag == _CONTEXT:  # without the frame, as some clients send it
        return _init(inner)
    if tag == _CONTEXT | 1:
        return _resp(inner)
    raise DecodeError(f"no SPNEGO token begins with 0x{tag:02x}", 0)


class _Reader:
    """DER elements within bounds."""

    __slots__ = ("at", "data", "stop")

    def __init__(self, data: bytes, at: int, stop: int) -> None:
        self.data, self.at, self.stop = data, at, stop

    def element(self) -> tuple[int, "_Reader"]:
        """The next element: its tag, a reader of its content."""
        start = self.at
        if self.stop - start < 2:
            raise DecodeError("an element is cut short", start)
        tag, size = self.data[start], self.data[start + 1]
        at = start + 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4 or self.stop - at < count:
                raise DecodeError("the length of an element", start + 1)
            size = int.from_bytes(self.data[at : at + count], "big")
            at += count
        if size > self.stop - at:
            raise DecodeError(f"an element of {size} bytes, {self.stop - at} left", start)
        self.at = at + size
        return tag, _Reader(self.data, at, at + size)

    def expect(self, tag: int) -> "_Reader":
        """The next element, of this tag."""
        start = self.at
        found, inner = self.element()
        if found != tag:
            raise DecodeError(f"0x{found:02x} where 0x{tag:02x} stands", start)
        return inner

    def only(self, tag: int) -> bytes:
        """The content of the one element that is left, of this tag."""
        inner = self.expect(tag)
        self.end()
        return inner.rest()

    def rest(self) -> bytes:
        """What is left."""
        return self.data[self.at : self.stop]

    def end(self) -> None:
        """Refuse what is left."""
        if self.at != self.stop:
            raise DecodeError(f"{self.stop - self.at} bytes too many", self.at)

    def fields(self) -> dict[int, "_Reader"]:
        """The fields of the SEQUENCE that is left, by number, in ascending order."""
        body = self.expect(_SEQUENCE)
        self.end()
        found: dict[int, _Reader] = {}
        last = -1
        while body.at < body.stop:
            start = body.at
            tag, inner = body.element()
            number = tag - _CONTEXT
            if not last < number <= 4:
                raise DecodeError(f"field 0x{tag:02x} is unknown or out of order", start)
            found[number] = inner
            last = number
        return found


def _init(body: _Reader) -> Init:
    fields = body.fields()
    mechanisms = _mechanisms(fields[0]) if 0 in fields else ()
    token = fields[2].only(_OCTETS) if 2 in fields else None
    mic = fields[4].only(_OCTETS) if 4 in fields else None
    hint = None
    if 3 in fields:  # negHints of a NegTokenInit2, or the mechListMIC of RFC 4178
        start = fields[3].at
        tag, inner = fields[3].element()
        fields[3].end()
        if tag == _OCTETS and mic is None:
            mic = inner.rest()
        elif tag == _SEQUENCE:
            hint = inner.expect(_CONTEXT).only(_GENERAL_STRING) if inner.at < inner.stop else b""
            inner.end()
        else:
            raise DecodeError(f"0x{tag:02x} in field 3", start)
    return Init(mechanisms, token, mic, hint)


def _mechanisms(field: _Reader) -> tuple[bytes, ...]:
    body = field.expect(_SEQUENCE)
    field.end()
    found: list[bytes] = []
    while body.at < body.stop:
        if len(found) == MAX_MECHANISMS:
            raise DecodeError(f"more than {MAX_MECHANISMS} mechanisms", body.at)
        found.append(body.expect(_OID).rest())
    return tuple(found)


def _resp(body: _Reader) -> Resp:
    fields = body.fields()
    if 4 in fields:
        raise DecodeError("field 4", fields[4].at)
    state = None
    if 0 in fields:
        at = fields[0].at
        raw = fields[0].only(_ENUMERATED)
        if len(raw) != 1 or raw[0] > State.REQUEST_MIC:
            raise DecodeError("negState", at)
        state = State(raw[0])
    return Resp(
        state,
        fields[1].only(_OID) if 1 in fields else None,
        fields[2].only(_OCTETS) if 2 in fields else None,
        fields[3].only(_OCTETS) if 3 in fields else None,
    )


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _octets(value: bytes | None) -> bytes | None:
    return None if value is None else _tlv(_OCTETS, value)


def _fields(*values: bytes | None) -> bytes:
    return b"".join(_tlv(_CONTEXT | n, value) for n, value in enumerate(values) if value is not None)
