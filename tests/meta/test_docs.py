"""Generated pages are as the tables say."""

from pathlib import Path

from appliance.config import reference

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_settings_page_is_generated_from_the_table() -> None:
    assert (DOCS / "settings.md").read_text().rstrip() == reference().rstrip(), "run `make docs`"
