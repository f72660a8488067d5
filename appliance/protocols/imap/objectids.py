"""Object identifiers (RFC 8474): MAILBOXID, EMAILID, THREADID as clients see them.

EMAILIDs travel with copies and moves; they are unique within a mailbox. MAILBOXIDs name a folder of one
mailbox for good, over renames.
"""


def mailbox_id(mailbox: int, fid: int) -> bytes:
    """The MAILBOXID of a folder."""
    return b"F%d-%x" % (mailbox, fid)


def email_id(number: int) -> bytes:
    """The EMAILID of a message."""
    return b"M%x" % number


def thread_id(number: int) -> bytes | None:
    """The THREADID of a message, or None for a message without conversation."""
    return b"T%x" % number if number else None


def parse_email_id(raw: bytes) -> int | None:
    """The number behind an EMAILID, or None when it is not one of ours."""
    return _parse(raw, b"M")


def parse_thread_id(raw: bytes) -> int | None:
    """The number behind a THREADID, or None when it is not one of ours."""
    return _parse(raw, b"T")


def _parse(raw: bytes, prefix: bytes) -> int | None:
    try:
        number = int(raw[1:], 16)
    except ValueError:
        return None
    return number if raw == prefix + b"%x" % number and number < 1 << 64 else None
