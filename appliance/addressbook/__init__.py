"""The address book: NSPI (MS-OXNSPI, MS-NSPI), templates (MS-OXOABKT), referral.

One semantic layer without any encoding: MAPI over HTTP and RPC put their bodies around the same calls.
Reading order: `stat` (positions and flags), `session` (every method of the protocol), then what it stands on:
`snapshot` (the sorted tables, shared by all sessions), `position`, `objects` (properties), `rows`, `matches`,
`edits`, `special`, `templates`.
"""
