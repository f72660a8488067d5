"""Codecs in C beside their readable twins in Python, over what an office's traffic is made of.

Property rows are measured in `tables`. The goal is thirty times for each.
"""

import random
from collections.abc import Callable

from appliance.formats import bags, lz77
from appliance.formats import fasttransfer as fx
from appliance.formats.fasttransfer import reference as fx_twin
from appliance.formats.lz77 import reference as lz77_twin
from appliance.mapi.types import Value
from tests.bench import Row, compare
from tests.bench.tables import new_message

MESSAGES = 300
PAYLOAD = 32 << 10
"""Bytes of an extended buffer."""

GOAL = 30.0


def lists() -> list[list[tuple[int, Value]]]:
    """Properties of messages."""
    chance = random.Random(6)
    return [list(bags.unpack(new_message(chance, number).bag).items()) for number in range(MESSAGES)]


def run() -> list[Row]:
    """A row for each codec."""
    rows = []

    def add(name: str, size: int, ours: Callable[[], object], peer: Callable[[], object]) -> None:
        first, second = compare(ours, peer)
        rows.append(
            Row(
                f"{name}, C beside Python, MB/s",
                size / first / 1e6,
                size / second / 1e6,
                second / first,
                GOAL,
            )
        )

    props = lists()
    streams = [fx.pack(each, fx.UNICODE, {}) for each in props]
    whole = b"".join(streams)

    def cut(walk: Callable[..., tuple[int, fx.Place]]) -> None:
        at, place = 0, fx.START
        while at < len(whole):
            at, place = walk(whole, at, at + PAYLOAD, place)

    add(
        "FXICS: properties into a stream",
        len(whole),
        lambda: [fx.pack(each, fx.UNICODE, {}) for each in props],
        lambda: [fx_twin.pack(each, fx.UNICODE, {}) for each in props],
    )
    add("FXICS: a stream cut into buffers", len(whole), lambda: cut(fx.cut), lambda: cut(fx_twin.cut))
    payload = whole[:PAYLOAD]
    packed = lz77.compress(payload)
    add("LZ77: compress", PAYLOAD, lambda: lz77.compress(payload), lambda: lz77_twin.compress(payload))
    add(
        "LZ77: decompress",
        PAYLOAD,
        lambda: lz77.decompress(packed, PAYLOAD),
        lambda: lz77_twin.decompress(packed, PAYLOAD),
    )
    add("XOR", PAYLOAD, lambda: lz77.obfuscate(payload), lambda: lz77_twin.obfuscate(payload))
    return rows
