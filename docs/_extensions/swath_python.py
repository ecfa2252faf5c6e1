"""Write the reference of the Python interface from what the packages declare public.

Every module whose name has no part with a leading underscore and which has an ``__all__`` gets a page. An
object that several modules export is documented once, under the shortest of its names; the other pages link
there.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import pkgutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from sphinx.addnodes import pending_xref
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.nodes import find_pending_xref_condition, make_refnode

if TYPE_CHECKING:
    from pathlib import Path

    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PACKAGES = ("swath", "swath_sentinel2", "swath_cli")
"""The packages whose public names are documented; the other packages have verbs only."""

NOT_FOR_IMPORT = ("swath.cli",)
"""Modules that hold verbs: their reference is that of the command line."""


@dataclass(frozen=True)
class PublicName:
    """One name of an ``__all__``: the module that exports it and the object it stands for."""

    module: str
    name: str
    value: object

    @property
    def path(self) -> str:
        """Return the name with its module."""
        return f"{self.module}.{self.name}"

    @property
    def origin(self) -> str:
        """Return where the object is defined, which is equal for all names of the same object."""
        module, qualname = getattr(self.value, "__module__", None), getattr(self.value, "__qualname__", None)
        if not isinstance(module, str) or not isinstance(qualname, str) or not _documents_itself(self.value):
            return self.path  # a constant: nothing says where it comes from
        return f"{module}.{qualname}"

    @property
    def comment(self) -> list[str]:
        """Return what is said under a constant where it is defined, else what its object says of itself."""
        for module in [self.module, *sorted(sys.modules)]:
            inside = module == self.module or module.startswith(f"{self.module.split('.')[0]}.")
            if inside and getattr(sys.modules[module], self.name, None) is self.value:
                comments = ModuleAnalyzer.for_module(module).find_attr_docs()
                if ("", self.name) in comments:
                    return comments["", self.name]
        return _said_by(self.value)

    @property
    def directive(self) -> str:
        """Return the autodoc directive for this kind of object."""
        if inspect.ismodule(self.value):
            return "automodule"
        if inspect.isclass(self.value):
            return "autoexception" if issubclass(self.value, BaseException) else "autoclass"
        return "autofunction" if inspect.isroutine(self.value) else "data"


def _said_by(value: object) -> list[str]:
    """Return a command's help, or the docstring of a step's function or of an object of ours."""
    if isinstance(value, click.Command):
        return [value.help or ""]
    if inspect.isroutine(function := getattr(value, "function", None)):
        return (inspect.getdoc(function) or "").splitlines()
    if type(value).__module__.split(".")[0] in PACKAGES:
        return (inspect.getdoc(value) or "").splitlines()
    return []


def _documents_itself(value: object) -> bool:
    return inspect.isclass(value) or inspect.isroutine(value)


def public_modules() -> list[str]:
    """Return the names of all public modules that have an ``__all__``, packages before what is inside."""
    found = []
    for package in PACKAGES:
        root = importlib.import_module(package)
        names = [package]
        names += [part.name for part in pkgutil.walk_packages(root.__path__, f"{package}.", onerror=_fail)]
        found += [name for name in names if _is_public(name)]
    return [name for name in sorted(found) if hasattr(importlib.import_module(name), "__all__")]


def _is_public(module: str) -> bool:
    hidden = any(part.startswith("_") or part == "tests" for part in module.split("."))
    return not hidden and not any(module == name or module.startswith(f"{name}.") for name in NOT_FOR_IMPORT)


def _fail(module: str) -> None:
    message = f"{module} cannot be imported, so its reference cannot be written"
    raise ImportError(message)


def public_names() -> list[PublicName]:
    """Return every name of every ``__all__``."""
    return [
        PublicName(module, name, getattr(importlib.import_module(module), name))
        for module in public_modules()
        for name in sorted(importlib.import_module(module).__all__)
        if not inspect.ismodule(getattr(importlib.import_module(module), name))
    ]


def canonical(names: list[PublicName]) -> dict[str, PublicName]:
    """Return for each object's origin the name that documents it: the one with the fewest parts."""
    chosen: dict[str, PublicName] = {}
    for name in sorted(names, key=lambda name: (name.path.count("."), name.path)):
        chosen.setdefault(name.origin, name)
    return chosen


def write_pages(app: Sphinx) -> None:
    """Write one page a module to reference/_generated/api; a page is touched only when its text is new."""
    folder = app.srcdir / "reference" / "_generated" / "api"
    folder.mkdir(parents=True, exist_ok=True)
    names = public_names()
    chosen = canonical(names)
    wanted = set()
    for module in public_modules():
        mine = [name for name in names if name.module == module]
        _write(folder / f"{module}.rst", _page(module, mine, chosen))
        wanted.add(f"{module}.rst")
    for stale in set(folder.iterdir()) - {folder / name for name in wanted}:
        stale.unlink()


def _page(module: str, names: list[PublicName], chosen: dict[str, PublicName]) -> str:
    own = [name for name in names if chosen[name.origin] == name]
    others = [name for name in names if chosen[name.origin] != name]
    lines = [module, "=" * len(module), "", f".. automodule:: {module}", "   :no-members:", ""]
    summarised = [name.name for name in own if name.directive != "data"]
    if summarised:
        lines += [".. autosummary::", "   :nosignatures:", "", *(f"   {name}" for name in summarised), ""]
    if others:
        links = ", ".join(f":py:obj:`~{chosen[name.origin].path}`" for name in others)
        lines += [f"Exported from here too, and documented under the shorter name: {links}.", ""]
    titles = {
        "autofunction": "Functions",
        "autoclass": "Classes",
        "data": "Values",
        "autoexception": "Errors",
    }
    for directive, title in titles.items():
        members = [name for name in own if name.directive == directive]
        if members:
            lines += [title, "-" * len(title), ""]
        for name in members:
            if directive == "data":
                lines += [f".. py:data:: {name.name}", ""]
                lines += [f"   {line}" for line in name.comment] + [""]
            else:
                lines += [f".. {directive}:: {name.path}", *_options(directive), ""]
    return "\n".join(lines)


def _options(directive: str) -> list[str]:
    match directive:
        case "autoclass":
            return ["   :members:", "   :show-inheritance:"]
        case "autoexception":
            return ["   :show-inheritance:"]
    return []


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.Node | None:
    """Lead a reference to an object's private home, or to its bare name, to where it is documented."""
    if node.get("refdomain") != "py":
        return None
    target = str(node["reftarget"])
    documented = env.domains.python_domain.objects
    path = _public_path(target)
    if path is None or path not in documented:
        return None
    entry = documented[path]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, path)


def _public_path(target: str) -> str | None:
    """Return the documented name of an object or of a member of one."""
    names = public_names()
    chosen = canonical(names)
    aliases = {name.path: chosen[name.origin].path for name in names}
    aliases |= {origin: name.path for origin, name in chosen.items()}
    parts = target.split(".")
    for count in range(len(parts), 0, -1):
        known = aliases.get(".".join(parts[:count]))
        if known:
            return ".".join([known, *parts[count:]])
    bare = {name.path for name in chosen.values() if name.name == parts[0]}
    return ".".join([bare.pop(), *parts[1:]]) if len(bare) == 1 else None


def leave_builtins_alone(app: Sphinx, doctree: nodes.document) -> None:  # noqa: ARG001 -- Sphinx's signature
    """Make no link of ``bytes`` or ``int``: Sphinx would lead it to some attribute of that name."""
    for reference in list(doctree.findall(pending_xref)):
        if reference.get("refdomain") == "py" and hasattr(builtins, str(reference.get("reftarget"))):
            shown = find_pending_xref_condition(reference, "resolved")
            reference.replace_self(shown.children if shown else reference.children)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the writer of the pages and the resolver of references."""
    app.connect("builder-inited", write_pages)
    app.connect("doctree-read", leave_builtins_alone)
    app.connect("missing-reference", resolve)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
