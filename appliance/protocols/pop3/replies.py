"""The responses of the POP3 server. Codes in brackets: RFC 2449 6.3 and 8, RFC 3206."""

READY = b"+OK Satchel POP3 is ready\r\n"
BYE = b"+OK bye\r\n"
OK = b"+OK\r\n"
END = b".\r\n"
CONTINUE = b"+ "

BUSY = b"-ERR [SYS/TEMP] too many connections\r\n"
TOO_LONG = b"-ERR the line is too long\r\n"
UNKNOWN = b"-ERR unknown command\r\n"
WRONG_STATE = b"-ERR not now\r\n"
WRONG_ARGUMENTS = b"-ERR wrong arguments\r\n"
NO_SUCH_MESSAGE = b"-ERR there is no such message\r\n"
DELETED = b"-ERR the message is marked as deleted\r\n"
GONE = b"-ERR [SYS/TEMP] the message was removed meanwhile\r\n"
USER_FIRST = b"-ERR USER first\r\n"
SEND_PASSWORD = b"+OK now the password\r\n"
NO_APOP = b"-ERR [SYS/PERM] APOP is not offered: it needs passwords in clear text on the server\r\n"

STLS = b"+OK begin the handshake\r\n"
NO_STLS = b"-ERR TLS is on already or not offered\r\n"
NEEDS_TLS = b"-ERR [SYS/PERM] log in over TLS\r\n"
NO_MECHANISM = b"-ERR [SYS/PERM] that mechanism is not offered\r\n"
NOT_BASE64 = b"-ERR not base64\r\n"
CANCELLED = b"-ERR cancelled\r\n"
WRONG_CREDENTIALS = b"-ERR [AUTH] wrong name or password\r\n"
SWITCHED_OFF = b"-ERR [SYS/PERM] POP3 is switched off for this account\r\n"
BLOCKED = b"-ERR [SYS/TEMP] too many failures, try later\r\n"
UNAVAILABLE = b"-ERR [SYS/TEMP] the mailbox cannot be opened now\r\n"
IN_USE = b"-ERR [IN-USE] the mailbox is open in another POP3 session\r\n"
LOGIN_DELAY = b"-ERR [LOGIN-DELAY] too soon after the last log-in\r\n"

UTF8 = b"+OK UTF8 is on\r\n"
LANGUAGES = b"+OK languages\r\nen English\r\n.\r\n"
LANGUAGE = b"+OK en English it is\r\n"
NO_LANGUAGE = b"-ERR that language is not offered\r\n"

NOT_REMOVED = b"-ERR [SYS/TEMP] the deleted messages were not removed\r\n"
TIMED_OUT = b"-ERR [SYS/TEMP] silent for too long\r\n"
SHUTTING_DOWN = b"-ERR [SYS/TEMP] the server is ending\r\n"
TOO_MANY_ERRORS = b"-ERR [SYS/TEMP] too many errors\r\n"


def listing(first: bytes, lines: list[bytes]) -> bytes:
    """A multi-line response of lines that cannot begin with a dot."""
    return b"".join((first, *(line + b"\r\n" for line in lines), END))
