"""python tools/dictionary.py: builds appliance/store/mail.dictionary, the zstd dictionary of small blobs.

It is trained on mail that this script makes up: header fields with their usual values, skeletons of MIME,
HTML and CSS, everyday words in a few languages, and what formats.mime renders from such mail (scan,
ENVELOPE, BODYSTRUCTURE). The result is deterministic for one version of zstd. Stored blobs depend on every byte
of it: a new dictionary is a new file beside the old one, never a replacement.
"""

import random
import sys
from pathlib import Path

import zstandard

from appliance.formats import mime

TARGET = Path(__file__).resolve().parents[1] / "appliance" / "store" / "mail.dictionary"
SIZE = 48 << 10
SAMPLES = 3000
SEED = 20

NAMES = "Anna Bernd Carla David Emma Felix Greta Hugo Ida Jan Klara Lars Marie Nils Olga Paul".split()
LAST = "Schmidt Meyer Weber Fischer Smith Jones Brown Martin Garcia Rossi Novak Larsen Dubois Bakker".split()
DOMAINS = "example.com example.org example.net mail.example.com office.example.org news.example.net".split()
TOPICS = (
    "Meeting on {day}", "Invoice {n} for {month}", "Your order {n} has been shipped", "Minutes of {day}",
    "Re: Offer {n}", "AW: Termin am {day}", "Fwd: Report {n}", "Newsletter {month}", "Question about {n}",
    "Reminder: appointment on {day}", "Confirm your e-mail address", "Password reset", "Rechnung {n}",
    "Delivery Status Notification (Failure)", "Undelivered Mail Returned to Sender", "Out of office",
    "Automatic reply: Meeting on {day}", "Accepted: Meeting on {day}", "[list] Digest, Vol {n}",
)  # fmt: skip
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
LONG_DAYS = "Monday Tuesday Wednesday Thursday Friday Montag Dienstag Mittwoch Donnerstag Freitag".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
WORDS = (
    "the of and to in is for that with on as are this be by from at or have not your you we it will can please "
    "thank thanks regards best kind dear hello all if any questions do not hesitate contact us our new more "
    "information about message attached find below meeting tomorrow today week next office report project time "
    "would like could was has been they their which when what there here out up one two three first last day "
    "order number delivery address invoice payment amount total date account customer service click link view "
    "online unsubscribe privacy policy rights reserved die der und das ist nicht mit sie wir ich den von zu auf "
    "für eine ein bitte vielen dank mit freundlichen grüßen sehr geehrte damen herren anbei hallo viele morgen "
    "le la les des est pas pour que vous nous avec bonjour merci cordialement el los para por con gracias"
).split()
MAILERS = (
    "User-Agent: Mozilla Thunderbird", "X-Mailer: Microsoft Outlook 16.0", "X-Mailer: Apple Mail (2.3826)",
    "X-Mailer: iPhone Mail (22A3354)", "User-Agent: Mutt/2.2.12 (2023-09-09)", "User-Agent: K-9 Mail for Android",
    "User-Agent: Evolution 3.50.3", "X-Mailer: PHPMailer 6.9.1", "User-Agent: Roundcube Webmail/1.6.6",
    "User-Agent: s-nail v14.9.24", "X-Mailer: git-send-email 2.43.0",
)  # fmt: skip


class Maker:
    """Makes up mail from one seed."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def token(self, length: int, letters: str = "0123456789abcdef") -> str:
        return "".join(self.rng.choices(letters, k=length))

    def person(self) -> tuple[str, str]:
        first, last = self.rng.choice(NAMES), self.rng.choice(LAST)
        local = self.rng.choice((first, f"{first}.{last}", f"{first[0]}{last}", "info", "noreply", "office"))
        return f"{first} {last}", f"{local.lower()}@{self.rng.choice(DOMAINS)}"

    def date(self) -> str:
        rng = self.rng
        zone = rng.choice(("+0000", "+0100", "+0200", "-0500", "-0700", "+0000 (UTC)", "+0200 (CEST)"))
        clock = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
        year = rng.randrange(2020, 2030)
        return f"{rng.choice(DAYS)}, {rng.randrange(1, 29)} {rng.choice(MONTHS)} {year} {clock} {zone}"

    def ident(self) -> str:
        rng = self.rng
        left = rng.choice(
            (
                self.token(32),
                f"{self.token(8)}-{self.token(4)}-{self.token(4)}-{self.token(4)}-{self.token(12)}",
                f"CA{self.token(40, 'abcdefABCDEF0123456789+_-')}",
                f"2026{rng.randrange(10**10):010}.{rng.randrange(10**6)}",
            )
        )
        return f"<{left}@{rng.choice(DOMAINS)}>"

    def subject(self) -> str:
        rng = self.rng
        return rng.choice(TOPICS).format(
            day=rng.choice(LONG_DAYS), n=rng.randrange(100, 99999), month=rng.choice(MONTHS)
        )

    def words(self, count: int) -> str:
        return " ".join(self.rng.choices(WORDS, k=count))

    def received(self) -> str:
        rng = self.rng
        a, b = rng.choice(DOMAINS), rng.choice(DOMAINS)
        address = f"192.0.2.{rng.randrange(1, 255)}"
        cipher = "using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
        detail = "\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)"
        return rng.choice(
            (
                f"Received: from {a} ({a} [{address}])\r\n\t({cipher}\r\n{detail}\r\n"
                f"\t(No client certificate requested)\r\n\tby {b} (Postfix) with ESMTPS id {self.token(11)}\r\n"
                f"\tfor <{self.person()[1]}>; {self.date()}\r\n",
                f"Received: from {a} ({address}) by {b} (2001:db8::{self.token(4)}) with Microsoft SMTP Server\r\n"
                f" (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.{rng.randrange(9999)}.20;"
                f" {self.date()}\r\n",
                f"Received: by {b} with SMTP id {self.token(20)}\r\n        for <{self.person()[1]}>; {self.date()}\r\n",
                f"Received: from [{address}] (helo={a})\r\n\tby {b} with esmtpsa (TLS1.3) tls TLS_AES_128_GCM_SHA256\r\n"
                f"\t(Exim 4.96)\r\n\t(envelope-from <{self.person()[1]}>)\r\n\tid 1{self.token(5)}-{self.token(6)}-2X\r\n"
                f"\tfor {self.person()[1]};\r\n\t{self.date()}\r\n",
            )
        )

    def trace(self) -> str:
        rng = self.rng
        domain = rng.choice(DOMAINS)
        lines = [self.received() for _ in range(rng.randrange(0, 4))]
        if rng.random() < 0.5:
            lines.append(
                f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=default; t={rng.randrange(10**10)};\r\n"
                f"\th=from:from:reply-to:subject:subject:date:date:message-id:message-id:\r\n"
                f"\t to:to:cc:mime-version:mime-version:content-type:content-type:\r\n"
                f"\t content-transfer-encoding:content-transfer-encoding:in-reply-to:references:list-unsubscribe;\r\n"
                f"\tbh={self.token(43, 'abcXYZ0189+/')}=;\r\n\tb={self.token(60, 'abcXYZ0189+/')}\r\n"
            )
        if rng.random() < 0.5:
            lines.append(
                f"Authentication-Results: {domain};\r\n\tdkim=pass (2048-bit key; unprotected) header.d={domain}"
                f" header.i=@{domain} header.a=rsa-sha256 header.s=default header.b={self.token(8)};\r\n"
                f"\tspf=pass (sender IP is 192.0.2.1) smtp.mailfrom={domain};\r\n"
                f"\tdmarc=pass (policy=none) header.from={domain}; arc=none\r\n"
            )
        if rng.random() < 0.2:
            lines.append(
                "ARC-Seal: i=1; a=rsa-sha256; s=arcselector10001; cv=none;\r\n b=\r\n"
                "ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                "ARC-Authentication-Results: i=1; mx.example.com 1; spf=pass smtp.mailfrom=\r\n"
                "X-Spam-Status: No, score=-1.9 required=5.0 tests=BAYES_00,DKIM_SIGNED,DKIM_VALID,\r\n"
                "\tDKIM_VALID_AU,HTML_MESSAGE,SPF_HELO_NONE,SPF_PASS autolearn=ham version=4.0.0\r\n"
                "X-Spam-Level: \r\nX-Spam-Checker-Version: SpamAssassin 4.0.0\r\nX-Virus-Scanned: amavis\r\n"
                "Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; helo=mail; envelope-from=\r\n"
            )
        return "".join(lines)

    def header(self) -> str:
        rng = self.rng
        (name, address), (other, there) = self.person(), self.person()
        lines = [
            f"From: {rng.choice((name, chr(34) + name + chr(34)))} <{address}>",
            f"To: {other} <{there}>",
            f"Subject: {self.subject()}",
            f"Date: {self.date()}",
            f"Message-ID: {self.ident()}",
            "MIME-Version: 1.0",
        ]
        if rng.random() < 0.4:
            parent = self.ident()
            lines += [f"In-Reply-To: {parent}", f"References: {self.ident()}\r\n {parent}"]
        if rng.random() < 0.4:
            lines.append(rng.choice(MAILERS))
        if rng.random() < 0.2:
            third, where = self.person()
            lines += [f"Cc: {third} <{where}>", f"Reply-To: {address}"]
        if rng.random() < 0.2:
            lines += [
                f"List-Id: <news.{rng.choice(DOMAINS)}>",
                f"List-Unsubscribe: <https://news.{rng.choice(DOMAINS)}/unsubscribe?u={self.token(16)}>,\r\n"
                f" <mailto:unsubscribe@{rng.choice(DOMAINS)}>",
                "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
                f"List-Post: <mailto:list@{rng.choice(DOMAINS)}>",
                "List-Help: <mailto:list-request@example.org?subject=help>",
                "Precedence: bulk",
                "Auto-Submitted: auto-generated",
                "Feedback-ID: campaign",
            ]
        if rng.random() < 0.2:
            lines += [
                f"Thread-Topic: {self.subject()}",
                f"Thread-Index: AQH{self.token(27, 'abcXYZ0189+/')}==",
                "Accept-Language: de-DE, en-US",
                "Content-Language: en-US",
                "X-MS-Has-Attach: ",
                "X-MS-TNEF-Correlator: ",
                "X-Auto-Response-Suppress: All",
                "X-MS-Exchange-Organization-SCL: -1",
                "Importance: high",
                "X-Priority: 1 (Highest)",
            ]
        head, tail = lines[:3], lines[3:]
        rng.shuffle(tail)
        return "\r\n".join(head + tail) + "\r\n"

    def plain(self) -> str:
        rng = self.rng
        lines = [f"Hello {rng.choice(NAMES)},", ""]
        for _ in range(rng.randrange(1, 6)):
            lines += [self.words(rng.randrange(5, 14)) + "." for _ in range(rng.randrange(1, 5))] + [""]
        lines += [
            rng.choice(("Best regards", "Kind regards,", "Mit freundlichen Grüßen", "Viele Grüße", "Cheers"))
        ]
        lines += [
            self.person()[0],
            "",
            "-- ",
            f"{self.person()[0]} | {rng.choice(DOMAINS)} | +49 30 {rng.randrange(10**6)}",
        ]
        if rng.random() < 0.4:
            lines += [
                "",
                f"On {self.date()}, {self.person()[0]} wrote:",
                *(f"> {self.words(9)}" for _ in range(4)),
            ]
        if rng.random() < 0.2:
            lines += [
                "",
                "-----Original Message-----",
                "From: ",
                "Sent: ",
                "To: ",
                "Subject: ",
                "Am schrieb:",
            ]
        return "\r\n".join(lines) + "\r\n"

    def html(self) -> str:
        rng = self.rng
        style = (
            '<style type="text/css">\r\nbody { margin: 0; padding: 0; font-family: Arial, Helvetica, sans-serif;'
            " font-size: 14px; line-height: 1.5; color: #333333; background-color: #ffffff; }\r\n"
            "a { color: #0066cc; text-decoration: none; }\r\ntable { border-collapse: collapse; }\r\n"
            "img { border: 0; display: block; height: auto; outline: none; }\r\n"
            "@media only screen and (max-width: 600px) { .container { width: 100% !important; } }\r\n</style>"
        )
        word = (
            '<style><!--\r\n/* Font Definitions */\r\n@font-face\r\n\t{font-family:"Cambria Math";\r\n\tpanose-1:2 4 5 3 5 4 6 3 2 4;}\r\n'
            "@font-face\r\n\t{font-family:Calibri;\r\n\tpanose-1:2 15 5 2 2 2 4 3 2 4;}\r\n/* Style Definitions */\r\n"
            'p.MsoNormal, li.MsoNormal, div.MsoNormal\r\n\t{margin:0cm;\r\n\tfont-size:11.0pt;\r\n\tfont-family:"Calibri",sans-serif;}\r\n'
            "a:link, span.MsoHyperlink\r\n\t{mso-style-priority:99;\r\n\tcolor:#0563C1;\r\n\ttext-decoration:underline;}\r\n"
            "@page WordSection1\r\n\t{size:612.0pt 792.0pt;\r\n\tmargin:72.0pt 72.0pt 72.0pt 72.0pt;}\r\ndiv.WordSection1\r\n\t{page:WordSection1;}\r\n--></style>"
        )
        paragraph = rng.choice(
            (
                '<p class="MsoNormal"><span lang="EN-US">{}<o:p></o:p></span></p>\r\n',
                '<p style="margin: 0 0 16px 0; font-size: 14px; line-height: 20px;">{}</p>\r\n',
                '<tr><td align="left" valign="top" style="padding: 10px 20px; font-family: Arial, sans-serif;">{}</td></tr>\r\n',
                '<div dir="ltr">{}<br></div>\r\n',
                "<div><div>{}</div><div><br></div></div>\r\n",
            )
        )
        body = "".join(paragraph.format(self.words(rng.randrange(6, 25))) for _ in range(rng.randrange(2, 8)))
        link = (
            f'<a href="https://www.{rng.choice(DOMAINS)}/?utm_source=newsletter&amp;utm_medium=email" target="_blank">'
            f'<img src="https://www.{rng.choice(DOMAINS)}/images/logo.png" alt="" width="600" height="100" border="0"></a>'
        )
        table = (
            '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#f4f4f4">'
            f'<tbody><tr><td align="center">{link}</td></tr></tbody></table>\r\n'
        )
        doctype = rng.choice(
            (
                '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\r\n',
                "<!DOCTYPE html>\r\n",
                "",
            )
        )
        office = (
            '<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
            'xmlns:w="urn:schemas-microsoft-com:office:word" xmlns="http://www.w3.org/TR/REC-html40">'
        )
        opening = rng.choice(("<html>", office, '<html xmlns="http://www.w3.org/1999/xhtml" lang="en">'))
        quote = '<blockquote type="cite" class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">'
        return (
            f'{doctype}{opening}\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1.0">\r\n<title></title>\r\n'
            f"{rng.choice((style, word, ''))}\r\n</head>\r\n<body>\r\n{body}{rng.choice((table, quote + body + '</blockquote>', ''))}"
            "</body>\r\n</html>\r\n"
        )

    def message(self) -> bytes:
        rng = self.rng
        head = self.trace() + self.header()
        quoted = "Content-Transfer-Encoding: quoted-printable\r\n"
        kind = rng.random()
        if kind < 0.35:
            encoding = rng.choice(
                (quoted, "Content-Transfer-Encoding: 8bit\r\n", "Content-Transfer-Encoding: 7bit\r\n")
            )
            text = f"Content-Type: text/plain; charset={rng.choice(('utf-8', 'UTF-8', 'us-ascii', 'iso-8859-1'))}"
            flowed = rng.choice(("; format=flowed\r\n", "\r\n"))
            return (head + text + flowed + encoding + "\r\n" + self.plain()).encode()
        if kind < 0.5:
            body = self.html().replace("=", "=3D") if kind < 0.42 else self.html()
            return (head + 'Content-Type: text/html; charset="utf-8"\r\n' + quoted + "\r\n" + body).encode()
        mark = rng.choice(
            (
                f"----=_Part_{rng.randrange(10**6)}_{rng.randrange(10**9)}.{rng.randrange(10**12)}",
                f"0000000000{self.token(18)}",
                f"------------{self.token(24)}",
                f"_000_{self.token(32)}",
            )
        )
        inner = (
            f'--{mark}\r\nContent-Type: text/plain; charset="UTF-8"\r\n{quoted}\r\n{self.plain()}\r\n'
            f'--{mark}\r\nContent-Type: text/html; charset="UTF-8"\r\n{quoted}\r\n{self.html().replace("=", "=3D")}\r\n--{mark}--\r\n'
        )
        if kind < 0.75:
            return (head + f'Content-Type: multipart/alternative; boundary="{mark}"\r\n\r\n{inner}').encode()
        if kind < 0.85:
            return self._report(head, mark).encode()
        outer = f"=_{self.token(16)}"
        name = rng.choice(
            ("document.pdf", "image001.png", "report.docx", "table.xlsx", "smime.p7s", "invite.ics")
        )
        media = rng.choice(
            (
                "application/pdf",
                "image/png",
                "image/jpeg",
                "application/octet-stream",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            )
        )
        attachment = (
            f'--{outer}\r\nContent-Type: {media}; name="{name}"\r\nContent-Description: {name}\r\n'
            f'Content-Disposition: {rng.choice(("attachment", "inline"))}; filename="{name}"; size=12345;\r\n'
            f'\tcreation-date="{self.date()}"\r\nContent-ID: <image001.png@01D{self.token(5)}.{self.token(8)}>\r\n'
            f"Content-Transfer-Encoding: base64\r\nX-Attachment-Id: f_{self.token(8)}\r\n\r\n\r\n--{outer}--\r\n"
        )
        kinds = rng.choice(
            (
                "mixed",
                'related; type="multipart/alternative"',
                'signed; micalg=sha-256; protocol="application/pkcs7-signature"',
            )
        )
        return (
            head
            + f'Content-Type: multipart/{kinds};\r\n\tboundary="{outer}"\r\n\r\nThis is a multi-part message in MIME format.\r\n'
            f'--{outer}\r\nContent-Type: multipart/alternative; boundary="{mark}"\r\n\r\n{inner}\r\n{attachment}'
        ).encode()

    def _report(self, head: str, mark: str) -> str:
        rng = self.rng
        if rng.random() < 0.5:
            return (
                head
                + 'Content-Type: text/calendar; charset="utf-8"; method=REQUEST\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Satchel//EN\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n"
                "BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\n"
                "BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
                f"BEGIN:VEVENT\r\nUID:{self.token(32)}\r\nDTSTAMP:20261103T100000Z\r\nDTSTART;TZID=Europe/Berlin:20261103T100000\r\nDTEND;TZID=Europe/Berlin:20261103T110000\r\n"
                f"SUMMARY:{self.subject()}\r\nORGANIZER;CN={self.person()[0]}:mailto:{self.person()[1]}\r\n"
                f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN={self.person()[0]}:mailto:{self.person()[1]}\r\n"
                "LOCATION:\r\nDESCRIPTION:\r\nSEQUENCE:0\r\nSTATUS:CONFIRMED\r\nTRANSP:OPAQUE\r\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            )
        return (
            head
            + f'Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="{mark}"\r\n\r\n--{mark}\r\n'
            f"Content-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThis is the mail system at host {rng.choice(DOMAINS)}.\r\n\r\n"
            f"I'm sorry to have to inform you that your message could not be delivered.\r\n\r\n--{mark}\r\nContent-Description: Delivery report\r\n"
            f"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {rng.choice(DOMAINS)}\r\nArrival-Date: {self.date()}\r\n\r\n"
            f"Final-Recipient: rfc822; {self.person()[1]}\r\nOriginal-Recipient: rfc822;{self.person()[1]}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            f"Remote-MTA: dns; {rng.choice(DOMAINS)}\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--{mark}\r\nContent-Type: text/rfc822-headers\r\n\r\n{self.header()}\r\n--{mark}--\r\n"
        )


def main() -> None:
    """Trains the dictionary and writes it."""
    maker = Maker(random.Random(SEED))
    samples: list[bytes] = []
    for _ in range(SAMPLES):
        data = maker.message()
        scan = mime.scan(data)
        samples += [data, scan.pack() + mime.envelope(scan) + mime.bodystructure(scan)]
    made = zstandard.train_dictionary(SIZE, samples, level=3, dict_id=0x5A7C0001 & 0x7FFFFFFF)
    TARGET.write_bytes(made.as_bytes())
    sys.stdout.write(f"{TARGET}: {len(made.as_bytes())} bytes from {len(samples)} samples\n")


if __name__ == "__main__":
    main()
