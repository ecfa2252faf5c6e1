"""The product's own metadata, ``MTD_MSIL1C.xml`` or ``MTD_MSIL2A.xml``.

Source: S2-PDGS-TAS-DI-PSD, metadata of user products.
"""

from lxml import etree
from rasterio.warp import transform

from swath_sentinel2.simulator import _names as names
from swath_sentinel2.simulator._bands import BANDS, Band
from swath_sentinel2.simulator._elements import document, element, moment, root, section
from swath_sentinel2.simulator._level2 import level2_classes, level2_images, level2_scale
from swath_sentinel2.simulator._scene import BASELINE, Scene
from swath_sentinel2.simulator._sun import sun_correction
from swath_sentinel2.simulator._truth import OFFSET, QUANTIFICATION

_STEP = 1
"""Nanometres between two values of a spectral response."""


def product_metadata(scene: Scene, cloudy: float) -> bytes:
    """Write the document; ``cloudy`` is the percentage of cloudy pixels."""
    schema = f"User_Product_Level-{scene.level[1:]}.xsd"
    return document(
        root(
            f"Level-{scene.level[1:]}_User_Product",
            schema,
            section("General_Info", schema, _product_info(scene), _image_characteristics(scene)),
            section("Geometric_Info", schema, _footprint(scene), _reference_system()),
            section("Auxiliary_Data_Info", schema, element("GIPP_List"), *_no_auxiliary_data()),
            section("Quality_Indicators_Info", schema, *_quality(cloudy)),
        )
    )


def datatake(scene: Scene, name: str, **attributes: str) -> etree._Element:
    """Return what is known of the datatake, which products and their datastrips both tell."""
    return element(
        name,
        element("SPACECRAFT_NAME", "Sentinel-2A"),
        element("DATATAKE_TYPE", "INS-NOBS"),
        element("DATATAKE_SENSING_START", moment(scene.sensing)),
        element("SENSING_ORBIT_NUMBER", names.RELATIVE_ORBIT),
        element("SENSING_ORBIT_DIRECTION", "DESCENDING"),
        datatakeIdentifier=names.datatake_identifier(scene),
        **attributes,
    )


def _product_info(scene: Scene) -> etree._Element:
    return element(
        "Product_Info",
        element("PRODUCT_START_TIME", moment(scene.sensing)),
        element("PRODUCT_STOP_TIME", moment(scene.sensing)),
        element("PRODUCT_URI", names.product_name(scene)),
        element("PROCESSING_LEVEL", f"Level-{scene.level[1:]}"),
        element("PRODUCT_TYPE", f"S2MSI{scene.level[1:]}"),
        element("PROCESSING_BASELINE", BASELINE),
        element("PRODUCT_DOI", "none: simulated by Swath, not a Sentinel-2 acquisition"),
        element("GENERATION_TIME", moment(scene.generated)),
        element("PREVIEW_IMAGE_URL", "Not applicable"),
        element("PREVIEW_GEO_INFO", "Not applicable"),
        datatake(scene, "Datatake"),
        element("Query_Options", element("PRODUCT_FORMAT", "SAFE_COMPACT"), completeSingleTile="true"),
        element("Product_Organisation", element("Granule_List", _granule(scene))),
    )


def _granule(scene: Scene) -> etree._Element:
    kinds = [*((band.name, band.resolution) for band in BANDS), ("TCI", 10)]
    if scene.level == "L2A":
        kinds = level2_images()
    files = (names.image_file(scene, *kind).removesuffix(".jp2") for kind in kinds)
    return element(
        "Granule",
        *(element("IMAGE_FILE", file) for file in files),
        datastripIdentifier=names.datastrip_identifier(scene),
        granuleIdentifier=names.granule_identifier(scene),
        imageFormat="JPEG2000",
    )


def _image_characteristics(scene: Scene) -> etree._Element:
    def special(text: str, index: int) -> etree._Element:
        return element(
            "Special_Values", element("SPECIAL_VALUE_TEXT", text), element("SPECIAL_VALUE_INDEX", index)
        )

    return element(
        "Product_Image_Characteristics",
        special("NODATA", 0),
        special("SATURATED", 65535),
        element(
            "Image_Display_Order",
            element("RED_CHANNEL", 3),
            element("GREEN_CHANNEL", 2),
            element("BLUE_CHANNEL", 1),
        ),
        *(_level1_scale() if scene.level == "L1C" else level2_scale(OFFSET, QUANTIFICATION)),
        element(
            "Reflectance_Conversion",
            element("U", f"{sun_correction(scene.granule_sensing):.9f}"),
            element(
                "Solar_Irradiance_List",
                *(
                    element("SOLAR_IRRADIANCE", band.irradiance, bandId=band.number, unit="W/m²/µm")
                    for band in BANDS
                ),
            ),
        ),
        element("Spectral_Information_List", *(_spectral_information(band) for band in BANDS)),
        *(element("PHYSICAL_GAINS", band.gain, bandId=band.number) for band in BANDS),
        element("REFERENCE_BAND", "3"),
        element("ON_BOARD_COMPRESSION_MODE", "false"),
        *([level2_classes()] if scene.level == "L2A" else []),
    )


def _level1_scale() -> list[etree._Element]:
    return [
        element("QUANTIFICATION_VALUE", QUANTIFICATION, unit="none"),
        element(
            "Radiometric_Offset_List",
            *(element("RADIO_ADD_OFFSET", OFFSET, band_id=band.number) for band in BANDS),
        ),
    ]


def _spectral_information(band: Band) -> etree._Element:
    """Describe a band; its response is a box, which is what the simulator assumes."""
    shortest, central, longest = band.wavelength
    response = " ".join(["1"] * int((longest - shortest) / _STEP + 1))
    return element(
        "Spectral_Information",
        element("RESOLUTION", band.resolution),
        element(
            "Wavelength",
            element("MIN", shortest, unit="nm"),
            element("MAX", longest, unit="nm"),
            element("CENTRAL", central, unit="nm"),
        ),
        element("Spectral_Response", element("STEP", _STEP, unit="nm"), element("VALUES", response)),
        bandId=band.number,
        physicalBand=band.physical_name,
    )


def outline(scene: Scene) -> list[tuple[float, float]]:
    """Longitude and latitude of the scene's corners, from the upper left one clockwise, closed."""
    east, north = scene.corner
    far_east, far_south = east + scene.extent, north - scene.extent
    eastings = [east, far_east, far_east, east, east]
    northings = [north, north, far_south, far_south, north]
    longitude, latitude = transform(f"EPSG:{scene.epsg}", "EPSG:4326", eastings, northings)
    return list(zip(longitude, latitude, strict=True))


def _footprint(scene: Scene) -> etree._Element:
    """Give the outline of the whole square, in latitude and longitude."""
    positions = " ".join(f"{latitude:.9f} {longitude:.9f}" for longitude, latitude in outline(scene))
    return element(
        "Product_Footprint",
        element("Product_Footprint", element("Global_Footprint", element("EXT_POS_LIST", positions))),
        element("RASTER_CS_TYPE", "POINT"),
        element("PIXEL_ORIGIN", 1),
    )


def _reference_system() -> etree._Element:
    return element(
        "Coordinate_Reference_System",
        element("GEO_TABLES", "EPSG", version=1),
        element("HORIZONTAL_CS_TYPE", "GEOGRAPHIC"),
    )


def _no_auxiliary_data() -> list[etree._Element]:
    kinds = ("PRODUCTION_DEM_TYPE", "IERS_BULLETIN_FILENAME", "ECMWF_DATA_REF", "CAMS_DATA_REF")
    return [element(kind, "none: simulated") for kind in kinds]


def _quality(cloudy: float) -> list[etree._Element]:
    return [
        element("Cloud_Coverage_Assessment", f"{cloudy:.6f}"),
        element(
            "Technical_Quality_Assessment",
            element("DEGRADED_ANC_DATA_PERCENTAGE", 0),
            element("DEGRADED_MSI_DATA_PERCENTAGE", 0),
        ),
        element(
            "Quality_Control_Checks",
            # No inspection was run, so none is claimed to have passed.
            element("Quality_Inspections"),
            element("Failed_Inspections"),
        ),
    ]
