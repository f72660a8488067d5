"""Macintosh files in MIME, read and written (MS-OXCMAIL 2.1.3.4.3, 2.2.3.4.2)."""

import base64
import email
import email.policy
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.convert.mime.apple import MACBINARY
from appliance.convert.mime.fields import Identity, Options, Transfer
from appliance.convert.mime.object import to_object
from appliance.convert.mime.render import render_bytes
from appliance.formats.macintosh import applefile, binary
from appliance.formats.macintosh.file import MacFile
from appliance.mapi import names, tags
from appliance.mapi.objects import AttachmentObject, BytesContent, MessageObject
from tests.conftest import EPOCH
from tests.convert.mime.test_object import at_hand
from tests.formats.macintosh.test_forms import FILE, flat, whole

INFO, KIND = names.PidNameAttachmentMacInfo, names.PidNameAttachmentMacContentType


def mixed(part: str) -> AttachmentObject:
    """The one attachment of a message with a text and a part."""
    text = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nt\n--b\n" + part + "\n--b--\n"
    (attachment,) = to_object(*at_hand(text.replace("\n", "\r\n").encode())).attachments
    return attachment


def encoded(data: bytes) -> str:
    return "Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(data).decode()


def held(attachment: AttachmentObject) -> MacFile:
    assert attachment.content is not None
    assert attachment.props[tags.PidTagAttachEncoding] == MACBINARY
    assert attachment.props[tags.PidTagAttachMethod] == 1
    assert attachment.props[tags.PidTagAttachSize] == attachment.content.size
    return flat(binary.parse(attachment.content))


@pytest.mark.parametrize(
    ("envelope", "header", "data", "name"),
    [
        ("", "", "", "Gr\u00fc\u00dfe"),
        ("", "; name=header.gif", "", "header.gif"),
        ("", "; name=header.gif", "; name=data.gif", "data.gif"),
        ("; name=all.gif", "; name=header.gif", "; name=data.gif", "all.gif"),
    ],
)
def test_apple_double(envelope: str, header: str, data: str, name: str) -> None:
    info = whole(applefile.double(FILE))
    attachment = mixed(
        f"Content-Type: multipart/appledouble; boundary=c{envelope}\nContent-ID: <e@x>\n\n"
        f"--c\nContent-Type: application/applefile{header}\nContent-ID: <h@x>\n{encoded(info)}"
        f"--c\nContent-Type: image/gif{data}\nContent-Location: loc\n{encoded(b'GIF89' * 99)}--c--"
    )
    assert held(attachment) == replace(FILE, data=BytesContent(b"GIF89" * 99))
    assert attachment.props[tags.PidTagAttachLongFilename] == name
    assert attachment.props[tags.PidTagAttachMimeTag] == "multipart/appledouble"
    assert attachment.props[tags.PidTagAttachContentId] == "e@x"
    assert attachment.props[tags.PidTagAttachContentLocation] == "loc"
    assert attachment.named[(INFO.name, INFO.type)] == info
    assert attachment.named[(KIND.name, KIND.type)] == "image/gif"


def test_a_data_part_before_its_header() -> None:
    info = whole(applefile.double(replace(FILE, name=b"")))
    attachment = mixed(
        "Content-Type: multipart/appledouble; boundary=c\n\n--c\nContent-Type: text/plain; name=a.txt\n\n"
        f"data\n--c\nContent-Type: application/applefile\n{encoded(info)}--c--"
    )
    file = held(attachment)
    assert (file.name, whole(file.data)) == (b"a.txt", b"data")


@pytest.mark.parametrize("named", ["", '; name="x.bin"'])
@pytest.mark.parametrize("form", ["single", "binary"])
def test_apple_single(form: str, named: str) -> None:
    """MacBinary under the same type too (2.2.3.4.2.2)."""
    if form == "binary":
        data, file = whole(binary.build(FILE)), FILE
    else:
        file = MacFile(name=b"n", data=BytesContent(b"fork"), type=b"TEXT", creator=b"ttxt")
        head = bytes.fromhex("0005160000020000") + bytes(16) + b"\0\3"
        for id, offset, size in ((3, 62, 1), (9, 63, 32), (1, 95, 4)):
            head += b"".join(number.to_bytes(4, "big") for number in (id, offset, size))
        data = head + b"nTEXTttxt" + bytes(24) + b"fork"
    attachment = mixed(f"Content-Type: application/applefile{named}\n{encoded(data)}")
    assert held(attachment) == file
    assert attachment.props[tags.PidTagAttachLongFilename] == ("x.bin" if named else file.text_name)
    assert attachment.props[tags.PidTagAttachMimeTag] == "application/applefile"
    info = attachment.named[(INFO.name, INFO.type)]
    assert isinstance(info, bytes)
    assert flat(applefile.parse(BytesContent(info))) == replace(file, data=BytesContent(b""))


@pytest.mark.skipif(shutil.which("binhex") is None, reason="macutils is not installed")
@pytest.mark.parametrize("transfer", ["7bit", "base64", "quoted-printable"])
def test_binhex(tmp_path: Path, transfer: str) -> None:
    """What another program wrote, whatever encoding the fields claim (2.2.3.4.2.3)."""
    (tmp_path / "in.bin").write_bytes(whole(binary.build(replace(FILE, protected=False, comment=b""))))
    run = subprocess.run(["binhex", "in.bin"], cwd=tmp_path, check=True, capture_output=True)
    field = f"Content-Type: application/mac-binhex40\nContent-Transfer-Encoding: {transfer}\n\n"
    attachment = mixed(field + run.stdout.decode())
    file = held(attachment)
    assert (file.name, file.type, file.creator) == (FILE.name, FILE.type, FILE.creator)
    assert (file.data, file.resource) == (FILE.data, FILE.resource)
    assert attachment.props[tags.PidTagAttachMimeTag] == "application/mac-binhex40"
    assert attachment.props[tags.PidTagAttachLongFilename] == FILE.text_name
    really = mixed("Content-Type: application/mac-binhex40; name=n.hqx\n" + encoded(run.stdout))
    assert held(really).data == FILE.data
    assert really.props[tags.PidTagAttachLongFilename] == "n.hqx"


@pytest.mark.parametrize("kind", ["application/applefile", "application/mac-binhex40"])
def test_what_is_none_stays_a_file(kind: str) -> None:
    attachment = mixed(f"Content-Type: {kind}; name=a.b\n{encoded(b'neither')}")
    assert attachment.content is not None
    assert whole(attachment.content) == b"neither"
    assert attachment.props[tags.PidTagAttachEncoding] == b""


@pytest.mark.parametrize("transfer", [Transfer.SEVEN_BIT, Transfer.BINARY])
@pytest.mark.parametrize("name", ["", "p.gif"])
def test_written(transfer: Transfer, name: str) -> None:
    attachment = AttachmentObject(
        props={tags.PidTagAttachMethod: 1, tags.PidTagAttachEncoding: MACBINARY},
        named={(KIND.name, KIND.type): "image/gif"},
        content=binary.build(FILE),
    )
    if name:
        attachment.props[tags.PidTagAttachLongFilename] = name
    message = MessageObject(props={tags.PidTagBody: "text"}, attachments=[attachment])
    raw = render_bytes(message, Identity("", EPOCH, b"seed", "x.test"), Options(transfer=transfer))
    judge = email.message_from_bytes(raw, policy=email.policy.default)
    (double,) = (part for part in judge.walk() if part.get_content_type() == "multipart/appledouble")
    header, data = double.iter_parts()
    assert header.get_content_type() == "application/applefile"
    assert data.get_content_type() == "image/gif"
    assert data.get_filename() == (name or FILE.text_name)
    assert header.get_filename() == "%" + (name or FILE.text_name)
    if transfer is Transfer.SEVEN_BIT:
        assert data.get_payload(decode=True) == whole(FILE.data)
        assert header.get_payload(decode=True) == whole(applefile.double(FILE))
    (again,) = to_object(*at_hand(raw)).attachments
    assert held(again) == FILE


def test_written_without_being_macbinary() -> None:
    attachment = AttachmentObject(
        props={tags.PidTagAttachMethod: 1, tags.PidTagAttachEncoding: MACBINARY},
        content=BytesContent(b"not at all"),
    )
    raw = render_bytes(MessageObject(attachments=[attachment]), Identity("", EPOCH, b"seed", "x.test"))
    judge = email.message_from_bytes(raw, policy=email.policy.default)
    (part,) = judge.iter_attachments()
    assert part.get_payload(decode=True) == b"not at all"
