"""Subjects and conversations: prefixes, topics, PidTagConversationIndex and PidTagConversationId.

All of it is computed from the message alone: two servers that see the same message come to the same values.
"""

import binascii
import hashlib
import re
from typing import NamedTuple

HEADER_LENGTH = 22  # MS-OXOMSG 2.2.1.3: 0x01, five bytes of time, a GUID
CHILD_LENGTH = 5
MAX_INDEX = HEADER_LENGTH + CHILD_LENGTH * 1024
MAX_TOPIC_CHARACTERS = 255  # MS-OXOMSG 2.2.1.2

# MS-OXCMSG 2.2.1.9: up to three characters, no digits, blanks or punctuation, then a colon and a space.
_PREFIX = re.compile(r"^([^\W\d_]{1,3}): (?!$)")
_PREFIX_LOOSE = re.compile(r"^\s*([^\W\d_]{1,3})\s?:\s*(?=\S)")

_EMPTY = hashlib.md5(usedforsecurity=False)  # to be copied: OpenSSL takes eight times as long to make one


class Subject(NamedTuple):
    """A subject in its parts; `prefix` has the colon and the space that follow."""

    prefix: str
    normalized: str


class Index(NamedTuple):
    """A parsed PidTagConversationIndex: FILETIME of the thread's start, its GUID, how deep the message is."""

    time: int
    guid: bytes
    depth: int


def split_subject(subject: str, thread_topic: str | None = None) -> Subject:
    """Prefix and normalized subject (MS-OXCMSG 2.2.1.9, MS-OXCMAIL 2.2.3.2.6.1).

    A topic that is the end of the subject decides where the prefix ends.
    """
    if thread_topic and subject.endswith(thread_topic):
        front = subject[: len(subject) - len(thread_topic)]
        if not front or _PREFIX.match(front + "x"):
            return Subject(front, thread_topic)
    if match := _PREFIX.match(subject):
        return Subject(match[0], subject[match.end() :])
    return Subject("", subject)


def base_subject(subject: str) -> str:
    """The subject without any of its prefixes: what a conversation's messages share."""
    while match := _PREFIX_LOOSE.match(subject):
        subject = subject[match.end() :]
    return subject.strip()


def parse_index(data: bytes) -> Index | None:
    """What a conversation index says; None when it is not of the documented form (MS-OXOMSG 2.2.1.3)."""
    if len(data) < HEADER_LENGTH or data[0] != 1:
        return None
    # The upper 40 bits of the time. Old programs leave out its top byte, which is 0x01 until the year 2057.
    time = int.from_bytes(data[1:6], "big") << 24 if data[1] == 1 else int.from_bytes(data[:6], "big") << 16
    return Index(time, data[6:22], (len(data) - HEADER_LENGTH) // CHILD_LENGTH)


def new_index(time: int, guid: bytes) -> bytes:
    """The header block of a thread that starts at `time` (FILETIME) with the given 16 bytes."""
    return b"\x01" + (time >> 24 & 0xFF_FFFF_FFFF).to_bytes(5, "big") + guid


def reply_index(parent: bytes, time: int, salt: int) -> bytes:
    """The index of a reply at `time`: the parent's with a child block (MS-OXOMSG 2.2.1.3).

    `salt` is a random byte given by the caller. An invalid or overlong parent is returned as it is.
    """
    parsed = parse_index(parent)
    if parsed is None or len(parent) + CHILD_LENGTH > MAX_INDEX:
        return parent
    delta = max(time - parsed.time, 0)
    if delta >> 49 == 0:
        value = delta >> 18 & 0x7FFF_FFFF
    else:
        value = 0x8000_0000 | (delta >> 23 & 0x7FFF_FFFF)
    # 31 bits of time difference under the code bit, then four random bits and a sequence count of zero.
    return parent + value.to_bytes(4, "big") + bytes((salt & 0xF0,))


def topic_id(topic: str) -> bytes | None:
    """The conversation id of a topic; None for an empty one (MS-OXOMSG 2.2.1.2)."""
    topic = topic.replace("\x00", "")[:MAX_TOPIC_CHARACTERS]
    if not topic:
        return None
    # Character by character, as a locale-free table does: "ß" stays, since its upper form is longer.
    if topic.isascii():
        return _md5(topic.upper().encode("utf-16-le"))
    upper = "".join(up if len(up := character.upper()) == 1 else character for character in topic)
    data = upper.encode("utf-16-le", "surrogatepass")[: MAX_TOPIC_CHARACTERS * 2]
    return _md5(data)


def _md5(data: bytes) -> bytes:
    made = _EMPTY.copy()
    made.update(data)
    return made.digest()


def conversation_id(index: bytes | None, topic: str | None, tracking: bool) -> bytes | None:
    """PidTagConversationId (MS-OXOMSG 2.2.1.2); None when the message has neither index nor topic."""
    if tracking and index is not None and parse_index(index) is not None:
        return index[6:22]
    return topic_id(topic) if topic else None


def read_thread_index(value: str) -> bytes | None:
    """A Thread-Index header: base64 (MS-OXCMAIL 2.2.3.2); None when it is not or is too long."""
    compact = "".join(value.split())
    if not compact or len(compact) > MAX_INDEX * 2:
        return None
    try:
        return binascii.a2b_base64(compact + "=" * (-len(compact) % 4))
    except (binascii.Error, ValueError):
        return None
