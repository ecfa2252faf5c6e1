"""``swath up``: the playbooks, the developer's path on what they made, and the words at the end."""

from swath_sde.up._bring_up import bring_up

__all__ = ["bring_up"]
