"""The organization: served domains, host name, names that appear in the address book.

One row of the directory's table holds it. The first domain is the primary one: it is given to addresses
that name no domain. A store without the row (before `appliance init`) serves no domain.
"""

import json
import unicodedata
from dataclasses import asdict, dataclass, replace

from appliance.directory.addresses import parse_domain
from appliance.directory.errors import NotAllowed, NotServed
from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import ReadTxn, WriteTxn

MAX_DOMAINS = 256
ADMINISTRATIVE_GROUP = "Exchange Administrative Group (FYDIBOHF23SPDLT)"
_KEY = pack(SERVER, Table.DIRECTORY, 0, "organization")


@dataclass(frozen=True, slots=True)
class Organization:
    """`domains` in A-labels, the primary one first; `hostname` is the server's own name; `name` stands in
    legacy distinguished names; `default_quota` in bytes for new mailboxes, None without limit; `ntlm`
    is whether NTLM is spoken (`credentials.set_ntlm` switches it)."""

    domains: tuple[str, ...] = ()
    hostname: str = "localhost"
    name: str = "First Organization"
    default_quota: int | None = None
    ntlm: bool = True

    @property
    def domain(self) -> str:
        """The primary domain, or the host name where none is served."""
        return self.domains[0] if self.domains else self.hostname

    @property
    def legacy_dn(self) -> str:
        """Distinguished name of the administrative group: what recipients' and servers' names begin with."""
        return f"/o={ascii_name(self.name)}/ou={ADMINISTRATIVE_GROUP}"

    @property
    def server_legacy_dn(self) -> str:
        """Distinguished name of this server (MS-OXOABK 2.2.3.4: what the home MDB begins with)."""
        return f"{self.legacy_dn}/cn=Configuration/cn=Servers/cn={self.hostname.partition('.')[0].upper()}"


def ascii_name(text: str) -> str:
    """A name for a distinguished name, which has ASCII alone (MS-OXOABK 2.2.1.1): accents go, what has no
    ASCII letter becomes a hyphen."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if c.isascii() and c.isprintable() and c != "/" else "-" for c in plain)


def get(txn: ReadTxn) -> Organization:
    """The organization; an empty one before the store is initialised."""
    raw = txn.get(_KEY)
    if raw is None:
        return Organization()
    fields = json.loads(raw)
    known = {name: fields[name] for name in Organization.__dataclass_fields__ if name in fields}
    return replace(Organization(**known), domains=tuple(fields.get("domains", ())))


def put(txn: WriteTxn, organization: Organization) -> Organization:
    """Store it, with its domains and host name brought to A-labels. Raises BadAddress, NotAllowed."""
    domains = tuple(dict.fromkeys(parse_domain(domain) for domain in organization.domains))
    if len(domains) > MAX_DOMAINS:
        raise NotAllowed(f"at most {MAX_DOMAINS} domains are served")
    name = organization.name.strip()
    if not name or any(char in name for char in "/\r\n\0"):
        raise NotAllowed("the organization's name is empty or has a slash in it")
    checked = replace(organization, domains=domains, hostname=parse_domain(organization.hostname), name=name)
    txn.put(_KEY, json.dumps(asdict(checked), ensure_ascii=False, separators=(",", ":")).encode())
    return checked


def add_domain(txn: WriteTxn, domain: str) -> Organization:
    """Serve one more domain. Raises BadAddress."""
    current = get(txn)
    return put(txn, replace(current, domains=(*current.domains, domain)))


def remove_domain(txn: WriteTxn, domain: str) -> Organization:
    """Serve a domain no longer; entries in it stay but receive nothing. Raises BadAddress, NotServed."""
    current, gone = get(txn), parse_domain(domain)
    if gone not in current.domains:
        raise NotServed(f"{domain} is not a served domain")
    return put(txn, replace(current, domains=tuple(d for d in current.domains if d != gone)))


def is_served(txn: ReadTxn, domain: str) -> bool:
    """Whether mail for `domain` (A-labels, lower case) is delivered here."""
    return domain in get(txn).domains
