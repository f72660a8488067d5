"""The table of settings and its sources."""

from pathlib import Path

import pytest

from appliance import config
from appliance.config import SettingError, Settings, find, load, parse_size, show_size


def write(directory: Path, text: str) -> Path:
    (directory / config.FILE_NAME).write_text(text)
    return directory


def test_sources_override_each_other(tmp_path: Path) -> None:
    assert load(tmp_path, {}, {}) == Settings()
    stored = {"pop3.idle": "20m", "serve.port_offset": "1", "auth.ntlm": "off"}
    assert load(tmp_path, stored, {}).pop3.idle == 1200
    write(tmp_path, '[serve]\nport_offset = 2\nbind = ["127.0.0.1", "::1"]\n[pop3]\nidle = "30m"\n')
    settings = load(tmp_path, stored, {"serve.port_offset": 3})
    assert settings.serve.port_offset == 3
    assert settings.serve.bind == ("127.0.0.1", "::1")
    assert settings.pop3.idle == 1800
    assert settings.auth.ntlm is False


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            "[serve]\n\nport_ofset = 2\n",
            3,
            "there is no setting 'serve.port_ofset': allowed is one of serve.bind",
        ),
        ("[pop3]\nidle = 'soon'\n", 2, "allowed is a time (30s, 10m, 2h, 7d) from 1m to 1h"),
        ("[log]\nlevel='info'\n[pop3]\n# no\nidle = 59\n", 5, "from 1m to 1h"),
        ("log.level = 'loud'\n", 1, "one of debug, info, warning, error"),
        ("[serve]\nroles = ['mta', 'cook']\n", 2, "any of mta, access"),
        ("[auth]\nntlm = 1\n", 2, "on or off"),
        ("[serve]\nport_offset = true\n", 2, "a number from 0 to 58000"),
        ("loose = 1\n", 1, "there is no setting 'loose'"),
        ("\n[attic]\nx = 1\n", 3, "there is no setting 'attic.x'"),
        ("[serve.bind]\nx = 1\n", 1, "a list with commas"),
    ],
)
def test_the_file_is_refused_with_the_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(SettingError) as error:
        load(write(tmp_path, text), {}, {})
    assert f"line {line}: " in str(error.value)
    assert says in str(error.value)


def test_broken_toml_and_broken_store(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="line 2"):
        load(write(tmp_path, "[serve]\nbind = ]\n"), {}, {})
    with pytest.raises(SettingError, match=r"in the store: there is no setting 'old\.one'"):
        load(tmp_path / "none", {"old.one": "1"}, {})


def test_every_default_is_allowed_and_survives_its_text() -> None:
    for row in config.TABLE.values():
        assert row.parse(row.show(row.default)) == row.default, row.name
        assert row.about.endswith(".")
        assert Settings().value(row.name) == row.default
        assert f"`{row.name}`" in config.reference()


@pytest.mark.parametrize(
    ("text", "value"), [("500K", 512000), ("1M", 1 << 20), ("2g", 2 << 30), ("17", 17), ("3MB", 3 << 20)]
)
def test_sizes(text: str, value: int) -> None:
    assert parse_size(text) == value
    assert parse_size(show_size(value)) == value


@pytest.mark.parametrize("text", ["", "K", "-1", "1.5M", "1 M", "١", "1P", "9" * 16])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError):
        parse_size(text)


def test_texts_are_one_line() -> None:
    with pytest.raises(SettingError):
        find("serve.bind").parse("a\nb")
