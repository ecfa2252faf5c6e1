"""Products in a tar: read in place, and refused where they are made to deceive."""

import gzip
import io
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from swath.errors import ProductError
from swath.io.store import open_store

DATA = np.random.default_rng(4).bytes(200_000)


def info_of(name, size=0, **fields):
    info = tarfile.TarInfo(name)
    info.size = size
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def tar_of(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tar_is_read(tmp_path, kind):
    long = "X.SAFE/" + "a" * 60 + "/" + "b" * 60
    with tarfile.open(tmp_path / "p.tar", "w", format=kind) as archive:
        archive.addfile(info_of(long, 7), io.BytesIO(b"content"))
        archive.addfile(info_of("X.SAFE/data", len(DATA)), io.BytesIO(DATA))
    store = open_store(tmp_path / "p.tar")
    assert store.read(long.removeprefix("X.SAFE/")) == b"content"
    assert store.read_range("data", 150_000, 150_100) == DATA[150_000:150_100]


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "X.SAFE/../../evil"])
def test_names_that_lead_out_are_refused(tmp_path, name):
    members = [(info_of("X.SAFE/good", 1), b"1"), (info_of(name, 1), b"2")]
    with pytest.raises(ProductError, match="leads out of the product"):
        open_store(tar_of(tmp_path / "p.tar", members))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    members = [(info_of("X.SAFE/link", type=kind, linkname="/etc/passwd"), b"")]
    with pytest.raises(ProductError, match="a link, a device"):
        open_store(tar_of(tmp_path / "p.tar", members))


def test_two_members_of_one_name_are_refused(tmp_path):
    members = [(info_of("X.SAFE/a", 1), b"1"), (info_of("X.SAFE/a", 1), b"2")]
    with pytest.raises(ProductError, match="two members"):
        open_store(tar_of(tmp_path / "p.tar", members))


def test_a_member_that_claims_more_than_there_is_is_refused(tmp_path):
    path = tmp_path / "p.tar"
    header = info_of("X.SAFE/a", 1 << 33).tobuf()
    path.write_bytes(header + bytes(1024))
    with pytest.raises(ProductError, match="truncated"):
        open_store(path)


def test_a_tar_that_would_unpack_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("swath.io._tar.MAX_TOTAL", 1000)
    members = [(info_of(name, 600), bytes(600)) for name in ("a", "b")]
    with pytest.raises(ProductError, match="would unpack to more than 1000 bytes"):
        open_store(tar_of(tmp_path / "p.tar", members))


@pytest.mark.parametrize("size", [700, 100_000, 201_000])
def test_a_truncated_tar_is_refused(tmp_path, size):
    path = tar_of(
        tmp_path / "p.tar", [(info_of("X.SAFE/a", len(DATA)), DATA), (info_of("X.SAFE/b", 9), b"123456789")]
    )
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ProductError, match="truncated"):
        open_store(path).read("b")


def test_a_packed_tar_is_read_in_any_order_and_threads_apart(tmp_path):
    members = [(info_of("X.SAFE/a", len(DATA)), DATA), (info_of("X.SAFE/b", 3), b"end")]
    path = tar_of(tmp_path / "p.tar.gz", members, "w:gz")
    store = open_store(path)
    assert store.read("b") == b"end"
    assert store.read_range("a", 10, 20) == DATA[10:20]
    assert store.read("a") == DATA


@pytest.mark.parametrize("size", [2, 12, 300, 150_000])
def test_a_truncated_packed_tar_is_refused(tmp_path, size):
    path = tar_of(tmp_path / "p.tar.gz", [(info_of("X.SAFE/a", len(DATA)), DATA)], "w:gz")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ProductError):
        open_store(path).read("a")


def test_a_packed_file_that_is_no_tar_is_refused(tmp_path):
    (tmp_path / "p.gz").write_bytes(gzip.compress(b"only text" * 1000))
    with pytest.raises(ProductError):
        open_store(tmp_path / "p.gz")


@pytest.mark.parametrize(("mode", "name"), [("w:bz2", "bzip2"), ("w:xz", "xz")])
def test_other_packings_are_told(tmp_path, mode, name):
    path = tar_of(tmp_path / "p", [(info_of("a", 1), b"1")], mode)
    with pytest.raises(ProductError, match=f"packed by {name}"):
        open_store(path)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 2047), value=st.integers(0, 255), packed=st.booleans())
def test_a_flipped_byte_is_read_or_refused_but_never_a_crash(tmp_path_factory, place, value, packed):
    members = [(info_of("X/a", 600), DATA[:600]), (info_of("X/b", 3), b"end")]
    path = tar_of(tmp_path_factory.mktemp("fuzz") / "p", members, "w:gz" if packed else "w")
    data = bytearray(path.read_bytes())
    data[place % len(data)] = value
    path.write_bytes(data)
    try:
        store = open_store(path)
        for name in store.names():
            assert len(store.read(name)) == store.size(name)
    except ProductError:
        pass
