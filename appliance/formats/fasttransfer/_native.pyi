from collections.abc import Iterable, Mapping

from appliance.formats.fasttransfer.reference import Place
from appliance.mapi.types import Value

def pack(props: Iterable[tuple[int, Value]], strings: int, names: Mapping[int, bytes], /) -> bytes: ...
def cut(data: bytes, start: int, limit: int, place: Place = ..., /) -> tuple[int, Place]: ...
