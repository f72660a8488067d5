Buffer = bytes | bytearray | memoryview

class Scanner:
    def __new__(
        cls, header_bytes: int, kept_bytes: int, value_bytes: int, fields: int, depth: int, parts: int, /
    ) -> Scanner: ...
    def feed(self, data: Buffer, /) -> None: ...
    def finish(self) -> tuple[bytes, list[bytes]]: ...

def scan(
    data: Buffer,
    header_bytes: int,
    kept_bytes: int,
    value_bytes: int,
    fields: int,
    depth: int,
    parts: int,
    /,
) -> tuple[bytes, list[bytes]]: ...
def glimpse(
    tables: list[bytes], heads: list[bytes], raws: list[bytes], key: bytes, header: bool, /
) -> bytes: ...
def fields(block: bytes, /) -> list[tuple[bytes, bytes]]: ...
def parts(
    table: bytes, /
) -> list[tuple[int, int, int, int, int, int, int, tuple[bytes | None, ...]]] | None: ...
