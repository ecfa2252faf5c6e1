"""Choosing images and bursts of a product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from swath.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["select"]


def select(
    product: xr.DataTree,
    *,
    polarisation: str | Iterable[str] | None = None,
    swath: str | Iterable[str] | None = None,
    burst: int | str | Iterable[int | str] | None = None,
) -> xr.DataTree:
    """Return the chosen images of an SLC or GRD product, as lazy as it is.

    Parameters
    ----------
    product
        The product, as :func:`swath.open_product` returns it.
    polarisation
        ``VV``, or several; all by default.
    swath
        ``IW1``, or several; all by default.
    burst
        Numbers within their image, from 0 on, or identifiers of bursts (text); all by default.

    Returns
    -------
    DataTree
        The product with these images, or bursts, alone.

    Raises
    ------
    InputError
        There is no such image or burst.
    """
    wanted = {"polarisation": _several(polarisation), "swath": _several(swath)}
    chosen, there = {}, []
    for name, image in product.children.items():
        properties = image.attrs["stac_discovery"]["properties"]
        other = image.attrs["other_metadata"]
        is_there = {
            "polarisation": properties["sar:polarizations"][0],
            "swath": properties["sar:beam_ids"][0],
        }
        index = other.get("burst_index", 0)
        there.append(
            f"{is_there['polarisation']} {is_there['swath']} {index} ({other.get('burst_id', 'no burst')})"
        )
        fits = all(values is None or is_there[what] in values for what, values in wanted.items())
        if fits and _fits(burst, index, other.get("burst_id")):
            chosen[name] = image
    if not chosen:
        asked = ", ".join(f"{k}={v!r}" for k, v in (*wanted.items(), ("burst", burst)) if v is not None)
        raise InputError(f"there is no image with {asked}; there are {'; '.join(there) or 'none'}")
    return xr.DataTree(product.to_dataset(), children=chosen)


def _several(value: Any) -> set[Any] | None:
    if value is None:
        return None
    return {value} if isinstance(value, str | int) else set(value)


def _fits(burst: Any, index: int, identifier: str | None) -> bool:
    wanted = _several(burst)
    return wanted is None or index in wanted or identifier in wanted
