"""Where an image lies, and the JP2 boxes that say so.

GeoJP2 is a UUID box that holds a GeoTIFF of one pixel; GMLJP2 (OGC 05-047r3) is an association box that holds
a rectified grid in GML. Sentinel-2's images carry both.
"""

import struct
from dataclasses import dataclass
from uuid import UUID

from rasterio.crs import CRS
from rasterio.io import MemoryFile
from rasterio.transform import Affine

_GEOJP2 = UUID("b14bf8bd-083d-4b43-a5ae-8cd7d5a6ce03").bytes


@dataclass(frozen=True, slots=True)
class Georeference:
    """Where a grid lies."""

    epsg: int
    """EPSG code of its coordinate reference system."""
    east: int
    """Easting of the outer corner of the upper left pixel, in metres."""
    north: int
    """Northing of that corner, in metres."""
    spacing: int
    """Length of a pixel's side, in metres."""

    @property
    def transform(self) -> Affine:
        """From column and row to easting and northing."""
        return Affine(self.spacing, 0, self.east, 0, -self.spacing, self.north)


def jp2_boxes(*, side: int, components: int, bits: int, place: Georeference) -> bytes:
    """Write all boxes that stand before the codestream of a square image.

    Parameters
    ----------
    side
        Rows and columns.
    components
        Number of components, shown as greys.
    bits
        Bits of a sample.
    place
        Where the image lies.
    """
    image = _box(b"ihdr", struct.pack(">IIHBBBB", side, side, components, bits - 1, 7, 0, 0))
    colour = _box(b"colr", struct.pack(">BBBI", 1, 0, 0, 17))
    parts = [
        _box(b"jP  ", b"\r\n\x87\n"),
        _box(b"ftyp", b"jp2 \0\0\0\0jp2 jpx "),
        # Reader requirements: GML (standard feature 67) may be understood, nothing must be.
        _box(b"rreq", struct.pack(">BBBHHBHBH", 1, 0xC0, 0x80, 2, 5, 0x80, 67, 0x40, 0)),
        _box(b"jp2h", image + colour),
        _box(b"uuid", _GEOJP2 + _one_pixel_tiff(place)),
        _labelled(b"gml.data", _labelled(b"gml.root-instance", _box(b"xml ", _grid(side, place).encode()))),
    ]
    return b"".join(parts)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def _labelled(label: bytes, content: bytes) -> bytes:
    return _box(b"asoc", _box(b"lbl ", label) + content)


def _one_pixel_tiff(place: Georeference) -> bytes:
    profile = {"driver": "GTiff", "width": 1, "height": 1, "count": 1, "dtype": "uint8"}
    with MemoryFile() as memory:
        with memory.open(crs=CRS.from_epsg(place.epsg), transform=place.transform, **profile):
            pass
        return bytes(memory.read())


def _grid(side: int, place: Georeference) -> str:
    """Describe the grid in GML; its origin is the centre of the upper left pixel."""
    name = f"urn:ogc:def:crs:EPSG::{place.epsg}"
    east, north, step = place.east, place.north, place.spacing
    return f"""<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml">
  <gml:boundedBy>
    <gml:Envelope srsName="{name}">
      <gml:lowerCorner>{east} {north - side * step}</gml:lowerCorner>
      <gml:upperCorner>{east + side * step} {north}</gml:upperCorner>
    </gml:Envelope>
  </gml:boundedBy>
  <gml:featureMember>
    <gml:FeatureCollection>
      <gml:featureMember>
        <gml:RectifiedGridCoverage dimension="2" gml:id="RGC0001">
          <gml:rectifiedGridDomain>
            <gml:RectifiedGrid dimension="2">
              <gml:limits>
                <gml:GridEnvelope>
                  <gml:low>0 0</gml:low>
                  <gml:high>{side - 1} {side - 1}</gml:high>
                </gml:GridEnvelope>
              </gml:limits>
              <gml:axisName>x</gml:axisName>
              <gml:axisName>y</gml:axisName>
              <gml:origin>
                <gml:Point gml:id="P0001" srsName="{name}">
                  <gml:pos>{east + step / 2} {north - step / 2}</gml:pos>
                </gml:Point>
              </gml:origin>
              <gml:offsetVector srsName="{name}">{step} 0</gml:offsetVector>
              <gml:offsetVector srsName="{name}">0 {-step}</gml:offsetVector>
            </gml:RectifiedGrid>
          </gml:rectifiedGridDomain>
          <gml:rangeSet>
            <gml:File>
              <gml:rangeParameters/>
              <gml:fileName>gmljp2://codestream/0</gml:fileName>
              <gml:fileStructure>Record Interleaved</gml:fileStructure>
            </gml:File>
          </gml:rangeSet>
        </gml:RectifiedGridCoverage>
      </gml:featureMember>
    </gml:FeatureCollection>
  </gml:featureMember>
</gml:FeatureCollection>
"""
