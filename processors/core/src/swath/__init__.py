"""Swath: read, write and process Earth-observation products, chunk by chunk."""
