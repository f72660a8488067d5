"""Named limits of decoding: how much a peer may make a decoder hold or do.

Each codec takes its limit as an argument; these are the defaults. A count is checked against the bytes that
are left before anything is allocated, so that no announced length costs memory by itself.
"""

MAX_ARRAY = 1 << 20  # elements of one array
MAX_BYTES = 1 << 28  # one counted byte field
MAX_STRING = 1 << 26  # one string, in bytes
MAX_DEPTH = 64  # nested structures
