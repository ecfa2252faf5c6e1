"""The reference page is what the code says."""

from pathlib import Path

from swath_sde.identity._reference import reference_page

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "identity.md"


def test_the_reference_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == reference_page(), (
        "run: .venv/bin/python -m swath_sde.identity > docs/reference/identity.md"
    )
