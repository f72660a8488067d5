"""FastTransfer streams, the lexical level (MS-OXCFXICS 2.2.4.1): properties to bytes and back.

`reference` has the rules and the readable form of `pack` and `cut`, whose twin in `native/fasttransfer` is
the one in use; its absence is an import error. `lexer` takes streams apart as they arrive; `markers` are the
constants. What the elements mean is for `rop/fasttransfer`.
"""

from appliance.formats.fasttransfer._native import cut, pack
from appliance.formats.fasttransfer.reference import CODE_PAGE_UNICODE, START, UNICODE, Place, string_type

__all__ = ["CODE_PAGE_UNICODE", "START", "UNICODE", "Place", "cut", "pack", "string_type"]
