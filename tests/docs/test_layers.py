"""The picture of the architecture shows what the contracts of pyproject.toml say, and all of it."""

import re
import tomllib
import xml.etree.ElementTree as ET

import pytest
import swath_layers


def names_of(svg: str) -> list[str]:
    root = ET.fromstring(svg)
    return [
        text.text or ""
        for text in root.iter("{http://www.w3.org/2000/svg}text")
        if text.get("class") == "name"
    ]


def picture_of(folder, contracts: str) -> str:
    (folder / "pyproject.toml").write_text(f"[tool.importlinter]\n{contracts}")
    return swath_layers.draw(swath_layers.read(folder))


def layers(name: str, *layers: str) -> str:
    return f'[[tool.importlinter.contracts]]\nname = "{name}"\ntype = "layers"\nlayers = {list(layers)!r}\n'


def test_the_built_page_shows_every_layer_of_the_contracts(site, repository):
    svg = re.search(r'<svg class="layers".*?</svg>', site.text("explanation/architecture.html"), re.DOTALL)
    assert svg
    linter = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    wanted = {
        name.strip()
        for contract in linter["contracts"]
        for layer in contract.get("layers", [])
        for name in layer.split("|")
    }
    assert set(names_of(svg[0])) == wanted
    assert "no imports" in svg[0]


def test_a_new_layer_appears_by_itself(tmp_path):
    assert names_of(picture_of(tmp_path, layers("one", "a", "b", "c"))) == ["a", "b", "c"]


def test_siblings_stand_side_by_side(tmp_path):
    svg = picture_of(tmp_path, layers("one", "a | (b)", "c"))
    found = re.findall(r'<rect class="inner" x="([\d.]+)" y="([\d.]+)"', svg)
    tops = [(float(x), float(y)) for x, y in found]
    assert names_of(svg) == ["a", "b", "c"]
    assert tops[0][1] == tops[1][1] < tops[2][1]
    assert tops[0][0] < tops[1][0]


def test_a_stack_is_drawn_inside_the_layer_that_it_divides(tmp_path):
    svg = picture_of(tmp_path, layers("inside", "core.high", "core.low") + layers("all", "top", "core"))
    assert names_of(svg) == ["top", "core", "core.high", "core.low"]
    assert svg.count('class="outer"') == 1
    assert svg.count('class="title"') == 1


def test_boxes_hold_what_is_inside_them():
    box = swath_layers.Box(
        "outer", "a text of some length " * 5, [[swath_layers.Box("a"), swath_layers.Box("b")]]
    )
    assert box.width >= 2 * swath_layers.WIDTH
    assert box.height > box.head + box.rows[0][0].height


def test_a_wall_stands_only_where_imports_are_forbidden(tmp_path):
    stacks = layers("left", "a", "b") + layers("right", "c", "d")
    forbidden = (
        '[[tool.importlinter.contracts]]\nname = "apart"\ntype = "forbidden"\n'
        'source_modules = ["a"]\nforbidden_modules = ["d"]\n'
    )
    assert "no imports" not in picture_of(tmp_path, stacks)
    assert "no imports" in picture_of(tmp_path, stacks + forbidden)


def test_refuses_a_kind_of_contract_that_it_cannot_draw(tmp_path):
    with pytest.raises(ValueError, match="cannot draw a contract of type 'acyclic'"):
        picture_of(tmp_path, '[[tool.importlinter.contracts]]\nname = "x"\ntype = "acyclic"\n')


def test_markup_in_a_docstring_is_text_in_the_picture(tmp_path):
    package = tmp_path / "processors" / "p" / "src" / "a"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Less < more & ``code``.\n\nNot this."""\n')
    svg = picture_of(tmp_path, layers("one", "a"))
    assert "Less &lt; more &amp; code<" in svg
    assert "Not this" not in svg
