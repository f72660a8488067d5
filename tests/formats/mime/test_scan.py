"""Structure of messages: what the scanner says of single, nested and broken ones."""

from appliance.formats.mime import Finding, Kind, Scan, scan

NESTED = (
    b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="xx"\r\n\r\n'
    b"preamble\r\n--xx\r\n\r\nhello\r\nworld\r\n--xx\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: inner\r\nContent-Type: multipart/alternative; boundary=yy\r\n\r\n"
    b"--yy\r\nContent-Type: text/html\r\n\r\n<p>\r\n--yy--\r\n--xx--\r\nepilogue\r\n"
)


def test_nested_message() -> None:
    result = scan(NESTED)
    assert [(p.path, p.kind, p.parent) for p in result.parts] == [
        ((), Kind.MULTIPART, -1),
        ((1,), Kind.LEAF, 0),
        ((2,), Kind.MESSAGE, 0),
        ((2,), Kind.MULTIPART, 2),
        ((2, 1), Kind.LEAF, 3),
    ]
    text = result.parts[1]
    assert NESTED[text.body_start : text.body_end] == b"hello\r\nworld"
    assert text.lines == 1
    assert result.findings == Finding(0)
    assert Scan.unpack(result.pack()).parts == result.parts
