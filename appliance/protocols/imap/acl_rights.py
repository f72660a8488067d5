"""Rights of RFC 4314 as rights of MS-OXCPERM, and back.

MAPI's rights are coarser: seen flags go with reading, the three kinds of deleting with two rights, posting
with creating. Rights that go together are told as tied (RFC 4314 3.7).
"""

from appliance.protocols.imap.errors import Bad
from appliance.store.permissions import Right

_LETTERS: tuple[tuple[str, Right], ...] = (
    ("l", Right.FOLDER_VISIBLE),
    ("r", Right.READ_ANY),
    ("s", Right.READ_ANY),
    ("w", Right.EDIT_ANY | Right.EDIT_OWNED),
    ("i", Right.CREATE),
    ("p", Right.CREATE),
    ("k", Right.CREATE_SUBFOLDER),
    ("x", Right.FOLDER_OWNER),
    ("t", Right.DELETE_ANY | Right.DELETE_OWNED),
    ("e", Right.DELETE_ANY | Right.DELETE_OWNED),
    ("a", Right.FOLDER_OWNER),
)
_RIGHTS = dict(_LETTERS)
_OBSOLETE = {"c": Right.CREATE_SUBFOLDER, "d": Right.DELETE_ANY | Right.DELETE_OWNED}

TIED = (b"l", b"rs", b"w", b"ip", b"k", b"xa", b"te")
"""Rights that are granted together."""

EVERY = b"lrswipkxtea"


def letters(rights: Right) -> bytes:
    """Rights as letters; an owner has all. The obsolete `c` and `d` follow what they stand for
    (RFC 4314 2.1.1)."""
    if rights & Right.FOLDER_OWNER:
        return EVERY + b"cd"
    found = "".join(letter for letter, right in _LETTERS if right in rights)
    if "k" in found:
        found += "c"
    if "t" in found:
        found += "d"
    return found.encode()


def parse_letters(raw: bytes) -> Right:
    """Letters as rights. Raises Bad for unknown ones (RFC 4314 3.1)."""
    rights = Right.NONE
    for letter in raw.decode("latin-1"):
        right = _RIGHTS.get(letter) or _OBSOLETE.get(letter)
        if right is None:
            raise Bad("Unknown right.")
        rights |= right
    return rights
