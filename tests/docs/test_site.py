"""The built site: no warning, no dead link, nothing loaded from elsewhere, nothing undocumented."""

import html
import inspect
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest
import swath_python
from sphinx.util.inventory import InventoryFile

VOID = {"meta", "link", "img", "br", "hr", "input", "source", "area", "base", "col", "embed", "track", "wbr"}


class Page(HTMLParser):
    """What a page refers to, what can be referred to in it, and its pictures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.unnamed_pictures: list[str] = []
        self._pictures: list[dict[str, str | None]] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if identity := found.get("id"):
            self.anchors.add(identity)
        if tag == "a":
            self.links.append(found.get("href") or "")
            if name := found.get("name"):
                self.anchors.add(name)
        if tag in {"img", "script", "iframe", "source"} and found.get("src"):
            self.loads.append(found["src"] or "")
        if tag == "link" and found.get("rel") in {"stylesheet", "icon", "preload", "search"}:
            self.loads.append(found.get("href") or "")
        if tag == "img" and "alt" not in found:
            self.unnamed_pictures.append(found.get("src") or "")
        if tag == "svg":
            named = (
                found.get("aria-labelledby") or found.get("aria-label") or found.get("aria-hidden") == "true"
            )
            if not named:
                self.unnamed_pictures.append("svg")


def broken(root: Path) -> Iterator[str]:
    """Yield each internal link of the pages below a folder that leads nowhere."""
    pages = {path: Page(path) for path in root.rglob("*.html") if "_static" not in path.parts}
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_relative_to(root.resolve()) or not target.is_file():
                yield f"{path.relative_to(root)}: {link!r} is no file of the site"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{path.relative_to(root)}: {link!r} names no place in its page"


def test_the_site_builds_without_a_warning(site):
    assert site.messages == ""
    assert site.status == 0


def test_every_internal_link_leads_somewhere(site):
    assert list(broken(site.root)) == []


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("gone.html", "is no file"),
        ("../outside.html", "is no file"),
        ("#gone", "names no place"),
        ("b.html#gone", "names no place"),
    ],
)
def test_the_link_check_finds_a_link_that_leads_nowhere(tmp_path, link, complaint):
    root = tmp_path / "site"
    root.mkdir()
    (tmp_path / "outside.html").write_text("")
    (root / "a.html").write_text(f'<a href="b.html#here">good</a><a href="{link}">bad</a>')
    (root / "b.html").write_text('<p id="here">')
    assert [complaint in message and repr(link) in message for message in broken(root)] == [True]


def test_the_notebook_shows_what_it_gives(site):
    page = site.text("how-to/notebook-window.html")
    assert "Chunks over time" in page
    assert '<img alt="The quick look of the product' in page
    assert " done</div>" in page


def test_no_page_loads_anything_from_elsewhere(site):
    foreign = {
        load
        for path in site.pages()
        for load in Page(path).loads
        if urlsplit(load).scheme not in {"", "data"}
    }
    assert foreign == set()


def test_every_picture_has_words_for_those_who_cannot_see_it(site):
    # What xarray and dask draw of themselves in the notebook's page is theirs.
    pages = [path for path in site.pages() if path.name != "notebook-window.html"]
    unnamed = {str(path.relative_to(site.root)): Page(path).unnamed_pictures for path in pages}
    assert {path: pictures for path, pictures in unnamed.items() if pictures} == {}


def public_names() -> list[swath_python.PublicName]:
    return sorted(swath_python.canonical(swath_python.public_names()).values(), key=lambda name: name.path)


def test_every_public_name_is_in_the_reference(site):
    with (site.root / "objects.inv").open("rb") as stream:
        inventory = InventoryFile.load(stream, "", lambda _, path: path)
    documented = {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}
    assert [name.path for name in public_names() if name.path not in documented] == []


def test_every_public_class_and_function_has_a_docstring_of_its_own():
    bare = [
        name.path
        for name in public_names()
        if (inspect.isclass(name.value) or inspect.isroutine(name.value)) and not name.value.__doc__
    ]
    assert bare == []


def test_every_public_constant_has_a_docstring_under_it():
    assert [name.path for name in public_names() if name.directive == "data" and not name.comment] == []


def test_no_verb_shows_a_mark_that_was_meant_for_click():
    for verb in entry_points(group="swath.verbs"):
        command = verb.load()
        shown = command.get_help(click.Context(command, info_name=verb.name))
        assert r"\b" not in shown, (
            f"swath {verb.name} --help: the docstring with \\b must not be a raw string"
        )


def test_the_reference_covers_the_packages_that_people_import():
    covered = {".".join(module.split(".")[:2]) for module in swath_python.public_modules()}
    layers = {"swath.errors", "swath.io", "swath.product", "swath.processing", "swath.run"}
    assert {"swath", *layers} <= covered


def test_every_verb_is_in_the_reference_with_its_package(site):
    page = site.text("reference/command-line.html")
    for verb in entry_points(group="swath.verbs"):
        assert re.search(rf"swath\s*(</span>)?(\s*<span[^>]*>)?\s*{verb.name}<", page), verb.name
        assert f'id="swath-{verb.name}"' in page
        assert verb.dist is not None
        assert f">{verb.dist.name}<" in page


def test_every_environment_variable_of_the_code_is_in_the_reference(site, repository):
    sources = [repository / "swath", *repository.glob("p*/*/src/**/*.py"), repository / "docs" / "conf.py"]
    used = {name for path in sources for name in re.findall(r"\bSWATH_[A-Z_]+\b", path.read_text("utf-8"))}
    documented = set(re.findall(r"SWATH_[A-Z_]+", site.text("reference/environment.html")))
    assert used <= documented, f"not in docs/reference/environment.md: {sorted(used - documented)}"


def test_the_forum_page_says_where_its_address_is_set(site):
    assert "SWATH_FORUM_URL" in site.text("forum.html")


def letters(text: str) -> str:
    """Return the letters and digits of a text: quotes, markup and line breaks change on the way to a page."""
    return "".join(character for character in html.unescape(text) if character.isalnum())


def test_the_change_log_shows_the_fragments_of_the_next_release(site, repository):
    page = letters(re.sub(r"<[^>]+>", "", site.text("changelog.html")))
    fragments = [path for path in (repository / "changelog.d").glob("*.md") if path.name != "README.md"]
    for fragment in fragments:
        first_words = letters(" ".join(fragment.read_text("utf-8").split()[:4]))
        assert first_words in page, f"{fragment.name} is not in the change log"
