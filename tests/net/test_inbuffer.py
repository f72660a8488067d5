"""The queue of a connection's input, beside one that is nothing but a bytearray."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.net.inbuffer import InBuffer

STEPS = st.one_of(
    st.tuples(st.just("add"), st.binary(min_size=1, max_size=20) | st.just(b"line\nand\n")),
    st.tuples(st.just("take"), st.integers(0, 30)),
    st.tuples(st.just("line"), st.none()),
    st.tuples(st.just("give back"), st.binary(max_size=5)),
    st.tuples(st.just("clear"), st.none()),
)


@given(st.lists(STEPS, max_size=40))
def test_it_is_a_queue_of_bytes(steps: list[tuple[str, bytes | int | None]]) -> None:
    buffer, model = InBuffer(), bytearray()
    for what, value in steps:
        if isinstance(value, int):
            assert buffer.take(value) == model[:value]
            del model[:value]
        elif what == "line":
            assert buffer.line_end() == model.find(b"\n") + 1
        elif what == "clear":
            buffer.clear()
            model.clear()
        elif value is not None and what == "add":
            buffer.add(value)
            model += value
        elif value is not None:
            buffer.give_back(value)
            model[:0] = value
        assert len(buffer) == len(model)
        assert bool(buffer) == bool(model)
    assert buffer.take(len(buffer)) == model


def test_a_piece_taken_as_it_came_is_not_copied() -> None:
    buffer, piece = InBuffer(), bytes(100_000)
    for _ in range(2):
        buffer.add(piece)
        assert buffer.take(100_000) is piece
