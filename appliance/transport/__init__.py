"""The message processing system: mail in, mail out, reports.

In: `acceptance` (who may send to whom; the one transaction in which a message arrives), `lookups` (what the
directory said, remembered). Out: `runner` drains `store.queue`, `rounds` are its write functions, `routes`
finds the hosts (`smarthost`), `client` speaks SMTP to them, `content` reads what is sent, `downgrade` and
`lines` bring it to what they take, `retry` says when to try again. Reports: `dsn` renders, `reports` makes
them ready. Shared: `addresses` (SMTP's grammar), `trace` (Received), `clock`. `task` runs it in the process.
"""
