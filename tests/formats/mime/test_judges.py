"""Outside judges over all messages at hand: CPython's email package (structure), Dovecot (IMAP texts).

Where a judge differs, the RFC decides, and the difference is of one of the kinds named below; others fail.
"""

import email
import grp
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from appliance.formats.mime import Finding, Kind, Scan, bodystructure, envelope, scan
from appliance.formats.mime.bodies import decode_body
from tests.formats.mime.corpus import AWKWARD, mailbox_messages, real_files
from tests.formats.mime.imaptext import Value, read_all

LOOSE = Finding.MISSING_SEPARATOR | Finding.BAD_LINE | Finding.LOOSE_BOUNDARY | Finding.NO_BOUNDARY
LOOSE |= Finding.BAD_TYPE | Finding.CR_LINES | Finding.DEPTH_LIMIT | Finding.ENCODED_MESSAGE | Finding.BARE_CR
LOOSE |= Finding.MBOX_FROM | Finding.NUL


def messages() -> Iterator[tuple[str, bytes]]:
    """All of them, with CRLF line ends."""
    found = [(path.name, path.read_bytes()) for path in real_files()]
    found += AWKWARD.items()
    found += [(f"mbox {i}", data) for i, data in enumerate(mailbox_messages())]
    for name, data in found:
        if data:
            yield name, data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def shape_of_judge(message: Message) -> object:
    if is_container(message):
        return message.get_content_type(), [shape_of_judge(part) for part in message.get_payload()]  # type: ignore[union-attr,arg-type]
    return message.get_content_type()


def shape(result: Scan, index: int = 0) -> object:
    part = result.parts[index]
    if part.kind is not Kind.LEAF and part.children:
        return part.content.value, [shape(result, child) for child in part.children]
    return part.content.value


def test_structure_as_the_email_package_sees_it() -> None:
    compared = 0
    for name, data in messages():
        result = scan(data)
        if result.findings & LOOSE or name == "comments":  # RFC 2045 5.1 allows them, the package does not
            continue
        judge = email.message_from_bytes(data)
        if len(result) < 60 and not any(part.defects for part in judge.walk()):
            assert shape(result) == shape_of_judge(judge), name
            for part, other in zip(leaves(result), judge_leaves(judge), strict=True):
                body = decode_body(data[part.body_start : part.body_end], part.encoding)
                expected = other.get_payload(decode=True)
                if part.encoding == "base64" and isinstance(expected, bytes):
                    assert body == expected, name
            compared += 1
    assert compared > 10


def leaves(result: Scan) -> list:  # type: ignore[type-arg]
    return [part for part in result.parts if not part.children]


def judge_leaves(message: Message) -> list[Message]:
    if not is_container(message):
        return [message]
    return [leaf for part in message.get_payload() for leaf in judge_leaves(part)]  # type: ignore[arg-type]


def is_container(message: Message) -> bool:
    """The package also takes delivery-status and external-body apart, which have no MIME structure."""
    kind = message.get_content_type()
    return message.is_multipart() and (kind == "message/rfc822" or kind.startswith("multipart/"))


class Dovecot:
    """Dovecot's imap process over a Maildir, spoken to through pipes."""

    def __init__(self, folder: Path, texts: list[bytes]) -> None:
        mail = folder / "mail"
        for name in ("cur", "new", "tmp"):
            (mail / name).mkdir(parents=True)
        for number, data in enumerate(texts):
            (mail / "cur" / f"{1_000_000_000 + number}.M{number}P1.h:2,S").write_bytes(data)
        config = folder / "dovecot.conf"
        config.write_text(
            f"protocols = imap\nbase_dir = {folder}/run\nstate_dir = {folder}/state\n"
            f"log_path = {folder}/log\nssl = no\nmail_location = maildir:{mail}\nmail_uid = mail\n"
            f"mail_gid = mail\nfirst_valid_uid = 1\n"
        )
        user, group = pwd.getpwnam("mail").pw_uid, grp.getgrnam("mail").gr_gid
        for path in (*folder.parents, folder):  # the mail user must reach it
            if path.stat().st_uid == 0 and str(path).startswith("/tmp/"):
                path.chmod(path.stat().st_mode | 0o055)
        for path in (mail, *mail.rglob("*")):
            os.chown(path, user, group)
        self._process = subprocess.Popen(
            [shutil.which("doveadm") or "doveadm", "-c", str(config), "exec", "imap"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/",
            user=user, group=group, extra_groups=[], env={"USER": "mail", "PATH": os.environ["PATH"]},
        )  # fmt: skip
        assert self._process.stdout is not None
        if not self._process.stdout.readline().startswith(b"* PREAUTH"):
            self.close()
            pytest.skip("Dovecot does not start here")

    def command(self, text: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"TAG77 " + text + b"\r\n")
        self._process.stdin.flush()
        answer = b""
        for line in self._process.stdout:
            if line.startswith(b"TAG77 "):
                assert line.startswith(b"TAG77 OK"), line
                return answer
            answer += line
        raise AssertionError(f"connection lost after {answer[-200:]!r}")

    def close(self) -> None:
        self._process.communicate(timeout=10)


def lowered(value: Value) -> Value:
    if isinstance(value, bytes):
        return value.lower()
    return [lowered(item) for item in value] if isinstance(value, list) else value


def differences(ours: Value, theirs: Value, path: str = "") -> Iterator[tuple[str, Value, Value]]:
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(a, b, f"{path}.{number}")
    elif ours != theirs:
        yield path, ours, theirs


def reason(ours: Value, theirs: Value, data: bytes) -> str:
    """Why a difference is Dovecot's: the rule of the RFC, or "" if there is none."""
    if theirs in (b"MISSING_DOMAIN", b"MISSING_MAILBOX", b"SYNTAX_ERROR", b"syntax_error"):
        return "a placeholder of its own for what is missing; RFC 9051 7.5.2 only forbids NIL"
    if isinstance(ours, bytes) and isinstance(theirs, bytes):
        if b" ".join(ours.split()) == b" ".join(theirs.split()):
            return "RFC 5322 2.2.3: unfolding takes only the line end out, white space stays"
        if unquote_to_bytes(ours) == unquote_to_bytes(theirs):
            return "RFC 2231 4: a quote within an extended value is coded"
    if isinstance(ours, int) and isinstance(theirs, int) and theirs - ours in (1, 2):
        return "RFC 2046 5.1.1: the line end before a delimiter belongs to it, after an inner epilogue too"
    if isinstance(ours, list) and ours[:1] == [b"charset*"] and theirs == [*ours, b"charset", b"us-ascii"]:
        return "RFC 2231 4: charset* is the charset, no default is added"
    if re.search(rb"(?i)boundary(\*|=\"?\"?[\r\n;])", data) or b"q" * 200 in data:
        return "RFC 2231, RFC 2046 5.1.1: boundary* counts, an empty one does not, a long one is not cut"
    return ""


DOVECOT_DIFFERS = {
    "issue358.txt": "name without quotes around an @: the angle address counts (RFC 5322 3.4)",
    "stack-overflow.txt": "colons within encoded words open no group",
    "feedback-report.txt": "a local part of two words, no domain",
    "nest": "100 levels are taken apart, of which it takes 99",
    "bom": "the mark at the start of a file belongs to no field name",
    "mbox 6": "bang paths with two @: the last one divides",
}


def test_imap_as_dovecot_renders_it(tmp_path: Path) -> None:
    if shutil.which("doveadm") is None or not Path("/usr/lib/dovecot/imap").exists():
        pytest.skip("dovecot-imapd is not installed")
    if os.geteuid() != 0:
        pytest.skip("Dovecot wants to be started by root")
    chosen = [(name, data) for name, data in messages() if b"\0" not in data]
    server = Dovecot(tmp_path, [data for _, data in chosen])
    try:
        server.command(b"SELECT INBOX")
        unexplained, same = [], 0
        for number, (name, data) in enumerate(chosen):
            answer = server.command(b"FETCH %d (ENVELOPE BODYSTRUCTURE BODY)" % (number + 1))
            theirs = read_all(answer.partition(b" FETCH ")[2].removesuffix(b"\r\n"))
            assert isinstance(theirs, list)
            result = scan(data)
            ours = [
                read_all(text(result))
                for text in (envelope, bodystructure, lambda s: bodystructure(s, False))
            ]
            if result.findings & LOOSE or name in DOVECOT_DIFFERS:
                continue
            for kind, mine, other in zip(
                ("ENVELOPE", "BODYSTRUCTURE", "BODY"), ours, theirs[1::2], strict=True
            ):
                found = list(
                    differences(*((mine, other) if kind == "ENVELOPE" else (lowered(mine), lowered(other))))
                )
                same += not found
                unexplained += [(name, kind, *item) for item in found if not reason(*item[1:], data)]
        assert unexplained == [], "\n".join(str(item)[:300] for item in unexplained)
        assert same > 30
    finally:
        server.close()
