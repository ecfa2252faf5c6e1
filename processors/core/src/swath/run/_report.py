"""What a run did: planned and really read amounts, time, memory, versions, and the payload to do it again."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from swath.io.address import shown
from swath.io.metering import Counts
from swath.processing import Plan, size
from swath.run._compute import Computed
from swath.run._memory import Fit
from swath.run._payload import Payload

__all__ = ["RunReport"]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did."""

    product: Path
    """The folder that appeared."""
    payload: Payload
    run: str
    """Identifier of the run, as in its log and its trace."""
    plan: Plan
    fit: Fit | None
    """How it fitted into its memory; None where it computed on machines elsewhere."""
    computed: Computed
    began: float
    """Seconds since 1970."""
    seconds: float
    """From the payload to the last chunk and file, without checksums and commit."""
    workers: int
    versions: dict[str, str]
    notes: tuple[str, ...] = ()
    """What was done otherwise than asked, and why."""

    @property
    def read(self) -> Counts:
        """What the engine's processes really read of the product's image data."""
        return self.computed.read

    @property
    def retries(self) -> int:
        """How often a task was tried again."""
        return sum(len(notes.retries) for notes in self.computed.notes)

    @property
    def peak_memory(self) -> int:
        """The most bytes that any one process was seen to occupy when a chunk was done; 0 if nobody told."""
        return max((record.memory for record in self.computed.records), default=0)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return {
            "product": str(self.product),
            "run": self.run,
            "seconds": round(self.seconds, 3),
            "engine": self.payload.engine,
            "workers": self.workers,
            "planned": {"chunks": self.plan.chunks, "bytes": self.plan.bytes},
            "read": asdict(self.read),
            "resumed": self.computed.resumed,
            "retries": self.retries,
            "memory": {"fit": asdict(self.fit) if self.fit else None, "seen": self.peak_memory},
            "notes": list(self.notes),
            "versions": self.versions,
            "payload": _shown(self.payload),
            "plan": self.plan.to_dict(),
            "chunks": [record.to_dict() for record in self.computed.records],
        }

    def __str__(self) -> str:
        """Return a short summary for people."""
        rows, columns = self.plan.window.shape
        made = f"{len(self.plan.outputs)} variables, {rows} x {columns} pixels, in {self.seconds:.1f} s"
        same = "as planned" if self.read.chunks == self.plan.chunks else f"{self.plan.chunks} were planned"
        lines = [
            f"product  {self.product}",
            f"made     {made}",
            f"read     {self.read.chunks} chunks ({same}), {size(self.read.bytes)}",
        ]
        if self.computed.resumed:
            lines.append(f"resumed  {self.computed.resumed} output chunks were there from an earlier run")
        if self.retries:
            lines.append(f"retries  {self.retries}")
        return "\n".join([*lines, *(f"note     {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        """Return the summary, its plots and a quick look for a notebook."""
        from swath.run._page import summary  # noqa: PLC0415 -- only in a notebook

        return summary(self)


def _shown(payload: Payload) -> dict[str, Any]:
    """Return a payload as plain data, without what may be secret in the product's address."""
    content: dict[str, Any] = payload.model_dump(mode="json")
    content["inputs"]["product"] = shown(content["inputs"]["product"])
    return content
