"""Private certificate authorities: an installation's, which all components trust, and a cluster's inside."""

from swath_sde.trust._authority import Authority, Request, Usage, write_whole
from swath_sde.trust._installation import installation_authority

__all__ = ["Authority", "Request", "Usage", "installation_authority", "write_whole"]
