"""Notifications (MS-OXCNOTIF): what happened in a mailbox, told to the sessions that asked.

`data` is the wire form, `events` makes events of the change log, `hub` reads the log once for all who watch a
mailbox, `subscription` is what a session asked for.
"""
