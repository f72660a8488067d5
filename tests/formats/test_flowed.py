"""format=flowed (RFC 3676) and enriched text (RFC 1896)."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import enriched, flowed, html


def test_flowed_lines_are_joined() -> None:
    assert flowed.unflow("one \ntwo\nthree") == "one two\nthree"


def test_delsp_removes_the_space() -> None:
    assert flowed.unflow("日本 \n語", delsp=True) == "日本語"


def test_quotes_of_different_depth_stay_apart() -> None:
    assert flowed.unflow("> a \n> b\n>> c \n> d") == "> a b\n>> c \n> d"


def test_space_stuffing_is_undone() -> None:
    assert flowed.unflow(" From here\n >not a quote") == "From here\n>not a quote"


def test_the_signature_separator_stands_alone() -> None:
    assert flowed.unflow("text \n-- \nme") == "text \n-- \nme"


@given(st.text(alphabet="ab >-\n\r", max_size=200), st.booleans())
def test_no_character_but_spaces_and_breaks_is_lost(text: str, delsp: bool) -> None:
    assert flowed.unflow(text, delsp).count("a") == text.count("a")


def test_enriched_commands_become_tags() -> None:
    source = "<bold>Now</bold> is <italic>the <<time></italic>\n\nfor<param>red</param> all"
    assert enriched.to_html(source) == (
        "<html><body><b>Now</b> is <i>the &lt;time&gt;</i><br>\nfor all</body></html>"
    )


def test_richtext_breaks_are_commands() -> None:
    assert html.to_text(enriched.to_html("one\ntwo<nl>three<lt>", richtext=True)) == "one two\nthree<"


@given(st.text(alphabet="<>/boldparm \n", max_size=120))
def test_every_tag_is_closed(text: str) -> None:
    result = enriched.to_html(text)
    assert result.count("<b>") == result.count("</b>")
