"""E-mail addresses as the directory knows them: checked, split, and folded for comparison.

Rules:
- The domain is compared as A-labels in lower case, so that an IDN matches in both its forms (RFC 5890).
- The local part is compared without regard to case, in NFC (local policy; RFC 5321 2.4 leaves it to us).
- `user+detail` is the address of `user` unless an entry has exactly that address (RFC 5233).

`parse` raises `BadAddress`; nothing else here fails.
"""

import unicodedata
from dataclasses import dataclass

MAX_LOCAL = 64
"""Octets of a local part, at most (RFC 5321 4.5.3.1.1)."""

MAX_DOMAIN = 255
"""Octets of a domain, at most (RFC 5321 4.5.3.1.2)."""

_MAX_LABEL = 63
_ATEXT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.")
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
DETAIL_SEPARATOR = "+"


class BadAddress(ValueError):
    """The text is no e-mail address."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that was checked. `local` is without quotes, as given; `domain` in A-labels."""

    local: str
    domain: str

    @property
    def key(self) -> str:
        """The form that is compared."""
        return f"{fold(self.local)}@{self.domain}"

    def __str__(self) -> str:
        return f"{_quoted(self.local)}@{self.domain}"

    def base(self) -> tuple["Address", str] | None:
        """The address without its detail, and the detail; None when it has none."""
        name, separator, detail = self.local.partition(DETAIL_SEPARATOR)
        return (Address(name, self.domain), detail) if separator and name else None


def fold(local: str) -> str:
    """A local part as it is compared."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())


def parse(text: str) -> Address:
    """`local@domain`, without angle brackets or display name. Raises BadAddress."""
    local, separator, domain = text.strip().rpartition("@")
    if not separator:
        raise BadAddress(f"{text!r} is no e-mail address: it has no @")
    return Address(_local(local, text), parse_domain(domain))


def parse_domain(text: str) -> str:
    """A domain in A-labels, lower case, without a final dot. Raises BadAddress."""
    if text.startswith("[") and text.endswith("]"):  # RFC 5321 4.1.3: an address literal
        return text.lower()
    try:
        # RFC 5895 2: the mappings of names that people type, then the labels' own.
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).lower())
        labels = folded.removesuffix(".").split(".")
        domain = ".".join(label.encode("idna").decode() for label in labels)
    except UnicodeError as error:
        raise BadAddress(f"{text!r} is no domain name") from error
    if len(domain) > MAX_DOMAIN or not all(_is_label(label) for label in domain.split(".")):
        raise BadAddress(f"{text!r} is no domain name")
    return domain


def display_domain(domain: str) -> str:
    """A domain with its U-labels, for people."""
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def _is_label(label: str) -> bool:
    return (
        bool(label) and len(label) <= _MAX_LABEL and label[0] != "-" != label[-1] and _LABEL.issuperset(label)
    )


def _local(local: str, text: str) -> str:
    if len(local) >= 2 and local[0] == local[-1] == '"':
        local = _unquoted(local[1:-1], text)
    elif not _is_dot_atom(local):
        raise BadAddress(f"{text!r} is no e-mail address")
    if not local or len(local.encode()) > MAX_LOCAL or any(ord(c) < 32 or ord(c) == 127 for c in local):
        raise BadAddress(f"{text!r} is no e-mail address")
    return local


def _is_dot_atom(local: str) -> bool:
    """Whether `local` stands without quotes (RFC 5321 4.1.2, with RFC 6531 3.3)."""
    return all(local.split(".")) and all(c in _ATEXT or (ord(c) > 159 and c.isprintable()) for c in local)


def _unquoted(inner: str, text: str) -> str:
    out, escaped = [], False
    for char in inner:
        if escaped or char not in '\\"':
            out.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            raise BadAddress(f"{text!r} is no e-mail address")
    if escaped:
        raise BadAddress(f"{text!r} is no e-mail address")
    return "".join(out)


def _quoted(local: str) -> str:
    if _is_dot_atom(local):
        return local
    return '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
