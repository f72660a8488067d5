"""SMTP: mail from the world (port 25) and from users (587 with STARTTLS, 465 with TLS).

    server      the services of the ports            session     the command loop, order of commands
    commands    one function and row a command       auth        AUTH over the directory's SASL
    grammar     command lines and parameters         receiving   DATA and BDAT, streamed into the store
    data        the end of DATA                      headers     hops, loops, submissions mended
    replies     every reply, by name                 service     what sessions share

What is stricter here than elsewhere, on purpose: only CR LF ends a line. A command that ends with a bare LF
closes the session (521); a message with a CR or LF that stands alone is refused on port 25 (550 5.6.11), and
mended when a user submits it. Nothing but CR LF "." CR LF ends DATA.

Who decides about senders and recipients, and the one transaction in which a message arrives, is
`transport.acceptance`.
"""
