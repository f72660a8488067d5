"""The MIME codec: structure, headers and bodies of messages, and what IMAP shows of them.

Read in this order: `limits` (what the scanner holds, and its findings), `scan` (Scanner, Scan, Part),
`headers`, `words`, `addresses`, `dates`, `content` (fields), `imap` (ENVELOPE, BODYSTRUCTURE, sections),
`charsets` and `bodies` (decoding), `render` (building). `reference` is the readable twin of the C scanner,
which is in `native/mime`; the C is the one in use, and its absence is an import error.
"""

from appliance.formats.mime.imap import bodystructure, envelope, section
from appliance.formats.mime.limits import DEFAULT_LIMITS, Finding, Limits
from appliance.formats.mime.scan import Kind, Part, Scan, Scanner, scan

__all__ = [
    "DEFAULT_LIMITS",
    "Finding",
    "Kind",
    "Limits",
    "Part",
    "Scan",
    "Scanner",
    "bodystructure",
    "envelope",
    "scan",
    "section",
]
