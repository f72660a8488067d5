"""The table of routes: which row a request belongs to.

Paths are compared without regard to case, since clients write them in several. A whole path goes before one
that ends in `/*`, and of those the longest goes first.
"""

from collections.abc import Iterable

from appliance.net.web import Route

REFUSED = frozenset({"TRACE", "CONNECT"})
"""Methods that nothing here answers (RFC 9110 9.3.8, 9.3.6)."""


class Router:
    """The routes of all services. Raises ValueError for two rows with one path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._whole: dict[str, Route] = {}
        self._below: list[tuple[str, Route]] = []
        for route in routes:
            path = route.path.casefold()
            if path.endswith("/*"):
                self._below.append((path[:-1], route))
            elif path in self._whole:
                raise ValueError(f"two routes for {route.path}")
            else:
                self._whole[path] = route
        self._below.sort(key=lambda row: -len(row[0]))

    def find(self, path: str) -> Route | None:
        """The row of a path."""
        folded = path.casefold()
        if route := self._whole.get(folded):
            return route
        for prefix, route in self._below:
            if folded.startswith(prefix) or folded == prefix[:-1]:
                return route
        return None


def allowed(route: Route) -> tuple[str, ...]:
    """The methods that a row answers, OPTIONS and HEAD included; empty where it takes any."""
    if not route.methods:
        return ()
    head = ("HEAD",) if "GET" in route.methods else ()
    return tuple(dict.fromkeys((*route.methods, *head, "OPTIONS")))
