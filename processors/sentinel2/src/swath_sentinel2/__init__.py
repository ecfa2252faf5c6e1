"""Sentinel-2 processors on the Swath core."""
