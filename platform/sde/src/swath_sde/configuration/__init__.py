"""``swath.yaml``: one model of an installation, from which everything else follows."""

from swath_sde.configuration._base import Requests, Resources
from swath_sde.configuration._components import Component, Components, Hub, Ingress, Stored
from swath_sde.configuration._identity import (
    BruteForce,
    Group,
    Identity,
    PasswordPolicy,
    Role,
    Sessions,
    Upstream,
    User,
)
from swath_sde.configuration._installation import Images, Installation, Storage, Tls, Where
from swath_sde.configuration._load import FILE_NAME, load_installation, schema
from swath_sde.configuration._profiles import PROFILES, starting_file

__all__ = [
    "FILE_NAME",
    "PROFILES",
    "BruteForce",
    "Component",
    "Components",
    "Group",
    "Hub",
    "Identity",
    "Images",
    "Ingress",
    "Installation",
    "PasswordPolicy",
    "Requests",
    "Resources",
    "Role",
    "Sessions",
    "Storage",
    "Stored",
    "Tls",
    "Upstream",
    "User",
    "Where",
    "load_installation",
    "schema",
    "starting_file",
]
