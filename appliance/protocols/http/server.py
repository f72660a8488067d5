"""The HTTP service: uvicorn's protocol on our listeners, the front door as its application."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from uvicorn.config import Config
from uvicorn.server import ServerState

from appliance.net.hosted import Hosted, HostedService
from appliance.net.parts import Parts
from appliance.net.terms import Timeouts
from appliance.protocols.http.connection import HttpConnection
from appliance.protocols.http.front import Front
from appliance.protocols.http.metrics import Metrics
from appliance.protocols.http.pages import Pages
from appliance.protocols.http.router import Router

MAX_HEAD = 64 << 10
"""Bytes of a request's head: tokens of log-ons can be long."""

GREETING = 30.0
"""Seconds for the TLS handshake, and until the first request."""

COMMAND = 30.0
"""Seconds for the head of a request, and for which a body may be slower than the least rate."""

TIMEOUTS = Timeouts(greeting=GREETING, idle=120.0, command=COMMAND)
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def service(parts: Parts, timeouts: Timeouts = TIMEOUTS) -> HostedService:
    """The service for HTTP, plain and over TLS."""
    metrics = Metrics()
    router = Router([*Pages(parts, metrics).routes(), *parts.routes])
    timeouts = replace(timeouts, idle=float(parts.settings.http.idle))
    config = Config(
        Front(parts, router, metrics),
        http=HttpConnection,
        loop="none",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=MAX_HEAD,
    )
    config.load()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what strangers send is no error of ours
    state = ServerState()
    guest: Callable[[Hosted], HttpConnection] = partial(_guest, config, state, timeouts)
    tasks: set[asyncio.Task[None]] = state.tasks
    return HostedService("http", guest, timeouts, parts.limits(), BUSY, tasks)


def _guest(config: Config, state: ServerState, timeouts: Timeouts, hosted: Hosted) -> HttpConnection:
    return HttpConnection(config, state, hosted, timeouts)
