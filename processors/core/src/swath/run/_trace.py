"""Traces by OpenTelemetry: spans of client and workers, in one tree, if the user's environment asks for them.

Nothing of it is imported before it is asked for: by the standard variables ``OTEL_TRACES_EXPORTER`` or
``OTEL_EXPORTER_OTLP_…ENDPOINT``, or by a program that has set a tracer provider up before it calls Swath.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any

from swath.errors import InputError

__all__ = ["carrier", "flush", "is_tracing", "run_span", "span"]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_EXPORTERS = "opentelemetry_traces_exporter"
"""Entry-point group of OpenTelemetry's exporters of spans."""
_OTLP = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""Value of ``OTEL_EXPORTER_OTLP_PROTOCOL`` → name of the exporter."""


def _asked() -> list[str]:
    """Return the names of the exporters that the environment asks for."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    named = os.environ.get("OTEL_TRACES_EXPORTER", "").strip()
    if not named and any(os.environ.get(name) for name in _ENDPOINTS):
        named = "otlp"
    return [name.strip() for name in named.split(",") if name.strip() not in ("", "none")]


_lock = threading.Lock()


def _set_up() -> bool:
    """Set a tracer provider up, once a process, unless there is one; tell whether anybody traces."""
    asked = _asked()
    if not asked and "opentelemetry.sdk.trace" not in sys.modules:
        return False
    try:
        from opentelemetry import trace  # noqa: PLC0415 -- an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise InputError(
            f"OTEL_TRACES_EXPORTER asks for traces, which need more: pip install 'swath[trace]', "
            f"or unset it (got {', '.join(asked)})."
        ) from None
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return True  # of the program that called us
    if not asked:
        return False
    os.environ.setdefault("OTEL_SERVICE_NAME", "swath")
    provider = TracerProvider(resource=Resource.create())
    for name in asked:
        provider.add_span_processor(BatchSpanProcessor(_exporter(name)()))
    trace.set_tracer_provider(provider)
    return True


def _exporter(name: str) -> Callable[[], Any]:
    if name == "otlp":
        protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        name = _OTLP.get(protocol, protocol)
    for found in entry_points(group=_EXPORTERS, name=name):
        exporter: Callable[[], Any] = found.load()
        return exporter
    known = sorted({found.name for found in entry_points(group=_EXPORTERS)})
    raise InputError(
        f"OTEL_TRACES_EXPORTER names {name!r}, which is not installed. "
        f"There are: {', '.join(known) or 'none'}."
    )


def is_tracing() -> bool:
    """Tell whether spans of this process go anywhere."""
    with _lock:
        return _set_up()


@contextmanager
def run_span(name: str, **attributes: Any) -> Iterator[None]:
    """Open a span of the client around the block, in whatever span is open already."""
    if not is_tracing():
        yield
        return
    from opentelemetry import trace  # noqa: PLC0415 -- an extra

    with trace.get_tracer("swath").start_as_current_span(name, attributes=_plain(attributes)):
        yield


def carrier() -> dict[str, str]:
    """Return the open span as headers that another process can go on from; empty where nobody traces."""
    headers: dict[str, str] = {}
    if is_tracing():
        from opentelemetry.propagate import inject  # noqa: PLC0415 -- an extra

        inject(headers)
    return headers


@contextmanager
def span(name: str, headers: Mapping[str, str], **attributes: Any) -> Iterator[None]:
    """Open a span around the block: in that of this thread where one is open, else in that of the headers.

    Does nothing where there are no headers.
    """
    if not headers or not is_tracing():
        yield
        return
    from opentelemetry import trace  # noqa: PLC0415 -- an extra
    from opentelemetry.propagate import extract  # noqa: PLC0415

    inside = trace.get_current_span().get_span_context().is_valid
    context = None if inside else extract(headers)
    tracer = trace.get_tracer("swath")
    with tracer.start_as_current_span(name, context=context, attributes=_plain(attributes)):
        yield


def flush() -> None:
    """Send the spans of this process that wait to be sent."""
    if not is_tracing():
        return
    from opentelemetry import trace  # noqa: PLC0415 -- an extra

    provider: Any = trace.get_tracer_provider()
    provider.force_flush()


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {f"swath.{name}": value for name, value in attributes.items() if value is not None}
