"""How a command fails: `Bad` (not understood or not legal now), `No` (refused), `Bye` (the session ends).

`of_refusal` is the one place where the mailbox's refusals become response codes (RFC 5530, RFC 9051 7.1).
"""

from appliance.mailbox.errors import Reason, Refused


class Bad(Exception):
    """Tagged BAD: a syntax error, an unknown command, or one that is not legal in this state."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class No(Exception):
    """Tagged NO with a response code (empty for none)."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class Bye(Exception):
    """Untagged BYE; the connection ends."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.text = text
        self.code = code


_OF_REASON: dict[Reason, tuple[bytes, str]] = {
    Reason.NOT_FOUND: (b"NONEXISTENT", "No such mailbox."),
    Reason.EXISTS: (b"ALREADYEXISTS", "The mailbox exists."),
    Reason.ACCESS_DENIED: (b"NOPERM", "Permission denied."),
    Reason.CONFLICT: (b"INUSE", "It was changed meanwhile."),
    Reason.INVALID: (b"CANNOT", "That is not possible here."),
    Reason.QUOTA: (b"OVERQUOTA", "The mailbox is full."),
    Reason.TOO_BIG: (b"TOOBIG", "The message is too big."),
    Reason.LIMIT: (b"LIMIT", "A limit of the server is reached."),
    Reason.FULL: (b"UNAVAILABLE", "The server has no room left."),
    Reason.UNAVAILABLE: (b"UNAVAILABLE", "Temporarily unavailable."),
}


def of_refusal(refused: Refused) -> No:
    """The NO that tells a client of a refusal."""
    code, text = _OF_REASON[refused.reason]
    return No(text, code)


def missing_target(refused: Refused) -> No:
    """The same for the target of APPEND, COPY, MOVE, REPLACE, which the client may create."""
    if refused.reason is Reason.NOT_FOUND:
        return No("No such mailbox.", b"TRYCREATE")  # RFC 9051 7.1
    return of_refusal(refused)
