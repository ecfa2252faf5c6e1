"""A payload: one complete job, from a file, from the command line, or from both."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from swath.errors import PayloadError
from swath.processing import Processor, explain
from swath.run._memory import parse_memory

__all__ = ["Inputs", "Payload", "load_payload", "make_payload", "parse_parameters", "payload_schema"]


_SHAPE = r"^\s*[0-9]+\s*[xX]\s*[0-9]+\s*$"
_ENGINE = r"^(threads|distributed|(tcp|tls)://.+|gateway(\+https?://.+)?)$"


def _parse_shape(value: Any) -> Any:
    """Return the two numbers of ``512x512``."""
    if not isinstance(value, str):
        return value
    if not re.match(_SHAPE, value):
        raise ValueError("expected rows and columns, as in 512x512")
    return value.lower().split("x")


def _check_engine(value: str) -> str:
    """Return the name of an engine, or say which there are."""
    if not re.match(_ENGINE, value):
        raise ValueError(
            "expected threads, distributed, the address tcp://HOST:PORT or tls://HOST:PORT of a dask "
            "scheduler, gateway, or gateway+https://HOST"
        )
    return value


Memory = Annotated[
    PositiveInt,
    BeforeValidator(parse_memory),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}),
]
"""Bytes, or text such as ``2GiB``."""

Shape = Annotated[
    tuple[PositiveInt, PositiveInt],
    BeforeValidator(_parse_shape),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _SHAPE},
                {"type": "array", "prefixItems": [{"type": "integer", "minimum": 1}] * 2,
                 "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]  # fmt: skip
"""Rows and columns, or text such as ``512x512``."""

_LARGEST = 1_000_000
"""Bytes of a payload file; a larger one is something else, given by mistake."""


_MOST_VALUES = 100_000
"""Values that a payload file stands for at most; a few aliases of aliases are endlessly many."""


class Inputs(BaseModel):
    """The products that a run reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: str = Field(
        description="Path or URL (s3://, https://) of the product, or of a STAC item that tells where it is "
        "(with #KEY after it, where a certain asset is meant); a relative path in a payload file counts from "
        "that file."
    )


class Payload(BaseModel):
    """One complete job."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    processor: str = Field(description="Name of an installed processor; `swath run --list` shows them.")
    inputs: Inputs
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Values for the processor's parameters."
    )
    window: str | dict[str, tuple[float, float]] | None = Field(
        default=None,
        description="Part of the output grid: 'rows 0:512, columns 0:512', or "
        "'lon 147.1:147.3, lat -28.2:-28.0', or the same as a mapping to pairs; all of it where not given.",
    )
    destination: str | None = Field(
        default=None,
        description="Folder that shall appear; needed for all but a plan. Relative as the product's path is.",
    )
    cogs: bool = Field(default=True, description="Whether to write each variable as a GeoTIFF, too.")
    overwrite: bool = Field(default=False, description="Whether to replace a destination that exists.")
    engine: Annotated[str, AfterValidator(_check_engine)] = Field(
        default="threads",
        json_schema_extra={"pattern": _ENGINE},
        description="'threads' of this process, 'distributed' for processes on this machine, the address "
        "of a dask scheduler, tcp://… or tls://…, or a Dask Gateway: 'gateway' as dask is configured, or "
        "gateway+https://….",
    )
    workers: PositiveInt | None = Field(
        default=None,
        description="Chunks in work at a time; one a CPU where not given, fewer where memory asks for it.",
    )
    chunk_shape: Shape | None = Field(
        default=None,
        description="Rows and columns of an output chunk, '512x512'; those of the processor, or of the "
        "stored chunks, where not given.",
    )
    memory: Memory | None = Field(
        default=None,
        description="Memory that the run may take, in bytes or as '2GiB'; 80 % of what the machine or the "
        "container has where not given. What does not fit is refused before anything is read.",
    )
    retries: NonNegativeInt = Field(
        default=3,
        description="Further attempts at a chunk, where reading or writing fails for a reason that may pass.",
    )
    resume: bool = Field(
        default=True, description="Whether to go on from the chunks that a killed run of the same job left."
    )
    keep: bool = Field(
        default=False,
        description="Whether a run that fails or is interrupted keeps its finished chunks for the next one.",
    )
    profile: bool = Field(default=False, description="Whether to record where the time goes, line by line.")


class _OneOfEachKey(yaml.SafeLoader):
    """YAML's safe loader, which refuses a key that stands twice instead of taking the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


def load_payload(path: str | Path) -> dict[str, Any]:
    """Return what a payload file (YAML or JSON) says, its relative paths resolved against its folder.

    Raises
    ------
    PayloadError
        If it cannot be read, or is no mapping.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _LARGEST:
            raise PayloadError(f"{file} is {file.stat().st_size} bytes; a payload file has a page at most.")
        content = _parsed(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise PayloadError(f"{file} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"{file} is neither YAML nor JSON: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise PayloadError(
            f"{file} holds no mapping; expected keys such as {', '.join(Payload.model_fields)}."
        )
    folder = file.resolve().parent
    inputs = content.get("inputs")
    if isinstance(inputs, dict):
        content["inputs"] = {
            key: _resolve(folder, value) if key in Inputs.model_fields else value
            for key, value in inputs.items()
        }
    if "destination" in content:
        content["destination"] = _resolve(folder, content["destination"])
    return content


def _parsed(text: str) -> Any:
    """Return what YAML says, unless its aliases make much out of little."""
    loader = _OneOfEachKey(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        if _values(root, {}) > _MOST_VALUES:
            raise yaml.YAMLError(f"its aliases make more than {_MOST_VALUES} values of it")
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _values(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many values a node stands for, those of aliases each time that they are named."""
    if id(node) not in known:
        known[id(node)] = _MOST_VALUES + 1  # while it is counted: what is in itself is endless
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in parts for part in pair]
        known[id(node)] = 1 + sum(_values(part, known) for part in parts)
    return known[id(node)]


def make_payload(content: Mapping[str, Any], **overrides: Any) -> Payload:
    """Return a checked payload.

    Parameters
    ----------
    content
        As `load_payload` gives it, or a mapping of one's own.
    **overrides
        Fields that win over those of `content`; None is no override. ``parameters`` and ``inputs`` are
        merged.

    Raises
    ------
    PayloadError
        If a key is unknown or missing, or a value is refused; all mistakes are told at once.
    """
    merged = dict(content)
    for name, value in overrides.items():
        if value is None:
            continue
        old = merged.get(name)
        if name in ("parameters", "inputs") and old is not None:
            # What is no mapping stays, to be refused with a word; it is not silently replaced.
            merged[name] = {**old, **value} if isinstance(old, Mapping) else old
        else:
            merged[name] = value
    try:
        return Payload.model_validate(merged)
    except ValidationError as error:
        raise PayloadError(f"The payload is refused: {explain(Payload, error)}") from None


def parse_parameters(processor: Processor, texts: Iterable[str]) -> dict[str, Any]:
    """Return parameters given as ``NAME=VALUE``; a value is text where the model takes text, else YAML.

    Raises
    ------
    PayloadError
        If one has no ``=``.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise PayloadError(f"The parameter {text!r} is not of the form NAME=VALUE, as in resolution=20.")
        values[name.strip()] = _parse(processor, name.strip(), value.strip())
    return values


def payload_schema(processor: Processor | None = None) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a processor's payload, or of any payload."""
    schema = Payload.model_json_schema()
    if processor is None:
        dialect = "https://json-schema.org/draft/2020-12/schema"
        return {"$schema": dialect, **schema, "title": "Payload of Swath"}
    own = processor.parameters.model_json_schema()
    definitions = {**schema.pop("$defs", {}), **own.pop("$defs", {})}
    schema["properties"]["processor"]["const"] = processor.name
    schema["properties"]["parameters"] = own
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": f"Payload of {processor.name} {processor.version}",
        "description": processor.title,
        "$defs": definitions,
    }


def _parse(processor: Processor, name: str, value: str) -> Any:
    field = processor.parameters.model_fields.get(name)
    if field is None:
        return value  # refused later, with a suggestion
    try:
        return TypeAdapter[Any](field.annotation or str).validate_python(value)
    except ValidationError:
        if not value:
            return value  # an empty list, for models that take text for one; YAML would say null
        try:
            return yaml.safe_load(value)
        except yaml.YAMLError:
            return value


def _resolve(folder: Path, value: Any) -> Any:
    """Return a relative path as one that counts from a folder; URLs and what is no path stay as they are."""
    return str(folder / value) if isinstance(value, str) and value and "://" not in value else value
