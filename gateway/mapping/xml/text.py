"""XML text to elements and back, hardened: no entities, no DTD, no network, bounded in size, depth and count.

A DOCTYPE that only names its DTD is let stand (every cXML file has one) and never loaded; one that declares anything
is refused. Comments and processing instructions say nothing and are left out. What is wrong is a finding with its line.
"""

from __future__ import annotations

import re
from typing import Any, Final

from lxml import etree

from gateway.findings import Finding, XmlPlace
from gateway.mapping.rules import finding

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 500_000
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 2.2: what no document may hold."""


class _Nothing(etree.Resolver):
    """Whatever is asked for from outside is empty."""

    def resolve(self, *asked: Any) -> Any:
        """Nothing is opened."""
        return self.resolve_empty(asked[-1])  # type: ignore[attr-defined]  # the stubs do not know it


def parse(data: bytes) -> etree._Element | Finding:
    """The root element, or what is wrong."""
    if len(data) > MAX_BYTES:
        return _finding("map.xml.limit", f"{len(data)} bytes", f"at most {MAX_BYTES} bytes")
    # collect_ids=False would load the DTD (lxml 6.1.3), whatever load_dtd says; a test holds that nothing is loaded.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, attribute_defaults=False,
        huge_tree=False, remove_comments=True, remove_pis=True, strip_cdata=True, recover=False,
    )  # fmt: skip
    parser.resolvers.add(_Nothing())
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        said = (error.msg or "no XML").split(", line ")[0]
        rule = "map.xml.limit" if _limit(said) else "map.xml.syntax"
        return _finding(rule, said, "well-formed XML within its limits", line=line or 1, column=column or None)
    except ValueError as error:
        return _finding("map.xml.syntax", str(error), "well-formed XML")
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and _declares(dtd):
        return _finding("map.xml.entities", "declarations in the DOCTYPE", "a DOCTYPE that declares nothing", line=1)
    return _bounded(root)


def _declares(dtd: Any) -> bool:
    return any(True for _ in dtd.iterentities()) or any(True for _ in dtd.iterelements())


def _bounded(root: etree._Element) -> etree._Element | Finding:
    count = 0
    waiting: list[tuple[Any, int]] = [(root, 1)]
    while waiting:
        element, depth = waiting.pop()
        line = line_in(element)
        if not isinstance(element.tag, str):
            return _finding("map.xml.entities", "a reference to an entity", "the text itself", line=line)
        count += 1
        if depth > MAX_DEPTH:
            return _finding("map.xml.limit", f"level {depth}", f"at most {MAX_DEPTH} levels", line=line)
        if count > MAX_ELEMENTS:
            return _finding("map.xml.limit", f"more than {MAX_ELEMENTS} elements", f"at most {MAX_ELEMENTS}", line=line)
        waiting += [(child, depth + 1) for child in element]
    return root


def serialize(root: etree._Element, doctype: str) -> bytes:
    """UTF-8 with a declaration, indented where no text stands beside elements."""
    etree.indent(root)
    told: dict[str, Any] = {"doctype": doctype} if doctype else {}
    text = bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", **told))
    return text if text.endswith(b"\n") else text + b"\n"


def line_in(element: Any) -> int | None:
    """The line an element begins in."""
    line: int | None = element.sourceline
    return line


def may_hold(text: str) -> bool:
    """Whether an XML document can hold `text` (XML 1.0 2.2)."""
    return _FORBIDDEN.search(text) is None


def _limit(said: str) -> bool:
    return any(word in said for word in ("xcessive depth", "too long", "huge", "amplification", "entity loop"))


def _finding(rule: str, said: str, wanted: str, *, line: int | None = None, column: int | None = None) -> Finding:
    return finding(rule, XmlPlace(path="", line=line, column=column), said=said, wanted=wanted)
