"""RTF: HTML and text within it, and documents of its own."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.formats import html, rtf
from appliance.formats.rtf import Origin

OUTLOOK = rb"""{\rtf1\ansi\ansicpg1251\fromhtml1 \fbidis \deff0{\fonttbl
{\f0\fswiss\fcharset0 Arial;}
{\f1\fmodern Courier New;}
{\f2\fnil\fcharset2 Symbol;}
{\f3\fswiss\fcharset161 "Arial";}}
{\colortbl\red0\green0\blue0;\red0\green0\blue255;}
\uc1\pard\plain\deftab360 \f0\fs24
{\*\htmltag243 <!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.0 Transitional//EN">}
{\*\htmltag19 <html>}
{\*\htmltag34 <head>}
{\*\htmltag177 <title>}{\*\htmltag241 T\'ef}{\*\htmltag185 </title>}
{\*\htmltag41 </head>}
{\*\htmltag50 <body class="a \{b\}">}\htmlrtf \lang1033 \htmlrtf0
{\*\mhtmltag84 <a href="cid:rewritten">}{\*\htmltag84 <a href="http://x.test/">}\htmlrtf {\field
{\*\fldinst{HYPERLINK "http://x.test/"}}{\fldrslt\cf1\ul \htmlrtf0 link\htmlrtf }\htmlrtf0 \htmlrtf }\htmlrtf0
{\*\htmltag92 </a>}
{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 One \b two\b0  {\*\htmltag84 &nbsp;}\htmlrtf \'a0
\htmlrtf0 three\rquote s {\f3 \'e1\'e2}\u8364? end\htmlrtf\par}\htmlrtf0
{\*\htmltag72 </p>}
{\*\htmltag58 </body>}
{\*\htmltag27 </html>}}
"""


def test_html_of_outlook_comes_back() -> None:
    assert rtf.origin(OUTLOOK) is Origin.HTML
    assert rtf.to_html(OUTLOOK) == (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.0 Transitional//EN"><html><head><title>T\u00ef</title>'
        '</head><body class="a {b}"><a href="http://x.test/">link</a>'
        "<p>One two &nbsp;three&rsquo;s \u03b1\u03b2\u20ac end</p></body></html>"
    )
    assert rtf.to_text(OUTLOOK) == "link\r\n\r\nOne two  three\u2019s \u03b1\u03b2\u20ac end"


DOCUMENT = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\froman\fcharset0 Times;}
{\f1\fswiss\fcharset204 Arial Cyr;}{\f2\fnil\fcharset128 MS Gothic;}}
{\colortbl ;\red255\green0\blue0;}{\stylesheet{\s1 heading 1;}}
{\*\generator Riched20;}{\info{\title Hidden}}\viewkind4\uc1\pard\f0\fs24 Gr\'fc\'dfe \{x\}\par
\b bold\b0  \i it\b both\i0\b0\par
\pard\qc\cf1 red\cf0\f1  \'cf\'f0\'e8\f2  \'93\'fa\'96\'7b\f0\par
\pard {\field{\*\fldinst{HYPERLINK "https://x.test/?a=1&b=2"}}{\fldrslt{\ul here}}} a\line b\tab c\par
{\pntext\f2\'b7\tab}item\par
{\pict\wmetafile8 0102ff}{\*\unknown gone}{\v hidden}\u-10179?\u-8704?x\super 2\nosupersub\par
}"""


def test_a_document_is_shown() -> None:
    assert rtf.origin(DOCUMENT) is Origin.RTF
    assert rtf.to_text(DOCUMENT).split("\r\n") == [
        "Gr\u00fc\u00dfe {x}",
        "bold itboth",
        "red \u041f\u0440\u0438 \u65e5\u672c",
        "here a",
        "b\tc",
        "\uff77\titem",
        "\U0001f600x2",
    ]
    shown = rtf.to_html(DOCUMENT)
    for expected in (
        "<b>bold</b>",
        "<i>it</i>",
        "<i><b>both</b></i>",
        "text-align:center",
        "color:#ff0000",
        '<a href="https://x.test/?a=1&amp;b=2">',
        "a<br>b",
        "<sup>2</sup>",
        "\U0001f600x",
    ):
        assert expected in shown
    for gone in ("Hidden", "heading", "0102ff", "gone", "Riched"):
        assert gone not in shown


def test_links_that_run_something_are_no_links() -> None:
    bad = rb'{\rtf1 {\field{\*\fldinst{HYPERLINK "javascript:alert(1)"}}{\fldrslt x}}}'
    assert "javascript" not in rtf.to_html(bad)


@pytest.mark.parametrize(
    "source",
    [
        "<html><body><p>a &amp; b</p><br>\r\nnext\tline {x} \\ y</body></html>",
        '<p title="a > b">Gr\u00fc\u00dfe \U0001f600</p><!-- a > comment --><![if mso]>x<![endif]>',
        "<style>p > b { color: red }</style><script>if (a < b && c) x();</script><b>bold<i>both</b></i>",
        "a < b & c <unfinished",
        "<!-- never ends",
        "<table><tr><td>1</td><td>2</td></tr></table>&nbsp;&euro;",
    ],
)
def test_html_there_and_back(source: str) -> None:
    packed = rtf.from_html(source)
    assert packed.isascii()
    assert rtf.origin(packed) is Origin.HTML
    assert rtf.to_html(packed) == source


@given(
    st.text(
        alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from("<>&;{}\\'\"!-/ab \r\n"),
        max_size=200,
    )
)
def test_any_html_and_text_there_and_back(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    assert rtf.to_html(rtf.from_html(text)) == lines
    assert rtf.origin(rtf.from_text(text)) is Origin.TEXT
    assert rtf.to_text(rtf.from_text(text)) == lines


def test_encapsulated_html_is_readable_rtf() -> None:
    """Who does not know the form sees the text (as libreoffice and WordPad do)."""
    packed = rtf.from_html(
        "<html><head><title>t</title></head><body><p>a &amp; <b>b</b></p><p>c</p></body></html>"
    )
    plain = packed.replace(b"\\fromhtml1 ", b"")
    assert rtf.origin(plain) is Origin.RTF
    assert rtf.to_text(plain).split("\r\n")[:2] == ["a & b", "c"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no rtf",
        b"{\\rtf1",
        b"{" * 5000,
        b"}" * 5000,
        b"{\\rtf1\\bin999999999 x",
        b"\\'",
        b"\\u99999999999 ",
    ],
)
def test_damage_is_no_error(data: bytes) -> None:
    rtf.to_html(data)
    rtf.to_text(data)


def test_time_is_linear_for_hostile_input() -> None:
    for hostile in ("<!--" * 50_000, "<!" * 100_000, "<title>" * 40_000, "<a \"'" * 40_000, "&" * 200_000):
        started = time.process_time()
        packed = rtf.from_html(hostile)
        assert rtf.to_html(packed) == hostile
        html.to_text(hostile)
        assert time.process_time() - started < 10
    for raw in (
        b"{\\f1" * 50_000,
        b"\\'e4\\u228?" * 50_000,
        b"{\\*\\htmltag" * 50_000,
        b"{\\fonttbl{\\f1 a;}}" * 20_000,
    ):
        started = time.process_time()
        rtf.to_html(b"{\\rtf1\\fromhtml1 " + raw)
        rtf.to_html(b"{\\rtf1 " + raw)
        assert time.process_time() - started < 10
