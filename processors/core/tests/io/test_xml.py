"""Metadata that nobody vouches for."""

import pytest
from swath.errors import MetadataError
from swath.io import xml


def test_a_document_is_parsed():
    assert xml.parse(b"<a><b>1</b></a>", "a.xml").findtext("b") == "1"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"<a>", "a.xml is malformed, .*line 1"),
        (b"", "a.xml is malformed"),
        (b"\0\1\2", "a.xml is malformed"),
        (b"<a>&unknown;</a>", "a.xml is malformed"),
        (b"<!DOCTYPE a><a/>", "document type declaration"),
        ('<!DOCTYPE a [<!ENTITY b "b">]><a/>'.encode("utf-16"), "document type declaration"),
        (b"<a>" * 400 + b"</a>" * 400, "malformed, .*depth"),
    ],
)
def test_what_cannot_be_trusted_is_refused(document, told):
    with pytest.raises(MetadataError, match=told):
        xml.parse(document, "a.xml")


def test_a_document_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(xml, "MAX_BYTES", 10)
    with pytest.raises(MetadataError, match="has 20 bytes, expected at most 10"):
        xml.parse(b"<a>" + b" " * 13 + b"</a>", "a.xml")
