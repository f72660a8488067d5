"""The smart host that takes all outgoing mail, as `appliance smarthost` sets it.

One row of the server. The password stands in it as it is: it has to be said to the smart host. Backups
encrypt the row.
"""

import json
from dataclasses import dataclass, field
from enum import Enum

from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import ReadTxn, WriteTxn

KEY = pack(SERVER, Table.META, "smarthost")
"""Where it is kept (for backups, which encrypt it)."""

DEFAULT_PORT = 587


class TlsMode(Enum):
    """How the smart host is spoken to."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Smarthost:
    """A smart host; an empty `user` does not log on."""

    host: str
    port: int = DEFAULT_PORT
    tls: TlsMode = TlsMode.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)


def parse_target(text: str) -> tuple[str, int]:
    """`HOST:PORT`, `[IPv6]:PORT` or `HOST`. Raises ValueError."""
    host, separator, port = text.rpartition(":")
    if not separator or (text.startswith("[") and text.endswith("]")):
        host, port = text, str(DEFAULT_PORT)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets: [::1]:587")
    if not host or not port.isdigit() or not 0 < int(port) < 65536 or any(c.isspace() for c in host):
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def get(txn: ReadTxn) -> Smarthost | None:
    """The smart host, or None: mail goes to each domain's own servers."""
    raw = txn.get(KEY)
    if raw is None:
        return None
    row = json.loads(raw)
    return Smarthost(row["host"], row["port"], TlsMode(row["tls"]), row["user"], row["password"])


def put(txn: WriteTxn, smarthost: Smarthost) -> None:
    """Set it."""
    row = {
        "host": smarthost.host,
        "port": smarthost.port,
        "tls": smarthost.tls.value,
        "user": smarthost.user,
        "password": smarthost.password,
    }
    txn.put(KEY, json.dumps(row).encode())


def clear(txn: WriteTxn) -> bool:
    """Go back to direct delivery; whether there was one."""
    return txn.delete(KEY)
