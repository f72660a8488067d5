"""The front door: finds the route of a request, makes sure of TLS and of who asks, calls the handler.

Order: TRACE and CONNECT are refused; what is for this machine alone does not exist for others; requests
without TLS are sent to the TLS port (unless both ends are loopback); then 404, 405, the log-on, the handler.
Every request leaves one line in the log (method, path without query, status, no credentials) and its numbers
in the metrics. A handler's error is the request's end, never the connection's: `HttpError` as it says,
anything else as 500.
"""

import asyncio
import base64
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, TypeVar

from appliance.directory.authenticate import Failure, Login, Reason
from appliance.net.errors import ConnectionEnded
from appliance.net.log import event
from appliance.net.parts import Parts
from appliance.net.web import Exchange, HttpError, Response, Route
from appliance.protocols.http import schemes
from appliance.protocols.http.connection import Peer
from appliance.protocols.http.metrics import Metrics
from appliance.protocols.http.router import REFUSED, Router, allowed

T = TypeVar("T")
NO_ROUTE = "none"
TLS_PORT = 443
BLOCKED_FOR = 60
"""Seconds after which an address that is blocked may ask again."""

_log = logging.getLogger(__name__)


class Front:
    """The ASGI application."""

    def __init__(self, parts: Parts, router: Router, metrics: Metrics) -> None:
        self._parts, self._router, self._metrics = parts, router, metrics

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        peer: Peer = scope["state"]["peer"]
        exchange = Exchange(scope, receive, send, peer.hosted)
        exchange.added.append(("Date", formatdate(usegmt=True)))
        began = time.monotonic()
        route = self._router.find(exchange.path)
        if route and route.loopback and not exchange.peer.is_loopback:
            route = None
        if route:
            exchange.added.extend(route.headers)
        self._metrics.running += 1
        try:
            await self._answer(exchange, route, peer)
        except ConnectionEnded as end:
            _log.debug("ended peer=%s reason=%s", exchange.peer.peer, end)
        finally:
            self._metrics.running -= 1
            if not exchange.finished:
                exchange.peer.abort()
            self._note(exchange, route, time.monotonic() - began)

    def _note(self, exchange: Exchange, route: Route | None, seconds: float) -> None:
        name = route.name if route else NO_ROUTE
        self._metrics.answered(name, exchange.method, exchange.status, seconds, exchange.sent)
        if self._parts.settings.http.access_log:
            event(
                _log,
                logging.INFO,
                "request",
                method=exchange.method,
                path=exchange.target,
                status=exchange.status,
                bytes=exchange.sent,
                ms=round(seconds * 1000, 1),
                user=exchange.login.user.address if exchange.login else None,
                peer=exchange.peer.peer,
                tls=exchange.peer.tls_version or None,
            )

    async def _answer(self, exchange: Exchange, route: Route | None, peer: Peer) -> None:
        try:
            response = await self._response(exchange, route, peer)
        except HttpError as error:
            response = _error(error)
        except (ConnectionEnded, asyncio.CancelledError):
            raise
        except Exception:
            _log.exception("path=%s failed", exchange.target[:200])
            response = _error(HttpError(500))
        if response is None or exchange.status:  # the handler sent it itself, wholly or in part
            return
        if self._must_close(exchange, response):
            exchange.added.append(("Connection", "close"))
        await exchange.respond(response)

    def _must_close(self, exchange: Exchange, response: Response) -> bool:
        """Whether what is left of the request is not worth reading: it is too long, or the client waits for
        leave to send it (and in a log-on of the connection it sends it in any case)."""
        if exchange.body_read:
            return False
        length = exchange.content_length
        if length is None or length > exchange.max_body:
            return True
        return exchange.expects_continue and not _goes_on(response)

    async def _response(self, exchange: Exchange, route: Route | None, peer: Peer) -> Response | None:
        if exchange.method in REFUSED:
            raise HttpError(405, headers=[("Allow", "GET, HEAD, POST, OPTIONS")])
        if self._needs_tls(exchange, route):
            return self._to_tls(exchange)
        if exchange.method == "OPTIONS" and exchange.target == "*":
            return Response(200, headers=(("Allow", "GET, HEAD, POST, OPTIONS"),))
        if route is None:
            raise HttpError(404)
        exchange.max_body = route.max_body
        methods = allowed(route)
        if methods and exchange.method not in methods:
            raise HttpError(405, headers=[("Allow", ", ".join(methods))])
        if methods and exchange.method == "OPTIONS" and "OPTIONS" not in route.methods:
            return Response(200, headers=(("Allow", ", ".join(methods)),))
        if route.login:
            refusal = await self._log_on(exchange, route, peer)
            if refusal is not None:
                return refusal
        return await route.handler(exchange)

    # -- TLS ------------------------------------------------------------------------------------------------

    def _needs_tls(self, exchange: Exchange, route: Route | None) -> bool:
        if exchange.is_private or (route is not None and route.plain):
            return False
        return self._parts.network.tls is not None

    def _to_tls(self, exchange: Exchange) -> Response:
        hostname = self._parts.organization.hostname
        host = exchange.host(hostname)
        if host.lower().startswith(("autodiscover.", "autoconfig.")):
            host = hostname  # MS-OXDISCO 3.1.5.4: where the certificate has the name
        port = TLS_PORT + self._parts.settings.serve.port_offset
        authority = host if port == TLS_PORT else f"{host}:{port}"
        query = f"?{exchange.query_text}" if exchange.query_text else ""
        location = f"https://{authority}{exchange.target}{query}"
        status = 302 if exchange.method in ("GET", "HEAD") else 307
        return Response(status, headers=(("Location", location),))

    # -- log-ons --------------------------------------------------------------------------------------------

    async def _log_on(self, exchange: Exchange, route: Route, peer: Peer) -> Response | None:
        """Find out who asks; the response that is to be sent instead where nobody does."""
        header = exchange.header("authorization")
        given = schemes.parse(header) if header else None
        if given is None and peer.bound is None:
            return self._challenge(exchange)
        if given is None or (given.scheme not in self._offered(exchange) and peer.bound):
            return await self._still(exchange, route, peer)
        if given.scheme not in self._offered(exchange):
            return self._challenge(exchange)
        if given.scheme == "basic":
            return await self._basic(exchange, route, given.text)
        return await self._negotiate(exchange, route, peer, given)

    def _offered(self, exchange: Exchange) -> tuple[str, ...]:
        settings, ntlm = self._parts.settings, self._parts.organization.ntlm
        basic = exchange.peer.is_secure or (exchange.peer.is_loopback and settings.auth.plain_on_loopback)
        return tuple(name for name in settings.http.auth if (basic if name == "basic" else ntlm))

    def _challenge(self, exchange: Exchange) -> Response:
        realm = self._parts.organization.hostname
        texts = {
            "basic": f'Basic realm="{realm}", charset="UTF-8"',  # RFC 7617 2.1
            "ntlm": "NTLM",
            "negotiate": "Negotiate",
        }
        offers = tuple(("WWW-Authenticate", texts[name]) for name in self._offered(exchange))
        return _error(HttpError(401, headers=offers))

    async def _basic(self, exchange: Exchange, route: Route, text: str) -> Response | None:
        pair = schemes.name_and_password(text)
        if pair is None:
            return await self._failed(exchange, "basic", Failure(Reason.MALFORMED))
        verify, peer = self._parts.authenticator.verify_password, exchange.peer.peer
        outcome = await self._in_thread(lambda: verify(pair[0], pair[1], peer=peer, protocol=route.protocol))
        return await self._outcome(exchange, "basic", outcome)

    async def _still(self, exchange: Exchange, route: Route, peer: Peer) -> Response | None:
        bound, address = peer.bound, exchange.peer.peer
        assert bound is not None
        outcome = schemes.still(self._parts.authenticator, bound, peer=address, protocol=route.protocol)
        if isinstance(outcome, Failure) and outcome.reason is not Reason.PROTOCOL:
            peer.bound = None
        return await self._outcome(exchange, "connection", outcome)

    async def _negotiate(
        self, exchange: Exchange, route: Route, peer: Peer, given: schemes.Credentials
    ) -> Response | None:
        token = schemes.decode(given.text)
        if not token:
            return self._challenge(exchange)
        if peer.negotiation is None or schemes.begins(token):
            peer.bound = None
            peer.negotiation = schemes.Negotiation(
                self._parts.authenticator,
                peer=exchange.peer.peer,
                bindings=exchange.peer.channel_binding,
                bare=given.scheme == "ntlm",
            )
        step = peer.negotiation.step
        reply = await self._in_thread(lambda: step(token))
        if isinstance(reply, Failure):
            peer.negotiation = None
            return await self._failed(exchange, given.scheme, reply)
        name = "NTLM" if given.scheme == "ntlm" else "Negotiate"
        answer = ("WWW-Authenticate", f"{name} {base64.b64encode(reply.token).decode()}")
        if reply.bound is None:
            return Response(401, headers=(answer,))
        peer.negotiation, peer.bound = None, reply.bound
        if reply.token:
            exchange.added.append(answer)  # RFC 4559 5: the last token goes with the answer
        return await self._still(exchange, route, peer)

    async def _outcome(self, exchange: Exchange, scheme: str, outcome: Login | Failure) -> Response | None:
        if isinstance(outcome, Failure):
            return await self._failed(exchange, scheme, outcome)
        exchange.login = outcome
        exchange.peer.settle()
        return None

    async def _failed(self, exchange: Exchange, scheme: str, failure: Failure) -> Response:
        self._metrics.refused(scheme, failure.reason.name.lower())
        self._parts.quiet.line(
            logging.WARNING,
            "log-in failed",
            peer=exchange.peer.peer,
            service="http",
            reason=failure.reason.value,
            user=failure.name or None,
        )
        if failure.delay:
            await asyncio.sleep(failure.delay)
        if failure.reason is Reason.PROTOCOL:
            return _error(HttpError(403, "This protocol is switched off for the account."))
        if failure.reason is Reason.BLOCKED:
            return _error(HttpError(429, headers=[("Retry-After", str(BLOCKED_FOR))]))
        return self._challenge(exchange)

    async def _in_thread(self, fn: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._parts.verifiers, fn)


def _goes_on(response: Response) -> bool:
    """Whether a 401 is a step of a log-on that is bound to the connection."""
    return response.status == 401 and any(
        name == "WWW-Authenticate" and value.startswith(("NTLM", "Negotiate"))
        for name, value in response.headers
    )


def _error(error: HttpError) -> Response:
    try:
        phrase = HTTPStatus(error.status).phrase
    except ValueError:
        phrase = "Error"
    text = f"{error.status} {phrase}\n" + (f"{error.detail}\n" if error.detail else "")
    return Response(error.status, text.encode(), "text/plain; charset=utf-8", error.headers)
