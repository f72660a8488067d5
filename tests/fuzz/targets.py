"""The table of fuzz targets: one row for each parser. Add yours here; `errors` are all that may come out."""

from tests.fuzz.mapi import MAPI_TARGETS
from tests.fuzz.runner import Target

TARGETS: tuple[Target, ...] = (*MAPI_TARGETS,)
