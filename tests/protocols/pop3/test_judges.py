"""Programs that others wrote: fetchmail and openssl."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.net.tls import CA_FILE
from appliance.protocols.pop3 import replies
from tests.protocols.pop3.conftest import Office, Running

BERT = "bert@example.test"
SECRET = "plain-words"
Serve = Callable[..., Running]


@pytest.mark.skipif(shutil.which("fetchmail") is None, reason="needs fetchmail")
@pytest.mark.parametrize("ssl_options", ['sslproto ""', "sslproto tls1.2+"])
def test_fetchmail_takes_mail_once_and_leaves_it(
    office: Office, serve: Serve, tls_directory: Path, tmp_path: Path, ssl_options: str
) -> None:
    office.add_user(BERT, SECRET)
    for number in range(3):
        office.deliver(BERT, b"From: a@example.test\r\nSubject: mail %d\r\n\r\n.dot\r\n" % number)
    running = serve(plain_on_loopback='""' in ssl_options)
    taken = tmp_path / "taken"
    rc = tmp_path / "rc"
    rc.write_text(
        f"poll localhost protocol pop3 port {running.port} uidl\n"
        f'user "{BERT}" password "{SECRET}" mda "cat >> {taken}" keep {ssl_options}\n'
        f'sslcertfile "{tls_directory / CA_FILE}"\n'
    )
    rc.chmod(0o600)
    command = ["fetchmail", "-f", str(rc), "--nodetach", "--nosyslog", "-i", str(tmp_path / "ids")]
    command += ["--pidfile", str(tmp_path / "pid")]
    environment = {**os.environ, "HOME": str(tmp_path), "FETCHMAILHOME": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: nothing new
        text = taken.read_text()
        assert [f"Subject: mail {number}" in text for number in range(3)] == [True] * 3
        assert text.count("\n.dot\n") == 3


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_verifies_the_chain_after_stls(office: Office, serve: Serve, tls_directory: Path) -> None:
    running = serve(plain_on_loopback=False)
    command = ["openssl", "s_client", "-quiet", "-starttls", "pop3", "-connect", f"localhost:{running.port}"]
    command += [
        "-CAfile",
        str(tls_directory / CA_FILE),
        "-verify_return_error",
        "-verify_hostname",
        "localhost",
    ]
    done = subprocess.run(command, input=b"QUIT\r\n", capture_output=True, timeout=30)
    assert done.stdout.endswith(replies.BYE), done.stderr
