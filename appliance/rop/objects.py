"""What handles stand for: the base, and the two objects that every session has, logons and folders.

Objects belong to one session and are touched by one batch at a time. They hold ids and what is not saved yet,
never rows of the store: what they show is read anew by each ROP. Other kinds live where their ROPs' logic is.
"""

from dataclasses import dataclass
from typing import ClassVar

from appliance.mailbox.actor import Actor
from appliance.mapi.ids import LongTermId
from appliance.rop.model import On
from appliance.store.mailboxes import Kind


class Object:
    """Something with a handle. `logon` is the logon that it was opened on (a logon's own: itself)."""

    __slots__ = ("logon",)
    kind: ClassVar[On] = On.NOTHING
    logon: "Logon"

    def close(self) -> None:
        """The handle was released, or the session ended. Not called for what never got a handle."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What a logon was given so far of a user's read state, and of which folder (MS-OXCSTOR 3.2.5.13)."""

    folder: LongTermId
    replica_guid: bytes
    data: bytes


class Logon(Object):
    """A logon to a store (MS-OXCSTOR 3.2.5.1): the mailbox, and who acts there.

    `id`: the client's LogonId, 0 to 255. `replica_guid`: of replica id 1, 16 bytes in wire order.
    `is_owner`: whether the user opened the own mailbox, or one with all rights."""

    __slots__ = (
        "actor",
        "guid",
        "id",
        "is_owner",
        "is_private",
        "mailbox",
        "owner",
        "replica_guid",
        "upload",
    )
    kind = On.LOGON

    def __init__(
        self,
        id: int,
        mailbox: int,
        kind: Kind,
        actor: Actor,
        *,
        guid: bytes,
        replica_guid: bytes,
        owner: int,
        is_owner: bool,
    ) -> None:
        self.id, self.mailbox, self.actor = id, mailbox, actor
        self.is_private = kind is Kind.PRIVATE
        self.guid, self.replica_guid, self.owner, self.is_owner = guid, replica_guid, owner, is_owner
        self.logon = self
        self.upload: Upload | None = None

    def keep(self, upload: Upload | None) -> None:
        """Keep what came so far of a read state, or forget it."""
        self.upload = upload


@dataclass(slots=True, eq=False)
class Folder(Object):
    """An open folder, by its FID. `deleted`: it was opened among the soft-deleted ones."""

    kind = On.FOLDER
    logon: Logon
    fid: int
    deleted: bool = False
