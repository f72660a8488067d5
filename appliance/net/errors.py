"""The few ways in which talking to a peer ends or fails."""


class ConnectionEnded(Exception):
    """Nothing more will be read from the peer; the service says goodbye (if it can) and returns."""


class PeerGone(ConnectionEnded):
    """The peer closed or lost the connection, or broke the layer below the protocol (TLS, DEFLATE)."""


class TimedOut(ConnectionEnded):
    """The peer was silent, or slower than the least rate, for longer than the service allows."""


class ShuttingDown(ConnectionEnded):
    """The server is ending and the peer stands between two commands."""


class LineTooLong(Exception):
    """A line passed its limit. It was discarded with its line end; the connection is usable."""
