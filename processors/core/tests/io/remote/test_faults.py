"""A store that fails is asked again, a bounded number of times, and then told by name."""

import time
import zipfile

import fsspec
import numpy as np
import pytest
from swath.errors import InputError, ProductError, StoreError
from swath.io.address import shown
from swath.io.remote import Patience
from swath.io.store import open_store

DATA = np.random.default_rng(5).bytes(400_000)


@pytest.fixture(params=["s3", "web"])
def place(request):
    """Return a server, and the address of a folder of it that has a file, and a zip beside it."""
    server = request.getfixturevalue(request.param)
    root = server.bucket if request.param == "s3" else server.folder
    (root / "p.zarr").mkdir(exist_ok=True)
    (root / "p.zarr" / ".zmetadata").write_bytes(b"{}")
    (root / "p.zarr" / "file").write_bytes(DATA)
    with zipfile.ZipFile(root / "p.zip", "w") as archive:
        archive.writestr("file", DATA)
    return server, "s3://bucket" if request.param == "s3" else server.address


@pytest.mark.parametrize("kind", ["500", "502", "503", "429", "cut", "hang"])
@pytest.mark.parametrize("name", ["p.zarr", "p.zip"])
def test_what_fails_twice_is_read_all_the_same(place, name, kind):
    server, root = place
    store = open_store(f"{root}/{name}")
    server.asked.clear()
    server.fail(kind, times=2, match="p.z")
    assert store.read("file") == DATA
    assert len(server.asked) == 3


@pytest.mark.parametrize("kind", ["500", "503", "cut", "hang"])
def test_what_fails_each_time_is_told_after_a_bounded_number_of_attempts(place, kind):
    server, root = place
    store = open_store(f"{root}/p.zarr")
    server.asked.clear()
    server.fail(kind, times=1000, match="file")
    with pytest.raises(
        StoreError, match=r"p\.zarr/file could not be read: it was asked for 3 times, and the"
    ) as told:
        store.read_range("file", 10, 20_000)
    assert told.value.exit_status == 1
    assert len(server.asked) == 3
    if kind.isdecimal():
        assert f"status {kind}" in str(told.value)
    server.faults.clear()
    assert store.read_range("file", 10, 20_000) == DATA[10:20_000]


def test_opening_fails_by_name_too(place):
    server, root = place
    server.fail("503", times=1000)
    for name in ("p.zarr", "p.zip"):
        with pytest.raises(StoreError, match="asked for 3 times"):
            open_store(f"{root}/{name}")


def test_a_server_that_is_not_there_is_told(patient, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    for place in ("http://127.0.0.1:9/p.zip", "s3://bucket/p.zip"):
        with pytest.raises(StoreError, match="asked for 3 times"):
            open_store(place)


def test_an_answer_that_is_too_short_and_says_so_is_not_taken_for_the_file(place):
    server, root = place
    store = open_store(f"{root}/p.zarr")
    store.size("file")
    server.fail("short", times=1000, match="file")
    with pytest.raises(StoreError):
        store.read("file")
    with pytest.raises(StoreError):
        store.read_range("file", 100, 200_000)


def test_a_flipped_byte_in_a_member_of_a_zip_is_found(place):
    server, root = place
    store = open_store(f"{root}/p.zip")
    server.fail("flip", times=1000)
    with pytest.raises(ProductError, match="CRC-32"):
        store.read("file")


def test_a_flipped_byte_in_an_object_with_a_checksum_is_asked_for_again(s3):
    import boto3

    client = boto3.client("s3")
    client.put_object(Bucket="bucket", Key="sum.zarr/file", Body=DATA, ChecksumAlgorithm="CRC32")
    client.close()
    store = open_store("s3://bucket/sum.zarr")
    s3.asked.clear()
    s3.fail("flip", times=2, match="file")
    assert store.read("file") == DATA
    assert len(s3.asked) == 3


def test_a_file_that_changes_while_it_is_read_is_told(place):
    server, root = place
    store = open_store(f"{root}/p.zarr")
    store.read_range("file", 0, 10)
    folder = server.bucket if root.startswith("s3") else server.folder
    (folder / "p.zarr" / "file").write_bytes(DATA[:-7])
    with pytest.raises(StoreError, match="was changed while it was read"):
        store.read_range("file", 200_000, 300_000)


def test_what_is_refused_is_not_asked_for_again(place):
    server, root = place
    server.fail("403", times=1000)
    with pytest.raises(ProductError, match=r"cannot be reached from here \(status 403"):
        open_store(f"{root}/p.zip")
    assert len(server.asked) == 1


def test_the_server_says_how_long_to_wait(web):
    (web.folder / "w.zip").write_bytes(b"PK\5\6" + bytes(18))
    web.fail("503", times=1, Retry_After="100000")
    start = time.monotonic()
    open_store(f"{web.address}/w.zip")
    # The longest pause of these tests is half a second, whatever the server says; without a word it is 0.01.
    assert time.monotonic() - start >= 0.4


def test_pauses_grow_and_are_bounded():
    patient = Patience(attempts=9, pause=0.2, longest=3)
    waits = [[patient.wait(attempt, None) for _ in range(50)] for attempt in range(1, 9)]
    for number, drawn in enumerate(waits):
        full = min(0.2 * 2**number, 3)
        assert all(0.5 * full <= wait <= full for wait in drawn)
        assert len(set(drawn)) > 10
    assert patient.wait(1, 2.5) == 2.5
    assert patient.wait(1, 60.0) == 3


@pytest.mark.parametrize("value", ["0", "many", "-3", "nan"])
def test_a_variable_that_makes_no_sense_is_bad_input(web, monkeypatch, value):
    monkeypatch.setenv("SWATH_REMOTE_ATTEMPTS", value)
    with pytest.raises(InputError, match="SWATH_REMOTE_ATTEMPTS"):
        open_store(f"{web.address}/p.zip")


def test_a_server_without_parts_of_files_serves_small_files_only(web, monkeypatch):
    import swath.io.remote._http as module

    with zipfile.ZipFile(web.folder / "parts.zip", "w") as archive:
        archive.writestr("file", DATA)
    web.ranges = False
    assert open_store(f"{web.address}/parts.zip").read("file") == DATA
    monkeypatch.setattr(module, "_WHOLE", 1000)
    with pytest.raises(StoreError, match="does not serve parts"):
        open_store(f"{web.address}/parts.zip")


def test_credentials_that_are_missing_are_told(s3, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(ProductError, match=r"cannot be reached from here.*AWS_PROFILE"):
        open_store("s3://bucket/p.zip")


def test_a_profile_and_an_endpoint_of_fsspec_are_heeded(s3, monkeypatch, tmp_path):
    import gateway

    (s3.bucket / "profile.zarr").mkdir(exist_ok=True)
    (s3.bucket / "profile.zarr" / "file").write_bytes(DATA)
    profile = f"[practice]\naws_access_key_id={gateway.ACCESS}\naws_secret_access_key={gateway.SECRET}\n"
    (tmp_path / "credentials").write_text(profile)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "practice")
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": s3.address})
    assert open_store("s3://bucket/profile.zarr").read("file") == DATA


@pytest.mark.parametrize(("text", "told"), [
    ("https://host/p.zip?X-Amz-Signature=abc&token=def", "https://host/p.zip?X-Amz-Signature=…ba7816&token=…cb8379"),
    ("https://me:secret@host:8000/p.zip", "https://…@host:8000/p.zip"),
    ("s3://bucket/p.zip", "s3://bucket/p.zip"),
    ("/a/path?with=query", "/a/path?with=query"),
])  # fmt: skip
def test_nothing_secret_of_an_address_is_shown(text, told):
    assert shown(text) == told


def test_a_signed_address_works_and_is_never_told(web):
    with zipfile.ZipFile(web.folder / "signed.zip", "w") as archive:
        archive.writestr("file", DATA)
    store = open_store(f"{web.address}/signed.zip?signature=topsecret")
    assert store.read("file") == DATA
    assert all("signature=topsecret" in asked.path for asked in web.asked)
    assert "topsecret" not in store.location
    web.fail("500", times=1000)
    with pytest.raises(StoreError) as told:
        open_store(f"{web.address}/signed.zip?signature=topsecret").read("file")
    assert "topsecret" not in str(told.value)
