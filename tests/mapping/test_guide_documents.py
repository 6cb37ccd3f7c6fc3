"""Documents that a guide's generator makes, whatever the guide allows: read by the base map, written again, the same.

What no line names is kept in place, so nothing may be lost and nothing may move, in either version.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.edi import library, x12
from gateway.edi.generate import interchanges
from gateway.mapping import shipped_map
from gateway.mapping.laws import flat

SETS = ("850", "855", "856", "860", "865")


@pytest.mark.parametrize("version", ["004010", "005010"])
@pytest.mark.parametrize("number", SETS)
def test_a_document_of_the_guide_comes_back_as_it_was(version: str, number: str, map_of: Callable[[Any], str]) -> None:
    """Ten of each, with a third of what is optional."""
    guide = library.standard().find(version, number)
    assert guide is not None
    data = b"".join(interchanges(guide, count=10, seed=11, density=0.3, lines=3, per_interchange=10))
    (interchange,) = x12.read_all(data, guides=library.standard())
    messages = interchange.groups[0].messages
    assert len(messages) == 10
    for message in messages:
        own = shipped_map(map_of(message))
        document = json.loads(json.dumps(own.read(message.root).document))
        writing = own.write(document)
        assert not writing.lost
        assert flat(writing.root) == flat(message.root)


def test_words_of_005010_reach_the_note_that_msg_reaches_in_004010(map_of: Callable[[Any], str]) -> None:
    """The same facts, the same canonical object."""
    body = "BEG*00*SA*1**20260713~N9*L1*A~{0}Call first.~{0}Dock 4.~PO1*1*2*EA~{0}Tickets on.~"
    found = []
    for version, words, separator in (("004010", "MSG*", "U"), ("005010", "MTX**", "^")):
        text = (
            f"ISA*00*{'':10}*00*{'':10}*ZZ*{'AA':15}*ZZ*{'BB':15}*260714*0915*{separator}*{version[:5]}*000000001*0*T*>~"
            f"GS*PO*AA*BB*20260714*0915*1*X*{version}~ST*850*0001~{body.format(words)}SE*9*0001~GE*1*1~IEA*1*000000001~"
        )
        (interchange,) = x12.read_all(text.encode(), guides=library.standard())
        (message,) = interchange.groups[0].messages
        reading = shipped_map(map_of(message)).read(message.root)
        assert not reading.unmapped
        found.append({name: reading.document[name] for name in ("notes", "lines")})
    assert found[0] == found[1]
    assert found[0]["notes"] == [{"subject": "L1", "reference": "A", "text": "Call first.\nDock 4."}]
    assert found[0]["lines"][0]["notes"] == [{"subject": "message", "text": "Tickets on."}]
