"""Which server a client is to use (MS-OXABREF 3.1.4), and the URLs that MAPI over HTTP gives (MS-OXCMAPIHTTP
2.2.5.18, 2.2.5.19). There is one server: it refers everybody to itself.
"""

from uuid import UUID

from appliance.directory import domains, entries
from appliance.mailbox.actor import Actor
from appliance.mapi import errors
from appliance.store.kv import ReadTxn


def address_book_server(txn: ReadTxn) -> str:
    """RfrGetNewDSA (MS-OXABREF 3.1.4.1): the host name of the server with the address book. The client's
    name for itself and its preferred server make no difference."""
    return domains.get(txn).hostname


def server_name(txn: ReadTxn, server_dn: str) -> str:
    """RfrGetFQDNFromServerDN (MS-OXABREF 3.1.4.2): the host name of the server of a distinguished name, or of
    the mailbox of one. Raises MapiError(NotFound) for names of others."""
    organization = domains.get(txn)
    server, given = organization.server_legacy_dn.casefold(), server_dn.casefold()
    if given == server or given.startswith(server + "/"):
        return organization.hostname
    raise errors.MapiError(errors.ecNotFound, server_dn)


def mailbox_url(txn: ReadTxn, actor: Actor, base: str) -> str:
    """The URL of the user's mailbox endpoint (GetMailboxUrl) below `base` (`https://host`); the ServerDn of
    the request makes no difference. Raises MapiError(NotFound) for a user without a mailbox."""
    return _url(txn, actor, base, "emsmdb")


def address_book_url(txn: ReadTxn, actor: Actor, base: str) -> str:
    """The URL of the user's address book endpoint (GetAddressBookUrl) below `base`; the UserDn of the request
    makes no difference. Raises MapiError(NotFound) for a user without a mailbox."""
    return _url(txn, actor, base, "nspi")


def _url(txn: ReadTxn, actor: Actor, base: str, endpoint: str) -> str:
    user = entries.find(txn, actor.user)
    if user is None or not user.mailbox_guid:
        raise errors.MapiError(errors.ecNotFound, "the user has no mailbox")
    mailbox = UUID(bytes_le=user.mailbox_guid)
    return f"{base}/mapi/{endpoint}/?MailboxId={mailbox}@{user.address.rpartition('@')[2]}"
