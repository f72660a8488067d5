"""`appliance` with one more route: the front door serves a file, streamed, to who has logged on.

The peer of downloads: what the same server does with the same bytes when it need not make them. The file is
named by the environment variable FILE.
"""

import os
from collections.abc import Iterator

from appliance import app
from appliance.cli import main
from appliance.net.parts import Parts
from appliance.net.web import Exchange, Route

FILE = "SATCHEL_BENCH_FILE"
PATH = "/bench/file"
PIECE = 64 << 10

PROGRAM = "from tests.bench._door import serve; serve()"


async def send(exchange: Exchange) -> None:
    """The file, as it is when it is asked for."""
    with open(os.environ[FILE], "rb") as file:
        size = os.fstat(file.fileno()).st_size
        await exchange.start(
            200, [("Content-Length", str(size)), ("Content-Type", "application/octet-stream")]
        )
        while piece := file.read(PIECE):
            await exchange.write(piece)
    await exchange.finish()


def routes(_parts: Parts) -> Iterator[Route]:
    """The route."""
    yield Route("bench-file", PATH, ("GET",), send)


def serve() -> None:
    """Run the command line with the route beside the others."""
    app.SITES = (*app.SITES, app.Site("bench-file", PATH, "tests.bench._door:routes"))
    main()
