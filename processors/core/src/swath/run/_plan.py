"""The plan of a payload: all that can be known, and refused, before anything is read."""

from dataclasses import replace
from typing import Any

import xarray as xr

from swath.processing import Binding, Plan, Processor, bind, get_processor, plan_of
from swath.product import open_product
from swath.run._memory import Fit, fit_memory
from swath.run._payload import Payload

__all__ = ["bind_payload", "fit_binding", "fit_payload", "plan_payload"]


def plan_payload(
    payload: Payload, *, processor: Processor | None = None, product: xr.DataTree | None = None
) -> Plan:
    """Return the plan of a payload; nothing of the product's measurements is read, nothing is written.

    Parameters
    ----------
    payload
        The job; its destination may be missing.
    processor
        Stands in for the installed processor of the payload's name.
    product
        Stands in for the product at the payload's path.

    Raises
    ------
    InputError
        If processor, product, parameters or window are refused.
    """
    binding, _ = bind_payload(payload, processor, product)
    return plan_of(binding)


def bind_payload(
    payload: Payload, processor: Processor | None, product: xr.DataTree | None
) -> tuple[Binding, dict[str, Any]]:
    """Bring processor and product together; return the product's attributes, too."""
    processor = processor or get_processor(payload.processor)
    parameters = processor.validate(payload.parameters)  # before the product is opened: cheaper to be told
    product = open_product(payload.inputs.product) if product is None else product
    attributes = {str(key): value for key, value in product.attrs.items()}
    return bind(processor, product, parameters, payload.window, payload.chunk_shape), attributes


def fit_payload(
    payload: Payload, *, processor: Processor | None = None, product: xr.DataTree | None = None
) -> Fit | None:
    """Return how a payload's run fits into its memory; None where it computes on machines elsewhere.

    Raises
    ------
    InputError
        If it does not fit, or `plan_payload` would refuse it.
    """
    binding, _ = bind_payload(payload, processor, product)
    return fit_binding(binding, plan_of(binding), payload)


def fit_binding(binding: Binding, plan: Plan, payload: Payload) -> Fit | None:
    """Return how a run fits into its memory, its processor and product brought together and planned."""
    if payload.engine not in ("threads", "distributed"):
        return None

    def replan(shape: tuple[int, int]) -> Plan:
        return plan_of(replace(binding, chunk_shape=shape))

    return fit_memory(
        plan,
        budget=payload.memory,
        workers=payload.workers,
        processes=payload.engine == "distributed",
        replan=replan,
    )
