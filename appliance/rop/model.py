"""What a ROP is: a row of the table with its number, where it may be called, what it needs, and its layouts.

A module of `ops` declares `Request` and `Response` (the bodies, without RopId, LogonId, handle indexes and
ReturnValue, which the dispatcher reads and writes), one function `run(ctx, request)`, and its row `ROP`.

`run` returns the response's record, None for an empty body, or an `Answer` for a success with a warning. It
raises `MapiError` (or what `mailbox/` and `store/` raise, see `codes`), or `RopFailure` for the few failures
that have a body of their own. Nothing of a ROP that failed remains.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntFlag
from typing import TYPE_CHECKING, Any

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.wire.record import Record

if TYPE_CHECKING:
    from appliance.rop.context import RopContext


class On(IntFlag):
    """What a handle stands for."""

    NOTHING = 0
    LOGON = 1
    FOLDER = 2
    MESSAGE = 4
    ATTACHMENT = 8
    STREAM = 16
    TABLE = 32
    DOWNLOAD = 64
    """A FastTransfer or synchronization download context."""
    UPLOAD = 128
    """A FastTransfer upload context."""
    COLLECTOR = 256
    """A synchronization upload context."""
    SUBSCRIPTION = 512
    ANY = 1023


class Access(Enum):
    """What a ROP needs while it runs."""

    NONE = "none"
    """The session's own objects alone. Runs on the loop's thread; must be quick."""
    READ = "read"
    """A snapshot, for hot facts and small bags. Runs on the loop's thread; must be quick."""
    SCAN = "scan"
    """A snapshot, for what may take long. Runs in a reader thread."""
    WRITE = "write"
    """A write transaction, on the writer's thread: `run` must be pure (it may run twice). It changes no
    object of the session; what the session is to learn goes through `ctx.emit` and `ctx.put` and is done
    after the commit. At most 4 MB and 20 ms."""
    APART = "apart"
    """No transaction: it takes its own with `ctx.read()` and `ctx.write(fn)`, step by step, in a reader
    thread. For long work, and for bytes that go to the store while they arrive. At most `deadline.LIMIT`
    seconds."""


class Handles(Enum):
    """The handle indexes behind RopId and LogonId, in wire order."""

    NONE = ""
    IN = "i"
    OUT = "o"
    IN_OUT = "io"
    SOURCE_DEST = "sd"
    RESPONSE_IN = "ri"
    """ResponseHandleIndex, InputHandleIndex: the response names the former (RopSaveChangesMessage)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success with a warning: `code` is the ReturnValue."""

    body: Record | None
    code: int


class RopFailure(MapiError):
    """A failure whose response has a body."""

    def __init__(self, code: int, body: Record, detail: str = "") -> None:
        super().__init__(code, detail)
        self.body = body


class Empty(Record):
    """A body without fields."""


Run = Callable[["RopContext", Any], "Record | Answer | None"]
Need = Access | Callable[["RopContext", Any], Access]
Follow = Callable[[Any, Any], "Record | None"]


@dataclass(frozen=True, slots=True)
class Rop:
    """A row of the table.

    `on`: what the input (or source) handle may stand for; `dest` the same for the destination of SOURCE_DEST
    and the response handle of RESPONSE_IN. `access` may be a function of context (without transaction) and
    request. `room`: bytes that the response's body takes at most, where it does not look at `ctx.budget`.
    `reserve`: may write when the disk is full (deletes). `failure`: the body of responses of failure, for the
    few ROPs whose failures have one; a `RopFailure` brings another of the same layout. `ends`: when it fails,
    the ROPs behind it are not run (MS-OXCTABL 3.2.5.9). `wrong`: the code for an input that is not `on`.
    `request_public`: the request's layout on a logon to public folders, where it differs. `follow`: for
    chained responses (MS-OXCRPC 3.1.4.2.1.2.2), the request that goes on where a response ended, or None.
    `silent`: there is no response. `answers`: the RopId of the response where it is another ROP's.
    """

    id: int
    on: On
    access: Need
    request: type[Record]
    response: type[Record]
    run: Run
    handles: Handles = Handles.IN
    dest: On = On.NOTHING
    room: int = 64
    reserve: bool = False
    failure: Record | None = None
    ends: bool = False
    wrong: int = ec.ecNotSupported
    request_public: type[Record] | None = None
    follow: Follow | None = None
    silent: bool = False
    answers: int | None = None
    on_bits: int = field(init=False)
    dest_bits: int = field(init=False)
    """`on` and `dest` as plain numbers: arithmetic of flags makes an object for each result."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "on_bits", int(self.on))
        object.__setattr__(self, "dest_bits", int(self.dest))

    @property
    def answer_id(self) -> int:
        """The RopId of its responses."""
        return self.id if self.answers is None else self.answers


def unsupported(_ctx: "RopContext", _request: Record) -> None:
    """What ROPs do that servers of this kind answer with NotSupported."""
    raise MapiError(ec.ecNotSupported)
