"""Every reply of the SMTP server, by name (RFC 5321 4.2, enhanced codes of RFC 3463 and RFC 5248).

Used by the server and by its tests. A reply is the line's bytes with its end; texts never repeat what the
peer sent.
"""

OK = b"250 2.0.0 OK\r\n"
SENDER_OK = b"250 2.1.0 OK\r\n"
RECIPIENT_OK = b"250 2.1.5 OK\r\n"
CHUNK_OK = b"250 2.0.0 OK\r\n"
BYE = b"221 2.0.0 Bye\r\n"
DATA_GO = b"354 End data with <CR><LF>.<CR><LF>\r\n"
TLS_GO = b"220 2.0.0 Ready to start TLS\r\n"
VRFY = b"252 2.1.5 Send some mail, we will try our best\r\n"
AUTH_OK = b"235 2.7.0 Authentication successful\r\n"

SYNTAX = b"501 5.5.4 Syntax error in parameters\r\n"
BARE_COMMAND = b"521 5.5.2 A command ended with a bare LF, closing\r\n"
BAD_LINE = b"500 5.5.2 Syntax error, command lines end with CR LF and hold printable text\r\n"
LINE_TOO_LONG = b"500 5.5.6 Line too long\r\n"
UNKNOWN_COMMAND = b"500 5.5.1 Command not recognized\r\n"
NOT_IMPLEMENTED = b"502 5.5.1 Command not implemented\r\n"
EXPN_REFUSED = b"502 5.7.0 EXPN is not served\r\n"
BAD_SEQUENCE = b"503 5.5.1 Bad sequence of commands\r\n"
NEED_HELO = b"503 5.5.1 Send HELO or EHLO first\r\n"
NEED_MAIL = b"503 5.5.1 Need MAIL command\r\n"
NEED_RCPT = b"503 5.5.1 Need RCPT command\r\n"
NESTED_MAIL = b"503 5.5.1 Nested MAIL command\r\n"
NO_VALID_RECIPIENTS = b"554 5.5.1 No valid recipients\r\n"
IN_BDAT = b"503 5.5.1 Finish with BDAT or RSET first\r\n"
BINARY_NEEDS_BDAT = b"503 5.6.1 BODY=BINARYMIME needs BDAT\r\n"
ALREADY_TLS = b"503 5.5.1 TLS is active already\r\n"
ALREADY_AUTH = b"503 5.5.1 Already authenticated\r\n"
AUTH_IN_MAIL = b"503 5.5.1 AUTH is not permitted during a mail transaction\r\n"
NO_TLS = b"454 4.7.0 TLS not available\r\n"
UNKNOWN_PARAMETER = b"555 5.5.4 Parameter not recognized\r\n"
BAD_SENDER = b"501 5.1.7 Bad sender address syntax\r\n"
BAD_RECIPIENT = b"501 5.1.3 Bad recipient address syntax\r\n"
NEEDS_SMTPUTF8 = b"553 5.6.7 Address needs SMTPUTF8\r\n"

TOO_BIG = b"552 5.3.4 Message size exceeds fixed maximum\r\n"
HEADER_TOO_BIG = b"552 5.3.4 Message header section is too big\r\n"
BARE_LINE_END = b"550 5.6.11 Message holds a bare CR or LF\r\n"
TOO_MANY_HOPS = b"554 5.4.6 Too many hops\r\n"
LOOP = b"554 5.4.6 Mail is looping\r\n"
NO_USER = b"550 5.1.1 No such mailbox\r\n"
DISABLED = b"550 5.2.1 Mailbox disabled\r\n"
MAILBOX_FULL = b"552 5.2.2 Mailbox full\r\n"
MAILBOX_FULL_NOW = b"452 4.2.2 Mailbox full\r\n"
NO_RELAY = b"550 5.7.1 Relaying denied\r\n"
NOT_YOUR_ADDRESS = b"550 5.7.60 Not permitted to send as this sender\r\n"
NO_FROM = b"550 5.6.0 Message has no single valid From field\r\n"
TOO_MANY_RECIPIENTS = b"452 4.5.3 Too many recipients\r\n"
TOO_MANY_MESSAGES = b"421 4.7.0 Too many messages in one connection\r\n"
TOO_MANY_ERRORS = b"421 4.7.0 Too many errors\r\n"
TOO_MANY_CONNECTIONS = b"421 4.7.0 Too many connections\r\n"
TIMED_OUT = b"421 4.4.2 Timeout exceeded\r\n"
CLOSING = b"421 4.3.2 Service is closing down\r\n"
STORE_FULL = b"452 4.3.1 Insufficient system storage\r\n"
UNAVAILABLE = b"451 4.3.0 Temporarily unavailable, try again later\r\n"
REFUSED_RECIPIENT = b"550 5.7.1 The recipient does not take mail from this sender\r\n"
REFUSED = b"554 5.7.1 Message refused\r\n"

AUTH_REQUIRED = b"530 5.7.0 Authentication required\r\n"
AUTH_NEEDS_TLS = b"538 5.7.11 Encryption required for requested authentication mechanism\r\n"
TLS_REQUIRED = b"530 5.7.0 Must issue a STARTTLS command first\r\n"
AUTH_FAILED = b"535 5.7.8 Authentication credentials invalid\r\n"
NTLM_FAILED = b"535 5.7.3 Authentication unsuccessful\r\n"  # MS-SMTPNTLM 2.2.1.4
AUTH_NOT_ALLOWED = b"535 5.7.8 Submission is switched off for this account\r\n"
AUTH_THROTTLED = b"454 4.7.0 Too many failed logins, try again later\r\n"
AUTH_UNKNOWN = b"504 5.5.4 Unrecognized authentication type\r\n"
AUTH_CANCELLED = b"501 5.7.0 Authentication cancelled\r\n"
AUTH_BAD_RESPONSE = b"501 5.5.2 Malformed authentication response\r\n"
AUTH_BAD_BASE64 = b"501 5.5.2 Cannot decode the response\r\n"


def code(reply: bytes) -> int:
    """The three digits of a reply."""
    return int(reply[:3])


def multiline(number: int, lines: list[str]) -> bytes:
    """A reply of several lines (RFC 5321 4.2.1)."""
    last = len(lines) - 1
    return "".join(f"{number}{' ' if i == last else '-'}{line}\r\n" for i, line in enumerate(lines)).encode()
