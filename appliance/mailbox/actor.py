"""Who acts: every mailbox operation takes an `Actor`, and rights are checked here alone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A user's session. `user` is the directory id (0 for the server itself), `mailbox` the user's own
    mailbox (0 without one), `session` a number that marks this session's own changes in the log (echo
    suppression), `admin` whether every right is granted (server tasks, administration)."""

    user: int
    mailbox: int
    session: int = 0
    admin: bool = False


SYSTEM = Actor(user=0, mailbox=0, admin=True)
"""The server itself: delivery, retention, administration."""
