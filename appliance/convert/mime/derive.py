"""The properties of a message that are stored at delivery, derived from its MIME."""

from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.formats.mime import Scan
from appliance.formats.mime.headers import first
from appliance.formats.mime.words import decode_words
from appliance.mapi.objects import Named
from appliance.mapi.tags import PidTagInternetMessageId, PidTagMessageClass, PidTagSubject
from appliance.mapi.types import Bag

Read = Callable[[int, int], bytes]
"""read(offset, length): bytes of the MIME as it arrived. May give fewer than asked."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What delivery stores. `conversation`: 16 bytes (PidTagConversationId) or none; `importance`: 0 to 2."""

    props: Bag
    named: Named = field(default_factory=dict)
    message_class: str = "IPM.Note"
    importance: int = 1
    has_attachments: bool = False
    conversation: bytes = b""
    message_id: str = ""


def derive(scan: Scan, read: Read) -> Derived:
    """The properties of the message itself. Never fails on what senders write."""
    fields = scan.fields()
    message_id = (first(fields, b"message-id") or b"").decode("utf-8", "replace")
    props: Bag = {
        PidTagMessageClass: "IPM.Note",
        PidTagSubject: decode_words(first(fields, b"subject") or b""),
    }
    if message_id:
        props[PidTagInternetMessageId] = message_id
    return Derived(props, message_id=message_id)
