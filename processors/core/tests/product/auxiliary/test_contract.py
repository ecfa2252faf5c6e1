"""The contract of all readers, kept by those of auxiliary data."""

import pytest
from swath.testing import ReaderContract


class TestGipp(ReaderContract):
    metadata = ("*.HDR", "*.DBL")

    @pytest.fixture
    def product(self, samples):
        return next(samples.glob("s2/gipp_aux/*GIP_DATATI*"))


class TestEarthOrientation(ReaderContract):
    metadata = ("*.HDR", "*.DBL")

    @pytest.fixture
    def product(self, samples):
        return next(samples.glob("s2/gipp_aux/*UT1UTC*"))

    def test_a_truncated_file_is_refused(self, copy):
        """Each file that ends early is found out, but for its last part, which is not read."""
        for file in self._files(copy):
            whole = file.read_bytes()
            for length in (0, 1, len(whole) // 4, len(whole) // 2):
                file.write_bytes(whole[:length])
                self._refused(copy)
            file.write_bytes(whole)
