"""Command lines of SMTP and the parameters of MAIL and RCPT (RFC 5321 4.1, 1870, 3030, 3461, 4954, 6531).

Pure. A line that is not understood raises `Malformed`, which carries the reply to give.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from appliance.protocols.smtp import replies
from appliance.store.queue import Notify
from appliance.transport.addresses import (
    Address,
    AddressError,
    decode_utf8_address,
    decode_xtext,
    parse,
    parse_path,
)

MAX_COMMAND = 4096
"""Octets of a command line with its end: RFC 5321's 512 and what each extension adds, rounded up."""

MAX_AUTH_LINE = 12288
"""Octets of a line of an authentication exchange (RFC 4954 4)."""

MAX_ENVID = 100
"""Characters of ENVID (RFC 3461 4.4)."""

MAX_ORCPT = 500
"""Characters of ORCPT (RFC 3461 4.2)."""

MAX_PARAMETERS = 16

REMEMBERED = 128
"""Characters of an argument of MAIL or RCPT that is looked up among those seen lately."""

_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+))?")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_SIZE = re.compile(r"[0-9]{1,20}")


class Malformed(Exception):
    """A command that cannot be understood; `reply` says what."""

    def __init__(self, reply: bytes) -> None:
        super().__init__(reply.decode().strip())
        self.reply = reply


class Line(NamedTuple):
    """A command line: the verb in upper case, and the rest without surrounding blanks."""

    verb: str
    argument: str


def parse_line(raw: bytes) -> Line:
    """A command line without its CR LF. Raises Malformed for control characters and text that is not
    UTF-8 (RFC 6531 3.1)."""
    if _CONTROL.search(raw):
        raise Malformed(replies.BAD_LINE)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Malformed(replies.BAD_LINE) from None
    verb, _, argument = text.strip(" ").partition(" ")
    return Line(verb.upper(), argument.strip(" "))


@dataclass(frozen=True, slots=True)
class MailCommand:
    """MAIL FROM. `sender` is None for the null sender; `size` -1 when not declared; `body` and `ret` in
    upper case."""

    sender: Address | None
    size: int = -1
    body: str = "7BIT"
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""
    auth: str = ""


@dataclass(frozen=True, slots=True)
class RcptCommand:
    """RCPT TO."""

    recipient: Address
    notify: Notify = Notify.NONE
    orcpt: str = ""


def _strip_keyword(argument: str, keyword: str) -> str:
    if argument[: len(keyword)].upper() != keyword:
        raise Malformed(replies.SYNTAX)
    return argument[len(keyword) :].lstrip(" ")  # observed: old clients put a space after the colon


def _parameters(text: str, *, extended: bool) -> dict[str, str | None]:
    if not text:
        return {}
    if not extended or not text.startswith(" "):
        raise Malformed(replies.SYNTAX)
    found: dict[str, str | None] = {}
    for word in text.split(" "):
        if not word:
            continue
        match = _PARAMETER.fullmatch(word)
        if match is None or match[1].upper() in found or len(found) >= MAX_PARAMETERS:
            raise Malformed(replies.SYNTAX)
        found[match[1].upper()] = match[2]
    return found


def parse_mail(argument: str, *, extended: bool) -> MailCommand:
    """The argument of MAIL. `extended`: the client said EHLO. Raises Malformed."""
    return (_known_mail if len(argument) <= REMEMBERED else _mail)(argument, extended)


def _mail(argument: str, extended: bool) -> MailCommand:
    text = _strip_keyword(argument, "FROM:")
    try:
        sender, rest = parse_path(text, postmaster=True)
    except AddressError:
        raise Malformed(replies.BAD_SENDER) from None
    size, body, smtputf8, ret, envid, auth = -1, "7BIT", False, "", "", ""
    for name, value in _parameters(rest, extended=extended).items():
        match name:
            case "SIZE" if value and _SIZE.fullmatch(value):  # RFC 1870 3
                size = int(value)
            case "BODY" if value and value.upper() in ("7BIT", "8BITMIME", "BINARYMIME"):
                body = value.upper()
            case "SMTPUTF8" if value is None:  # RFC 6531 3.4
                smtputf8 = True
            case "RET" if value and value.upper() in ("FULL", "HDRS"):  # RFC 3461 4.3
                ret = value.upper()
            case "ENVID" if value and len(value) <= MAX_ENVID:  # RFC 3461 4.4
                envid = _xtext(value)
            case "AUTH" if value:  # RFC 4954 5
                auth = _xtext(value)
            case "SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID" | "AUTH":
                raise Malformed(replies.SYNTAX)
            case _:
                raise Malformed(replies.UNKNOWN_PARAMETER)
    if sender is not None and not smtputf8 and not str(sender).isascii():
        raise Malformed(replies.NEEDS_SMTPUTF8)
    return MailCommand(sender, size, body, smtputf8, ret, envid, auth)


_known_mail = lru_cache(maxsize=256)(_mail)  # the same people write to each other


def parse_rcpt(argument: str, *, extended: bool, smtputf8: bool) -> RcptCommand:
    """The argument of RCPT. Raises Malformed."""
    return (_known_rcpt if len(argument) <= REMEMBERED else _rcpt)(argument, extended, smtputf8)


def _rcpt(argument: str, extended: bool, smtputf8: bool) -> RcptCommand:
    text = _strip_keyword(argument, "TO:")
    try:
        recipient, rest = parse_path(text, postmaster=True)
    except AddressError:
        raise Malformed(replies.BAD_RECIPIENT) from None
    if recipient is None:
        raise Malformed(replies.BAD_RECIPIENT)
    notify, orcpt = Notify.NONE, ""
    for name, value in _parameters(rest, extended=extended).items():
        match name:
            case "NOTIFY" if value:
                notify = _notify(value)
            case "ORCPT" if value and len(value) <= MAX_ORCPT:
                orcpt = _orcpt(value)
            case "NOTIFY" | "ORCPT":
                raise Malformed(replies.SYNTAX)
            case _:
                raise Malformed(replies.UNKNOWN_PARAMETER)
    if not smtputf8 and not str(recipient).isascii():
        raise Malformed(replies.NEEDS_SMTPUTF8)
    return RcptCommand(recipient, notify, orcpt)


_known_rcpt = lru_cache(maxsize=256)(_rcpt)


def parse_mailbox(argument: str) -> Address:
    """The argument of VRFY: an address with or without brackets. Raises Malformed."""
    text = argument[1:-1] if argument.startswith("<") and argument.endswith(">") else argument
    try:
        return parse(text, bare_local=True)
    except AddressError:
        raise Malformed(replies.BAD_RECIPIENT) from None


def parse_bdat(argument: str) -> tuple[int, bool]:
    """The argument of BDAT: (octets, whether it is the last chunk) (RFC 3030 2). Raises Malformed."""
    words = argument.split()
    last = len(words) == 2 and words[1].upper() == "LAST"
    if not words or len(words) > 2 or (len(words) == 2 and not last) or not _SIZE.fullmatch(words[0]):
        raise Malformed(replies.SYNTAX)
    return int(words[0]), last


def _xtext(value: str) -> str:
    try:
        text = decode_xtext(value)
    except AddressError:
        raise Malformed(replies.SYNTAX) from None
    if any(char < " " or char == "\x7f" for char in text):
        raise Malformed(replies.SYNTAX)
    return text


def _notify(value: str) -> Notify:
    """RFC 3461 4.1: NEVER alone, or a list without repetition."""
    notify = Notify.NONE
    for word in value.upper().split(","):
        if word not in ("NEVER", "SUCCESS", "FAILURE", "DELAY") or Notify[word] in notify:
            raise Malformed(replies.SYNTAX)
        notify |= Notify[word]
    if Notify.NEVER in notify and notify is not Notify.NEVER:
        raise Malformed(replies.SYNTAX)
    return notify


def _orcpt(value: str) -> str:
    """RFC 3461 4.2, with the address type utf-8 of RFC 6533 3."""
    kind, separator, address = value.partition(";")
    if not separator or not address or not _TYPE.fullmatch(kind):
        raise Malformed(replies.SYNTAX)
    if kind.lower() == "utf-8" and not (address.isascii() and "+" in address):
        try:
            return f"{kind};{decode_utf8_address(address)}"
        except AddressError:
            raise Malformed(replies.SYNTAX) from None
    return f"{kind};{_xtext(address)}"
