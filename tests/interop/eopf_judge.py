"""What eopf, in the Python that has it, converts and complains of."""

import json
import subprocess
from pathlib import Path

CATEGORIES = ("STRUCTURE", "METADATA", "MODEL")
"""Of what eopf's validator complains."""

CONVERT = """
import sys
from eopf.store.convert import convert
convert(sys.argv[1], sys.argv[2])
"""
COMPLAINTS = """
import json, sys
import eopf
from eopf.product.datatree_validation import ValidationMode
told = []
for path in sys.argv[1:]:
    tree = eopf.open_datatree(filename_or_obj=path)
    # Its models are for the edition 1.0.0 of the format; ours says the version of the processor, or
    # the baseline, as products of 2.8.1 do.
    tree.attrs["stac_discovery"]["properties"]["processing:version"] = "1.0.0"
    _, anomalies = tree.cpm.is_valid(validation_mode=ValidationMode.FULL)
    told.append([[a.category, a.description] for a in anomalies])
print(json.dumps(told))
"""


def convert(python: Path, product: Path, destination: Path) -> None:
    """Have eopf convert a product."""
    subprocess.run([python, "-c", CONVERT, product, destination], check=True, capture_output=True)


def complaints(python: Path, *products: Path) -> list[list[tuple[str, str]]]:
    """Return of each product what eopf's validator complains of: category and description."""
    command = [python, "-c", COMPLAINTS, *products]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def counted(anomalies: list[tuple[str, str]]) -> dict[str, int]:
    """Return how many complaints there are of each category."""
    kinds = [kind for kind, _ in anomalies]
    return {kind: kinds.count(kind) for kind in CATEGORIES}
