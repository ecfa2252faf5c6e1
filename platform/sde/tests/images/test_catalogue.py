"""The catalogue: order, tags that follow from all that an image follows from, refusals."""

from collections.abc import Callable
from pathlib import Path

import pytest
from swath_sde.errors import ConfigurationError
from swath_sde.images import catalogue, selected
from swath_sde.places import checkout


def edit(path: str, text: str = "changed\n") -> Callable[[Path], None]:
    return lambda root: (root / path).write_text(text) and None


def test_every_folder_with_a_dockerfile_is_an_image() -> None:
    folders = {path.parent.name for path in (checkout() / "platform" / "images").glob("*/Dockerfile")}
    assert folders == set(catalogue())


def test_an_image_comes_after_all_that_it_stands_on() -> None:
    images = catalogue()
    order = list(images)
    for image in images.values():
        assert all(order.index(parent) < order.index(image.name) for parent in image.parents.values())


def test_the_same_files_have_the_same_tags(small: Path) -> None:
    assert {name: image.tag for name, image in catalogue().items()} == {
        name: image.tag for name, image in catalogue().items()
    }


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        (edit("platform/images/tool/Dockerfile"), {"tool"}),
        (edit("platform/images/tool/requirements.txt"), {"tool"}),
        (edit("platform/images/tool/new"), {"tool"}),
        (edit("requirements/uv.txt"), {"tool"}),
        (lambda root: (root / "platform/images/tool/start").chmod(0o755), {"tool"}),
        (edit("platform/images/base/Dockerfile"), {"base", "tool"}),
        (edit("platform/images/tool/requirements.in"), set()),
        (edit("platform/images/lock"), set()),
    ],
    ids=["dockerfile", "lock", "new-file", "uv", "mode", "parent", "unresolved", "script"],
)
def test_a_tag_follows_from_what_the_image_follows_from(
    small: Path, change: Callable[[Path], None], changed: set[str]
) -> None:
    before = {name: image.tag for name, image in catalogue().items()}
    change(small)
    after = {name: image.tag for name, image in catalogue().items()}
    assert {name for name in before if before[name] != after[name]} == changed


def test_a_change_of_the_core_is_a_new_tag_for_the_image_with_its_wheels_alone(small: Path) -> None:
    file = small / "platform" / "images" / "catalogue.yaml"
    file.write_text(file.read_text() + "own: {title: ours, parents: {TOOL: tool}, wheels: true}\n")
    (small / "platform" / "images" / "own").mkdir()
    edit("platform/images/own/Dockerfile", "FROM scratch\n")(small)
    core = small / "processors" / "core" / "src" / "swath"
    core.mkdir(parents=True)
    before = {name: image.tag for name, image in catalogue().items()}
    (core / "new.py").touch()
    after = {name: image.tag for name, image in catalogue().items()}
    assert {name for name in before if before[name] != after[name]} == {"own"}


def test_a_name_brings_what_it_stands_on(small: Path) -> None:
    assert [image.name for image in selected(catalogue(), ["tool"])] == ["base", "tool"]
    assert [image.name for image in selected(catalogue(), ["base"])] == ["base"]
    assert [image.name for image in selected(catalogue(), [])] == ["base", "tool"]


def test_refuses_an_unknown_image_with_a_near_name(small: Path) -> None:
    with pytest.raises(ConfigurationError, match="no image 'tol'; did you mean 'tool'"):
        selected(catalogue(), ["tol"])
    with pytest.raises(ConfigurationError, match="there are: base, tool"):
        selected(catalogue(), ["xyz"])


def test_refuses_images_that_stand_on_each_other(small: Path) -> None:
    file = small / "platform" / "images" / "catalogue.yaml"
    file.write_text("base: {title: a, parents: {X: tool}}\ntool: {title: b, parents: {X: base}}\n")
    with pytest.raises(ConfigurationError, match="in a circle, or on one that is missing: base, tool"):
        catalogue()


def test_refuses_an_entry_without_a_dockerfile(small: Path) -> None:
    (small / "platform" / "images" / "tool" / "Dockerfile").unlink()
    with pytest.raises(ConfigurationError, match="there is no tool/Dockerfile"):
        catalogue()
