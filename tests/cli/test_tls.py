"""`appliance tls`: judged by openssl."""

import shutil
import subprocess

import pytest

from tests.cli.conftest import Cli


def test_renew_and_export(cli: Cli) -> None:
    before = cli.json("tls", "show")
    cli.ok("tls", "renew", "--name", "imap.example.test")
    after = cli.json("tls", "show")
    assert after["sha256"] != before["sha256"]
    assert "imap.example.test" in after["names"]
    cli.ok("tls", "export-ca", str(cli.data.parent / "ca.pem"))
    assert (cli.data.parent / "ca.pem").read_bytes() == (cli.data / "tls" / "ca.pem").read_bytes()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_agrees_with_the_chain_and_imports(cli: Cli) -> None:
    tls = cli.data / "tls"
    verify = ["openssl", "verify", "-CAfile", "ca.pem", "-purpose", "sslserver", "-x509_strict"]
    for host in ("mail.example.test", "localhost"):
        done = subprocess.run(
            [*verify, "-verify_hostname", host, "cert.pem"], cwd=tls, capture_output=True, text=True
        )
        assert done.stdout == "cert.pem: OK\n", done.stderr
    elsewhere = cli.data.parent
    request = "openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=other.test"
    options = ["-addext", "subjectAltName=DNS:other.test", "-sha384"]
    subprocess.run([*request.split(), *options], cwd=elsewhere, check=True, capture_output=True)
    cli.ok("tls", "import", str(elsewhere / "c.pem"), str(elsewhere / "k.pem"))
    assert cli.json("tls", "show")["names"] == ["other.test"]
    wrong = cli.refused("tls", "import", str(elsewhere / "c.pem"), str(tls / "ca-key.pem"))
    assert "does not belong" in wrong
    assert "not a PEM certificate" in cli.refused(
        "tls", "import", str(elsewhere / "k.pem"), str(elsewhere / "k.pem")
    )
