"""NetCDF files: what is read is what h5py, h5netcdf and GDAL read; what cannot be read is told."""

import contextlib
import os
import signal
import threading

import dask
import h5netcdf
import h5py
import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.errors import MetadataError, ProductError, SwathError
from swath.io import metering
from swath.io.netcdf import _apart, read_file
from swath.io.store import MissingFileError, open_store
from swath.product._blocks import raw

CLASSIC = [
    "S3A_OL_1_EFR____20170313T110342_20170313T110642_20170314T162839_0179_015_208_2520_LN1_O_NT_002.nc",
    "S3A_SL_1_RBT____20170313T110343_20170313T110643_20170314T172757_0179_015_208_2520_LN2_O_NT_002.SEN3.nc",
]

LAYOUTS = {
    "contiguous": {},
    "chunked": {"chunks": (5, 7)},
    "deflated": {"chunks": (5, 7), "compression": "gzip"},
    "shuffled": {"chunks": (5, 7), "compression": "gzip", "shuffle": True},
    "checked": {"chunks": (5, 7), "compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"chunks": (5, 7), "compression": "lzf"},
    "scaled": {"chunks": (5, 7), "scaleoffset": 0},
}


@pytest.mark.parametrize("dtype", ["<i2", ">i4", "<u1", "<f4", ">f8"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read_as_h5py_reads_it(tmp_path, layout, dtype):
    data = np.random.default_rng(1).integers(0, 120, (13, 17)).astype(dtype)
    with h5py.File(tmp_path / "a.nc", "w") as file:
        if layout == "scaled" and np.dtype(dtype).kind == "f":
            return  # a lossy form of real numbers; whole numbers are tested
        file.create_dataset("v", data=data, **LAYOUTS[layout])
    variable = read_file(open_store(tmp_path), "a.nc").variables["v"]
    with dask.config.set(scheduler="synchronous"), metering.reading() as read:
        found = raw(variable).values
    np.testing.assert_array_equal(found, data)
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    if variable.values is None:
        assert read.counts.requests == read.counts.chunks == np.prod(variable.counts)
        rows, columns = variable.counts
        assert read.counts.bytes == sum(
            variable.chunk_bytes(i, j) for i in range(rows) for j in range(columns)
        )


def test_chunks_that_were_never_written_are_the_fill_value(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        made = file.create_dataset("v", (10, 10), "i2", chunks=(5, 5), fillvalue=-7)
        made[:5, :5] = 1
        file.create_dataset("w", (10, 10), "i2", fillvalue=3)
    variables = read_file(open_store(tmp_path), "a.nc").variables
    expected = np.full((10, 10), -7)
    expected[:5, :5] = 1
    np.testing.assert_array_equal(raw(variables["v"]).values, expected)
    np.testing.assert_array_equal(raw(variables["w"]).values, np.full((10, 10), 3))
    assert variables["v"].chunk_bytes(1, 1) == 0


def test_dimensions_groups_and_attributes_are_those_of_netcdf(tmp_path):
    with h5netcdf.File(tmp_path / "a.nc", "w") as file:
        file.dimensions = {"y": 3, "x": 2}
        inner = file.create_group("a").create_group("b")
        variable = inner.create_variable("v", ("y", "x"), "i4", data=np.arange(6).reshape(3, 2))
        variable.attrs.update({"units": "m", "valid_range": np.array([1, 2], "i4"), "scale_factor": 0.5})
        inner.attrs["told"] = "é"
        file.create_variable("y", ("y",), "f8", data=[1.0, 2.0, 3.0])
        file.create_variable("name", (), h5py.string_dtype(), data=np.array("text", object))
    read = read_file(open_store(tmp_path), "a.nc")
    found = read.variables["a/b/v"]
    assert (found.dimensions, found.whole) == (("y", "x"), (3, 2))
    assert found.attributes["units"] == "m"
    assert found.attributes["scale_factor"] == 0.5
    np.testing.assert_array_equal(found.attributes["valid_range"], [1, 2])
    assert read.groups["a/b"] == {"told": "é"}
    assert set(read.variables) == {"a/b/v", "y", "name"}
    assert str(raw(read.variables["name"]).values) == "text"


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("name", CLASSIC)
def test_classic_files_are_read_as_gdal_reads_them(samples, name):
    folder = samples / "s3" / "l1b_subset"
    variables = read_file(open_store(folder), name).variables
    assert len(variables) > 100
    for short, variable in variables.items():
        # Else GDAL turns images without coordinates upside down.
        with (
            rasterio.Env(GDAL_NETCDF_BOTTOMUP="NO"),
            rasterio.open(f'NETCDF:"{folder / name}":{short}') as file,
        ):
            expected = file.read(1)
        found = raw(variable).values
        # GDAL shows unsigned what the attribute _Unsigned says to be, and a number for what is no number.
        if found.dtype.kind == "f":
            found = np.where(np.isnan(found), np.float32(9.969209968386869e36), found)
        np.testing.assert_array_equal(found.astype(expected.dtype), expected)


def classic(version: int, *, records: int = 3) -> bytes:
    """Return a file of one fixed variable and two of records, byte by byte as the specification has it."""
    word = (lambda n: n.to_bytes(8, "big")) if version == 5 else (lambda n: n.to_bytes(4, "big"))
    offset = (lambda n: n.to_bytes(4, "big")) if version == 1 else (lambda n: n.to_bytes(8, "big"))
    tag = lambda n: n.to_bytes(4, "big")  # noqa: E731 -- as the two above

    def name(text: str) -> bytes:
        return word(len(text)) + text.encode() + bytes(-len(text) % 4)

    none = tag(0) + word(0)
    dimensions = tag(10) + word(2) + name("time") + word(0) + name("x") + word(3)
    attribute = tag(12) + word(1) + name("units") + tag(2) + word(1) + b"m\0\0\0"

    def variables(begins: list[int]) -> bytes:
        fixed = name("fixed") + word(1) + word(1) + attribute + tag(5) + word(12) + offset(begins[0])
        short = name("short") + word(2) + word(0) + word(1) + none + tag(3) + word(8) + offset(begins[1])
        real = name("real") + word(1) + word(0) + none + tag(6) + word(8) + offset(begins[2])
        return tag(11) + word(3) + fixed + short + real

    head = b"CDF" + bytes([version]) + word(records) + dimensions + none
    start = len(head) + len(variables([0, 0, 0]))
    body = np.array([1.5, 2.5, 3.5], ">f4").tobytes()
    for k in range(records):
        body += np.array([k, k + 1, k + 2], ">i2").tobytes() + b"\0\0" + np.array([k / 2], ">f8").tobytes()
    return head + variables([start, start + 12, start + 20]) + body


@pytest.mark.parametrize("version", [1, 2, 5])
def test_the_three_classic_formats_with_records(tmp_path, version):
    (tmp_path / "a.nc").write_bytes(classic(version))
    variables = read_file(open_store(tmp_path), "a.nc").variables
    np.testing.assert_array_equal(raw(variables["fixed"]).values, np.float32([1.5, 2.5, 3.5]))
    np.testing.assert_array_equal(raw(variables["short"]).values, [[0, 1, 2], [1, 2, 3], [2, 3, 4]])
    np.testing.assert_array_equal(raw(variables["real"]).values, [0, 0.5, 1])
    assert variables["fixed"].attributes == {"units": "m"}


def test_what_is_no_netcdf_is_told(tmp_path):
    (tmp_path / "a.nc").write_text("a letter")
    with pytest.raises(ProductError, match="is no netCDF"):
        read_file(open_store(tmp_path), "a.nc")


def test_a_chunk_that_unpacks_to_more_than_it_should_is_refused(tmp_path):
    import zlib

    with h5py.File(tmp_path / "a.nc", "w") as file:
        made = file.create_dataset("v", (64, 64), "u1", chunks=(64, 64), compression="gzip")
        made.id.write_direct_chunk((0, 0), zlib.compress(bytes(100_000_000)))
    variable = read_file(open_store(tmp_path), "a.nc").variables["v"]
    with pytest.raises(ProductError, match=r"is corrupt: a chunk of v cannot be decoded"):
        raw(variable).values  # noqa: B018 -- reading is what fails


def test_more_chunks_than_there_can_be_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file.create_dataset("v", (1 << 20, 1 << 20), "u1", chunks=(16, 16))
    with pytest.raises(MetadataError, match="claims 4294967296 chunks"):
        read_file(open_store(tmp_path), "a.nc")


def test_a_link_to_another_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["v"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(MetadataError, match="link to another file"):
        read_file(open_store(tmp_path), "a.nc")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """Return kind → a file's bytes: chunks, groups, attributes of all sorts, dimension scales."""
    folder = tmp_path_factory.mktemp("whole")
    for kind, libver in (("earliest", "earliest"), ("latest", "latest")):
        with h5py.File(folder / f"{kind}.nc", "w", libver=libver) as file:
            data = np.arange(400).reshape(20, 20)
            made = file.create_dataset("v", data=data, chunks=(5, 5), compression="gzip", shuffle=True)
            group = file.create_group("g")
            group.attrs.update({"numbers": np.arange(5), "text": "text", "texts": ["a", "b"]})
            scale = group.create_dataset("x", data=np.arange(20.0))
            scale.make_scale("x")
            made.dims[0].attach_scale(scale)
            group.create_dataset("names", data=["a", "bb"], dtype=h5py.string_dtype())
    hdf5 = {kind: (folder / f"{kind}.nc").read_bytes() for kind in ("earliest", "latest")}
    return {**hdf5, "classic": classic(2)}


@pytest.fixture
def impatient(monkeypatch):
    """Some damage keeps the library busy for ever; that is found out sooner here."""
    monkeypatch.setattr(_apart, "PATIENCE", 5.0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kind=st.sampled_from(["earliest", "latest", "classic"]),
    flips=st.lists(st.tuples(st.integers(0, 1 << 14), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, 1 << 14) | st.none(),
)
def test_damaged_files_are_read_or_refused_but_never_a_crash(
    tmp_path_factory, whole, impatient, kind, flips, cut
):
    data = bytearray(whole[kind])
    for place, value in flips:
        data[place % len(data)] = value
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "a.nc").write_bytes(data[:cut])
    with contextlib.suppress(SwathError):
        for variable in read_file(open_store(folder), "a.nc").variables.values():
            if np.prod(variable.whole, dtype=float) < 1e6:
                raw(variable).compute()


def test_a_header_that_ends_the_library_is_told_and_the_next_file_is_read(tmp_path, whole, monkeypatch):
    """The child is killed as the library would kill it."""
    (tmp_path / "a.nc").write_bytes(whole["earliest"])
    assert read_file(open_store(tmp_path), "a.nc").variables
    child = _apart._children[0].process
    os.kill(child.pid, signal.SIGSTOP)
    monkeypatch.setattr(_apart, "PATIENCE", 0.5)
    with pytest.raises(
        ProductError, match=r"a.nc is corrupt: the HDF5 library was busy with its header for 0.5 s"
    ):
        read_file(open_store(tmp_path), "a.nc")
    monkeypatch.undo()
    assert child.poll() is not None
    assert read_file(open_store(tmp_path), "a.nc").variables
    child = _apart._children[0].process
    os.kill(child.pid, signal.SIGSTOP)
    killer = threading.Timer(
        0.5, lambda: os.kill(child.pid, signal.SIGABRT) or os.kill(child.pid, signal.SIGCONT)
    )
    killer.start()
    with pytest.raises(ProductError, match=r"the HDF5 library failed on its header \(SIGABRT\)"):
        read_file(open_store(tmp_path), "a.nc")
    killer.join()
    assert read_file(open_store(tmp_path), "a.nc").variables["v"].store.location == str(tmp_path)


def test_bytes_that_cannot_be_read_are_told_by_the_store(tmp_path, whole):
    (tmp_path / "a.nc").write_bytes(whole["earliest"])
    store = open_store(tmp_path)
    assert read_file(store, "a.nc").variables
    (tmp_path / "a.nc").write_bytes(whole["earliest"][:100])
    with pytest.raises(ProductError, match="corrupt or truncated"):
        read_file(store, "a.nc")
    (tmp_path / "a.nc").unlink()
    with pytest.raises(MissingFileError):
        read_file(store, "a.nc")


def test_a_scale_without_a_name_and_an_undefined_fill_value_are_read(samples):
    """A real file, as a tool of the agency wrote it."""
    path = samples / "s3/l1b_subset/S3A_OL_1_EFR_ppetest_20x20.nc"
    with h5py.File(path) as file:
        found = read_file(open_store(path), path.name).variables["Oa01_radiance"]
        np.testing.assert_array_equal(raw(found).values, file["Oa01_radiance"][()])
