"""Limits on everything that a client sends. Octets unless the name says otherwise."""

MAX_LINE = 64 << 10
"""Text of one command outside its literals."""

MAX_LINE_STRANGER = 8 << 10
"""The same before login."""

MAX_LITERAL = 512 << 10
"""A literal that is held in memory (names, search texts)."""

MAX_LITERAL_STRANGER = 4096
"""The same before login; also the limit of a non-synchronising literal under LITERAL- (RFC 7888 5)."""

MAX_COMMAND = 1 << 20
"""Text and held literals of one command together."""

MAX_LITERALS = 1000
"""Literals of one command (number)."""

MAX_DRAIN = 1 << 20
"""A refused non-synchronising literal up to this size is read and dropped; a larger one ends the session."""

APPEND_LIMIT = 128 << 20
"""A message given to APPEND, REPLACE (RFC 7889), unless the configuration says otherwise."""

MAX_APPEND_MESSAGES = 500
"""Messages of one APPEND (RFC 3502)."""

MAX_NESTING = 50
"""Depth of parentheses, NOT and OR."""

MAX_SEARCH_KEYS = 1000
"""Keys of one SEARCH."""

MAX_SET_RANGES = 20_000
"""Ranges of one sequence set."""

MAX_FETCH_ITEMS = 200
"""Items of one FETCH."""

MAX_HEADER_NAMES = 500
"""Names of one HEADER.FIELDS list."""

MAX_SECTION_DEPTH = 100
"""Part numbers of one section."""

MAX_LIST_PATTERNS = 100
MAX_PATTERN = 1000
"""Characters of a LIST pattern."""

MAX_NAME = 1000
"""Characters of a mailbox name."""

MAX_KEYWORD = 100
MAX_KEYWORDS = 100
"""Keywords of one flag list."""

MAX_TAG = 200
MAX_ID_FIELDS = 30
"""Fields of an ID command (RFC 2971 3.3)."""
MAX_ID_KEY = 30
MAX_ID_VALUE = 1024

MAX_BAD_COMMANDS = 20
"""Commands in a row that are not understood; then the session ends."""

MAX_NOTIFY_MAILBOXES = 1000
"""Mailboxes that one NOTIFY names."""

AUTOLOGOUT = 30 * 60.0
"""Seconds without a command until a session ends (RFC 9051 5.4)."""

LOGIN_TIMEOUT = 60.0
"""Seconds until a stranger who does not log on is sent away."""

FETCH_BATCH = 512
"""Messages that one read transaction of FETCH covers at most."""

FETCH_SLICE = 0.004
"""Seconds that one read transaction of FETCH lasts at most on the event loop."""

BODY_CHUNK = 256 << 10
"""Octets of a body read at a time."""

FLUSH_AT = 128 << 10
"""Octets of replies gathered before they are sent."""

INPROGRESS_AFTER = 5.0
"""Seconds of one command between progress reports (RFC 9585)."""
