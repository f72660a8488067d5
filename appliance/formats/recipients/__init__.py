"""Recipients of a message as rows, from their packed bags: C, for what mail is made of.

`rows` takes the packed bags of all recipients and a code page in which ASCII is ASCII. It gives the columns
(the properties that the fixed part of a row does not stand for, by tag) and the OpenRecipientRows (MS-OXCROPS
2.2.6.1.2.1), or None for what `rop.recipients` has to decide, which is the readable twin. Damaged bags are
left to it too: nothing fails here.
"""

from appliance.formats.recipients._native import rows

__all__ = ["rows"]
