"""What a user may give by mistake, or a product may do on purpose: told clearly, status 2, nothing left."""

import re
import shutil
import stat
import zipfile
from pathlib import Path

import pytest


def one(folder: Path, pattern: str) -> Path:
    """Return the only file below ``folder`` that matches."""
    (found,) = folder.rglob(pattern)
    return found


def refused(done, destination: Path, *words: str) -> None:
    """Assert that a call was refused as bad input: told with these words, and nothing was written."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(("error: ", "Usage: ")), done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert not destination.exists()
    assert not [left for left in destination.parent.iterdir() if "partial" in left.name]


@pytest.fixture
def result(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    return folder / "result"


def test_a_folder_that_is_no_product(swath, tmp_path, result) -> None:
    (tmp_path / "photos").mkdir()
    refused(swath("run", "s2-toa", tmp_path / "photos", result), result, "photos")


def test_a_product_that_is_not_there(swath, tmp_path, result) -> None:
    refused(swath("run", "s2-toa", tmp_path / "nothing.SAFE", result), result, "nothing.SAFE")


def test_a_zip_that_is_none(swath, tmp_path, result) -> None:
    (tmp_path / "product.zip").write_bytes(b"PK\x03\x04 and then nothing of the kind")
    refused(swath("run", "s2-toa", tmp_path / "product.zip", result), result, "product.zip")


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_image(swath, broken, result, kept: float) -> None:
    image = one(broken, "T*_B04.jp2")
    data = image.read_bytes()
    image.write_bytes(data[: int(len(data) * kept)])
    refused(swath("run", "s2-toa", broken, result), result, "B04.jp2")


def test_an_image_that_is_none(swath, broken, result) -> None:
    image = one(broken, "T*_B04.jp2")
    image.write_bytes(b"not a JPEG 2000 file" * 1000)
    refused(swath("run", "s2-toa", broken, result), result, "B04.jp2")


def test_a_missing_band(swath, broken, result) -> None:
    one(broken, "T*_B8A.jp2").unlink()
    refused(swath("run", "s2-toa", broken, result), result, "B8A")


@pytest.mark.parametrize("name", ["MTD_MSIL1C.xml", "MTD_TL.xml"])
def test_malformed_metadata(swath, broken, result, name: str) -> None:
    metadata = one(broken, name)
    metadata.write_text(metadata.read_text()[:-200])
    refused(swath("run", "s2-toa", broken, result), result, name)


@pytest.mark.parametrize("name", ["MTD_MSIL1C.xml", "MTD_TL.xml"])
def test_an_entity_bomb(swath, broken, result, name: str) -> None:
    metadata = one(broken, name)
    text = re.sub(r"<\?xml.*?\?>", "", metadata.read_text())
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    metadata.write_text(f'<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY e0 "ha">{entities}]>{text}')
    refused(swath("run", "s2-toa", broken, result), result, name)


def test_an_entity_that_reads_a_file(swath, broken, result, tmp_path) -> None:
    (tmp_path / "secret").write_text("the secret")
    metadata = one(broken, "MTD_TL.xml")
    text = re.sub(r"<\?xml.*?\?>", "", metadata.read_text())
    text = re.sub(r"(<TILE_ID[^>]*>)[^<]*", r"\1&secret;", text)
    entity = f'<!ENTITY secret SYSTEM "file://{tmp_path / "secret"}">'
    metadata.write_text(f'<?xml version="1.0"?><!DOCTYPE product [{entity}]>{text}')
    done = swath("run", "s2-toa", broken, result)
    refused(done, result, "MTD_TL.xml")
    assert "the secret" not in done.stderr + done.stdout


@pytest.mark.parametrize("where", ["../../outside", "/etc/passwd", "GRANULE/../../outside"])
def test_a_path_in_the_metadata_that_escapes_the_product(swath, broken, result, tmp_path, where: str) -> None:
    shutil.copy(one(broken, "T*_B04.jp2"), tmp_path / "outside.jp2")
    metadata = one(broken, "MTD_MSIL1C.xml")
    text, count = re.subn(r">[^<]*_B04(\.jp2)?</IMAGE_FILE>", f">{where}</IMAGE_FILE>", metadata.read_text())
    assert count == 1
    metadata.write_text(text)
    refused(swath("run", "s2-toa", broken, result), result, where)


def test_a_link_that_leads_out_of_the_product(swath, broken, result, tmp_path) -> None:
    image = one(broken, "T*_B04.jp2")
    shutil.move(image, tmp_path / "outside.jp2")
    image.symlink_to(tmp_path / "outside.jp2")
    refused(swath("run", "s2-toa", broken, result), result, "B04.jp2")


@pytest.mark.parametrize("name", ["../evil.xml", "/evil.xml", "P.SAFE/../../evil.xml"])
def test_a_name_in_the_zip_that_escapes_it(swath, broken, result, tmp_path, name: str) -> None:
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in broken.rglob("*"):
            archive.write(path, Path(broken.name) / path.relative_to(broken))
        archive.writestr(name, "<evil/>")
    refused(swath("run", "s2-toa", packed, result), result, "evil.xml")


def test_a_link_in_the_zip(swath, broken, result, tmp_path) -> None:
    image = one(broken, "T*_B04.jp2")
    name = (Path(broken.name) / image.relative_to(broken)).as_posix()
    image.unlink()
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in broken.rglob("*"):
            archive.write(path, Path(broken.name) / path.relative_to(broken))
        link = zipfile.ZipInfo(name)
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    refused(swath("run", "s2-toa", packed, result), result, "B04.jp2")


@pytest.mark.parametrize(
    "window",
    [
        "rows 0:100000, columns 0:10",
        "rows -5:10, columns 0:10",
        "rows 10:10, columns 0:10",
        "lon 0:1, lat 0:1",
        "rows a:b",
        "somewhere",
    ],
)
def test_a_window_outside_the_product_or_malformed(swath, scene, result, window: str) -> None:
    refused(swath("run", "s2-toa", scene, result, "--window", window), result, "window")


def test_a_payload_with_an_unknown_key(swath, scene, result, tmp_path) -> None:
    payload = tmp_path / "payload.yaml"
    payload.write_text(
        f"processor: s2-toa\ninputs: {{product: {scene}}}\ndestination: {result}\nwindwo: whole\n"
    )
    refused(swath("run", payload), result, "windwo", "window")


def test_a_parameter_that_does_not_exist(swath, scene, result) -> None:
    refused(
        swath("run", "s2-toa", scene, result, "--param", "resolutoin=20"), result, "resolutoin", "resolution"
    )


def test_a_parameter_value_out_of_range(swath, scene, result) -> None:
    refused(swath("run", "s2-toa", scene, result, "--param", "resolution=15"), result, "resolution")


def test_a_processor_that_does_not_exist(swath, scene, result) -> None:
    refused(swath("run", "s2-tao", scene, result), result, "s2-toa")


def test_a_destination_that_exists_stays_as_it_is(swath, scene, tmp_path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "thesis.txt").write_text("years of work")
    done = swath("run", "s2-toa", scene, kept)
    assert done.returncode == 2
    assert "kept" in done.stderr
    assert [path.name for path in kept.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("verb", ["info", "convert"])
def test_the_other_verbs_refuse_a_broken_product_too(swath, broken, result, verb: str) -> None:
    one(broken, "MTD_TL.xml").write_text("<half")
    arguments = [broken] if verb == "info" else [broken, result]
    refused(swath(verb, *arguments), result, "MTD_TL.xml")
