"""Valid documents from any guide, for load and property tests: the same seed gives the same bytes on every Python.

`documents` makes trees, `interchanges` bytes. What is generated is read back without a finding: that is the whole law,
and it is never bent to what a reader happens to take.
"""

from gateway.edi.generate.documents import DENSITY, LINES, delimiters_of, documents
from gateway.edi.generate.interchanges import PER_INTERCHANGE, interchanges

__all__ = ["DENSITY", "LINES", "PER_INTERCHANGE", "delimiters_of", "documents", "interchanges"]
