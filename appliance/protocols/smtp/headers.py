"""The header section of a message on its way in: hops and loops counted, submissions mended.

`HeadReader` lets the bytes through as they come, and looks at the header section beside them; for
submission it holds the section back until it is whole, so that `mend` can rewrite it. A section longer than
MAX_HEAD is not looked at any further, and refused on submission, because a Bcc in its depths would go out.
"""

import re
from collections.abc import Sequence

from appliance.formats.mime.addresses import Group, parse_addresses

MAX_HEAD = 1 << 20
"""Octets of a header section that we look at, and that a submission may have."""

MAX_SEEN = 128 << 10
"""Octets of a header section from outside that are looked at for hops and loops."""

MAX_HOPS = 100
"""Received fields after which a message is taken to loop (RFC 5321 6.3)."""

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_REMOVED = frozenset({b"bcc", b"resent-bcc", b"return-path"})
_DELIVERED_TO = re.compile(rb"^delivered-to[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


class HeadReader:
    """Finds the header section in the bytes of a message."""

    __slots__ = ("_held", "complete", "head", "hold", "overflow")

    def __init__(self, *, hold: bool) -> None:
        self.hold = hold
        self._held = bytearray()
        self.head = b""
        """The section with the CR LF of its last line, without the empty line; set when `complete`. Its
        beginning where it is longer than what is looked at."""
        self.complete = False
        self.overflow = False

    def feed(self, data: bytes) -> bytes:
        """The next bytes of the message; what may go on. With `hold`, nothing goes on before the section
        is whole: then `head` is to be sent in its place, and this gives what follows it."""
        if self.complete or self.overflow:
            return data
        start = max(0, len(self._held) - 3)
        self._held += data
        if self._held.startswith(b"\r\n"):
            end = 0
        else:
            end = self._held.find(b"\r\n\r\n", start)
            end = end + 2 if end >= 0 else -1
        most = MAX_HEAD if self.hold else MAX_SEEN
        least = end if end >= 0 else len(self._held) - 1  # the same in whatever pieces it comes
        if least > most:
            self.overflow = True
            self.head = b"" if self.hold else bytes(self._held[:most])
            self._held.clear()
        elif end >= 0:
            rest = self._close(end)
            return rest if self.hold else data
        return b"" if self.hold else data

    def _close(self, end: int) -> bytes:
        self.head, rest = bytes(self._held[:end]), bytes(self._held[end:])
        self.complete = True
        self._held.clear()
        return rest

    def end(self) -> None:
        """The message is over: all of it was header."""
        if not self.complete and not self.overflow:
            self._close(len(self._held))

    def hops(self) -> int:
        """How many Received fields there are."""
        lowered = self.head.lower()
        return lowered.count(b"\nreceived:") + lowered.startswith(b"received:")

    def delivered_to(self) -> frozenset[str]:
        """The addresses of Delivered-To fields, in lower case."""
        if b"elivered-" not in self.head and b"ELIVERED-" not in self.head:
            return frozenset()
        found = _DELIVERED_TO.findall(self.head)
        return frozenset(raw.strip(b" \t<>").decode("utf-8", "replace").lower() for raw in found)


def fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """(name in lower case, whole field with its line ends) of each field. Lines that are no field belong
    to the one before; before the first one their name is empty."""
    found: list[tuple[bytes, bytes]] = []
    for line in head.splitlines(keepends=True):
        match = _FIELD.match(line)
        if found and (line[:1] in (b" ", b"\t") or match is None):
            name, before = found[-1]
            found[-1] = (name, before + line)
        else:
            found.append((match[1].lower() if match else b"", line))
    return found


def authors(found: Sequence[tuple[bytes, bytes]]) -> list[str]:
    """The addresses of Resent-From where there is one, else of From."""
    names = {name for name, _ in found}
    wanted = b"resent-from" if b"resent-from" in names else b"from"
    found_addresses: list[str] = []
    for name, raw in found:
        if name == wanted:
            for item in parse_addresses(raw.partition(b":")[2]):
                members = item.members if isinstance(item, Group) else (item,)
                found_addresses += [member.address for member in members if member.local]
    return found_addresses


def mend(
    found: Sequence[tuple[bytes, bytes]], *, sender: str, behalf: str, date: str, message_id: str
) -> bytes:
    """The header section of a submission as it goes on (RFC 6409 8): without Bcc and Return-Path, with
    From, Date and Message-ID, with a Sender of our own (`behalf`, where not empty) for somebody who writes
    on behalf of another."""
    names = {name for name, _ in found}
    kept: list[bytes] = []
    if b"" in names:  # the text begins without a header section
        found, names = [], set()
    for name, raw in found:
        if name in _REMOVED or (name == b"sender" and behalf):
            continue
        kept.append(raw if raw.endswith(b"\r\n") else raw + b"\r\n")
    if b"from" not in names:
        kept.append(f"From: <{sender}>\r\n".encode())
    if behalf:
        kept.append(f"Sender: <{behalf}>\r\n".encode())
    if b"date" not in names:
        kept.append(f"Date: {date}\r\n".encode())
    if b"message-id" not in names:
        kept.append(f"Message-ID: {message_id}\r\n".encode())
    return b"".join(kept)


def is_bare_text(found: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether what stands before the first empty line is no header section at all."""
    return bool(found) and found[0][0] == b""
