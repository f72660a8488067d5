"""What a running ROP is given: the objects behind its handles, the transaction, the room for its answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from appliance.mailbox.actor import Actor
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.values import Form
from appliance.rop import deadline
from appliance.rop.objects import Logon, Object
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store

if TYPE_CHECKING:
    from appliance.rop.session import Session

T = TypeVar("T")


class RopContext:
    """Made anew for each run of each ROP.

    `now` (FILETIME) and `fresh` (16 random bytes, the same in a second run) are prepared outside the
    transaction. `index`: the input's slot, for responses that repeat it. `budget`: bytes that the response's
    body may take; who has more to say says less, or raises ecBufferTooSmall. `output` is what `put` was
    given, `effects` what `emit` was given: the engine takes both when the ROP has succeeded (and was
    committed).
    """

    __slots__ = (
        "_input",
        "_other",
        "_txn",
        "_writing",
        "budget",
        "effects",
        "fresh",
        "index",
        "logon_id",
        "now",
        "output",
        "session",
    )

    def __init__(
        self,
        session: "Session",
        logon_id: int,
        input: Object | None,
        other: Object | None,
        *,
        now: int,
        fresh: bytes,
        budget: int,
        index: int = 0,
        txn: ReadTxn | None = None,
        writing: WriteTxn | None = None,
    ) -> None:
        self.session, self.logon_id, self._input, self._other = session, logon_id, input, other
        self.now, self.fresh, self.budget, self.index = now, fresh, budget, index
        self._txn, self._writing = txn, writing
        self.output: Object | None = None
        self.effects: list[Callable[[], None]] = []

    def input(self, kind: type[T]) -> T:
        """The object behind the input (or source) handle. Raises ecNotSupported for another kind."""
        if not isinstance(self._input, kind):
            raise MapiError(ec.ecNotSupported)
        return self._input

    def other(self, kind: type[T]) -> T:
        """The object behind the destination (or response) handle. Raises ecNotSupported for another kind."""
        if not isinstance(self._other, kind):
            raise MapiError(ec.ecNotSupported)
        return self._other

    @property
    def logon(self) -> Logon:
        """The logon of the input object."""
        assert self._input is not None, "a ROP without input has no logon"
        return self._input.logon

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.logon.actor

    @property
    def form(self) -> Form:
        """How values stand in ROP buffers, strings of 8 bits in the session's code page."""
        return self.session.form

    @property
    def store(self) -> Store:
        """The store, for ROPs that run apart."""
        return self.session.engine.store

    @property
    def txn(self) -> ReadTxn:
        """The transaction, of ROPs that read or write."""
        assert self._txn is not None, "the ROP's access has no transaction"
        return self._txn

    @property
    def has_txn(self) -> bool:
        """Whether there is a transaction: not for ROPs that run apart."""
        return self._txn is not None

    @property
    def writing(self) -> WriteTxn:
        """The write transaction, of ROPs that write."""
        assert self._writing is not None, "the ROP's access does not write"
        return self._writing

    @contextmanager
    def read(self) -> Iterator[ReadTxn]:
        """A snapshot of its own, for ROPs that run apart. Raises ecTimeout when their time is over."""
        deadline.check()
        with self.store.read() as txn:
            yield txn

    def given(self, txn: ReadTxn | None) -> "RopContext":
        """This context, which was made before there was a transaction."""
        self._txn = txn
        return self

    def at(self, txn: WriteTxn) -> "RopContext":
        """The same ROP, within a function that it writes itself."""
        made = self.reading(txn)
        made._writing = txn
        return made

    def reading(self, txn: ReadTxn) -> "RopContext":
        """The same ROP, with a snapshot that it took itself."""
        return RopContext(
            self.session,
            self.logon_id,
            self._input,
            self._other,
            now=self.now,
            fresh=self.fresh,
            budget=self.budget,
            index=self.index,
            txn=txn,
        )

    def write(self, fn: Callable[[WriteTxn], T], *, weight: int = 0, reserve: bool = False) -> T:
        """Run a pure function on the writer's thread and wait for its commit; for ROPs that run apart. Raises
        ecTimeout when their time is over."""
        deadline.check()
        return self.store.write(fn, weight=weight, reserve=reserve).result()

    def put(self, made: Object) -> None:
        """Give the new object a handle in the output slot, once the ROP has succeeded."""
        self.output = made

    def emit(self, effect: Callable[[], None]) -> None:
        """Do this once the ROP has succeeded and is committed; it must not fail."""
        self.effects.append(effect)
