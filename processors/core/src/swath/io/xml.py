"""Metadata in XML from a product that nobody vouches for."""

from __future__ import annotations

from lxml import etree

from swath.errors import MetadataError

__all__ = ["MAX_BYTES", "parse"]

MAX_BYTES = 64 << 20
"""Largest document that is parsed; the largest of a Sentinel product (a data strip's) has 13 MB."""


def parse(data: bytes, name: str) -> etree._Element:
    """Parse a document without entities, DTD or network and return its root element.

    Parameters
    ----------
    data
        The document.
    name
        What the error message calls it: the file's name in the product.

    Raises
    ------
    MetadataError
        It is malformed (the line is told), too large, or has a document type declaration: the metadata of
        products never has one, and entities are how a small document becomes a large one or reads other
        files.
    """
    if len(data) > MAX_BYTES:
        raise MetadataError(
            f"{name} has {len(data)} bytes, expected at most {MAX_BYTES}: it is no product's metadata"
        )
    # NULs are dropped so that the declaration is also found in UTF-16.
    if b"<!DOCTYPE" in data.replace(b"\0", b""):
        raise MetadataError(
            f"{name} has a document type declaration (<!DOCTYPE), which the metadata of products never has; "
            "do not trust this product, get it again from its origin"
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise MetadataError(f"{name} is malformed, {error.msg}; get the product again") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise MetadataError(f"{name} has a document type declaration; do not trust this product")
    return root
