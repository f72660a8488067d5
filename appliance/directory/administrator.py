"""The administrator's password: what the console and the admin page ask for. One row of the server.

It belongs to no mailbox, so that it works before the first person is there and survives the last. Backups
seal the row.
"""

from appliance.directory import credentials
from appliance.directory.credentials import Secret
from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import ReadTxn, WriteTxn

KEY = pack(SERVER, Table.META, "administrator")
"""Where it is kept (for backups, which seal it)."""


def put(txn: WriteTxn, secret: Secret) -> None:
    """Keep the verifier. There is never an NT hash: nobody speaks NTLM as the administrator."""
    txn.put(KEY, credentials.pack(Secret(secret.salt, secret.key, b"", secret.changed)))


def get(txn: ReadTxn) -> Secret | None:
    """The verifier; None: no password was set."""
    raw = txn.get(KEY)
    return None if raw is None else credentials.unpack(raw)
