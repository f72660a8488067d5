"""What a search may ask of a message, from the cheapest to the dearest, and how dear each criterion is.

`Facts` is the seam between the search and the store: `messages.py` reads stored messages behind it, tests
give texts. Texts come decoded (RFC 2047, charsets), not yet folded.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from enum import IntEnum
from typing import Literal, Protocol

from appliance.mailbox.search import criteria as c
from appliance.store.contents import Row
from appliance.store.kv import ReadTxn

AddressName = Literal["from", "to", "cc", "bcc"]


class Cost(IntEnum):
    """What has to be read to decide a criterion."""

    UID = 0  # the order of UIDs alone
    ROW = 1  # the hot row
    HEADER = 2  # the cold row, the envelope, the header
    BODY = 3  # the whole text


class Facts(Protocol):
    """One message. What is read is kept as long as the object lives: one snapshot."""

    @property
    def row(self) -> Row:
        """The hot row."""

    def subject(self) -> str:
        """The subject."""

    def addresses(self, field: c.AddressField) -> str:
        """The addresses of a field as they are shown: names and addresses."""

    def fields(self, name: str) -> list[str]:
        """The texts of the header fields of this name, unfolded."""

    def header(self) -> Iterator[str]:
        """The whole header as text, unfolded, names included."""

    def body(self) -> Iterator[str]:
        """The text of the body, in pieces."""

    def glimpse(self, key: bytes, *, header: bool) -> bool | None:
        """Whether a key of `glimpse.key_of` stands in the body or, if `header`, in the header, where a look
        at the raw bytes tells; else None."""

    def first_mailbox(self, field: AddressName) -> str:
        """The local part of the first address of a field, "" without one (RFC 5256 3: SORT FROM)."""

    def first_display(self, field: AddressName) -> str:
        """What is shown of the first address of a field (RFC 5957 3)."""

    def thread_fields(self) -> tuple[str, str, str]:
        """Message-ID, In-Reply-To and References as they stand in the header."""

    def sent(self) -> int | None:
        """The Date field as FILETIME; None when there is none that can be read."""

    def sent_day(self) -> date | None:
        """The day of the Date field in its own zone."""


class Judge(Protocol):
    """Answers about some messages at once: a `Verdict` for each."""

    def envelope(self, member: int, key: bytes) -> bytes:
        """Whether the key, folded and as UTF-8, stands in a member of the envelope, as
        `structures.Codec.judge` says."""

    def text(self, key: bytes, *, header: bool) -> bytes:
        """Whether a key of `glimpse.key_of` stands in the body or, if `header`, in the header."""


class Source(Protocol):
    """Opens messages."""

    def judge(self, txn: ReadTxn, mailbox: int, mids: list[int], rows: list[bytes]) -> Judge:
        """A judge of messages, by their MIDs and packed rows."""

    def open(self, txn: ReadTxn, mailbox: int, row: Row) -> Facts:
        """The facts of a message in this snapshot."""

    def open_many(self, txn: ReadTxn, mailbox: int, rows: Sequence[Row]) -> Sequence[Facts]:
        """The same for many messages, reading what most searches need in one pass."""


def cost(criterion: c.Criterion) -> Cost:
    """The dearest read that a criterion may need."""
    dearest = Cost.UID
    for node in c.walk(criterion):
        if isinstance(node, c.Body | c.Text):
            return Cost.BODY
        if isinstance(node, c.Header | c.Address | c.Subject) or (
            isinstance(node, c.Dated) and node.field is c.DateField.SENT
        ):
            dearest = Cost.HEADER
        elif not isinstance(node, c.And | c.Or | c.Not | c.All | c.Uids):
            dearest = max(dearest, Cost.ROW)
    return dearest
