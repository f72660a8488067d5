"""Mailbox names: modified UTF-7 (RFC 3501 5.1.3), UTF-8 (RFC 6855, RFC 9051 5.1), patterns of LIST.

Names are `str` inside; "/" divides levels. INBOX is case-insensitive as a whole first level and only there.
"""

import binascii
import re
import unicodedata

from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.limits import MAX_NAME, MAX_PATTERN

DELIMITER = "/"
_DIRECT = re.compile("[\x20-\x25\x27-\x7e]+|&|[^\x20-\x7e]+")
_SHIFTED = re.compile(rb"&([A-Za-z0-9+,]*)-")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def encode_utf7(name: str) -> bytes:
    """A name in modified UTF-7."""
    out = []
    for piece in _DIRECT.findall(name):
        if piece == "&":
            out.append(b"&-")
        elif " " <= piece[0] <= "~":
            out.append(piece.encode("ascii"))
        else:
            base64 = binascii.b2a_base64(piece.encode("utf-16-be"), newline=False)
            out.append(b"&" + base64.rstrip(b"=").replace(b"/", b",") + b"-")
    return b"".join(out)


def decode_utf7(raw: bytes) -> str:
    """A name from modified UTF-7. Raises ValueError for what is no such name."""
    out = []
    position = 0
    while position < len(raw):
        amp = raw.find(b"&", position)
        end = len(raw) if amp < 0 else amp
        direct = raw[position:end].decode("ascii")
        if not direct.isprintable():
            raise ValueError("a control character")
        out.append(direct)
        if amp < 0:
            break
        match = _SHIFTED.match(raw, amp)
        if not match:
            raise ValueError("an unfinished shift")
        out.append(_decode_shifted(match[1]) if match[1] else "&")
        position = match.end()
    return "".join(out)


def _decode_shifted(base64: bytes) -> str:
    padded = base64.replace(b",", b"/") + b"=" * (-len(base64) % 4)
    try:
        data = binascii.a2b_base64(padded, strict_mode=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    return data.decode("utf-16-be")


def decode(raw: bytes, utf8: bool) -> str:
    """The name that a client wrote. Raises Bad when it is not written as the session's mode demands.

    Clients that never enabled UTF-8 sometimes send it all the same: 8-bit octets are taken as UTF-8.
    A lone "&" is taken as it stands, as other servers do.
    """
    if len(raw) > 4 * MAX_NAME:
        raise No("The name is too long.", b"CANNOT")
    try:
        if utf8 or not raw.isascii():
            return fold_inbox(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Bad("The name is not UTF-8.") from error
    try:
        return fold_inbox(decode_utf7(raw))
    except ValueError:
        return fold_inbox(raw.decode("ascii"))


def encode(name: str, utf8: bool) -> bytes:
    """A name as the session's mode writes it."""
    return name.encode("utf-8") if utf8 else encode_utf7(name)


def fold_inbox(name: str) -> str:
    """`inbox` and `inbox/x` as `INBOX` and `INBOX/x` (RFC 9051 5.1)."""
    head, slash, rest = name.partition(DELIMITER)
    return "INBOX" + slash + rest if head.upper() == "INBOX" else name


def check_new(name: str) -> str:
    """A name that may be created: normalised to NFC, without control characters and empty levels.
    Raises No [CANNOT]."""
    name = unicodedata.normalize("NFC", name)  # RFC 5198 2
    if _CONTROL.search(name):
        raise No("The name has a control character.", b"CANNOT")
    if len(name) > MAX_NAME:
        raise No("The name is too long.", b"CANNOT")
    if not name or any(not level.strip() for level in name.split(DELIMITER)):
        raise No("The name has an empty level.", b"CANNOT")
    return name


class Pattern:
    """A LIST pattern: `*` matches all, `%` all but the delimiter (RFC 9051 6.3.9). Matching is linear in
    the name for each wildcard, never exponential."""

    __slots__ = ("_inbox", "_pattern", "text")

    def __init__(self, text: str) -> None:
        if len(text) > MAX_PATTERN:
            raise No("The pattern is too long.", b"CANNOT")
        self.text = re.sub(r"[*%]*\*[*%]*", "*", re.sub("%+", "%", text))
        self._pattern = self.text
        self._inbox = self.text.upper()

    def matches(self, name: str) -> bool:
        """Whether the whole name matches."""
        if _match(self._pattern, name):
            return True
        head, slash, rest = name.partition(DELIMITER)
        if head != "INBOX":
            return False
        # INBOX in any case: only the first level is compared without regard to case
        return _match(_fold_first(self._pattern), "inbox" + slash + rest)

    def may_match_below(self, name: str) -> bool:
        """Whether something below `name` can match."""
        return _prefix_match(self._pattern, name + DELIMITER)


def _fold_first(pattern: str) -> str:
    head, slash, rest = pattern.partition(DELIMITER)
    return head.lower() + slash + rest


def _states(pattern: str, text: str) -> set[int]:
    """Positions of the pattern reachable after all of `text` (a small NFA)."""
    states = _closure(pattern, {0})
    for char in text:
        following = set()
        for state in states:
            if state == len(pattern):
                continue
            expected = pattern[state]
            if expected == "*" or (expected == "%" and char != DELIMITER):
                following.add(state)
            elif expected == char and expected not in "*%":
                following.add(state + 1)
        if not following:
            return following
        states = _closure(pattern, following)
    return states


def _closure(pattern: str, states: set[int]) -> set[int]:
    todo = list(states)
    while todo:
        state = todo.pop()
        if state < len(pattern) and pattern[state] in "*%" and state + 1 not in states:
            states.add(state + 1)
            todo.append(state + 1)
    return states


def _match(pattern: str, text: str) -> bool:
    return len(pattern) in _states(pattern, text)


def _prefix_match(pattern: str, prefix: str) -> bool:
    return any(state < len(pattern) for state in _states(pattern, prefix))
