"""The one error of mailbox operations. Each protocol maps `Reason` to its reply in one function."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from appliance.store import errors as store_errors


class Reason(Enum):
    """Why an operation was refused."""

    NOT_FOUND = "no such object"
    EXISTS = "the name is taken"
    ACCESS_DENIED = "access denied"
    CONFLICT = "the object was changed meanwhile"
    INVALID = "not allowed for this object"
    QUOTA = "the mailbox is full"
    TOO_BIG = "too big"
    LIMIT = "a limit of the server is reached"
    FULL = "the server has no room left"
    UNAVAILABLE = "temporarily unavailable"


class Refused(Exception):
    """An operation that was not done. Nothing of it happened."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


_OF_STORE = (
    (store_errors.NotFound, Reason.NOT_FOUND),
    (store_errors.Exists, Reason.EXISTS),
    (store_errors.Conflict, Reason.CONFLICT),
    (store_errors.LimitReached, Reason.LIMIT),
    (store_errors.StoreFull, Reason.FULL),
    (store_errors.StoreFailed, Reason.UNAVAILABLE),
)


def refused(error: store_errors.StoreError) -> Refused:
    """An error of the store as the error that protocols know."""
    for kind, reason in _OF_STORE:
        if isinstance(error, kind):
            return Refused(reason, str(error))
    return Refused(Reason.INVALID, str(error))


@contextmanager
def refusing() -> Iterator[None]:
    """Turn errors of the store into `Refused`."""
    try:
        yield
    except store_errors.StoreError as error:
        raise refused(error) from error
