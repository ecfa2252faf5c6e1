"""Names of the product, its granule, its datastrip and its files.

Source: S2-PDGS-TAS-DI-PSD, sections on the naming of products and product data items (compact format).
"""

from datetime import datetime

from swath_sentinel2.simulator._scene import BASELINE, Scene

PLATFORM = "S2A"
CENTRE = "SIM_"
"""Processing and archiving centre: no such centre exists, which marks the product as simulated."""
RELATIVE_ORBIT = 22
ABSOLUTE_ORBIT = 46977


def stamp(time: datetime) -> str:
    """Write a time as names have it: ``20240620T101031``."""
    return f"{time:%Y%m%dT%H%M%S}"


def product_name(scene: Scene) -> str:
    """Name of the product's folder."""
    baseline = BASELINE.replace(".", "")
    return (
        f"{PLATFORM}_MSI{scene.level}_{stamp(scene.sensing)}_N{baseline}_R{RELATIVE_ORBIT:03}_{scene.tile}"
        f"_{stamp(scene.generated)}.SAFE"
    )


def datatake_identifier(scene: Scene) -> str:
    """Identify the datatake."""
    return f"G{PLATFORM}_{stamp(scene.sensing)}_{ABSOLUTE_ORBIT:06}_N{BASELINE}"


def granule_identifier(scene: Scene) -> str:
    """Identify the tile as the metadata does."""
    made = f"{CENTRE}_{stamp(scene.generated)}"
    return f"{PLATFORM}_OPER_MSI_{scene.level}_TL_{made}_A{ABSOLUTE_ORBIT:06}_{scene.tile}_N{BASELINE}"


def datastrip_identifier(scene: Scene) -> str:
    """Identify the datastrip as the metadata does."""
    made = f"{CENTRE}_{stamp(scene.generated)}"
    return f"{PLATFORM}_OPER_MSI_{scene.level}_DS_{made}_S{stamp(scene.granule_sensing)}_N{BASELINE}"


def granule_folder(scene: Scene) -> str:
    """Path of the granule's folder inside the product."""
    return f"GRANULE/{scene.level}_{scene.tile}_A{ABSOLUTE_ORBIT:06}_{stamp(scene.granule_sensing)}"


def datastrip_folder(scene: Scene) -> str:
    """Path of the datastrip's folder inside the product."""
    return f"DATASTRIP/DS_{CENTRE}_{stamp(scene.generated)}_S{stamp(scene.granule_sensing)}"


def image_file(scene: Scene, kind: str, resolution: int) -> str:
    """Path of a band's image, or of ``TCI``, inside the product; level 2A has several of one kind."""
    name = f"{scene.tile}_{stamp(scene.sensing)}_{kind}"
    if scene.level == "L1C":
        return f"{granule_folder(scene)}/IMG_DATA/{name}.jp2"
    return f"{granule_folder(scene)}/IMG_DATA/R{resolution}m/{name}_{resolution}m.jp2"


def preview_file(scene: Scene) -> str:
    """Path of the preview image inside the product."""
    return f"{granule_folder(scene)}/QI_DATA/{scene.tile}_{stamp(scene.sensing)}_PVI.jp2"


def mask_file(scene: Scene, kind: str, band: str) -> str:
    """Path of a mask (``DETFOO``, ``QUALIT``, ``CLASSI`` of ``B00``, ``CLDPRB`` of ``20m``)."""
    return f"{granule_folder(scene)}/QI_DATA/MSK_{kind}_{band}.jp2"
