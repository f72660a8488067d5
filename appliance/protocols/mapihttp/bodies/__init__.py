"""The bodies of requests and responses (MS-OXCMAPIHTTP 2.2.4, 2.2.5), declared once for both directions."""
