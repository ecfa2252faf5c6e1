"""What stands around the images: the datastrip's metadata, the manifest, and notes that say what this is.

Source: S2-PDGS-TAS-DI-PSD, level-1C datastrip metadata and SAFE manifest.
"""

import hashlib
from pathlib import Path

from lxml import etree

from swath_sentinel2.simulator import _names as names
from swath_sentinel2.simulator._elements import document, element, moment, root, section
from swath_sentinel2.simulator._product_metadata import datatake, outline
from swath_sentinel2.simulator._scene import BASELINE, Scene

_SAFE = "http://www.esa.int/safe/sentinel/1.1"
_XFDU = "urn:ccsds:schema:xfdu:1"
_GML = "http://www.opengis.net/gml"
_MIME = {".xml": "application/xml", ".jp2": "application/octet-stream", ".txt": "text/plain"}


def datastrip_metadata(scene: Scene) -> bytes:
    """Write ``MTD_DS.xml``: what is known of a datastrip that was never downlinked."""
    level = scene.level[1:]
    schema = f"S2_PDI_Level-{level}_Datastrip_Metadata.xsd"
    return document(
        root(
            f"Level-{level}_DataStrip_ID",
            schema,
            section(
                "General_Info",
                schema,
                datatake(scene, "Datatake_Info", metadataLevel="Brief"),
                element(
                    "Datastrip_Time_Info",
                    element("DATASTRIP_SENSING_START", moment(scene.granule_sensing)),
                    element("DATASTRIP_SENSING_STOP", moment(scene.granule_sensing)),
                    metadataLevel="Brief",
                ),
                element(
                    "Processing_Info",
                    element("PROCESSING_BASELINE", BASELINE),
                    element("PROCESSING_CENTER", names.CENTRE),
                    element("UTC_DATE_TIME", moment(scene.generated)),
                    metadataLevel="Expertise",
                ),
                element(
                    "Archiving_Info",
                    element("ARCHIVING_CENTRE", names.CENTRE),
                    element("ARCHIVING_TIME", moment(scene.generated)),
                    metadataLevel="Expertise",
                ),
            ),
            section(
                "Image_Data_Info",
                schema,
                element(
                    "Tiles_Information",
                    element("Tile_List", element("Tile", tileId=names.granule_identifier(scene))),
                    metadataLevel="Standard",
                ),
            ),
        )
    )


def notes(scene: Scene) -> dict[str, bytes]:
    """Write the notes for people, by file name."""
    readme = f"""{names.product_name(scene)}

THIS IS NOT A SENTINEL-2 ACQUISITION. Swath's scene simulator made it: landscape, clouds and measurements are
invented, and only the format, the position of the tile and the sun's angles are real.

How to tell it from a genuine product: the processing and archiving centre is {names.CENTRE}, and the time of
generation, which ends the product's name, lies in the year 2000 (2000-01-01T00:00:00 plus the seed in
seconds), before Sentinel-2 flew.

Masks of quality and viewing geometry are as simple as the documentation of the simulator says. Meteorological
auxiliary data (AUX_ECMWFT, AUX_CAMSFO), the HTML pages, INSPIRE.xml and quality reports are left out.
"""
    origin = f"""origin: simulated
simulator: swath_sentinel2.simulator
level: {scene.level}
size: {scene.size}
seed: {scene.seed}
cloud_cover: {scene.cloud_cover}
cirrus_cover: {scene.cirrus_cover}
empty_cover: {scene.empty_cover}
tile: {scene.tile}
sensing: {scene.sensing.isoformat()}
codec_tiles: {list(scene.codec_tiles)}
"""
    return {"README.txt": readme.encode(), "ORIGIN.txt": origin.encode()}


def manifest(scene: Scene, product: Path) -> bytes:
    """Write ``manifest.safe`` over all files that are in the product's folder, with their checksums."""
    files = sorted(path for path in product.rglob("*") if path.is_file())
    made = etree.Element(
        f"{{{_XFDU}}}XFDU",
        {"version": f"esa/safe/sentinel/1.1/sentinel-2/msi/archive_{scene.level.lower()}_user_product"},
        nsmap={"xfdu": _XFDU, "safe": _SAFE, "gml": _GML},
    )
    units, objects = [], []
    for number, path in enumerate(files):
        name, identifier = path.relative_to(product).as_posix(), f"File_{number:03}"
        pointer = element("dataObjectPointer", dataObjectID=identifier)
        units.append(_inside(_XFDU, "contentUnit", pointer, ID=f"{identifier}_Unit", unitType="Data Unit"))
        objects.append(element("dataObject", _stream(path, name), ID=identifier))
    everything = _inside(
        _XFDU,
        "contentUnit",
        *units,
        unitType=f"Product_Level-{scene.level[1:]}",
        textInfo=f"SIMULATED level-{scene.level[1:]} user product in the format of SENTINEL-2 MSI, by Swath",
        pdiID="processing",
        dmdID="acquisitionPeriod platform measurementFrameSet",
    )
    made.append(element("informationPackageMap", everything))
    made.append(element("metadataSection", *_metadata(scene)))
    made.append(element("dataObjectSection", *objects))
    return document(made)


def _stream(path: Path, name: str) -> etree._Element:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha3_256").hexdigest()
    return element(
        "byteStream",
        element("fileLocation", locatorType="URL", href=f"./{name}"),
        element("checksum", digest, checksumName="SHA3-256"),
        mimeType=_MIME.get(path.suffix, "application/octet-stream"),
        size=path.stat().st_size,
    )


def _metadata(scene: Scene) -> list[etree._Element]:
    positions = " ".join(f"{latitude:.9f},{longitude:.9f}" for longitude, latitude in outline(scene))
    frame = _inside(_SAFE, "footPrint", _inside(_GML, "coordinates", positions))
    return [
        _object(
            "processing",
            _inside(
                _SAFE,
                "processing",
                _inside(
                    _SAFE,
                    "facility",
                    name="Swath scene simulator",
                    site="none",
                    organisation=names.CENTRE,
                ),
                name="simulation",
                start=moment(scene.generated),
                stop=moment(scene.generated),
            ),
        ),
        _object(
            "acquisitionPeriod",
            _inside(_SAFE, "acquisitionPeriod", _inside(_SAFE, "startTime", moment(scene.sensing))),
        ),
        _object(
            "platform",
            _inside(
                _SAFE,
                "platform",
                _inside(_SAFE, "familyName", "SENTINEL"),
                _inside(_SAFE, "number", "2A"),
                _inside(
                    _SAFE,
                    "instrument",
                    _inside(_SAFE, "familyName", "Multi-Spectral Instrument", abbreviation="MSI"),
                ),
            ),
        ),
        _object(
            "measurementFrameSet",
            _inside(_SAFE, "frameSet", _inside(_SAFE, "frame", frame)),
        ),
    ]


def _object(identifier: str, content: etree._Element) -> etree._Element:
    wrapped = element("metadataWrap", element("xmlData", content), mimeType="text/xml", vocabularyName="SAFE")
    return element("metadataObject", wrapped, ID=identifier, classification="DESCRIPTION", category="DMD")


def _inside(space: str, tag: str, *content: str | etree._Element, **attributes: str) -> etree._Element:
    return element(f"{{{space}}}{tag}", *content, **attributes)
