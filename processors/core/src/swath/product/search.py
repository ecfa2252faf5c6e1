"""Looking for products in catalogues, by EODAG: what is found are STAC items, to be opened or fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath.errors import InputError, StoreError
from swath.io.address import NETWORK, protocol, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["search"]

_CATALOGUE = "swath"
"""Name under which EODAG knows a catalogue that is given by its address."""


def search(
    collection: str,
    *,
    catalogue: str | None = None,
    bbox: Sequence[float] | None = None,
    start: str | None = None,
    end: str | None = None,
    limit: int = 20,
    properties: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return what a catalogue has of a collection.

    Parameters
    ----------
    collection
        Its name there; of EODAG's providers, EODAG's name for it (``S2_MSI_L1C``).
    catalogue
        Address of a STAC API, or the name of a provider that EODAG knows; the one that EODAG prefers where
        not given. EODAG's own configuration holds what providers want to know of who asks.
    bbox
        West, south, east and north, degrees in EPSG:4326.
    start, end
        Times in ISO 8601, UTC unless they say otherwise.
    limit
        Most items that are returned.
    properties
        Other properties to ask for, such as ``{"eo:cloud_cover": 20}`` (EODAG: at most 20).

    Returns
    -------
    list of dict
        STAC items, as JSON has them. :func:`swath.open_product` opens one where it lies, :func:`swath.fetch`
        gets it onto this machine.

    Raises
    ------
    InputError
        EODAG is not installed, or it refuses what it is asked for.
    StoreError
        The catalogue fails.
    """
    gateway, provider = _gateway(catalogue)
    from eodag.utils import exceptions  # noqa: PLC0415 -- an extra

    place = None if bbox is None else dict(zip(("lonmin", "latmin", "lonmax", "latmax"), bbox, strict=True))
    try:
        found = gateway.search(
            collection=collection, provider=provider, geom=place, start=start, end=end, limit=limit,
            raise_errors=True, **(properties or {}),
        )  # fmt: skip
    except (exceptions.RequestError, exceptions.TimeOutError) as error:
        raise StoreError(
            f"{shown(catalogue or 'the catalogue')} could not be searched: {_first(error)}. Try again later."
        ) from None
    except (exceptions.EodagError, ValueError) as error:
        raise InputError(f"Searching for {collection} is refused: {_first(error)}.") from None
    return [product.as_dict() for product in found][:limit]


def _gateway(catalogue: str | None) -> tuple[Any, str | None]:
    """Return EODAG, and the name of the provider to ask."""
    try:
        from eodag import EODataAccessGateway  # noqa: PLC0415 -- an extra, and slow to import
    except ImportError:
        raise InputError("Searching needs EODAG: install the extra swath[search]") from None
    gateway = EODataAccessGateway()
    if catalogue is None or protocol(catalogue) not in NETWORK:
        return gateway, catalogue
    address = catalogue.rstrip("/")
    gateway.add_provider(_CATALOGUE, url=address if address.endswith("/search") else f"{address}/search")
    return gateway, _CATALOGUE


def _first(error: Exception) -> str:
    """Return the first line of an error's text, or its name where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
