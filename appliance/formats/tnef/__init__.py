"""TNEF, Outlook's winmail.dat: a message object as a stream of attributes (MS-OXTNEF).

    message = decode(data)                       # MessageObject; DecodeError
    data = encode(message, key=1, page=1252)

`reader` and `writer` have the layouts. What a receiver believes of such a message is the converters' matter.
"""

from appliance.formats.tnef.reader import decode
from appliance.formats.tnef.writer import encode

__all__ = ["decode", "encode"]
