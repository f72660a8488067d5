"""Who is asked about, and what is served for them: the one source of every answer.

`MAIL` has a row for each service that a mail program is told of by host and port. Services over HTTP are
told of by URL, and only where the table of the composition root has them (`Offers`).
"""

import uuid
from dataclasses import dataclass
from enum import Enum

from appliance.directory import domains, entries
from appliance.directory.addresses import BadAddress, parse, parse_domain
from appliance.directory.domains import Organization
from appliance.directory.model import WITH_MAILBOX, Entry, Kind, Protocol
from appliance.net.offers import Offers
from appliance.store.kv import ReadTxn

EWS, EAS, MAPI, RPC, OAB, WEBDAV = "ews", "eas", "mapihttp", "rpc", "oab", "webdav"
"""Names of sites in the composition root's table that are told of."""

SERVER_VERSION = (15, 1, 2507, 6)
SCHEMA_VERSION = "Exchange2016"


class Problem(Enum):
    """Why nothing can be told of an address."""

    UNKNOWN = "The email address can't be found."
    NO_MAILBOX = "The email address has no mailbox that could be configured."


@dataclass(frozen=True, slots=True)
class MailRow:
    """A service for mail programs. `pox`: its Type (MS-OXDSCLI 2.2.4.1.1.2.6.44); `setting`: the middle of
    its names in SOAP; `autoconfig`: its type for Thunderbird."""

    offer: str
    pox: str
    setting: str
    autoconfig: str
    protocol: Protocol


MAIL = (
    MailRow("imap", "IMAP", "Imap4", "imap", Protocol.IMAP),
    MailRow("pop3", "POP3", "Pop3", "pop3", Protocol.POP3),
    MailRow("submission", "SMTP", "Smtp", "smtp", Protocol.SMTP),
)


@dataclass(frozen=True, slots=True)
class Connection:
    """How one service is reached. `encryption`: SSL from the start, or TLS by STARTTLS."""

    row: MailRow
    host: str
    port: int
    encryption: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account that can be configured. `entry`: whose mailbox it is."""

    entry: Entry
    organization: Organization
    offers: Offers

    @property
    def host(self) -> str:
        """The server's name."""
        return self.organization.hostname

    @property
    def deployment_id(self) -> str:
        """A GUID that all accounts of this organization share."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.organization.name}.{self.organization.domain}"))

    @property
    def mailbox_id(self) -> str:
        """What stands in URLs for the mailbox: its GUID and domain."""
        guid = uuid.UUID(bytes_le=self.entry.mailbox_guid) if self.entry.mailbox_guid else uuid.UUID(int=0)
        return f"{guid}@{self.entry.address.rpartition('@')[2]}"

    @property
    def mailbox_server(self) -> str:
        """What RPC clients take for a server's name: one for each mailbox."""
        return self.mailbox_id

    @property
    def server_dn(self) -> str:
        """Legacy distinguished name of the mailbox's server."""
        return f"{self.organization.legacy_dn}/cn=Configuration/cn=Servers/cn={self.mailbox_id}"

    def url(self, site: str, protocol: Protocol | None = None) -> str | None:
        """Where a site is, if it is served and the user may."""
        if protocol is not None and not self.entry.may_use(protocol):
            return None
        return self.offers.url(site, self.host)

    def connections(self, row: MailRow) -> tuple[Connection, ...]:
        """How a service is reached, the preferred way first."""
        return reached(row, self.host, self.offers) if self.entry.may_use(row.protocol) else ()


def reached(row: MailRow, host: str, offers: Offers) -> tuple[Connection, ...]:
    """How a service is reached, the preferred way first: TLS from the start (RFC 8314 3)."""
    offer = offers.get(row.offer)
    if offer is None:
        return ()
    ports = ((offer.tls_port, "SSL"), (offer.port, "TLS"))
    return tuple(Connection(row, host, port, kind) for port, kind in ports if port is not None)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The mailbox is under another address, which the client is to ask for instead."""

    address: str


def look_up(
    txn: ReadTxn, offers: Offers, *, address: str = "", legacy_dn: str = ""
) -> Account | Elsewhere | Problem:
    """Whom an address, or a legacy distinguished name, means."""
    entry = _entry(txn, address, legacy_dn)
    if entry is None:
        return Problem.UNKNOWN
    if entry.kind is Kind.CONTACT and address and not _same(entry.address, address):
        return Elsewhere(entry.address)
    if entry.kind not in WITH_MAILBOX or not entry.enabled:
        return Problem.NO_MAILBOX
    return Account(entry, domains.get(txn), offers)


def _entry(txn: ReadTxn, address: str, legacy_dn: str) -> Entry | None:
    if legacy_dn:
        return entries.by_legacy_dn(txn, legacy_dn)
    try:
        parse(address)
    except BadAddress:
        return None
    return entries.by_address(txn, address)


def _same(one: str, other: str) -> bool:
    return parse(one).key == parse(other).key


def served_domain(organization: Organization, text: str) -> str | None:
    """A domain in the form in which it is served, or None for another's."""
    try:
        domain = parse_domain(text)
    except BadAddress:
        return None
    return domain if domain in organization.domains else None
