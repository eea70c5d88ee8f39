"""What people wrote about a photo: title, caption, keywords, creator, rights, from XMP and IPTC.

Both were written by strangers: sizes are bounded, XML with entities is not read at all.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from .metadata import text

_LIMIT_BYTES = 1_000_000
_MOST = 100
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XMP_LISTS = {"subject": "keywords", "creator": "creators"}
_XMP_WORDS = {
    "title": "title", "description": "caption", "rights": "rights", "Rating": "rating", "Label": "label",
    "Headline": "headline", "City": "city", "Country": "country", "CreatorTool": "software",
}  # fmt: skip
_IPTC_LISTS = {25: "keywords", 80: "creators"}
_IPTC_WORDS = {5: "title", 105: "headline", 120: "caption", 116: "rights", 90: "city", 101: "country", 110: "credit"}


def from_xmp(packet: bytes) -> dict[str, Any]:
    """The words of an XMP packet; nothing if it is not sound XML of a sensible size."""
    if not packet or len(packet) > _LIMIT_BYTES or re.search(rb"<!(DOCTYPE|ENTITY)", packet.replace(b"\0", b""), re.I):
        return {}
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}
    found: dict[str, Any] = {}
    for name, words in _properties(root):
        if name in _XMP_LISTS:
            found.setdefault(_XMP_LISTS[name], words[:_MOST])
        elif name in _XMP_WORDS:
            found.setdefault(_XMP_WORDS[name], words[0])
    return found


def from_iptc(record: bytes) -> dict[str, Any]:
    """The words of an IPTC record, as far as it can be read."""
    found: dict[str, Any] = {}
    at = 0
    while at + 5 <= len(record) and record[at] == 0x1C:
        section, number, length = record[at + 1], record[at + 2], int.from_bytes(record[at + 3 : at + 5], "big")
        words = text(record[at + 5 : at + 5 + length])
        at += 5 + length
        if section != 2 or words is None or length > 0x7FFF:
            continue
        if number in _IPTC_LISTS:
            if len(listed := found.setdefault(_IPTC_LISTS[number], [])) < _MOST:
                listed.append(words)
        elif number in _IPTC_WORDS:
            found.setdefault(_IPTC_WORDS[number], words)
    return found


def _properties(root: ElementTree.Element) -> Iterator[tuple[str, list[str]]]:
    """Each property with its words: from attributes, lists and plain elements."""
    for description in root.iter(f"{_RDF}Description"):
        for name, value in description.attrib.items():
            if (words := text(value)) is not None:
                yield name.rpartition("}")[2], [words]
        for child in description:
            listed = [words for item in child.iter(f"{_RDF}li") if (words := text(item.text)) is not None]
            words = text(child.text)
            if listed or words is not None:
                yield child.tag.rpartition("}")[2], listed or [words or ""]
