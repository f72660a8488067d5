"""Scripted conversations of several connections with an IMAP server, ours or any other.

A script is lines of a connection's letter, an operator, and text:

    A> text     send a line (a connection opens with its first line; \\r\\n within the text is a line end)
    A+ FLAGS SUBJECT      append a small message to INBOX: `A+ (\\Seen) dinner on friday`
    A~ pattern  among the replies up to the next `<` there is one like this (each reply serves one pattern)
    A! pattern  among those replies there is none like this
    A< pattern  read replies up to one like this; a tagged or continuation reply that differs fails

`...` in a pattern is anything, `$(name)` a number that is remembered and then stands for itself, `$user`,
`$other` and `$password` the accounts. Literals stand in replies as they come. `#` begins a comment.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.protocols.imap.office import Talk, message


@dataclass
class Conversation:
    """A running script."""

    connect: Callable[[], Talk]
    names: dict[str, str]
    talks: dict[str, Talk] = field(default_factory=dict)
    wanted: dict[str, list[str]] = field(default_factory=dict)
    unwanted: dict[str, list[str]] = field(default_factory=dict)

    def run(self, script: str) -> None:
        """Run a script. Raises AssertionError with the line that failed."""
        try:
            for number, line in enumerate(script.splitlines(), 1):
                if line.strip() and not line.startswith("#"):
                    self._line(number, line)
        finally:
            for talk in self.talks.values():
                talk.close()

    def _line(self, number: int, line: str) -> None:
        name, operator, text = line[0], line[1], line[3:]
        if name not in self.talks:
            self.talks[name] = self.connect()
        talk = self.talks[name]
        where = f"line {number}: {line}"
        if operator == ">":
            talk.send(self._filled(text).replace("\\r\\n", "\r\n").encode() + b"\r\n")
        elif operator == "+":
            flags, _, subject = text.partition(") ")
            raw = message(subject)
            got = talk.append("INBOX", raw, flags + ") ")
            assert got[-1].startswith(b"t OK"), f"{where}\n{got}"
        elif operator == "~":
            self.wanted.setdefault(name, []).append(text)
        elif operator == "!":
            self.unwanted.setdefault(name, []).append(text)
        elif operator == "<":
            self._read(name, talk, text, where)
        else:
            raise AssertionError(f"{where}: unknown operator")

    def _filled(self, text: str) -> str:
        for key, value in self.names.items():
            text = text.replace(f"$({key})", value).replace(f"${key}", value)
        return text

    def _matches(self, pattern: str, reply: bytes) -> bool:
        fresh: list[str] = []

        def piece(match: "re.Match[str]") -> str:
            if match[0] == "...":
                return "(?:.*)"
            name = match[1]
            if name in self.names:
                return re.escape(self.names[name])
            fresh.append(name)
            return "([0-9]+)"

        parts = re.split(r"(\.\.\.|\$\([a-z0-9]+\))", self._plain(pattern))
        regex = "".join(
            re.sub(r"\.\.\.|\$\(([a-z0-9]+)\)", piece, part) if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
        found = re.fullmatch(regex, reply.decode("utf-8", "replace"), re.DOTALL)
        if found:
            self.names.update(zip(fresh, found.groups(), strict=True))
        return found is not None

    def _plain(self, text: str) -> str:
        for key in ("user", "other", "password"):
            text = text.replace(f"${key}", self.names[key])
        return text.replace("\\r\\n", "\r\n")

    def _read(self, name: str, talk: Talk, pattern: str, where: str) -> None:
        replies: list[bytes] = []
        while True:
            try:
                replies.append(talk.reply())
            except OSError as error:
                raise AssertionError(f"{where}\n{error} after {replies!r}") from error
            if self._matches(pattern, replies[-1]):
                break
            tagged = not replies[-1].startswith(b"* ")
            assert not tagged, f"{where}\ngot {replies[-1]!r}\nafter {replies[:-1]!r}"
        left = list(replies)
        for wanted in self.wanted.pop(name, []):
            found = next((reply for reply in left if self._matches(wanted, reply)), None)
            assert found is not None, f"{where}\nno reply like {wanted!r} in {replies!r}"
            left.remove(found)
        for unwanted in self.unwanted.pop(name, []):
            assert not any(self._matches(unwanted, reply) for reply in replies), (
                f"{where}\na reply like {unwanted!r} in {replies!r}"
            )
