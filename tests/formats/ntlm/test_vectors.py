"""Published values: RFC 1320 A.5, RFC 6229, MS-NLMP 4.2."""

import pytest

from appliance.formats.ntlm import crypto, messages, session
from appliance.formats.ntlm.messages import Authenticate, Challenge, Flag, Negotiate, pack, unpack
from appliance.wire.errors import DecodeError

MD4 = {
    "": "31d6cfe0d16ae931b73c59d7e0c089c0",
    "a": "bde52cb31de33e46245e05fbdbd6fb24",
    "abc": "a448017aaf21d8525fc10ae87aa6729d",
    "message digest": "d9130a8164549fe818874806e1c7014b",
    "abcdefghijklmnopqrstuvwxyz": "d79e1c308aa5bbcdeea8ed63df412da9",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789": "043f8582f241db351ce627e153e7f0e4",
    "1234567890" * 8: "e33b4ddc9c38f2199c3e7b164fcc0536",
}
NT = bytes.fromhex("a4f49c406510bdcab6824ee7c30fd852")
SERVER_CHALLENGE = bytes.fromhex("0123456789abcdef")
NONCE = b"\xaa" * 8
RANDOM_KEY = b"\x55" * 16
PAIRS = messages.pack_pairs({2: "Domain".encode("utf-16-le"), 1: "Server".encode("utf-16-le")})
RESPONSE_KEY = bytes.fromhex("0c868a403bfd7a93a3001ef22ef02e3f")
BASE_KEY = bytes.fromhex("8de40ccadbc14a82f15cb0ad0de95ca3")
TEMP = crypto.client_challenge(0, NONCE, PAIRS)
FLAGS = Flag(0xE28A8233)
CHALLENGE = bytes.fromhex(
    "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000002400240044000000"
    "060070170000000f53006500720076006500720002000c0044006f006d00610069006e0001000c005300650072007600"
    "6500720000000000"
)
AUTHENTICATE = bytes.fromhex(
    "4e544c4d53535000030000001800180"
    "06c00000054005400840000000c000c00480000000800080054000000100010005c00000010001000d8000000358288e2"
    "0501280a0000000f44006f006d00610069006e00550073006500720043004f004d005000550054004500520086c35097"
    "ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa68cd0ab851e51c96aabc927bebef6a1c010100000000000000000000"
    "00000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e0001000c005300650072007600650072"
    "000000000000000000c5dad2544fc9799094ce1ce90bc9d03e"
)


@pytest.mark.parametrize(("text", "digest"), MD4.items())
def test_md4(text: str, digest: str) -> None:
    assert crypto.md4(text.encode()).hex() == digest


def test_rc4() -> None:
    stream = crypto.Rc4(bytes.fromhex("0102030405"))
    assert stream.apply(bytes(8)).hex() == "b2396305f03dc027"
    assert stream.apply(bytes(8)).hex() == "ccc3524a0a1118a8"


def test_keys_and_responses() -> None:
    assert crypto.nt_hash("Password") == NT
    assert crypto.response_key(NT, "User", "Domain") == RESPONSE_KEY
    proof = crypto.nt_proof(RESPONSE_KEY, SERVER_CHALLENGE, TEMP)
    assert proof.hex() == "68cd0ab851e51c96aabc927bebef6a1c"
    assert crypto.hmac_md5(RESPONSE_KEY, proof) == BASE_KEY
    lm = crypto.lmv2_response(RESPONSE_KEY, SERVER_CHALLENGE, NONCE)
    assert lm.hex() == "86c35097ac9cec102554764a57cccc19" + NONCE.hex()
    assert crypto.Rc4(BASE_KEY).apply(RANDOM_KEY).hex() == "c5dad2544fc9799094ce1ce90bc9d03e"


def test_sealing() -> None:
    sealing = session.seal_key(FLAGS, RANDOM_KEY, "client-to-server")
    assert sealing.hex() == "59f600973cc4960a25480a7c196e4c58"
    assert session.sign_key(RANDOM_KEY, "client-to-server").hex() == "4788dc861b4782f35d43fd98fe1a2d39"
    plain = "Plaintext".encode("utf-16-le")
    client, server = (session.Session(FLAGS, RANDOM_KEY, server=side) for side in (False, True))
    sealed, signature = client.seal(plain)
    assert sealed.hex() == "54e50165bf1936dc996020c1811b0f06fb5f"
    assert signature.hex() == "010000007fb38ec5c55d497600000000"
    assert server.unseal(sealed, signature) == plain


def test_messages() -> None:
    challenge = unpack(CHALLENGE)
    assert challenge == Challenge(
        FLAGS,
        SERVER_CHALLENGE,
        "Server".encode("utf-16-le"),
        PAIRS,
        version=bytes.fromhex("060070170000000f"),
    )
    assert pack(challenge) == CHALLENGE
    answer = unpack(AUTHENTICATE)
    assert isinstance(answer, Authenticate)
    assert answer.nt_response == crypto.nt_proof(RESPONSE_KEY, SERVER_CHALLENGE, TEMP) + TEMP
    assert (answer.user, answer.domain) == ("User".encode("utf-16-le"), "Domain".encode("utf-16-le"))
    assert (answer.workstation, answer.mic) == ("COMPUTER".encode("utf-16-le"), None)
    assert pack(answer) == AUTHENTICATE


def test_every_truncation_is_refused_or_read() -> None:
    for whole in (CHALLENGE, AUTHENTICATE, pack(Negotiate(FLAGS, b"DOMAIN", b"HOST"))):
        for size in range(len(whole)):
            try:
                unpack(whole[:size])
            except DecodeError:
                continue
            assert size >= 16


def test_old_heads_without_version() -> None:
    assert unpack(b"NTLMSSP\0\x01\0\0\0\x07\x82\0\0") == Negotiate(0x8207)
    with pytest.raises(DecodeError):
        unpack(b"NTLMSSP\0\x07\0\0\0\x07\x82\0\0")
    with pytest.raises(DecodeError):
        unpack(b"NTLMSSX\0\x01\0\0\0\x07\x82\0\0")


@pytest.mark.parametrize("data", [b"", b"\x01\0", b"\x01\0\x04\0ab", b"\x01\0\0\0\x01\0\0\0" + bytes(4)])
def test_bad_pairs(data: bytes) -> None:
    with pytest.raises(DecodeError):
        messages.unpack_pairs(data)


def test_channel_bindings_of_a_certificate() -> None:
    token = crypto.server_end_point(b"certificate", "sha1")
    assert token == crypto.server_end_point(b"certificate", "sha256")
    assert len(crypto.server_end_point(b"certificate", "sha384")) == len(b"tls-server-end-point:") + 48


def test_version_1_responses() -> None:
    """MS-NLMP 4.2.2.2.1 and 4.2.3.2.2."""
    nt, server = crypto.nt_hash("Password"), bytes.fromhex("0123456789abcdef")
    plain = "67c43011f30298a2ad35ece64f16331c44bdbed927841f94"
    assert crypto.v1_response(nt, server).hex() == plain
    extended = crypto.md5(server + b"\xaa" * 8)[:8]
    assert crypto.v1_response(nt, extended).hex() == "7537f803ae367128ca458204bde7caf81e97ed2683267232"
