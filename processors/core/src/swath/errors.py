"""The errors of the core. Each says what, what it got, what it expected and how to fix it."""

__all__ = [
    "DestinationError",
    "InputError",
    "MetadataError",
    "PayloadError",
    "ProductError",
    "RunError",
    "StoreError",
    "SwathError",
    "WindowError",
    "WriteError",
]


class SwathError(Exception):
    """Base of all errors that the core raises on purpose."""

    exit_status: int = 1
    """Exit status of a command line that ends with this error: 1 failed, 2 usage error or bad input."""


class InputError(SwathError):
    """What the user gave cannot be worked with; nothing was written."""

    exit_status = 2


class ProductError(InputError):
    """A product is not what it is said to be: no product, incomplete, truncated or with paths out of it."""


class MetadataError(ProductError):
    """A product's metadata cannot be trusted or understood: malformed, with entities, or out of range."""


class WindowError(InputError):
    """A window is malformed or lies outside the product."""


class PayloadError(InputError):
    """A payload has an unknown key, a missing one, or a value of the wrong type."""


class DestinationError(InputError):
    """A destination exists already, or cannot be one."""


class RunError(SwathError):
    """A run failed: a chunk could not be computed."""


class StoreError(SwathError):
    """A store of files behind a network failed, however often it was asked, or changed while it was read."""


class WriteError(SwathError):
    """An output could not be written (no space, read-only, taken away); nothing is left under its name."""
