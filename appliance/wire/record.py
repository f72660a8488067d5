"""Record: a wire layout that is declared once and works in both directions.

    class OpenFolder(Record):
        handle: UInt8
        folder_id: Annotated[int, SHORT_ID]
        flags: Annotated[OpenFlags, Flags(OpenFlags, U8)]
        name: Annotated[str | None, When(NUL_UTF16, lambda request: request.flags & 1)] = None

Fields stand in wire order; a field's codec is in its `Annotated`, a field whose type is a Record is nested.
Records are dataclasses (mutable, compared by value) with `decode(reader)`, `encode(writer)`, and for whole
buffers `parse(data)` and `pack()`. Both ways are generated when the class is made: runs of fixed-size fields
become one struct call. Errors name the field path. `as_codec` makes a class a codec for arrays and variants.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, dataclass_transform, get_type_hints

from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError, EncodeError
from appliance.wire.fields import Packed


@dataclass(frozen=True, slots=True)
class Nested:
    """A record as the codec of a field."""

    record: "type[Record]"

    def decode(self, reader: Reader) -> "Record":
        """Takes the record."""
        return self.record.decode(reader)

    def encode(self, writer: Writer, value: "Record") -> None:
        """Writes the record."""
        if not isinstance(value, self.record):
            raise EncodeError(f"a {type(value).__name__} where a {self.record.__name__} stands")
        value.encode(writer)


@dataclass_transform()
class Record:
    """Base of all declared layouts."""

    FIELDS: ClassVar[tuple[tuple[str, Any], ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(cls)
        hints = get_type_hints(cls, include_extras=True)
        names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        cls.FIELDS = tuple((name, _codec_of(cls, name, hints[name])) for name in names)
        _generate(cls)

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Takes the record from the reader. DecodeError names the field."""
        raise NotImplementedError

    def encode(self, writer: Writer) -> None:
        """Writes the record. EncodeError names the field."""
        raise NotImplementedError

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The record that fills `data` exactly."""
        reader = Reader(data)
        try:
            record = cls.decode(reader)
            reader.expect_end("record")
        except DecodeError as error:
            raise error.within(cls.__name__) from None
        return record

    def pack(self) -> bytes:
        """The record's bytes."""
        writer = Writer()
        try:
            self.encode(writer)
        except EncodeError as error:
            raise error.within(type(self).__name__) from None
        return bytes(writer.buf)


def as_codec(kind: Any) -> Any:
    """A codec for something that is one already, or for a Record class."""
    return Nested(kind) if isinstance(kind, type) and issubclass(kind, Record) else kind


def _codec_of(cls: type, name: str, hint: Any) -> Any:
    for extra in getattr(hint, "__metadata__", ()):
        if hasattr(extra, "decode") or hasattr(extra, "decode_in"):
            return as_codec(extra)
    if isinstance(hint, type) and issubclass(hint, Record):
        return Nested(hint)
    raise TypeError(f"{cls.__name__}.{name} has no codec in its annotation")


def _short(reader: Reader, run: Sequence[tuple[str, int]]) -> DecodeError:
    """Which field of a run the buffer ends in."""
    at = reader.pos
    for name, size in run:
        if size > reader.end - at:
            return DecodeError(f"{size} bytes needed, {reader.end - at} left", at, name)
        at += size
    raise AssertionError("the run was long enough")


def _check(reader: Reader, record: Any, run: Sequence[tuple[str, int]], checks: dict[str, Any]) -> None:
    """Applies the checks of a run that was just read."""
    at = reader.pos - sum(size for _, size in run)
    for name, size in run:
        if name in checks:
            try:
                setattr(record, name, checks[name](getattr(record, name)))
            except ValueError as error:
                raise DecodeError(str(error), at, name) from None
        at += size


def _unfit(record: Any, run: Sequence[tuple[str, int]], codecs: dict[str, Packed]) -> EncodeError:
    """Which value of a run does not fit."""
    for name, _ in run:
        try:
            codecs[name].encode(Writer(), getattr(record, name))
        except EncodeError as error:
            return error.within(name)
    raise AssertionError("every value fits")


class _Source:
    """The generated text of both methods, and the names it uses."""

    def __init__(self) -> None:
        self.decode = ["def decode(cls, reader):", " self = new(cls)"]
        self.encode = ["def encode(self, writer):"]
        self.names: dict[str, Any] = {
            "new": object.__new__,
            "DecodeError": DecodeError,
            "EncodeError": EncodeError,
            "StructError": (struct.error, TypeError, ValueError),
            "short": _short,
            "check": _check,
            "unfit": _unfit,
        }

    def bind(self, prefix: str, value: Any) -> str:
        """A name for the value in the generated text."""
        name = f"{prefix}{len(self.names)}"
        self.names[name] = value
        return name

    def run(self, members: list[tuple[str, Packed]]) -> None:
        """Fixed-size fields in a row: one struct call each way."""
        layout = struct.Struct("<" + "".join(codec.code for _, codec in members))
        sizes = tuple((name, codec.size) for name, codec in members)
        run, unpack = self.bind("run", sizes), self.bind("unpack", layout.unpack_from)
        targets = "".join(f"self.{name}, " for name, _ in members)
        self.decode += [
            " at = reader.pos",
            f" if reader.end - at < {layout.size}: raise short(reader, {run})",
            f" {targets}= {unpack}(reader.data, at)",
            f" reader.pos = at + {layout.size}",
        ]
        checks = {name: codec.check for name, codec in members if codec.check is not None}
        if checks:
            self.decode.append(f" check(reader, self, {run}, {self.bind('checks', checks)})")
        values = []
        for name, codec in members:
            value = f"self.{name}"
            values.append(
                value if codec.prepare is None else f"{self.bind('prepare', codec.prepare)}({value})"
            )
        pack, codecs = self.bind("pack", layout.pack), self.bind("codecs", dict(members))
        self.encode += [
            f" try: writer.buf += {pack}({', '.join(values)})",
            f" except StructError: raise unfit(self, {run}, {codecs}) from None",
        ]

    def single(self, name: str, codec: Any) -> None:
        """A field with a codec of its own."""
        if hasattr(codec, "decode_in"):
            decode, encode = self.bind("decode", codec.decode_in), self.bind("encode", codec.encode_in)
            read, write = f"{decode}(reader, self)", f"{encode}(writer, self.{name}, self)"
        else:
            # A nested record's own method: the wrapper's check of the class is not repeated when reading.
            own = codec.record.decode if isinstance(codec, Nested) else codec.decode
            decode, encode = self.bind("decode", own), self.bind("encode", codec.encode)
            read, write = f"{decode}(reader)", f"{encode}(writer, self.{name})"
        self.decode += [
            f" try: self.{name} = {read}",
            f" except DecodeError as error: raise error.within({name!r}) from None",
        ]
        self.encode += [
            f" try: {write}",
            f" except EncodeError as error: raise error.within({name!r}) from None",
        ]


def _generate(cls: type[Record]) -> None:
    source = _Source()
    run: list[tuple[str, Packed]] = []
    for name, codec in cls.FIELDS:
        if isinstance(codec, Packed):
            run.append((name, codec))
            continue
        if run:
            source.run(run)
            run = []
        source.single(name, codec)
    if run:
        source.run(run)
    source.decode.append(" return self")
    source.encode.append(" return None")
    namespace = source.names
    # Generated as dataclass generates __init__: the text holds field names and bound names only.
    exec("\n".join(source.decode + source.encode), namespace)
    cls.decode = classmethod(namespace["decode"])  # type: ignore[method-assign, assignment]
    cls.encode = namespace["encode"]  # type: ignore[method-assign]
