"""Address fields and their MAPI forms: one-off entry ids, search keys, encapsulated addresses.

An address is (name, address); a group's members come flattened, an empty group as its name alone. Reading is
the codec's work (appliance.formats.mime.addresses); the commonest forms are taken here in one step, because
every delivery reads several of them.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from appliance.formats.mime.addresses import Group, Mailbox, parse_addresses
from appliance.formats.mime.render import phrase
from appliance.formats.mime.words import decode_words
from appliance.mapi import entryids, implied
from appliance.mapi.entryids import OneOffEntryId
from appliance.wire.errors import DecodeError

SMTP = "SMTP"
one_off = implied.one_off
search_key = implied.search_key

_SPEC = rb"([A-Za-z0-9_%+=-]++(?:\.[A-Za-z0-9_%+=-]++)*+@[A-Za-z0-9.-]++)"
_NAME = rb"""(?:"([^"\\]*+)"[ \t]*|([A-Za-z0-9=?'_./+*! -]*+))"""
_SIMPLE = re.compile(rb"[ \t]*(?:" + _NAME + rb"<" + _SPEC + rb">|" + _SPEC + rb")[ \t]*(?:,|$)")
_IMCEA = re.compile(r"^IMCEA([A-Za-z0-9]+)-([^@]+)@(.+)$", re.IGNORECASE)
_IMCEA_ESCAPE = re.compile(r"_|\+([0-9A-Fa-f]{2})")
_IMCEA_TYPES = frozenset({"EX", "FAX", "X400", "NOTES", "MOBILE", "MSMAIL", "CCMAIL"})
# UTF-7 can name lone surrogates, which no encoding takes.
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_NO_ADDRESS = re.compile(r"[\x00-\x20\x7f<>]")


class Address(NamedTuple):
    """A display name and an address, either of which may be empty."""

    name: str
    address: str

    @property
    def display(self) -> str:
        """What a list shows: the name, or the address."""
        return self.name or self.address


REMEMBERED = 256
"""Bytes of a body that is looked up among those seen lately: the same people write to each other."""


def parse(body: bytes) -> list[Address]:
    """The mailboxes of a field body (unfolded), in order; groups flattened, an empty group as its name."""
    return list(_known(body)) if len(body) <= REMEMBERED else _parse(body)


@lru_cache(maxsize=512)
def _known(body: bytes) -> tuple[Address, ...]:
    return tuple(_parse(body))


def _parse(body: bytes) -> list[Address]:
    found: list[Address] = []
    position = 0
    while position < len(body) and (match := _SIMPLE.match(body, position)) is not None:
        quoted, words, inside, bare = match.groups()
        name = quoted if quoted is not None else words
        found.append(Address(_clean(decode_words(name)) if name else "", (inside or bare).decode("ascii")))
        position = match.end()
    if position == len(body):
        return found
    found.clear()
    for item in parse_addresses(body):
        if not isinstance(item, Group):
            found.append(_address(item))
        elif item.members:
            found.extend(map(_address, item.members))
        else:
            found.append(Address(_clean(item.text), ""))
    return [address for address in found if address.name or address.address]


def _address(item: Mailbox) -> Address:
    address = _CONTROL.sub("", item.address)
    if not item.domain and " " in address:  # words that are no address, as "Undisclosed Recipients"
        return Address(_clean(item.text) or address, "")
    return Address(_clean(item.text), address)


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text).strip() if text else text


def reply_entries(addresses: Iterable[Address]) -> bytes:
    """PidTagReplyRecipientEntries: a FlatEntryList of one-off entry ids (MS-OXCDATA 2.3.3)."""
    entries: list[bytes] = []
    for address in addresses:
        kind, plain = split_type(address.address)
        entry = one_off(address.display, kind, plain)
        entries.append(len(entry).to_bytes(4, "little") + entry + bytes(-len(entry) % 4))
    body = b"".join(entries)
    return len(entries).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body


def read_reply_entries(data: bytes) -> list[Address]:
    """The addresses of a FlatEntryList as far as they are one-off entry ids; a damaged list ends early."""
    count = int.from_bytes(data[:4], "little")
    found: list[Address] = []
    at = 8
    while count > len(found) and at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        address = read_one_off(data[at + 4 : at + 4 + size])
        at += 4 + size + -size % 4
        if address is None or size == 0:
            break
        found.append(address)
    return found


def read_one_off(entry: bytes) -> Address | None:
    """Name and address of a one-off entry id (MS-OXCDATA 2.2.5.1); None for other kinds."""
    try:
        found = entryids.parse(entry)
    except DecodeError:
        return None
    if not isinstance(found, OneOffEntryId):
        return None
    if found.address_type.upper() == SMTP:
        return Address(found.name, found.address)
    return Address(found.name, encapsulate(found.address_type, found.address, "invalid"))


def split_type(address: str) -> tuple[str, str]:
    """Address type and address: SMTP, or what IMCEA encapsulates (MS-OXCMAIL 2.2.3.1)."""
    if address[:5].upper() == "IMCEA" and (match := _IMCEA.match(address)):
        kind = match[1].upper()
        if kind in _IMCEA_TYPES:
            plain = _IMCEA_ESCAPE.sub(lambda m: "/" if m[0] == "_" else chr(int(m[1], 16)), match[2])
            return kind, plain
    return SMTP, address


def encapsulate(kind: str, address: str, domain: str) -> str:
    """An SMTP address for an address of another type (MS-OXCMAIL 2.1.3.1.8)."""
    out: list[str] = []
    for byte in address.encode("utf-8", "replace"):
        character = chr(byte)
        if character == "/":
            out.append("_")
        elif character.isascii() and (character.isalnum() or character in "-="):
            out.append(character)
        else:
            out.append(f"+{byte:02X}")
    return f"IMCEA{kind.upper()}-{''.join(out)}@{domain}"


def written(entry: Address, *, smtputf8: bool = False) -> bytes:
    """One mailbox as a header has it; without an address an empty group of that name.

    Without `smtputf8` a domain outside ASCII is written in its ASCII form; a local part has none and stays.
    """
    address = entry.address if '"' in entry.address else _NO_ADDRESS.sub("", entry.address)
    address = _CONTROL.sub("", address)
    if not address:
        return phrase(entry.name) + b":;"
    if not smtputf8 and not address.isascii():
        address = _ascii_domain(address)
    data = address.encode("utf-8", "replace")
    if not entry.name or entry.name == entry.address:
        return b"<" + data + b">"
    return phrase(entry.name) + b" <" + data + b">"


def _ascii_domain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    try:
        return local + at + domain.encode("idna").decode("ascii")
    except UnicodeError:
        return address


def written_list(entries: Iterable[Address], *, smtputf8: bool = False) -> bytes:
    """The body of an address field."""
    return b", ".join(written(entry, smtputf8=smtputf8) for entry in entries)


def decode_text(body: bytes) -> str:
    """The text of an unstructured field body, without control characters."""
    return _CONTROL.sub(" ", decode_words(body)).strip()
