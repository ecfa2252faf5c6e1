"""Times and certificates that are wrong on purpose."""

import datetime as dt

LONG_AGO = dt.datetime(2024, 11, 1, tzinfo=dt.UTC)
"""When the authority of these tests was made."""
