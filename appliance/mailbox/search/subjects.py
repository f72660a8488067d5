"""The base subject of a message: its subject without the marks of replies and forwards (RFC 5256 2.1)."""

import re
from typing import NamedTuple

from appliance.mailbox.search.folding import fold

MAX_SUBJECT = 4096
"""Characters of a subject that are looked at."""

_SPACES = re.compile(r"[ \t\r\n]+")
_TRAILER = re.compile(r"(?:\(fwd\)| )+\Z", re.IGNORECASE)
_LAST_BLOB = re.compile(r"\[[^\[\]]*\] *\Z")
_BLOBS = re.compile(r"(?:\[[^\[\]]*\] *+)++")
_LEADER = re.compile(r"(?:\[[^\[\]]*\] *+)*+(?:re|fwd?) *(?:\[[^\[\]]*\] *)?:", re.IGNORECASE)
_FORWARD = re.compile(r"\[fwd:(.*)\]\Z", re.IGNORECASE | re.DOTALL)


class BaseSubject(NamedTuple):
    """The base subject as it is shown, and whether anything marked a reply or forward."""

    text: str
    reply: bool

    @property
    def key(self) -> str:
        """What base subjects are compared by."""
        return fold(self.text)


def base_subject(subject: str) -> BaseSubject:
    """The base subject of a decoded subject."""
    text = _SPACES.sub(" ", subject[:MAX_SUBJECT])  # step 1
    reply = False
    while True:
        text, marked = _strip_trailer(text)
        reply |= marked
        text, marked = _strip_leaders(text)
        reply |= marked
        forwarded = _FORWARD.match(text)  # step 6
        if not forwarded:
            return BaseSubject(text, reply)
        text, reply = forwarded[1], True


def _strip_trailer(text: str) -> tuple[str, bool]:
    """Step 2: trailing white space and "(fwd)", all that there is."""
    trailer = _TRAILER.search(text)
    if not trailer:
        return text, False
    return text[: trailer.start()], "(" in trailer[0]


def _strip_leaders(text: str) -> tuple[str, bool]:
    """Steps 3 to 5: leading white space, "re:" and the like, and blobs before a non-empty rest."""
    at, reply = 0, False
    while True:
        while text.startswith(" ", at):
            at += 1
        if leader := _LEADER.match(text, at):
            at, reply = leader.end(), True
            continue
        blobs = _BLOBS.match(text, at)
        if not blobs:
            return text[at:], reply
        if blobs.end() == len(text):  # the last blob is the base subject
            last = _LAST_BLOB.search(text, at)
            return text[last.start() if last else at :], reply
        at = blobs.end()
