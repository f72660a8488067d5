"""The C scanner under AddressSanitizer and UndefinedBehaviorSanitizer over mutated messages."""

from pathlib import Path

import pytest

from tests.formats.mime.corpus import AWKWARD, real_files
from tests.sanitized import fuzz_driver

SOURCES = ["mime/fuzz.c", "mime/scan.c", "mime/fields.c", "mime/parts.c", "mime/glimpse.c", "mime/block.c"]
ROUNDS = 40
MAX_SEED = 30_000


@pytest.mark.slow
def test_fuzz_under_sanitizers(tmp_path: Path) -> None:
    mails = [*AWKWARD.values(), *(path.read_bytes() for path in real_files())]
    seeds = [bytes((n & 0xFF,)) + data for n, data in enumerate(mails) if len(data) <= MAX_SEED]
    fuzz_driver(tmp_path, SOURCES, seeds, ROUNDS)
