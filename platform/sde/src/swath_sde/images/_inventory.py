"""Bills of materials of images in a registry: the few files that tell them are read from the layers."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import tarfile
import tempfile
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from swath_sde.images._errors import BuildError
from swath_sde.images._sbom import bill_of_materials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath_sde.images._catalogue import Image
    from swath_sde.images._registry import Registry

_TELLING: Final = re.compile(
    r"var/lib/dpkg/status"
    r"|(opt/[^/]+/lib/python3[^/]*/site-packages|usr/lib/python3/dist-packages)"
    r"/[^/]+\.(dist-info/METADATA|egg-info(/PKG-INFO)?)"
    r"|(opt|usr/share/nodejs|usr/lib/nodejs)/(.+/)?package\.json"
    r"|opt/keycloak/(version\.txt|lib/lib/.+\.jar)"
)
"""The files that a bill of materials is read from."""

_REMOVED: Final = ".wh."
"""What the name of a file begins with that says: what has the rest of this name in layers below is gone."""

_EMPTIED: Final = ".wh..wh..opq"
"""A file of this name says: all that layers below have in this folder is gone."""


def bill_from_registry(image: Image, registry: Registry, digest: str, *, work: Path) -> str:
    """Return the CycloneDX document of an image that a registry has, as JSON.

    Parameters
    ----------
    image
        The image.
    registry
        Where it is.
    digest
        Digest of its manifest.
    work
        Folder for what is read, which is gone afterwards.

    Raises
    ------
    BuildError
        If the registry does not give a part of it, or a layer is not what its digest says.
    """
    with tempfile.TemporaryDirectory(prefix="inventory-", dir=work) as folder:
        root = Path(folder)
        for layer in json.loads(registry.manifest(image.name, digest))["layers"]:
            told = layer["digest"]
            with registry.blob(image.name, told) as source, _checked(source, told) as file:
                try:
                    add_layer(root, file)
                except tarfile.TarError as error:
                    raise BuildError(
                        f"a layer of {image.name} cannot be read ({layer['mediaType']}): {error}"
                    ) from error
        return bill_of_materials(image, root)


def add_layer(root: Path, layer: IO[bytes]) -> None:
    """Put a layer's telling files over those of the layers below, and take away what it removes.

    Parameters
    ----------
    root
        Folder that stands for the root file system.
    layer
        A tar, compressed or not; read once, from its beginning to its end.
    """
    with tarfile.open(fileobj=layer, mode="r|*") as members:
        for member in members:
            path = PurePosixPath(member.name.lstrip("/"))
            if ".." in path.parts:
                continue  # a file outside of the image is none of it
            if path.name == _EMPTIED:
                shutil.rmtree(root / path.parent, ignore_errors=True)
            elif path.name.startswith(_REMOVED):
                gone = root / path.with_name(path.name.removeprefix(_REMOVED))
                shutil.rmtree(gone) if gone.is_dir() else gone.unlink(missing_ok=True)
            elif member.isfile() and _TELLING.fullmatch(str(path)):
                content = members.extractfile(member)
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as copy:
                    shutil.copyfileobj(content, copy)  # type: ignore[arg-type]  # a file has content


class _Hashed:
    """A file that is read through once, and hashed on the way."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.hash = sha256()

    def read(self, size: int = -1) -> bytes:
        try:
            block = self._source.read(size)
        except (OSError, http.client.HTTPException) as error:
            raise BuildError(f"the registry stopped in the middle of a layer: {error}") from error
        self.hash.update(block)
        return block


@contextmanager
def _checked(source: IO[bytes], digest: str) -> Iterator[IO[bytes]]:
    """Yield a file to read; at the end it has to have the digest that it was asked for by."""
    hashed = _Hashed(source)
    yield hashed  # type: ignore[misc]  # read() is all that a tar in one stream takes
    while hashed.read(1 << 20):  # what follows the end of the archive is hashed, too
        pass
    if (got := f"sha256:{hashed.hash.hexdigest()}") != digest:
        raise BuildError(f"the registry gave a layer with the digest {got} for {digest}: it is not used")
