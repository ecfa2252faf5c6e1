"""The practice product, opened, and products made on the spot."""

import numpy as np
import pytest
import swath_practice


@pytest.fixture
def product(practice_product):
    return swath_practice.read(practice_product)


@pytest.fixture
def product_of(tmp_path):
    """Return a function that writes and opens a product with other chunks or variables."""
    made = []

    def make(groups):
        made.append(None)
        return swath_practice.read(swath_practice.write(tmp_path / f"product{len(made)}", groups))

    return make


@pytest.fixture
def random():
    return np.random.default_rng(7)
