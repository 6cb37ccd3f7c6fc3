"""Two-way maps between the wire's checked tree and canonical documents. Pure: files are passed in as text.

compile_map(name, sources) -> Map       OurFault with all problems at once
Map.read(root) -> Reading               document, unmapped, findings
Map.write(document) -> Writing          root, lost, findings
check_map(map, example) -> findings     its examples both ways
shipped(), from_folders(*folders), shipped_map(name)
"""

from __future__ import annotations

from gateway.mapping.laws import check_map
from gateway.mapping.map import Example, Map, Reading, Writing, compile_map, from_folders, shipped, shipped_map
from gateway.mapping.state import Lost, Unmapped

__all__ = [
    "Example",
    "Lost",
    "Map",
    "Reading",
    "Unmapped",
    "Writing",
    "check_map",
    "compile_map",
    "from_folders",
    "shipped",
    "shipped_map",
]
