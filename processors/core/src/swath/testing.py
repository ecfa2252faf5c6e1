"""A contract that every reader keeps, as tests to inherit; it needs pytest.

A reader's tests have a class of their own::

    class TestMyReader(ReaderContract):
        metadata = ("manifest.safe",)
        measurements = ("measurement/*.tiff",)

        @pytest.fixture
        def product(self):
            return path_of_a_product_in_a_directory

Each test makes what it breaks from a copy of that product.
"""

# ruff: noqa: S101, PT012 -- these are tests, though they are installed

from __future__ import annotations

import pickle
import shutil
import zipfile
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from swath.errors import ProductError
from swath.io import metering
from swath.io.store import open_store
from swath.product import READER_GROUP, chunk_source, open_product, write_product

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import xarray as xr

__all__ = ["ReaderContract"]

_SMALL = 1 << 20
"""Bytes of a variable that may be in memory once a product is open."""


class ReaderContract:
    """What holds for each reader; subclasses give the product as the fixture ``product``."""

    metadata: ClassVar[tuple[str, ...]]
    """Patterns of the files, relative to the product, that are read when it is opened."""
    measurements: ClassVar[tuple[str, ...]] = ()
    """Patterns of the files that hold chunks."""
    chunks_at_most: ClassVar[int] = 2
    """Variables of which a chunk is read, where a test reads chunks."""
    renamed: ClassVar[bool] = True
    """Whether the product is read under any name of its folder."""

    @pytest.fixture
    def copy(self, product: Path, tmp_path: Path) -> Path:
        """Return a copy of the product to break."""
        target = tmp_path / "copy" / product.name
        shutil.copytree(product, target)
        for path in [target, *target.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        return target

    def written(self, tree: xr.DataTree) -> xr.DataTree:
        """Return what of the product is written and read again; all of it by default."""
        return tree

    def test_one_reader_alone_claims_it(self, product: Path) -> None:
        """No other reader takes the product for its own."""
        store = open_store(product)
        claims = [found.name for found in entry_points(group=READER_GROUP) if found.load().can_read(store)]
        assert len(claims) == 1, claims

    def test_opening_reads_no_chunk(self, product: Path) -> None:
        """Opening reads no chunk, and leaves what is large to be read when it is computed."""
        with metering.reading() as read:
            tree = open_product(product)
        assert read.counts.chunks == 0
        loaded = {
            f"{path}/{name}": variable.nbytes
            for path, name, variable in _variables(tree)
            if variable.chunks is None and variable.nbytes > _SMALL
        }
        assert not loaded

    def test_a_chunk_costs_what_was_planned(self, product: Path) -> None:
        """What reading a chunk costs is known before."""
        for array in self._chunked(open_product(product)):
            source: Any = chunk_source(array)
            planned = source.chunk_bytes(0, 0)
            with metering.reading() as read:
                _first(array)
            assert (read.counts.bytes, read.counts.chunks) == (planned, 1), array.name

    def test_the_root_is_a_stac_item(self, product: Path) -> None:
        """The attributes of the root are a STAC item."""
        item = open_product(product).attrs["stac_discovery"]
        assert (item["type"], item["stac_version"]) == ("Feature", "1.1.0")
        assert item["id"]
        properties = item["properties"]
        assert properties.get("datetime") or (properties["start_datetime"] and properties["end_datetime"])
        assert {"geometry", "links", "assets"} <= set(item)
        assert (item["geometry"] is None) == ("bbox" not in item)

    def test_another_name_of_the_folder_changes_nothing(self, copy: Path) -> None:
        """A product is what it holds, not what its folder is called."""
        if not self.renamed:
            return
        before = open_product(copy).attrs
        assert open_product(copy.rename(copy.with_name("renamed"))).attrs == before

    def test_a_zip_is_read_as_the_directory(self, product: Path, tmp_path: Path) -> None:
        """A zip of the product is the same product."""
        with zipfile.ZipFile(tmp_path / "product.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in sorted(product.rglob("*")):
                if file.is_file():
                    archive.write(file, f"{product.name}/{file.relative_to(product)}")
        zipped, plain = open_product(tmp_path / "product.zip"), open_product(product)
        assert zipped.groups == plain.groups
        assert zipped.attrs == plain.attrs
        for path, name, variable in _variables(plain):
            other = zipped[path][name]
            assert (other.dims, other.dtype, other.attrs) == (variable.dims, variable.dtype, variable.attrs)
            if variable.chunks is None:
                np.testing.assert_array_equal(other.values, variable.values)
        for ours, theirs in zip(self._chunked(zipped), self._chunked(plain), strict=True):
            np.testing.assert_array_equal(_first(ours), _first(theirs))

    def test_lazy_arrays_go_to_other_processes(self, product: Path) -> None:
        """A variable can be pickled, and is the same afterwards."""
        for array in self._chunked(open_product(product)):
            again = pickle.loads(pickle.dumps(array))  # noqa: S301 -- what was dumped the line before
            np.testing.assert_array_equal(_first(again), _first(array))

    def test_what_is_written_is_read_again(self, product: Path, tmp_path: Path) -> None:
        """Zarr has all of it: groups, variables, types, numbers, attributes."""
        tree = self.written(open_product(product))
        write_product(tree, tmp_path / "written.zarr")
        again = open_product(tmp_path / "written.zarr")
        assert set(again.groups) == set(tree.groups)
        for path, name, variable in _variables(tree):
            other = again[path][name]
            assert other.dims == variable.dims, f"{path}/{name}"
            np.testing.assert_array_equal(other.values, variable.values, err_msg=f"{path}/{name}")
        assert again.attrs == tree.attrs

    def test_what_is_no_product_is_refused(self, tmp_path: Path) -> None:
        """A folder of something else is refused with the error for that."""
        (tmp_path / "notes.txt").write_text("notes")
        with pytest.raises(ProductError):
            open_product(tmp_path)

    def test_a_missing_file_is_refused(self, copy: Path) -> None:
        """Each file is missed."""
        for file in self._files(copy):
            kept = file.rename(copy.parent / "kept")
            self._refused(copy)
            kept.rename(file)

    def test_a_truncated_file_is_refused(self, copy: Path) -> None:
        """Each file that ends early is found out, at the latest when it is read."""
        for file in self._files(copy):
            whole = file.read_bytes()
            for length in (0, 1, len(whole) // 2, len(whole.rstrip()) - 2):
                file.write_bytes(whole[:length])
                self._refused(copy)
            file.write_bytes(whole)

    def test_a_file_of_something_else_is_refused(self, copy: Path) -> None:
        """Each file that holds other bytes is found out."""
        noise = np.random.default_rng(1).integers(0, 256, 5000, np.uint8).tobytes()
        for file in self._files(copy):
            whole = file.read_bytes()
            file.write_bytes(noise)
            self._refused(copy)
            file.write_bytes(whole)

    def test_entities_are_refused(self, copy: Path) -> None:
        """XML with a document type declaration is refused: it is how small files become large ones."""
        bomb = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
        for file in self._files(copy):
            whole = file.read_bytes()
            if not whole.lstrip().startswith(b"<"):
                continue
            start = whole.index(b"?>") + 2 if whole.lstrip().startswith(b"<?xml") else 0
            file.write_bytes(whole[:start] + bomb + whole[start:])
            self._refused(copy)
            file.write_bytes(whole)

    def test_a_link_out_of_the_product_is_refused(self, copy: Path) -> None:
        """A file that is a link to somewhere else is not followed."""
        for file in self._files(copy):
            outside = file.rename(copy.parent / "outside")
            file.symlink_to(outside)
            self._refused(copy)
            file.unlink()
            outside.rename(file)

    def _files(self, product: Path) -> list[Path]:
        found = [
            file for pattern in (*self.metadata, *self.measurements) for file in sorted(product.glob(pattern))
        ]
        assert found, "the patterns of the contract match no file"
        return found

    def _chunked(self, tree: xr.DataTree) -> list[xr.DataArray]:
        found = [array for array in _arrays(tree) if chunk_source(array) is not None]
        assert found or not self.measurements
        return found[: self.chunks_at_most]

    def _refused(self, product: Path) -> None:
        """Open the product and read a chunk of each variable that has chunks: one of both is refused."""
        with pytest.raises(ProductError) as caught:
            for array in _arrays(open_product(product)):
                if chunk_source(array) is not None:
                    last = [n - 1 for n in array.data.numblocks]
                    array.data.blocks[tuple(last)].compute(scheduler="synchronous")
        assert caught.value.exit_status == 2
        assert str(product) in str(caught.value) or "product" in str(caught.value)


def _variables(tree: xr.DataTree) -> Iterator[tuple[str, str, xr.Variable]]:
    for node in tree.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            yield node.path, str(name), variable


def _arrays(tree: xr.DataTree) -> Iterator[xr.DataArray]:
    for node in tree.subtree:
        yield from node.to_dataset(inherit=False).data_vars.values()


def _first(array: xr.DataArray) -> Any:
    return array.data.blocks[(0,) * array.ndim].compute(scheduler="synchronous")
