"""A folder of made-up messages whose texts are at hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from appliance.formats.structures import Verdict
from appliance.mailbox.search.criteria import AddressField
from appliance.mailbox.search.facts import AddressName, Judge
from appliance.mapi import times
from appliance.store import messages, tree
from appliance.store.contents import Row, RowFlag
from appliance.store.edit import editing
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import NewMessage
from appliance.store.store import Store

NOW = times.from_unix(1_700_000_000)


@dataclass
class Mail:
    """Texts and facts of a message."""

    subject: str = ""
    sender: str = ""
    to: str = ""
    cc: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    sent: int | None = None
    sent_day: date | None = None
    flags: int = 0
    keywords: tuple[str, ...] = ()
    size: int = 100
    received: int = NOW
    refs: tuple[str, str, str] = ("", "", "")


class FakeFacts:
    def __init__(self, row: Row, mail: Mail, read: list[str]) -> None:
        self.row = row
        self._mail = mail
        self._read = read

    def subject(self) -> str:
        self._read.append("subject")
        return self._mail.subject

    def addresses(self, field: AddressField) -> str:
        self._read.append("addresses")
        return {"from": self._mail.sender, "to": self._mail.to, "cc": self._mail.cc, "bcc": ""}[field.value]

    def fields(self, name: str) -> list[str]:
        self._read.append("fields")
        return [value for key, value in self._mail.headers.items() if key.lower() == name.lower()]

    def header(self) -> Iterator[str]:
        self._read.append("header")
        yield f"Subject: {self._mail.subject}\nFrom: {self._mail.sender}\nTo: {self._mail.to}\n"
        for key, value in self._mail.headers.items():
            yield f"{key}: {value}\n"

    def body(self) -> Iterator[str]:
        self._read.append("body")
        for at in range(0, len(self._mail.text), 7):  # in small pieces, so that keys straddle them
            yield self._mail.text[at : at + 7]

    def glimpse(self, key: bytes, *, header: bool) -> bool | None:
        return None

    def _first(self, field: AddressName) -> str:
        return {"from": self._mail.sender, "to": self._mail.to, "cc": self._mail.cc, "bcc": ""}[field]

    def first_mailbox(self, field: AddressName) -> str:
        return self._first(field).rpartition("<")[2].partition("@")[0]

    def first_display(self, field: AddressName) -> str:
        return self._first(field).partition(" <")[0]

    def thread_fields(self) -> tuple[str, str, str]:
        return self._mail.refs

    def sent(self) -> int | None:
        return self._mail.sent

    def sent_day(self) -> date | None:
        self._read.append("date")
        return self._mail.sent_day


class Ignorant:
    """Knows nothing at a glance."""

    def __init__(self, count: int) -> None:
        self._unknown = bytes([Verdict.UNKNOWN] * count)

    def envelope(self, member: int, key: bytes) -> bytes:
        return self._unknown

    def text(self, key: bytes, *, header: bool) -> bytes:
        return self._unknown


class FakeSource:
    """Opens the made-up messages; `read` says what was asked for."""

    def __init__(self) -> None:
        self.mails: dict[int, Mail] = {}
        self.read: list[str] = []

    def judge(self, txn: ReadTxn, mailbox: int, mids: list[int], rows: list[bytes]) -> Judge:
        return Ignorant(len(rows))

    def open(self, txn: ReadTxn, mailbox: int, row: Row) -> FakeFacts:
        return FakeFacts(row, self.mails[row.mid], self.read)

    def open_many(self, txn: ReadTxn, mailbox: int, rows: Sequence[Row]) -> list[FakeFacts]:
        return [self.open(txn, mailbox, row) for row in rows]


class Box:
    """A store with one mailbox."""

    def __init__(self, directory: Path) -> None:
        self.store = Store.create(directory)
        self.source = FakeSource()
        self.fid = int(Special.INBOX)
        self.mailbox = self.store.write(
            lambda txn: tree.create_mailbox(
                txn, owner=1, guid=b"g" * 16, replica_guid=b"r" * 16, uidvalidity=1, now=NOW
            )
        ).result()

    def add(self, *mails: Mail) -> list[Row]:
        """Insert messages; their rows."""

        def insert(txn: WriteTxn) -> list[Row]:
            with editing(txn, self.mailbox, now=NOW) as edit:
                return [
                    messages.insert(
                        edit,
                        self.fid,
                        NewMessage(
                            blob=0,
                            size=mail.size,
                            bag=b"\1\2\0\0",
                            flags=RowFlag(mail.flags),
                            keywords=mail.keywords,
                            received=mail.received,
                        ),
                    )
                    for mail in mails
                ]

        rows = self.store.write(insert).result()
        for row, mail in zip(rows, mails, strict=True):
            self.source.mails[row.mid] = mail
        return rows

    def edit(self, change: Any) -> Any:
        """Run `change(edit)`."""

        def run(txn: WriteTxn) -> Any:
            with editing(txn, self.mailbox, now=NOW) as edit:
                return change(edit)

        return self.store.write(run).result()
