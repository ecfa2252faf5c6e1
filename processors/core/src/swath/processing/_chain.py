"""A chain: the steps from a product's variables to the outputs, checked when it is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

import numpy as np

from swath.processing._declare import ChainError, Input, Output, Step

__all__ = ["Chain", "Quicklook", "Resampling", "Source"]

Resampling = Literal["nearest", "bilinear", "mean", "any"]
"""How a source on another grid gets to the chain's grid; see `swath.processing.resample`."""


@dataclass(frozen=True, slots=True)
class Source:
    """A variable of the product that a chain reads.

    Parameters
    ----------
    path
        Where it is in the product's tree, as in ``/measurements/reflectance/r10m/b02``.
    resampling
        How it gets to the chain's grid where its own grid is another one. Classes need ``nearest``, bit flags
        ``any`` or ``nearest``.
    optional
        Whether a product without it is taken; the steps then get an array of its input's fill value.
    """

    path: str
    resampling: Resampling = "nearest"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Quicklook:
    """What the quick-look picture shows; see `swath.product.quicklook.write_quicklook`.

    Parameters
    ----------
    bands
        Names of one output (grey) or three (red, green and blue), floating point.
    flags
        Name of an output of bit flags.
    tints
        Bit of a flag → red, green and blue, 0 to 255.
    """

    bands: Sequence[str]
    flags: str | None = None
    tints: Mapping[int, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps in order, on one output grid.

    Parameters
    ----------
    grid
        Path in the product's tree of the group or variable whose grid is the output grid.
    sources
        Name in the chain → variable of the product.
    steps
        In the order in which they run; each may read the sources and what the steps before it made.
    outputs
        Name in the chain → path in the output product's tree, as in ``/measurements/reflectance/b02``.
    quicklook
        What the quick-look picture shows; without it the first output is shown.
    chunk_shape
        Rows and columns of the output chunks; by default those of the sources on the output grid.

    Raises
    ------
    ChainError
        If the parts do not fit: an input that nobody makes, an output made twice, other dtypes or units at
        the two ends of a connection, an output that is not on the chain.
    """

    grid: str
    sources: Mapping[str, Source]
    steps: Sequence[Step]
    outputs: Mapping[str, str]
    quicklook: Quicklook | None = None
    chunk_shape: tuple[int, int] | None = None
    inputs: dict[str, Input] = field(init=False)
    """Name of a source → what the steps expect of it."""
    made: dict[str, Output] = field(init=False)
    """Name of an output → its declaration."""
    margins: dict[str, int] = field(init=False)
    """Name of any array → pixels that it is needed beyond an output chunk, on each side."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", {})
        object.__setattr__(self, "made", {})
        self._connect()
        self._check_outputs()
        object.__setattr__(self, "margins", self._needed_margins())

    def _connect(self) -> None:
        """Follow each array from where it is made to where it is read."""
        made: dict[str, Output] = {}
        for step in self.steps:
            for item in step.inputs:
                if item.name in made:
                    _agree(step, item, made[item.name])
                elif item.name in self.sources:
                    _agree(step, item, self.inputs.setdefault(item.name, item))
                else:
                    raise ChainError(_nobody_makes(step, item.name, [*self.sources, *made]))
            for output in step.outputs:
                if output.name in made or output.name in self.sources:
                    raise ChainError(
                        f"Step {step.name!r} makes {output.name!r}, which there is already; give one of them "
                        "another name with Step.rename."
                    )
                made[output.name] = output
        if unused := [name for name in self.sources if name not in self.inputs]:
            raise ChainError(f"No step reads the source {unused[0]!r}; take it out of the chain's sources.")
        for name, item in self.inputs.items():
            method, kind = self.sources[name].resampling, np.dtype(item.dtype).kind
            if method != "nearest" and (kind not in "iu" if method == "any" else kind != "f"):
                raise ChainError(
                    f"Source {name!r} is read as {item.dtype} and cannot be resampled with {method!r}; "
                    "use 'nearest' for classes, 'any' for bit flags, 'mean' or 'bilinear' for floating point."
                )
        self.made.update(made)

    def _check_outputs(self) -> None:
        if not self.outputs:
            raise ChainError("The chain has no outputs; name at least one, with its path in the product.")
        for name, path in self.outputs.items():
            if name not in self.made:
                near = _suggest(name, self.made)
                raise ChainError(
                    f"No step makes the output {name!r}.{near} The steps make: {', '.join(self.made)}."
                )
            if not path.startswith("/") or path.rstrip("/") != path or ".." in path.split("/"):
                raise ChainError(
                    f"Output {name!r} has the path {path!r}; expected something like '/measurements/{name}'."
                )
            if path.rpartition("/")[2] in {"x", "y"}:
                raise ChainError(f"Output {name!r} has the path {path!r}; x and y are names of coordinates.")
        if len(set(self.outputs.values())) < len(self.outputs):
            raise ChainError("Two outputs have the same path in the product.")
        if (shown := self.quicklook) is not None:
            names = {*shown.bands, *([shown.flags] if shown.flags else [])}
            if len(shown.bands) not in (1, 3) or not names <= set(self.outputs):
                raise ChainError(
                    f"The quick look needs one or three of the outputs, and got {', '.join(sorted(names))}."
                )

        read = {item.name for step in self.steps for item in step.inputs}
        for step in self.steps:
            if not any(output.name in read or output.name in self.outputs for output in step.outputs):
                raise ChainError(
                    f"Nothing that step {step.name!r} makes is read or put out; take it out of the chain."
                )

    def _needed_margins(self) -> dict[str, int]:
        """Walk the chain backwards and add up the halos."""
        margins = dict.fromkeys(self.outputs, 0)
        for step in reversed(self.steps):
            own = max((margins.get(output.name, 0) for output in step.outputs), default=0)
            for item in step.inputs:
                margins[item.name] = max(margins.get(item.name, 0), own + step.halo)
            for output in step.outputs:
                margins[output.name] = own
        return margins


def _agree(step: Step, wanted: Input, made: Input | Output) -> None:
    if np.dtype(wanted.dtype) != np.dtype(made.dtype):
        raise ChainError(
            f"Step {step.name!r} wants {wanted.name!r} as {wanted.dtype}, the chain has {made.dtype}; "
            "declare the same dtype at both ends."
        )
    if wanted.units and made.units and wanted.units != made.units:
        raise ChainError(
            f"Step {step.name!r} wants {wanted.name!r} in {wanted.units!r}, the chain has {made.units!r}; "
            "convert it in a step between the two."
        )


def _nobody_makes(step: Step, name: str, known: Sequence[str]) -> str:
    return (
        f"Step {step.name!r} reads {name!r}, which is no source and which no step before it makes."
        f"{_suggest(name, known)} There are: {', '.join(known)}."
    )


def _suggest(name: str, known: Mapping[str, object] | Sequence[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
