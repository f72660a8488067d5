"""Addresses as SMTP writes them: mailboxes and paths (RFC 5321 4.1.2, RFC 6531 3.3), xtext (RFC 3461 4).

Parsing is strict where a mistake could be read in two ways (unbalanced quotes, control characters, spaces)
and lenient where the world is (underscores in domains). Failure: `AddressError` with a reason that may be
shown to the peer. The canonical form of an address has its domain in lower case, IDNA labels as U-labels
left alone, and the local part quoted only when it has to be.
"""

import ipaddress
import re
from dataclasses import dataclass

MAX_LOCAL_PART = 64
"""Octets of a local part (RFC 5321 4.5.3.1.1)."""

MAX_DOMAIN = 255
"""Octets of a domain (RFC 5321 4.5.3.1.2)."""

MAX_PATH = 256
"""Octets of a path with its brackets (RFC 5321 4.5.3.1.3); with source routes we take four times as much."""

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff"
_DOT_STRING = re.compile(rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*")
# RFC 5321 4.1.2: qtextSMTP, quoted-pairSMTP; RFC 6531 3.3 adds UTF-8.
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e\u0080-\U0010ffff]|\\[\x20-\x7e])*)"')
_LABEL = r"[A-Za-z0-9_\u0080-\U0010ffff](?:[A-Za-z0-9_\-\u0080-\U0010ffff]*[A-Za-z0-9_\u0080-\U0010ffff])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LITERAL = re.compile(r"\[[\x21-\x5a\x5e-\x7e]*\]")
_ROUTE = re.compile(rf"@(?:{_LABEL})(?:\.{_LABEL})*(?:,@(?:{_LABEL})(?:\.{_LABEL})*)*:")
_XTEXT = re.compile(r"(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*")
_XTEXT_PLUS = re.compile(r"\+([0-9A-F]{2})")
_XTEXT_UNSAFE = re.compile(r"[^\x21-\x2a\x2c-\x3c\x3e-\x7e]")
_UTF8_ESCAPE = re.compile(r"\\x\{([0-9A-F]{2,6})\}")


class AddressError(ValueError):
    """Not an address. The text says why, without repeating the input."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: the local part without quoting, the domain in lower case or a literal in brackets."""

    local: str
    domain: str

    def __str__(self) -> str:
        local = self.local if _DOT_STRING.fullmatch(self.local) else _quote(self.local)
        return f"{local}@{self.domain}" if self.domain else local

    @property
    def literal(self) -> bool:
        """Whether the domain is an address literal."""
        return self.domain.startswith("[")

    @property
    def ascii(self) -> bool:
        """Whether it can be sent without SMTPUTF8 (RFC 6531 3.2); IDNs count as not, since the sender
        meant them as they stand."""
        return self.local.isascii() and self.domain.isascii()


def _quote(local: str) -> str:
    escaped = local.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _take_local(text: str) -> tuple[str, str]:
    if text.startswith('"'):
        match = _QUOTED.match(text)
        if match is None:
            raise AddressError("quoted local part is not closed or holds a control character")
        return re.sub(r"\\(.)", r"\1", match[1]), text[match.end() :]
    match = _DOT_STRING.match(text)
    if match is None:
        raise AddressError("no local part")
    return match[0], text[match.end() :]


def _take_domain(text: str) -> tuple[str, str]:
    if text.startswith("["):
        match = _LITERAL.match(text)
        if match is None:
            raise AddressError("address literal is not closed")
        return _literal(match[0]), text[match.end() :]
    match = _DOMAIN.match(text)
    if match is None:
        raise AddressError("no domain")
    domain = match[0]
    if any(len(label.encode()) > 63 for label in domain.split(".")):
        raise AddressError("label of the domain is too long")
    return domain.lower(), text[match.end() :]


def _literal(text: str) -> str:
    """RFC 5321 4.1.3: IPv4, IPv6 with its tag; general literals are for nobody that we can reach."""
    inner = text[1:-1]
    try:
        if inner[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:])}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ValueError:
        raise AddressError("address literal is not an IP address") from None


def parse(text: str, *, bare_local: bool = False) -> Address:
    """One mailbox, nothing after it. `bare_local` allows one without domain. Raises AddressError."""
    address, rest = _take(text, bare_local=bare_local)
    if rest:
        raise AddressError("unexpected characters in the address")
    return address


def _take(text: str, *, bare_local: bool) -> tuple[Address, str]:
    local, rest = _take_local(text)
    if len(local.encode("utf-8", "surrogateescape")) > MAX_LOCAL_PART:
        raise AddressError("local part is too long")
    if not rest.startswith("@"):
        if bare_local:
            return Address(local, ""), rest
        raise AddressError("no domain")
    domain, rest = _take_domain(rest[1:])
    if len(domain.encode("utf-8", "surrogateescape")) > MAX_DOMAIN:
        raise AddressError("domain is too long")
    return Address(local, domain), rest


def parse_path(text: str, *, postmaster: bool) -> tuple[Address | None, str]:
    """A path at the start of `text`: (address, None for `<>`; what follows it). Source routes are read and
    dropped (RFC 5321 4.1.1.3, appendix C). `postmaster` allows `<postmaster>` without domain. Brackets may
    be missing (observed: old clients); the address then ends at the first space. Raises AddressError."""
    if not text.startswith("<"):
        address, rest = _take(text, bare_local=postmaster)
        return _bare(address), rest
    if text.startswith("<>"):
        return None, text[2:]
    inner = text[1:]
    route = _ROUTE.match(inner)
    if route is not None:
        if route.end() > 4 * MAX_PATH:
            raise AddressError("source route is too long")
        inner = inner[route.end() :]
    address, rest = _take(inner, bare_local=postmaster)
    if not rest.startswith(">"):
        raise AddressError("no closing bracket after the address")
    return _bare(address), rest[1:]


def _bare(address: Address) -> Address:
    """RFC 5321 4.5.1: only postmaster may go without a domain."""
    if not address.domain and address.local.lower() != "postmaster":
        raise AddressError("no domain")
    return address


def idna(domain: str) -> str:
    """A domain as A-labels, for DNS. Raises AddressError."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        raise AddressError("domain cannot be written in ASCII") from None


def decode_xtext(text: str) -> str:
    """xtext undone (RFC 3461 4), as UTF-8 where it is. Raises AddressError."""
    if not _XTEXT.fullmatch(text):
        raise AddressError("not xtext")
    raw = _XTEXT_PLUS.sub(lambda match: chr(int(match[1], 16)), text)
    try:
        return raw.encode("latin-1").decode()
    except UnicodeDecodeError:
        return raw


def encode_xtext(text: str) -> str:
    """Text as xtext (RFC 3461 4); what is not ASCII as the octets of its UTF-8."""
    raw = text.encode("utf-8", "surrogateescape").decode("latin-1")
    return _XTEXT_UNSAFE.sub(lambda match: f"+{ord(match[0]):02X}", raw)


def decode_utf8_address(text: str) -> str:
    """utf-8-addr-xtext of RFC 6533 3 undone. Raises AddressError for code points that do not exist."""

    def character(match: re.Match[str]) -> str:
        code = int(match[1], 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise AddressError("no such character")
        return chr(code)

    return _UTF8_ESCAPE.sub(character, text)


def encode_utf8_address(text: str) -> str:
    """utf-8-addr-xtext of RFC 6533 3: ASCII, with what is not as \\x{...}."""
    return "".join(
        char if "\x21" <= char <= "\x7e" and char not in "+=\\" else f"\\x{{{ord(char):02X}}}"
        for char in text
    )
