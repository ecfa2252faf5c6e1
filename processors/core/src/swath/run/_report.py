"""What a run did: planned and really read amounts, time, versions, and the payload to do it again."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from swath.io.address import shown
from swath.io.metering import Counts
from swath.processing import Plan, size
from swath.run._payload import Payload

__all__ = ["RunReport"]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did."""

    product: Path
    """The folder that appeared."""
    payload: Payload
    plan: Plan
    read: Counts
    """What the engine's processes really read of the product's image data."""
    seconds: float
    """From the payload to the last chunk and file, without checksums and commit."""
    workers: int
    versions: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return {
            "product": str(self.product),
            "seconds": round(self.seconds, 3),
            "engine": self.payload.engine,
            "workers": self.workers,
            "planned": {"chunks": self.plan.chunks, "bytes": self.plan.bytes},
            "read": asdict(self.read),
            "versions": self.versions,
            "payload": _shown(self.payload),
            "plan": self.plan.to_dict(),
        }

    def __str__(self) -> str:
        """Return a short summary for people."""
        rows, columns = self.plan.window.shape
        made = f"{len(self.plan.outputs)} variables, {rows} x {columns} pixels, in {self.seconds:.1f} s"
        same = "as planned" if self.read.chunks == self.plan.chunks else f"{self.plan.chunks} were planned"
        return "\n".join(
            [
                f"product  {self.product}",
                f"made     {made}",
                f"read     {self.read.chunks} chunks ({same}), {size(self.read.bytes)}",
            ]
        )


def _shown(payload: Payload) -> dict[str, Any]:
    """Return a payload as plain data, without what may be secret in the product's address."""
    content: dict[str, Any] = payload.model_dump(mode="json")
    content["inputs"]["product"] = shown(content["inputs"]["product"])
    return content
