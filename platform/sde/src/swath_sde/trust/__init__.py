"""Private certificate authorities: of an installation, which every component trusts, and of its cluster's inside."""

from swath_sde.trust._authority import Authority, Request
from swath_sde.trust._installation import installation_authority

__all__ = ["Authority", "Request", "installation_authority"]
