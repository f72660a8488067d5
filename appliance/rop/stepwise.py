"""Operations on many messages and folders: in steps, each durable before the next, with PartialCompletion.

MS-OXCFOLD lets a server work asynchronously on request; this one answers when it is done (3.2.5.6: it may
return the response to say that the operation is over). What fails before anything was done fails the ROP;
afterwards the response says that the operation was completed in part: also when the time for it was over.
"""

from collections.abc import Callable, Iterator, Sequence

from appliance.mailbox.errors import Refused
from appliance.mapi.errors import MapiError
from appliance.rop.codes import code_of
from appliance.rop.model import RopFailure
from appliance.store.errors import StoreError
from appliance.wire.fields import Bool
from appliance.wire.record import Record


class PartialCompletion(Record):
    """The body of these ROPs' responses, of failure too."""

    partial_completion: Bool


NOTHING_DONE = PartialCompletion(False)


class Progress:
    """What became of an operation so far."""

    def __init__(self) -> None:
        self._done = self._left_out = False

    def step(self, fn: Callable[[], bool]) -> None:
        """Do a part; `fn` gives whether all of it was done. Raises RopFailure when it is the first to be
        done and is refused."""
        try:
            whole = fn()
        except (Refused, StoreError, MapiError) as error:
            if not self._done:
                raise
            raise RopFailure(code_of(error), PartialCompletion(True)) from None
        self._done = True
        self._left_out |= not whole

    def attempt(self, fn: Callable[[], bool]) -> None:
        """Do a part that may be left out when it is refused."""
        try:
            whole = fn()
        except (Refused, StoreError, MapiError):
            self._left_out = True
            return
        self._done = True
        self._left_out |= not whole

    def answer(self) -> PartialCompletion:
        """The response."""
        return PartialCompletion(self._left_out)


def pieces(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The items, `size` at a time; once nothing for none."""
    for at in range(0, max(len(items), 1), size):
        yield items[at : at + size]
