"""``python -m swath_sde.identity`` prints the reference page that is kept in ``docs/reference``."""

import sys

from swath_sde.identity._reference import reference_page

sys.stdout.write(reference_page())
