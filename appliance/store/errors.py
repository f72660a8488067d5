"""The few errors of the store. Protocols never see them raw: `mailbox/` maps them to `Refused`."""


class StoreError(Exception):
    """Anything that the store refuses."""


class NotFound(StoreError):
    """The mailbox, folder, message or blob does not exist (any more)."""


class Exists(StoreError):
    """The name or id is taken."""


class Conflict(StoreError):
    """The object changed since the version that the caller started from."""


class LimitReached(StoreError):
    """A named limit of the store would be passed."""


class StoreFull(StoreError):
    """The disk has no room above the reserve; deletes still work."""


class StoreFailed(StoreError):
    """The device failed (the card is failing); the process must end and reopen the store."""


class ForeignStore(StoreError):
    """The file is damaged, of another program, or of a newer format; it was not touched."""
