"""Values of a Zarr array as xarray reads them, with what goes wrong told as an error of the product."""

from __future__ import annotations

from typing import Any

from xarray.backends.zarr import ZarrArrayWrapper

from swath.errors import ProductError, SwathError

__all__ = ["StoredValues"]


class StoredValues(ZarrArrayWrapper):
    """An array of a store; a chunk that cannot be decoded is an error of the product, not of its codec."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        """Return the values that a key of xarray's asks for.

        Raises
        ------
        ProductError
            A chunk is truncated or corrupt.
        """
        try:
            return super().__getitem__(key)
        except (SwathError, OSError):
            raise
        except Exception as error:
            array = self._array
            where = getattr(array.store, "files", array.store)
            raise ProductError(
                f"{getattr(where, 'location', where)}: a chunk of {array.path} is corrupt or truncated "
                f"({type(error).__name__}: {error}); get the product again"
            ) from error
