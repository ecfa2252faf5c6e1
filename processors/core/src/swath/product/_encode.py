"""Variables as they are stored: packed as encodings say, and refused where packing would lose something."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import xarray as xr

from swath.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["encoded", "without_packing"]

_PACKING = ("dtype", "scale_factor", "add_offset", "_FillValue")


def encoded(variable: xr.Variable, name: str) -> xr.Variable:
    """Return a variable by CF as its encoding says that it is stored, lazily.

    Real numbers that are packed as integers without a value for what is missing are checked when they are
    computed: NaN has no integer, and would become any.
    """
    if _integers_for_reals(variable.dtype, variable.encoding):
        variable = variable.copy(deep=False, data=_checked(variable.data, name))
    with warnings.catch_warnings():
        # That is what xarray only warns of.
        warnings.filterwarnings("ignore", ".*without any _FillValue", xr.SerializationWarning)
        return xr.conventions.encode_cf_variable(variable, name=name)


def _integers_for_reals(dtype: np.dtype[Any], encoding: Mapping[str, Any]) -> bool:
    told = encoding.get("dtype")
    integers = told is not None and np.dtype(told).kind in "iu"
    return integers and dtype.kind == "f" and encoding.get("_FillValue") is None


def _checked(data: Any, name: str) -> Any:
    if isinstance(data, da.Array):
        return da.map_blocks(_refuse_missing, data, variable=name, dtype=data.dtype)  # type: ignore[no-untyped-call] # dask's
    return _refuse_missing(np.asarray(data), variable=name)


def _refuse_missing(block: npt.NDArray[Any], variable: str) -> npt.NDArray[Any]:
    if np.isnan(block).any():
        raise RunError(
            f"{variable} has missing values (NaN), and its encoding packs it as integers without a value "
            f"for them: "
            "set _FillValue in the encoding, or remove dtype, scale_factor and add_offset from it"
        )
    return block


def without_packing(array: xr.DataArray) -> dict[str, Any]:
    """Return the encoding of a variable in which values may be missing from now on.

    Its chunks are no stored ones any more. Where its integers have none for what is missing, it is stored as
    the real numbers that it is.
    """
    lost = (
        ("chunk_source", *_PACKING) if _integers_for_reals(array.dtype, array.encoding) else ("chunk_source",)
    )
    return {key: value for key, value in array.encoding.items() if key not in lost}
