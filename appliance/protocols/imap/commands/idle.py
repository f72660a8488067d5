"""IDLE (RFC 9051 6.3.13)."""

from appliance.protocols.imap.errors import Bad
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import LOGGED_ON, Announce, Command, Done, no_arguments


async def run(session: Session, _: None) -> Done:
    """Tell news as it happens until the client says DONE."""
    channel = session.channel
    watched = session.selected.mailbox if session.selected is not None else session.home
    end = session.services.watches.subscribe(watched, channel.connection.wake)
    try:
        channel.write(b"+ idling\r\n")
        while True:
            if session.notifications is not None:
                await session.notifications.push(session, idle=True)
            else:
                await session.announce(Announce.ALL)
            line = await channel.line_or_wake()
            if line is not None:
                break
            await channel.relieve()
    finally:
        end()
    if line.strip().upper() != b"DONE":
        raise Bad("Expected DONE.")
    return Done("Idle completed.")


COMMAND = Command(b"IDLE", LOGGED_ON, no_arguments, run)
