"""Objects in a Kubernetes cluster: read, compared, applied; and the lease that keeps two applies apart."""

from swath_sde.objects._access import kubeconfig_of, objects_of
from swath_sde.objects._client import Objects
from swath_sde.objects._compare import change_of, differences, name_of
from swath_sde.objects._lease import applying

__all__ = ["Objects", "applying", "change_of", "differences", "kubeconfig_of", "name_of", "objects_of"]
