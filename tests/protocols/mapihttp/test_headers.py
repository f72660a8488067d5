"""What headers mean, without a server."""

import pytest

from appliance.protocols.mapihttp.headers import client_version, cookies, media_type


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Outlook/15.00.4420.1017", (15, 0, 4420)),
        ("Outlook/16.0.10827.20181", (16, 0, 10827)),
        ("MapiHttpClient/15.1.2507", (15, 1, 2507)),
        (" Outlook/16.0.4266.1001 ", (16, 0, 4266)),
        ("", (15, 0, 0)),
        ("Outlook", (15, 0, 0)),
        ("Outlook/16", (15, 0, 0)),
        ("Outlook/9999999999.0.0.0", (15, 0, 0)),
        ("Outlook/16.0.x.1", (15, 0, 0)),
    ],
)
def test_client_versions(text: str, version: tuple[int, int, int]) -> None:
    assert client_version(text) == version


def test_cookies() -> None:
    assert cookies([]) == {}
    assert cookies(["a=1; b=2"]) == {"a": "1", "b": "2"}
    assert cookies(["a=1;b=2 ;c= 3", "a=4"]) == {"a": "4", "b": "2", "c": "3"}
    assert cookies(["MapiSequence=2-x=="]) == {"MapiSequence": "2-x=="}
    assert cookies(["; ;x;=;"]) == {"": ""}


def test_media_types() -> None:
    assert media_type("Application/MAPI-http; charset=x") == "application/mapi-http"
    assert media_type("") == ""
