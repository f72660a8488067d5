"""FastTransfer: messaging objects as streams, both ways (MS-OXCFXICS 2.2.4, 3.2.5.8).

`pen` writes properties, `elements` and `folders` produce the elements of the grammar from objects of the
store, `stream` cuts what they produce into buffers. `consumer` understands uploaded streams, `upload` makes
objects of them.
"""
