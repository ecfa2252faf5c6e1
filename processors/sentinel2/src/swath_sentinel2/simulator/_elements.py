"""Write XML elements tersely."""

from datetime import datetime

from lxml import etree


def element(tag: str, *content: str | float | etree._Element, **attributes: str | int) -> etree._Element:
    """Make an element.

    Parameters
    ----------
    tag
        Its name.
    content
        Text (or a number, written as text) and child elements.
    attributes
        Its attributes.
    """
    made = etree.Element(tag, {name: str(value) for name, value in attributes.items()})
    for item in content:
        if not isinstance(item, str | float | int):
            made.append(item)
        else:
            made.text = str(item)
    return made


def document(root: etree._Element) -> bytes:
    """Write a document, indented."""
    etree.indent(root, "  ")
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=False)) + b"\n"


def root(name: str, schema: str, *content: etree._Element) -> etree._Element:
    """Make a root element ``n1:name`` in the namespace of a schema of the specification, version 15."""
    space = f"https://psd-15.sentinel2.eo.esa.int/PSD/{schema}"
    instance = "http://www.w3.org/2001/XMLSchema-instance"
    made = etree.Element(
        f"{{{space}}}{name}", {f"{{{instance}}}schemaLocation": space}, nsmap={"n1": space, "xsi": instance}
    )
    made.extend(content)
    return made


def section(name: str, schema: str, *content: etree._Element, **attributes: str) -> etree._Element:
    """Make one of the sections ``n1:name`` right below a root element."""
    made = etree.Element(f"{{https://psd-15.sentinel2.eo.esa.int/PSD/{schema}}}{name}", dict(attributes))
    made.extend(content)
    return made


def moment(time: datetime) -> str:
    """Write a time (UTC) as the metadata has it."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.000Z"
