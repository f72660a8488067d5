"""Counters of the front door, and their text for Prometheus (exposition format 0.0.4).

Names of routes come from our own table and statuses from our own answers, so that a stranger cannot make
new rows; methods that no route names are counted as `other`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)
"""Upper bounds of durations, in seconds."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "REPORT"})


class Metrics:
    """What was answered so far. Used on the loop's thread."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.failures: Counter[tuple[str, str]] = Counter()
        self.running = 0
        """Requests being answered now, long polls included."""
        self._durations: Counter[tuple[str, int]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()

    def answered(self, route: str, method: str, status: int, seconds: float, sent: int) -> None:
        """A request is over."""
        self.requests[route, method if method in METHODS else "other", status] += 1
        bucket = next((n for n, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        self._durations[route, bucket] += 1
        self._seconds[route] += seconds  # type: ignore[assignment]
        self._sent[route] += sent

    def refused(self, scheme: str, reason: str) -> None:
        """A log-on failed."""
        self.failures[scheme, reason] += 1

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        rows = ((_labels(route=r, method=m, status=s), n) for (r, m, s), n in sorted(self.requests.items()))
        yield from family("http_requests_total", "counter", "Requests that were answered.", rows)
        yield from family("http_requests_running", "gauge", "Requests under way.", [("", self.running)])
        rows = ((_labels(route=route), count) for route, count in sorted(self._sent.items()))
        yield from family("http_sent_bytes_total", "counter", "Bytes of response bodies.", rows)
        rows = ((_labels(scheme=s, reason=r), n) for (s, r), n in sorted(self.failures.items()))
        yield from family("http_log_on_failures_total", "counter", "Log-ons that failed.", rows)
        yield from self._histogram()

    def _histogram(self) -> Iterator[str]:
        name = "http_request_seconds"
        yield from family(name, "histogram", "Time from a request's head to the end of its response.", ())
        for route in sorted(self._seconds):
            count = 0
            for number in range(len(BUCKETS) + 1):
                count += self._durations[route, number]
                bound = BUCKETS[number] if number < len(BUCKETS) else "+Inf"
                yield f"satchel_{name}_bucket{_labels(route=route, le=bound)} {count}"
            yield f"satchel_{name}_sum{_labels(route=route)} {self._seconds[route]:.6f}"
            yield f"satchel_{name}_count{_labels(route=route)} {count}"


def family(name: str, kind: str, about: str, rows: Iterable[tuple[str, float]]) -> Iterator[str]:
    """One metric: its head and its rows of (labels, value)."""
    yield f"# HELP satchel_{name} {about}"
    yield f"# TYPE satchel_{name} {kind}"
    for labels, value in rows:
        yield (
            f"satchel_{name}{labels} {value:g}"
            if isinstance(value, float)
            else f"satchel_{name}{labels} {value}"
        )


def label(name: str, value: object) -> str:
    """One label as a whole set of labels."""
    return _labels(**{name: value})


def _labels(**labels: object) -> str:
    parts = ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items())
    return "{" + parts + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
