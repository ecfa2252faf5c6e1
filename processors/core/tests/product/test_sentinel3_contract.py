"""The contract of all readers, kept by that of Sentinel-3."""

import pytest
import swath
from swath.testing import ReaderContract


class PartialProducts(ReaderContract):
    """SEN3 products may lack files (a partial download): what is missing is told, not refused."""

    def test_a_missing_file_is_refused(self, copy):
        """Without its manifest there is no product; without another file the product says so."""
        for file in self._files(copy):
            kept = file.rename(copy.parent / "kept")
            if file.name == "xfdumanifest.xml":
                self._refused(copy)
            else:
                missing = swath.open_product(copy).attrs["other_metadata"]["missing_files"]
                assert file.name in missing
            kept.rename(file)


class TestOlci(PartialProducts):
    metadata = ("xfdumanifest.xml",)
    measurements = ("Oa0[17]_radiance.nc", "qualityFlags.nc")

    @pytest.fixture
    def product(self, small_efr):
        return small_efr


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
class TestSlstr(PartialProducts):
    metadata = ("xfdumanifest.xml",)
    measurements = ("S8_BT_io.nc", "geodetic_tx.nc")

    @pytest.fixture
    def product(self, small_rbt):
        return small_rbt
