"""IMAP flags and keywords as the store's row flags and keywords, and back.

`$Forwarded` and `$MDNSent` are keywords to clients and bits of the row in the store, because MAPI has them
as properties. Everything else that is no system flag is a keyword of the message.
"""

from collections.abc import Iterable
from functools import lru_cache

from appliance.protocols.imap.errors import Bad
from appliance.store.contents import RowFlag

_BITS: tuple[tuple[bytes, RowFlag], ...] = (
    (b"\\Answered", RowFlag.ANSWERED),
    (b"\\Flagged", RowFlag.FLAGGED),
    (b"\\Deleted", RowFlag.DELETED),
    (b"\\Seen", RowFlag.SEEN),
    (b"\\Draft", RowFlag.DRAFT),
    (b"$Forwarded", RowFlag.FORWARDED),
    (b"$MDNSent", RowFlag.MDN_SENT),
)
_BY_NAME = {name.lower(): bit for name, bit in _BITS}

SHOWN = int(
    RowFlag.ANSWERED
    | RowFlag.FLAGGED
    | RowFlag.DELETED
    | RowFlag.SEEN
    | RowFlag.DRAFT
    | RowFlag.FORWARDED
    | RowFlag.MDN_SENT
)
"""The bits of a row that IMAP shows."""

SYSTEM = tuple(name for name, _ in _BITS[:5])
COMMON_KEYWORDS = (b"$Forwarded", b"$MDNSent", b"$Junk", b"$NotJunk", b"$Phishing", b"$Important")
"""Keywords that FLAGS always lists (RFC 9051 2.3.2, RFC 8457)."""


def bit_of(name: bytes) -> RowFlag | None:
    """The row's bit behind a flag or keyword, if it is one."""
    return _BY_NAME.get(name.lower())


def split(names: Iterable[bytes]) -> tuple[int, tuple[str, ...]]:
    """Flags as the row's bits and keywords. Raises Bad for a keyword that is not ASCII."""
    bits = 0
    keywords: dict[str, str] = {}
    for name in names:
        bit = bit_of(name)
        if bit is not None:
            bits |= int(bit)
            continue
        if not name.isascii():
            raise Bad("A keyword has an octet outside ASCII.")
        keywords.setdefault(name.decode().lower(), name.decode())
    return bits, tuple(keywords.values())


@lru_cache(maxsize=4096)
def text(bits: int, keywords: tuple[str, ...], recent: bool) -> bytes:
    """Flags between the parentheses of a reply. `bits` must be masked with SHOWN, so that rows that look
    alike share an entry."""
    names = [name for name, bit in _BITS if bits & bit]
    names += [word for word in (keyword.encode("ascii", "replace") for keyword in keywords) if word]
    if recent:
        names.append(b"\\Recent")
    return b" ".join(names)
