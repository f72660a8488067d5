"""HTML to text and back."""

import time

from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import html


def test_blocks_become_lines_and_space_collapses() -> None:
    source = "<p>One   two\n three</p><div>four<br>five</div><ul><li>a</li><li>b</li></ul>"
    assert html.to_text(source) == "One two three\n\nfour\nfive\n\n* a\n* b"


def test_what_is_not_shown_is_left_out() -> None:
    source = (
        "<html><head><title>T</title><style>p { color: red }</style></head>"
        "<body><script>if (a < b) { x('</p>') }</script><!-- no -->"
        "<p>Hello &amp; &eacute;&#8364;</p></body></html>"
    )
    assert html.to_text(source) == "Hello & é€"


def test_invisible_elements_are_left_out_of_previews() -> None:
    source = '<div style="display:none">pre <b>header</b></div><p>Shown\u200b\u034f text</p>'
    assert html.to_text(source, visible_only=True) == "Shown text"
    assert "header" in html.to_text(source)


def test_preformatted_text_keeps_its_white_space() -> None:
    assert html.to_text("<pre>a\n  b   c</pre>") == "a\n  b   c"


def test_cells_are_kept_apart() -> None:
    table = "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>"
    assert html.to_text(table) == "1\t2\n3\t4"


def test_attributes_with_angle_brackets_are_no_text() -> None:
    assert html.to_text("<a title='x > y' href=\"z\">link</a> <img alt='pic'>") == "link pic"


def test_broken_markup_is_text_or_nothing() -> None:
    assert html.to_text("a < b and <unclosed") == "a < b and"
    assert html.to_text("</p></p>x<b") == "x"


@given(st.text(alphabet="<>/ab&;'\"= \n!-pre", max_size=300))
def test_any_input_gives_text_without_tags(source: str) -> None:
    result = html.to_text(source)
    assert len(result) <= len(source) * 4
    html.to_text(source, limit=10, visible_only=True)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp", "Cf"]), max_size=200))
def test_text_to_html_and_back(text: str) -> None:
    assert html.to_text(html.from_text(text)) == text


def test_lines_and_indents_survive_the_way_through_html() -> None:
    text = "one\n  two\n\nthree  four"
    assert html.to_text(html.from_text(text)) == text


def test_time_is_linear_for_hostile_input() -> None:
    for hostile in (
        "<" * 200_000,
        "<a " * 60_000,
        "<!--" * 50_000,
        "<div style='" * 20_000,
        "&" * 200_000,
        "<title>" * 40_000,
        "<title>" + "</title" * 40_000,
        "<head " * 40_000,
        "<div style='display:none'>" * 10_000,
        "<i style='display:none'></i>" * 10_000,
        "<a style='display:none'" * 10_000,
    ):
        started = time.process_time()
        html.to_text(hostile, visible_only=True)
        assert time.process_time() - started < 5.0


def test_the_declared_charset_is_found() -> None:
    assert html.declared_charset(b"<html><meta http-equiv=x content='text/html; charset=koi8-r'>") == "koi8-r"
    assert html.declared_charset(b'<meta charset="utf-8">') == "utf-8"
    assert html.declared_charset(b"\xff\xfe<\0") == "utf-16le"
    assert html.declared_charset(b"<p>") is None


def test_content_ids_are_found() -> None:
    source = """<img src="cid:a@b"><td background='CID:c'><div style="background:url(cid:d)">"""
    assert list(html.content_ids(source)) == ["a@b", "c", "d"]
