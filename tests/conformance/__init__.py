"""Conformance of the MAPI over HTTP server, seen from outside: requests and responses as bytes.

Nothing here imports the server's own records. A case is written from the specification alone, so that a
misreading which server and unit tests share shows here. Only the start of the server and the making of
mailboxes use the package under test.
"""
