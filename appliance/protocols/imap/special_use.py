"""SPECIAL-USE attributes (RFC 6154, RFC 8457)."""

from appliance.store.folders import Folder

CREATABLE = frozenset({"Archive", "Drafts", "Flagged", "Important", "Junk", "Sent", "Trash"})
"""Uses that CREATE takes; \\All is of no folder here."""


def attribute(folder: Folder) -> bytes:
    """The attribute of a folder, or nothing."""
    return b"\\" + folder.special_use.encode() if folder.special_use in CREATABLE else b""
