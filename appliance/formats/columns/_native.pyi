from appliance.formats.columns.steps import Step

def numbers(records: list[bytes], offset: int, size: int, /) -> list[int] | int: ...
def keys(before: bytes, numbers: list[int], after: bytes, /) -> list[bytes]: ...
def lines(
    steps: tuple[Step, ...],
    serials: list[int],
    records: list[bytes],
    columns: tuple[list[bytes] | list[bytes | None], ...],
    dictionary: object,
    /,
) -> bytes | int | None: ...
