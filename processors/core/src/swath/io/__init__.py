"""Bytes in and out: stores, codecs, metadata, metering, all-or-nothing writing. It knows no product."""
