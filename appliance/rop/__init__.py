"""Remote operations (MS-OXCROPS): the messages by which Outlook's own protocol works on a store.

Read `model` (what a ROP is), `objects` (what handles stand for), `batch` (a buffer of requests, taken apart),
`context` (what a running ROP is given), `session` (a client's logons, handles and notifications), `engine`
(how a batch is run), `table` (every ROP by its id), then any module of `ops`.
"""
