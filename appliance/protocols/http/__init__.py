"""The front door of everything that is served over HTTP: connections, log-ons, routes, log and metrics."""
