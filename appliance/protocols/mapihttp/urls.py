"""Where the endpoints are, for clients that ask the address book (MS-OXABREF 3.1.4.1, 3.1.4.2).

The names are those that Autodiscover gives: a server's distinguished name ends in the id of the mailbox that
it stands for, or is the name of this machine.
"""

import re
import uuid

from appliance.directory import entries
from appliance.directory.model import Entry
from appliance.net.bridge import read_now
from appliance.net.offers import authority
from appliance.net.parts import Parts

TLS_PORT = 443
_MAILBOX_ID = re.compile(r"/cn=([0-9a-f-]{36}@[^/@]{1,255})(?:/|$)", re.IGNORECASE)


class Urls:
    """The URLs of this machine. `emsmdb` and `nspi` are the paths of the endpoints."""

    def __init__(self, parts: Parts, emsmdb: str, nspi: str) -> None:
        self._parts, self._emsmdb, self._nspi = parts, emsmdb, nspi

    def mailbox(self, user: Entry, server_dn: str) -> str:
        """Of the mailboxes of a server: the mailbox that the name stands for, else the user's own."""
        found = _MAILBOX_ID.search(server_dn)
        return self._url(self._emsmdb, found[1] if found else mailbox_id(user))

    def address_book(self, user: Entry, user_dn: str) -> str:
        """Of the address book for somebody: every one of them is here."""
        named = read_now(self._parts.store, lambda txn: entries.by_legacy_dn(txn, user_dn)) or user
        return self._url(self._nspi, mailbox_id(named))

    def _url(self, path: str, mailbox: str) -> str:
        port = TLS_PORT + self._parts.settings.serve.port_offset
        host = authority(self._parts.organization.hostname, port)
        return f"https://{host}{path}/?MailboxId={mailbox}"


def mailbox_id(entry: Entry) -> str:
    """What stands in URLs for a mailbox: its GUID and domain."""
    guid = uuid.UUID(bytes_le=entry.mailbox_guid) if entry.mailbox_guid else uuid.UUID(int=0)
    return f"{guid}@{entry.address.rpartition('@')[2]}"
