"""A processor: a named chain of steps with parameters, found by entry point."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from swath.errors import InputError, PayloadError
from swath.processing._chain import Chain
from swath.processing._declare import ChainError
from swath.processing._refusals import explain

__all__ = ["PROCESSOR_GROUP", "Parameters", "Processor", "get_processor", "list_processors"]

PROCESSOR_GROUP = "swath.processors"
"""Entry-point group of the processors: the name is the processor's, the object a `Processor`."""


class Parameters(BaseModel):
    """Base of all parameter models: unknown names are refused, and a made model does not change.

    Give each field a type, a default and a description: validation, JSON Schema and documentation follow
    from them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Processor:
    """A chain of steps with a name and parameters.

    Parameters
    ----------
    name
        As in ``swath run NAME``, and the name of its entry point in the group ``swath.processors``.
    version
        Recorded in products.
    title
        One line for people.
    chain
        From parameters to the chain. It is called with the default parameters when the processor is defined,
        so that a chain that does not fit is found at once.
    parameters
        Model of the parameters, all with defaults.

    Raises
    ------
    ChainError
        If the chain does not fit, or a step takes a parameter which the model does not have.

    Examples
    --------
    A processor of one step, on 10 m pixels::

        class NdviParameters(Parameters):
            scale: float = Field(default=1.0, gt=0, description="Factor on the index.")

        @step(
            inputs=[Input("red", units="1"), Input("nir", units="1")],
            outputs=[Output("ndvi", units="1", description="Normalised difference vegetation index")],
            parameters=["scale"],
        )
        def ndvi(red, nir, scale):
            return scale * (nir - red) / (nir + red)

        def chain(parameters: NdviParameters) -> Chain:
            return Chain(
                grid="/measurements/reflectance/r10m",
                sources={
                    "red": Source("/measurements/reflectance/r10m/b04"),
                    "nir": Source("/measurements/reflectance/r10m/b08"),
                },
                steps=[ndvi],
                outputs={"ndvi": "/measurements/ndvi"},
                quicklook=Quicklook(["ndvi"]),
            )

        NDVI = Processor(name="ndvi", version="1.0.0", title="Vegetation index", chain=chain,
                         parameters=NdviParameters)
    """

    name: str
    version: str
    title: str
    chain: Callable[[Any], Chain]
    parameters: type[Parameters] = Parameters

    def __post_init__(self) -> None:
        self.chain_for(self.parameters())

    def validate(self, parameters: Mapping[str, Any] | Parameters | None = None) -> Parameters:
        """Return the parameters as their model; numbers and booleans may be text.

        Raises
        ------
        PayloadError
            If a name is unknown or a value is refused; the message names it and what was expected.
        """
        if isinstance(parameters, self.parameters):
            return parameters
        try:
            return self.parameters.model_validate(dict(parameters or {}))
        except ValidationError as error:
            raise PayloadError(
                f"The parameters of {self.name!r} are refused: {explain(self.parameters, error)}"
            ) from None

    def chain_for(self, parameters: Parameters) -> Chain:
        """Return the chain for some parameters, checked.

        Raises
        ------
        ChainError
            If the chain does not fit.
        """
        made = self.chain(parameters)
        for step in made.steps:
            for name in step.parameters:
                if name not in self.parameters.model_fields:
                    raise ChainError(
                        f"Step {step.name!r} takes the parameter {name!r}, which the model of processor "
                        f"{self.name!r}, {self.parameters.__name__}, does not have."
                    )
        return made


def list_processors() -> list[str]:
    """Return the names of all processors of the installed packages, sorted."""
    return sorted(found.name for found in entry_points(group=PROCESSOR_GROUP))


def get_processor(name: str) -> Processor:
    """Return the installed processor of a name.

    Raises
    ------
    InputError
        If no installed package has it, or the entry point is no `Processor`.
    """
    for found in entry_points(group=PROCESSOR_GROUP):
        if found.name == name:
            loaded = found.load()
            if not isinstance(loaded, Processor):
                raise InputError(
                    f"Entry point {name!r} of {PROCESSOR_GROUP} is a {type(loaded).__name__}, no Processor."
                )
            return loaded
    known = list_processors()
    near = get_close_matches(name, known, n=1)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    raise InputError(
        f"No processor {name!r} is installed. {meant}Installed are: {', '.join(known) or 'none'}."
    )
