"""The errors of the directory: kinds of the store's, so that `mailbox.errors.refused` maps them."""

from appliance.store.errors import Exists, NotFound, StoreError


class Unknown(NotFound):
    """No entry has that address, name or id."""


class Taken(Exists):
    """The address, alias or distinguished name belongs to another entry."""


class NotServed(StoreError):
    """The address lies outside the served domains (or inside, where only outside ones make sense)."""


class NotAllowed(StoreError):
    """The change would break a rule of the directory, such as a group within itself."""
