"""The example of docs/guides.md is a sound guide and does what its comments say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from gateway.edi import x12
from gateway.edi.delta import resolve
from gateway.edi.library import Guides

PAGE = Path(__file__).parents[2] / "docs" / "guides.md"
BODY = [
    "BEG*00*SA*PO-7001***R1",
    "ZZ1*dock 4*EA",
    "REF*DP*099",
    "REF*VN*1",
    "PO1*1*10*EA*2.50**BP*BOLT-8",
    "PID*F****Bolt",
    "REF*LI*1",
]
BROKEN = {
    # what is changed in the good body, and the rule that refuses it
    "BEG*00*SA*PO-7001***R1": ("BEG*00*SA*PO-7001*R1", {"edi.element.not_used", "edi.element.missing"}),
    "ZZ1*dock 4*EA": ("ZZ1*dock 4", {"edi.element.condition"}),
    "REF*DP*099": ("REF*DP*101", {"edi.element.code"}),
    "PO1*1*10*EA*2.50**BP*BOLT-8": ("PO1*1000*10*EA*2.50**BP*BOLT-8", {"edi.element.too_long"}),
    "PID*F****Bolt": ("CTP**EUP", {"edi.segment.missing"}),
    "REF*LI*1": ("REF*DP*1", {"edi.element.code"}),
}


def test_the_example_of_the_page_does_what_it_says(guides: Guides, wrap: Callable[..., bytes]) -> None:
    """A good order passes, each line of the guide refuses a bad one."""
    example = re.search(r"^```yaml\n(# guides/.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert example is not None
    made, findings = resolve("acme/850", find=lambda name: (f"guides/{name}.yaml", example[1]), guides=guides)
    assert findings == ()
    assert made is not None
    given = guides.with_guide(made.guide)

    def rules(body: list[str]) -> set[str]:
        (interchange,) = x12.read_all(wrap("850", body), guides=given)
        return {one.rule for group in interchange.groups for message in group.messages for one in message.findings}

    assert rules(BODY) == set()
    for old, (new, expected) in BROKEN.items():
        assert rules([new if one == old else one for one in BODY]) == expected, new
    assert rules([*BODY[:4], "FOB*CC", *BODY[4:]]) != set()
    assert rules([one for one in BODY if one != "REF*DP*099"]) == {"edi.segment.missing"}
