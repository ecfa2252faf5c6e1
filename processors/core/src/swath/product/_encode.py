"""Variables as they are stored: packed as encodings say, and refused where packing would lose something."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import xarray as xr

from swath.errors import RunError
from swath.io.silence import SILENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["encoded", "without_packing"]

_PACKING = ("dtype", "scale_factor", "add_offset", "_FillValue")


def encoded(variable: xr.Variable, name: str) -> xr.Variable:
    """Return a variable by CF as its encoding says that it is stored, lazily.

    What becomes integers is checked when it is computed: NaN has no integer unless the encoding names one,
    and numbers beyond the type's range would come out as any others.
    """
    told = _integer(variable.encoding)
    if told is not None and variable.dtype.kind in "iuf" and not np.can_cast(variable.dtype, told):
        variable = variable.copy(deep=False, data=_checked(variable.data, variable.encoding, name))
    with SILENCE, warnings.catch_warnings():
        # That is what xarray only warns of.
        warnings.filterwarnings("ignore", ".*without any _FillValue", xr.SerializationWarning)
        return xr.conventions.encode_cf_variable(variable, name=name)


def _integer(encoding: Mapping[str, Any]) -> np.dtype[Any] | None:
    """Return the type of integers as which numbers are stored; None where they are stored as others."""
    told = encoding.get("dtype")
    kind = None if told is None else np.dtype(told)
    return kind if kind is not None and kind.kind in "iu" else None


def _integers_for_reals(dtype: np.dtype[Any], encoding: Mapping[str, Any]) -> bool:
    return _integer(encoding) is not None and dtype.kind == "f" and encoding.get("_FillValue") is None


def _checked(data: Any, encoding: Mapping[str, Any], name: str) -> Any:
    limits = _limits(encoding)
    missing = not _integers_for_reals(data.dtype, encoding)
    if isinstance(data, da.Array):
        return da.map_blocks(  # type: ignore[no-untyped-call] # dask's
            _refuse_lossy,
            data,
            variable=name,
            limits=limits,
            missing=missing,
            dtype=data.dtype,
            meta=np.empty((0,) * data.ndim, data.dtype),
        )
    return _refuse_lossy(np.asarray(data), variable=name, limits=limits, missing=missing)


def _limits(encoding: Mapping[str, Any]) -> tuple[float, float, str]:
    """Return between which numbers, both excluded, an integer of the type is nearest; and the type's name."""
    kind = np.dtype(encoding["dtype"])
    scale, offset = (
        default if encoding.get(key) is None else float(np.asarray(encoding[key]).item())
        for key, default in (("scale_factor", 1.0), ("add_offset", 0.0))
    )
    info = np.iinfo(kind)
    low, high = sorted(((info.min - 0.5) * scale + offset, (info.max + 0.5) * scale + offset))
    return low, high, kind.name


def _refuse_lossy(
    block: npt.NDArray[Any], variable: str, limits: tuple[float, float, str], *, missing: bool
) -> npt.NDArray[Any]:
    """Refuse what is missing where that is not allowed, and what lies outside of the limits."""
    if not block.size:
        return block
    if not missing and np.isnan(block.min()):
        raise RunError(
            f"{variable} has missing values (NaN), and its encoding packs it as integers without a value "
            f"for them: "
            "set _FillValue in the encoding, or remove dtype, scale_factor and add_offset from it"
        )
    low, high, kind = limits
    # These leave out what is missing; integers of Python compare exactly with real numbers, NumPy's do not.
    least, most = np.fmin.reduce(block, axis=None).item(), np.fmax.reduce(block, axis=None).item()
    if least <= low or most >= high:
        raise RunError(
            f"{variable} has values from {least:g} to {most:g}, and its encoding packs it as {kind}, which "
            f"holds {low:g} to {high:g}: give the encoding a wider dtype, another scale_factor or "
            "add_offset, or clip the values"
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
