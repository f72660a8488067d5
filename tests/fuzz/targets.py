"""The table of fuzz targets: one row for each parser. Add yours here; `errors` are all that may come out."""

from tests.fuzz.addressbook import ADDRESSBOOK_TARGETS
from tests.fuzz.autodiscover import AUTODISCOVER_TARGETS
from tests.fuzz.convert import CONVERT_TARGETS
from tests.fuzz.directory import DIRECTORY_TARGETS
from tests.fuzz.fasttransfer import FASTTRANSFER_TARGETS
from tests.fuzz.imap import IMAP_TARGETS
from tests.fuzz.lz77 import LZ77_TARGETS
from tests.fuzz.mapi import MAPI_TARGETS
from tests.fuzz.mapihttp import MAPIHTTP_TARGETS
from tests.fuzz.mime import MIME_TARGETS
from tests.fuzz.pop3 import POP3_TARGETS
from tests.fuzz.recurrence import RECURRENCE_TARGETS
from tests.fuzz.runner import Target
from tests.fuzz.smtp import SMTP_TARGETS
from tests.fuzz.structures import STRUCTURE_TARGETS

TARGETS: tuple[Target, ...] = (
    *ADDRESSBOOK_TARGETS,
    *AUTODISCOVER_TARGETS,
    *CONVERT_TARGETS,
    *FASTTRANSFER_TARGETS,
    *LZ77_TARGETS,
    *MAPI_TARGETS,
    *MAPIHTTP_TARGETS,
    *DIRECTORY_TARGETS,
    *IMAP_TARGETS,
    *POP3_TARGETS,
    *MIME_TARGETS,
    *RECURRENCE_TARGETS,
    *SMTP_TARGETS,
    *STRUCTURE_TARGETS,
)
