"""What is to be simulated: the parameters of a scene, checked, and the grids that follow from them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from swath.errors import InputError

from swath_sentinel2.simulator._bands import RESOLUTIONS
from swath_sentinel2.simulator._tiling import tile_corner

FULL_SIZE = 10980
"""Pixels of 10 m along each side of a real tile."""

BASELINE = "05.11"
"""Processing baseline whose format is followed."""

SENSING = datetime(2024, 6, 20, 10, 10, 31, tzinfo=UTC)
"""Start of the datatake unless another is asked for."""

REAL_CODEC_TILES = (1024, 640, 192)
"""Rows and columns of a JPEG 2000 tile of real products at 10, 20 and 60 m."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_LARGEST_SEED = 86_400 * 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The parameters of a simulated scene; two equal scenes are the same, pixel for pixel.

    Raises
    ------
    InputError
        If a parameter is out of its range.
    """

    level: str = "L1C"
    """``L1C``, what the instrument sees, or ``L2A``, what the ground reflects."""
    size: int = FULL_SIZE
    """Pixels of 10 m along each side: a multiple of 6, from 96 to 10980."""
    seed: int = 1
    """Chooses the landscape, the clouds and the noise: from 0 to 31535999."""
    cloud_cover: float = 0.2
    """Share of the square that opaque clouds cover, from 0 to 0.95."""
    cirrus_cover: float = 0.05
    """Share of the square over which there is cirrus, under or beside the opaque clouds, from 0 to 0.95."""
    empty_cover: float = 0.08
    """Share of the square outside the swath, which has no data, from 0 to 0.9."""
    tile: str = "T32TQM"
    """Name of the tile in the military grid; a scene smaller than a tile begins in its upper left corner."""
    sensing: datetime = SENSING
    """Start of the datatake, UTC."""
    codec_tiles: tuple[int, int, int] = REAL_CODEC_TILES
    """Rows and columns of a JPEG 2000 tile at 10, 20 and 60 m: multiples of 64, from 64 to 4096."""

    def __post_init__(self) -> None:
        _check(self.level in ("L1C", "L2A"), "level", self.level, "L1C or L2A")
        _check(
            self.size % 6 == 0 and 96 <= self.size <= FULL_SIZE,
            "size",
            self.size,
            "a multiple of 6, 96 to 10980",
        )
        _check(0 <= self.seed < _LARGEST_SEED, "seed", self.seed, f"0 to {_LARGEST_SEED - 1}")
        _check(0 <= self.cloud_cover <= 0.95, "cloud cover", self.cloud_cover, "a share, 0 to 0.95")
        _check(0 <= self.cirrus_cover <= 0.95, "cirrus cover", self.cirrus_cover, "a share, 0 to 0.95")
        _check(0 <= self.empty_cover <= 0.9, "empty cover", self.empty_cover, "a share, 0 to 0.9")
        _check(
            self.sensing.tzinfo is not None, "sensing time", self.sensing, "a time with its zone, best UTC"
        )
        fits = len(self.codec_tiles) == len(RESOLUTIONS) and all(
            64 <= tile <= 4096 and tile % 64 == 0 for tile in self.codec_tiles
        )
        _check(fits, "codec tiles", self.codec_tiles, "three multiples of 64, from 64 to 4096")
        tile_corner(self.tile)

    @property
    def epsg(self) -> int:
        """EPSG code of the UTM zone."""
        return tile_corner(self.tile)[0]

    @property
    def corner(self) -> tuple[int, int]:
        """Easting and northing of the outer corner of the upper left pixel, in metres."""
        return tile_corner(self.tile)[1:]

    @property
    def extent(self) -> int:
        """Length of a side, in metres."""
        return self.size * 10

    def pixels(self, resolution: int) -> int:
        """Count the pixels along a side of the grid of that resolution (10, 20 or 60 m)."""
        return self.extent // resolution

    def codec_tile(self, resolution: int) -> int:
        """Rows and columns of a JPEG 2000 tile of images of that resolution (10, 20 or 60 m)."""
        return self.codec_tiles[RESOLUTIONS.index(resolution)]

    @property
    def generated(self) -> datetime:
        """Pretended time of generation, in 2000, before Sentinel-2 flew: the mark of a simulated product."""
        return _EPOCH + timedelta(seconds=self.seed)

    @property
    def granule_sensing(self) -> datetime:
        """Time at which the scene's middle is seen, UTC."""
        return self.sensing.astimezone(UTC) + timedelta(seconds=372)


def _check(holds: bool, name: str, got: object, expected: str) -> None:
    if not holds:
        message = f"A scene with {name} {got} cannot be simulated: expected {expected}."
        raise InputError(message)
