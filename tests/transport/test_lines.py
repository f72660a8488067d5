"""Line ends and dots, cut in any way."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.protocols.smtp.data import DotDecoder
from appliance.transport.lines import DotEncoder, TextChecker, has_bare

TEXT = st.lists(st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"\r\n.\r\n", b"..", b"\0"])).map(
    b"".join
)


def pieces(data: bytes, step: int) -> list[bytes]:
    return [data[at : at + step] for at in range(0, len(data), step)]


@given(TEXT, st.integers(1, 9))
def test_what_is_sent_arrives(content: bytes, step: int) -> None:
    encoder, decoder = DotEncoder(), DotDecoder(mend=False)
    sent = b"".join(encoder.feed(piece) for piece in pieces(content, step)) + encoder.end() + b".\r\nQUIT\r\n"
    got = b""
    for at in range(0, len(sent), step):
        got += decoder.feed(sent[at : at + step])
        if decoder.ended:
            assert decoder.rest + sent[at + step :] == b"QUIT\r\n"
            break
    assert decoder.ended
    assert not decoder.bare
    if not has_bare(content):
        assert got == content + (b"" if content.endswith(b"\r\n") or not content else b"\r\n")


@given(TEXT, st.integers(1, 9))
def test_a_checker_sees_the_same_in_pieces(content: bytes, step: int) -> None:
    checker = TextChecker(mend=True)
    got = b"".join(checker.feed(piece) for piece in pieces(content, step)) + checker.end()
    assert checker.bare == has_bare(content)
    assert not has_bare(got)
    assert checker.bare or got == content
