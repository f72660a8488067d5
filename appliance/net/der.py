"""Just enough DER to learn which algorithm signed a certificate, and when it ends (RFC 5280 4.1)."""

import datetime

_SEQUENCE = 0x30
_OBJECT_IDENTIFIER = 0x06
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION = 0xA0


def _element(data: bytes, offset: int) -> tuple[int, int, int]:
    """(tag, start of the contents, end) of the element at `offset`. Raises ValueError."""
    if offset + 2 > len(data):
        raise ValueError(f"DER ends at {len(data)}, in an element at {offset}")
    tag, length, start = data[offset], data[offset + 1], offset + 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or start + size > len(data):
            raise ValueError(f"DER length of {size} bytes at {offset}")
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    if start + length > len(data):
        raise ValueError(f"DER element at {offset} passes the end")
    return tag, start, start + length


def signature_algorithm(certificate: bytes) -> str:
    """Dotted object identifier of the algorithm that signed `certificate`. Raises ValueError."""
    tag, start, _ = _element(certificate, 0)
    _, _, after_body = _element(certificate, start)
    algorithm, identifier, _ = _element(certificate, after_body)
    kind, begin, end = _element(certificate, identifier)
    if (tag, algorithm, kind) != (_SEQUENCE, _SEQUENCE, _OBJECT_IDENTIFIER) or begin == end:
        raise ValueError("not a certificate")
    numbers, value = [], 0
    for octet in certificate[begin:end]:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def not_after(certificate: bytes) -> datetime.datetime:
    """The last moment at which `certificate` is valid. Raises ValueError."""
    _, start, _ = _element(certificate, 0)
    _, at, _ = _element(certificate, start)
    if certificate[at] == _VERSION:
        _, _, at = _element(certificate, at)
    for _ in ("serial number", "signature", "issuer"):
        _, _, at = _element(certificate, at)
    _, at, _ = _element(certificate, at)
    _, _, at = _element(certificate, at)
    tag, begin, end = _element(certificate, at)
    text = certificate[begin:end].decode("ascii", "replace")
    if tag == _UTC_TIME:  # RFC 5280 4.1.2.5.1: years from 50 on are of the 20th century
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("not a certificate")
    return datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.UTC)
