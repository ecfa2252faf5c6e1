"""``python -m swath_sde.identity``: print the reference page, to be kept in ``docs/reference/identity.md``."""

import sys

from swath_sde.identity._reference import reference_page

sys.stdout.write(reference_page())
