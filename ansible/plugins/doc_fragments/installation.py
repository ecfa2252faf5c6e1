"""What the documentation of every module of swath.sde says."""

from __future__ import annotations

__all__ = ["ModuleDocFragment"]


class ModuleDocFragment:
    """Fragment C(swath.sde.installation)."""

    DOCUMENTATION = r"""
options:
  file:
    description:
      - Path of the installation's C(swath.yaml), on the control node.
    type: path
    required: true
attributes:
  check_mode:
    description: Plans, and changes nothing.
    support: full
  diff_mode:
    description: Tells what differs, before and after; values of secrets are never in it.
    support: full
requirements:
  - swath-sde, in the Python that runs the module
"""
