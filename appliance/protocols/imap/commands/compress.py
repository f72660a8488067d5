"""COMPRESS=DEFLATE (RFC 4978)."""

from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import LOGGED_ON, Command, Done
from appliance.protocols.imap.tokens import Cursor
from appliance.protocols.imap.wire import status


def parse(cursor: Cursor) -> bytes:
    """The algorithm."""
    cursor.space()
    name = cursor.atom().upper()
    cursor.end()
    return name


async def run(session: Session, algorithm: bytes) -> Done:
    """Compress everything after the tagged reply, both ways."""
    if algorithm != b"DEFLATE":
        raise Bad("Unknown algorithm.")
    if session.channel.connection.is_compressed:
        raise No("DEFLATE is active already.", b"COMPRESSIONACTIVE")
    session.channel.start_deflate(status(session.tag, b"OK", "DEFLATE active."))
    session.replied = True
    return Done("")


COMMAND = Command(b"COMPRESS", LOGGED_ON, parse, run)
