"""Macintosh files in one stream: MacBinary, AppleSingle and AppleDouble (RFC 1740), BinHex 4.0 (RFC 1741)."""
