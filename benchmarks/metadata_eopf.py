"""The product of metadata.py through eopf; started by it, in eopf's own environment. Prints JSON."""

# ruff: noqa: PLC0415 -- the help of metadata.py tells where eopf is

import json
import sys
from pathlib import Path

from metadata import measure, tree


def main() -> None:
    from eopf.store.fast_zarr_writer import EODataTreeFastZarrWriter
    from eopf.store.zarr_reader import EODataTreeZarrReader
    from eopf.store.zarr_writer import EODataTreeZarrWriter

    def open_(path: Path) -> object:
        return EODataTreeZarrReader().open_datatree(str(path))

    results = {}
    for name, writer in (("eopf", EODataTreeZarrWriter), ("eopf, fast_zarr", EODataTreeFastZarrWriter)):

        def write(product: object, path: Path, made: type = writer) -> None:
            made().write(product, str(path))

        try:
            results[name] = measure(write, open_, tree(), int(sys.argv[1]))
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            if name == "eopf":
                raise
    print(json.dumps(results))


if __name__ == "__main__":
    main()
