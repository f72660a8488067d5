"""IMAP4: RFC 9051 and RFC 3501 with their extensions, as a view of the mailboxes.

Reading order: `limits`, `reader` (bytes to commands), `tokens` (the grammar's terminals), `wire` (replies),
`table` (commands and their legality), `session` (states, dispatch), `selected` (what a session sees of its
folder), `commands/` (one module each), `server` (the network).
"""
