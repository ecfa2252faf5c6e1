"""Bytes in and out: stores, codecs, metadata parsing, metering and all-or-nothing writing. Knows no product."""
