"""`/healthz` and `/metrics`, for programs on this machine alone."""

import json
from collections.abc import Iterator

from appliance.net import health
from appliance.net.health import State
from appliance.net.parts import Parts
from appliance.net.web import Exchange, Response, Route
from appliance.protocols.http.metrics import CONTENT_TYPE, Metrics, family, label


class Pages:
    """The handlers."""

    def __init__(self, parts: Parts, metrics: Metrics) -> None:
        self._parts, self._metrics = parts, metrics

    def routes(self) -> Iterator[Route]:
        """Their rows."""
        for name, handler in (("healthz", self.healthz), ("metrics", self.metrics)):
            yield Route(name, f"/{name}", ("GET",), handler, login=False, loopback=True, plain=True)

    async def healthz(self, exchange: Exchange) -> Response:
        """The health of the machine; 503 where mail does not flow."""
        found = health.judge(self._facts())
        body = json.dumps(found.as_json()).encode() + b"\n"
        status = 503 if found.state is State.FAILING else 200
        return Response(status, body, "application/json", (("Cache-Control", "no-store"),))

    async def metrics(self, exchange: Exchange) -> Response:
        """Counters and gauges."""
        text = "\n".join([*self._metrics.lines(), *self._gauges()]) + "\n"
        return Response(200, text.encode(), CONTENT_TYPE, (("Cache-Control", "no-store"),))

    def _facts(self) -> health.Facts:
        tls = self._parts.network.tls
        return health.facts(
            self._parts.store, running=True, certificate_days=tls.days_left() if tls else None
        )

    def _gauges(self) -> Iterator[str]:
        facts, network = self._facts(), self._parts.network
        names = dict.fromkeys(listener.service.name for listener in network.listeners)
        rows = [(label("service", name), network.connections(name)) for name in names]
        yield from family("connections", "gauge", "Open connections.", rows)
        rows = [(label("service", name), network.gate(name).refused) for name in names]
        yield from family("connections_refused_total", "counter", "Connections not let in.", rows)
        rows = [(label("service", name), network.gate(name).evicted) for name in names]
        yield from family("connections_evicted_total", "counter", "Connections cut for newer ones.", rows)
        yield from family("store_free_bytes", "gauge", "Space that mail may still take.", [("", facts.free)])
        yield from family("store_reserve_bytes", "gauge", "Space kept back.", [("", facts.reserve)])
        state = int(health.judge(facts).state)
        yield from family("health", "gauge", "0 well, 1 a warning, 2 failing.", [("", state)])
