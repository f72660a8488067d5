"""POP3 (RFC 1939) with CAPA, STLS, SASL, UTF8 and LANG.

`session` is the state machine: a line in, an event out. `commands` is the table of commands. `maildrop` is
the snapshot of an inbox that a session works on; `stuffing` turns a message into a multi-line response.
`server` carries events out: only it touches the network, the store and the directory.
"""
