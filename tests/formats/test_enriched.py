"""Enriched text (RFC 1896) and its older form."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import enriched, html


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
