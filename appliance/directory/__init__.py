"""Users, groups, rooms, aliases, address lists and credentials.

Reading order: `model` (what an entry is), `entries` (kept and found), `links` (what leads from entry to
entry), `domains` (what is served here), `resolve` (where mail for an address goes, who may send as whom),
`accounts` (entries with a mailbox), `credentials` with `throttle` and `sasl` (logging on), `lists`, `anr`,
`sort` and `properties` (the address book).
"""
