"""CAPABILITY: what is offered in which state."""

from typing import TYPE_CHECKING

from appliance.protocols.imap.table import State

if TYPE_CHECKING:
    from appliance.protocols.imap.session import Session

_BASE = (
    b"IMAP4rev2 IMAP4rev1 SASL-IR ID ENABLE IDLE NAMESPACE UNSELECT CHILDREN SPECIAL-USE "
    b"CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE UIDPLUS MOVE MULTIAPPEND CONDSTORE QRESYNC "
    b"ESEARCH SEARCHRES WITHIN SORT SORT=DISPLAY THREAD=ORDEREDSUBJECT THREAD=REFERENCES BINARY QUOTA "
    b"QUOTA=RES-STORAGE ACL RIGHTS=texk OBJECTID SAVEDATE PREVIEW REPLACE NOTIFY UTF8=ACCEPT INPROGRESS"
)


def is_private(session: "Session") -> bool:
    """Whether a password may be sent: under TLS, or within this machine (RFC 9051 11.1)."""
    connection = session.channel.connection
    return connection.is_secure or (connection.is_loopback and session.services.trust_loopback)


def capabilities(session: "Session") -> bytes:
    """The capability list for the state that the session is in."""
    words = [_BASE, b"APPENDLIMIT=%d" % session.services.append_limit]
    connection = session.channel.connection
    if session.state is State.NOT_AUTHENTICATED:
        # RFC 7888 5: strangers may not push large literals; LITERAL+ and LITERAL- exclude each other
        words.append(b"LITERAL-")
        if connection.can_start_tls:
            words.append(b"STARTTLS")
        private = is_private(session)
        words += [b"AUTH=" + name.encode() for name in session.services.mechanisms(private)]
        if not private:
            words.append(b"LOGINDISABLED")
    else:
        words.append(b"LITERAL+")
        if not connection.is_compressed:
            words.append(b"COMPRESS=DEFLATE")
    return b" ".join(words)
