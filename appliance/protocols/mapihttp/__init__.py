"""MAPI over HTTP (MS-OXCMAPIHTTP): the mailbox and the address book as Outlook asks for them.

Read `headers` (what stands in the headers, and the codes), `contexts` (sessions, cookies, one request at a
time), `reply` (meta-tags and keep-alives), `endpoint` (from a request to its row), then `emsmdb` and `nspi`,
the tables of the two endpoints, whose bodies are in `bodies`.
"""
