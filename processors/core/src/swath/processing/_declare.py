"""What a step says of itself: its inputs, its outputs and the neighbourhood that it looks at."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from swath.errors import SwathError

__all__ = ["WORKING", "ChainError", "Edge", "Input", "Memory", "Output", "Step", "step"]

Edge = Literal["fill", "nearest"]
"""What stands beyond the product's edge: the input's fill value, or the nearest pixel of the product."""

Memory = float | Callable[[tuple[int, int]], int]
"""What a step allocates while it runs: times the bytes of its inputs, or a function of rows and columns."""

WORKING = 2.0
"""Bytes, for each byte of its inputs, that a step allocates which does not declare it. Measured: band indices
in single precision take 1.1 to 1.7, decision trees with numpy.where 0.9; sums in double precision take 4,
running counts over masks of bytes 8, and have to be declared."""

Array = npt.NDArray[Any]


class ChainError(SwathError):
    """A processor's own declarations do not fit one another; its developer has to mend them."""


@dataclass(frozen=True, slots=True)
class Input:
    """One array that a step reads.

    Parameters
    ----------
    name
        Name of the step function's argument, and of the array in the chain but for `Step.rename`.
    dtype
        NumPy data type in which the step gets the array; who makes the array must declare the same.
    units
        Units as in UDUNITS-2 (``"1"`` for a ratio), or empty where units make no sense. Where both ends of a
        connection declare units, they must be equal.
    description
        One line for people.
    fill
        Value of pixels that nobody measured: beyond the product's edge, and where the source does not cover
        the output grid. By default NaN for floating-point numbers and 0 for all else.
    """

    name: str
    dtype: str = "float32"
    units: str = ""
    description: str = ""
    fill: float | int | None = None

    @property
    def fill_value(self) -> float | int:
        """The fill value, the default one where none was declared."""
        if self.fill is not None:
            return self.fill
        return np.nan if np.issubdtype(np.dtype(self.dtype), np.floating) else 0


@dataclass(frozen=True, slots=True)
class Output:
    """One array that a step makes, on the grid of its chain.

    Parameters
    ----------
    name
        Name of the array: the key in what the step function returns.
    dtype
        NumPy data type of the array that the step function returns.
    units
        Units as in UDUNITS-2, or empty.
    description
        One line for people; it becomes the variable's ``long_name``.
    attrs
        More attributes of the variable in the product (``standard_name``, ``flag_values``, …).
    encoding
        How the variable is stored, in xarray's words: ``dtype``, ``scale_factor``, ``add_offset``,
        ``_FillValue``. By default as it is in memory.
    """

    name: str
    dtype: str = "float32"
    units: str = ""
    description: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    encoding: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A pure function from arrays to arrays with its declaration; made by `step`, callable as the function.

    Parameters
    ----------
    function
        Called with each input as a keyword argument: a 2-D array (rows, columns) that reaches `halo` pixels
        farther than the output on all sides. It returns arrays of that shape; the halo is cut off for it.
    name
        Name in messages, plans and documentation.
    inputs, outputs
        Declarations, under the names that the chain uses.
    halo
        Pixels of the chain's grid, on each side, that a pixel's result may depend on.
    edge
        What fills the halo beyond the product's edge.
    parameters
        Fields of the processor's parameter model that the function takes as further keyword arguments.
    arguments
        Name in the chain → name of the function's argument or result, where the two differ.
    memory
        Most bytes that the function allocates at a time beside its inputs and what it returns: as a multiple
        of the bytes of its inputs, or a function of the rows and columns that it gets, halo included. A run's
        memory is estimated with it, so it is better too large than too small.
    """

    function: Callable[..., Any]
    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    halo: int = 0
    edge: Edge = "fill"
    parameters: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    memory: Memory = WORKING

    def working_bytes(self, shape: tuple[int, int]) -> int:
        """Return the bytes that the function allocates beside inputs and outputs, for arrays of a shape."""
        if callable(self.memory):
            return int(self.memory(shape))
        pixel = sum(np.dtype(item.dtype).itemsize for item in self.inputs)
        return int(self.memory * pixel * shape[0] * shape[1])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, as in a test of it."""
        return self.function(*args, **kwargs)

    @property
    def title(self) -> str:
        """First line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def rename(self, **names: str) -> "Step":
        """Return the same step on other arrays of the chain.

        Parameters
        ----------
        **names
            Name of an input or output as it is → its new name in the chain.

        Raises
        ------
        ChainError
            If a name is neither an input nor an output of this step.

        Examples
        --------
        ``ndvi.rename(red="b04", nir="b08")`` reads the chain's ``b04`` and ``b08``.
        """
        known = [*(item.name for item in self.inputs), *(item.name for item in self.outputs)]
        if strangers := sorted(set(names) - set(known)):
            raise ChainError(
                f"Step {self.name!r} has no {strangers[0]!r} to rename; it has: {', '.join(known)}."
            )
        return replace(
            self,
            inputs=tuple(replace(item, name=names.get(item.name, item.name)) for item in self.inputs),
            outputs=tuple(replace(item, name=names.get(item.name, item.name)) for item in self.outputs),
            arguments={names.get(name, name): self.arguments.get(name, name) for name in known},
        )

    def describe(self, **outputs: Mapping[str, Any]) -> "Step":
        """Return the same step with other declarations of some outputs.

        Parameters
        ----------
        **outputs
            Name of an output → fields of `Output` to replace, as in
            ``step.describe(index={"description": "NDVI", "encoding": {...}})``.

        Raises
        ------
        ChainError
            If a name is not an output of this step.
        """
        if strangers := sorted(set(outputs) - {item.name for item in self.outputs}):
            raise ChainError(f"Step {self.name!r} has no output {strangers[0]!r} to describe.")
        return replace(
            self, outputs=tuple(replace(item, **outputs.get(item.name, {})) for item in self.outputs)
        )


def step(
    *,
    inputs: Sequence[Input],
    outputs: Sequence[Output],
    halo: int = 0,
    edge: Edge = "fill",
    parameters: Sequence[str] = (),
    name: str | None = None,
    memory: Memory = WORKING,
) -> Callable[[Callable[..., Any]], Step]:
    """Declare a function as a step. The fields are those of `Step`.

    Raises
    ------
    ChainError
        If the declaration does not fit the function: an argument that nobody declares, or the other way
        round; a negative halo; an unknown dtype.

    Examples
    --------
    >>> import numpy as np
    >>> @step(
    ...     inputs=[Input("red", units="1"), Input("nir", units="1")],
    ...     outputs=[Output("ndvi", units="1", description="Normalised difference vegetation index")],
    ... )
    ... def ndvi(red, nir):
    ...     return (nir - red) / (nir + red)
    >>> float(ndvi(red=np.float32(0.25), nir=np.float32(0.75)))
    0.5
    """

    def declare(function: Callable[..., Any]) -> Step:
        declared = Step(
            function=function,
            name=name or function.__name__,
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            halo=halo,
            edge=edge,
            parameters=tuple(parameters),
            memory=memory,
        )
        _check(declared)
        return declared

    return declare


def _check(declared: Step) -> None:
    """Refuse a declaration that its function cannot meet."""
    who = f"Step {declared.name!r}"
    if not declared.inputs or not declared.outputs:
        raise ChainError(f"{who} needs at least one input and one output.")
    if declared.halo < 0:
        raise ChainError(f"{who} declares a halo of {declared.halo} pixels; expected 0 or more.")
    if not callable(declared.memory) and not 0 <= declared.memory < float("inf"):
        raise ChainError(
            f"{who} declares memory of {declared.memory} times its inputs; expected a number from 0, or a "
            "function of rows and columns."
        )
    dtypes = {item.name: item.dtype for item in declared.inputs}
    dtypes |= {item.name: item.dtype for item in declared.outputs}
    for label, dtype in dtypes.items():
        try:
            np.dtype(dtype)
        except TypeError:
            raise ChainError(f"{who} declares {label!r} as {dtype!r}, which is no NumPy dtype.") from None
    names = [item.name for item in declared.inputs] + list(declared.parameters)
    arguments = inspect.signature(declared.function).parameters.values()
    if any(argument.kind is argument.VAR_KEYWORD for argument in arguments):
        return
    takes = {argument.name for argument in arguments}
    needs = {argument.name for argument in arguments if argument.default is argument.empty}
    if strangers := sorted(set(names) - takes):
        raise ChainError(
            f"{who} declares {strangers[0]!r}, which its function does not take; "
            f"it takes: {', '.join(sorted(takes))}."
        )
    if missing := sorted(needs - set(names)):
        raise ChainError(
            f"The function of {who.lower()} takes {missing[0]!r}, which is neither among the inputs nor the "
            "parameters of its declaration; add it to one of them."
        )
