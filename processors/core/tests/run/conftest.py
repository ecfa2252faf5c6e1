"""Payloads on the practice product."""

import pytest
from swath.run import Payload, make_payload


@pytest.fixture
def destination(tmp_path):
    """Return a destination in a folder of its own, so that whatever is left beside it is seen."""
    (tmp_path / "results").mkdir()
    return tmp_path / "results" / "out"


@pytest.fixture
def payload(practice_product, destination):
    """Return a function that makes a payload of the practice processor."""

    def make(**fields) -> Payload:
        content = {
            "processor": "practice",
            "inputs": {"product": str(practice_product)},
            "destination": str(destination),
            "workers": 2,
        }
        return make_payload({**content, **fields})

    return make
