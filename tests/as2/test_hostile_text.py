"""Text from strangers: read in linear time, and never more than can be shown, stored and sent on."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

import gateway.as2
from gateway.as2 import Policy, Refusal, compression, mime
from gateway.as2.filenames import disposition
from gateway.errors import OurFault

LENGTH = mime.MAX_HEADER_OCTETS
SECONDS = 0.5
"""Of CPU, for 32 KiB. Linear takes 0.01; what was quadratic took 17."""
HTTP = (("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"))
PKCS7 = (*HTTP, ("Content-Type", "application/pkcs7-mime"))
HEADS = (
    "",
    "a",
    "a/b;",
    "a/b; processed",
    "a/b; processed /",
    "a/b; processed/a :",
    "a/b; processed/a: x",
    "a=",
    'a="',
)
REPEATED = (" ", "a", '"', "\\", "\\a", "=", ";", "/", "*", "*0", "0", "\n", " \n", "\r\n ", ":", "a;", "a=", "-", "ü")
TAILS = ("", '"', "\x00")
SEARCHED = {"_BLANK_LINE", "_FOLD", "_QUOTED_PAIR", "_TO_QUOTE", "_UNPRINTABLE"}
"""These are looked for anywhere; the others only where a reader stands."""


def every_pattern() -> list[tuple[str, re.Pattern[Any]]]:
    """The regular expressions of the package, by module and name."""
    modules = [
        importlib.import_module(f"gateway.as2.{found.name}") for found in pkgutil.iter_modules(gateway.as2.__path__)
    ]
    return [
        (f"{module.__name__.rpartition('.')[2]}.{name}", value)
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    ]


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU the work took."""
    started = time.process_time()
    work()
    return time.process_time() - started


@pytest.mark.parametrize(("name", "pattern"), [pytest.param(*row, id=row[0]) for row in every_pattern()])
def test_every_regular_expression_is_linear(name: str, pattern: re.Pattern[Any]) -> None:
    """Openings of what it reads, then 32 KiB of one thing, then what spoils it."""
    searched = name.rpartition(".")[2] in SEARCHED
    for head in HEADS:
        for repeated in REPEATED:
            for tail in TAILS:
                text = head + repeated * (LENGTH // len(repeated)) + tail
                value = text.encode() if isinstance(pattern.pattern, bytes) else text
                used = (pattern.search,) if searched else (pattern.match, pattern.fullmatch)
                for method in used:
                    assert cpu(lambda: method(value)) < SECONDS, (head, repeated, tail)  # noqa: B023  run at once


def test_the_package_has_no_regular_expression_but_those_named() -> None:
    """One that stands inside a function would be out of the sight of the test above."""
    for found in pkgutil.iter_modules(gateway.as2.__path__):
        source = inspect.getsource(importlib.import_module(f"gateway.as2.{found.name}"))
        assert not re.search(r"\bre\.(?!compile\()[a-z]|^ .*re\.compile", source, re.MULTILINE), found.name


@pytest.mark.parametrize("space", [" ", "\t"])
def test_a_small_bomb_of_blanks_does_not_hold_up_the_gateway(stations: Any, anything: Policy, space: str) -> None:
    """A hundred octets that inflate to a header of 31,000 blanks: refused, and at once, also when policy allows all."""
    bomb = compression.deflate([b"Content-Type: text/plain; name=" + space.encode() * 31_000 + b'"\r\n\r\nx'])
    assert len(bomb) < 200
    for policy, refusal in ((anything, Refusal.UNEXPECTED), (Policy(), Refusal.INSUFFICIENT_SECURITY)):
        assert cpu(lambda: _expect(stations, bomb, policy, refusal)) < SECONDS  # noqa: B023  run at once


def _expect(stations: Any, body: bytes, policy: Policy, refusal: Refusal) -> None:
    assert stations.refusal(PKCS7, body, policy).refusal is refusal


@pytest.mark.parametrize("repeated", REPEATED)
def test_values_are_bounded_before_they_are_read(repeated: str) -> None:
    """4 KiB hold every file name; more is a fault."""
    with pytest.raises(mime.MimeFault, match="4096 are allowed"):
        mime.structured("a/b; name=" + repeated * 5000)


def test_policy_is_judged_before_the_file_name_is_read(stations: Any) -> None:
    """A message this partner may not send so is refused for that, whatever its headers hold."""
    headers = (*HTTP, ("Content-Disposition", 'attachment; filename="open'))
    assert stations.refusal(headers, b"x", Policy()).refusal is Refusal.INSUFFICIENT_SECURITY
    lenient = Policy(require_encryption=False, require_signature=False)
    assert stations.refusal(headers, b"x", lenient).refusal is Refusal.UNEXPECTED


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("utf-7''+2AA-.edi", "+2AA-.edi"),
        ("idna''xn--a", "xn--a"),
        ("rot13''abc", "abc"),
        ("UTF-16''%41%00", "A"),
        ("unicode_escape''%5Cud800x", "ud800x"),
        ("utf-8''%ED%A0%80x", "í\xa0x"),
        ("UTF-8''a%00%0D%0Ab%7F", "ab"),
        ("us-ascii''a%FCb", "aüb"),
        ("windows-1252''%80", "€"),
        ("windows-1252''a%81", "a"),
        ("''a", "a"),
    ],
)
def test_the_sender_does_not_choose_the_codec(stations: Any, anything: Policy, written: str, name: str) -> None:
    """Four charsets are known; any other is read as ISO-8859-1."""
    headers = (*HTTP, ("Content-Disposition", f"attachment; filename*={written}"))
    assert stations.take(headers, b"x", anything).filename == name


@pytest.mark.parametrize(
    "value",
    [
        'attachment; filename="a\udcfcb\x00\x9f"',
        "attachment; filename*=utf-8''a\udcfcb",
        "attachment; filename*0*=utf-8''a; filename*1=\ud800b",
        "attachment; filename=a\udcfcb",
    ],
)
def test_a_file_name_can_always_be_encoded(stations: Any, anything: Policy, value: str) -> None:
    """Headers come from the web server with surrogates where their octets were not UTF-8."""
    opened = stations.take((*HTTP, ("Content-Disposition", value)), b"x", anything)
    assert opened.filename.encode("utf-8").strip(b"?") in {b"ab", b"a?b"}


def test_a_content_type_can_always_be_encoded(stations: Any, anything: Policy) -> None:
    """It is kept in the trail."""
    headers = (*HTTP, ("Content-Type", "text/plain; charset=\udcfc\x01x"))
    assert stations.take(headers, b"x", anything).content_type == "text/plain; charset=x"


@pytest.mark.parametrize(
    ("value", "word", "name"),
    [
        ('attachment;filename="x.edi"', "attachment", "x.edi"),
        ("attachment;filename=x.edi", "attachment", "x.edi"),
        ('inline;filename="a;b=c.edi";size=3', "inline", "a;b=c.edi"),
        ("application/edi-x12;filename=x", "application/edi-x12", "x"),
    ],
)
def test_a_file_name_is_found_without_a_blank_before_it(value: str, word: str, name: str) -> None:
    """RFC 2045 5.1: `;` ends the word."""
    found = mime.structured(value)
    assert (found.word, found.parameters["filename"]) == (word, name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\x00", "a\x85", "a\ud800", "x" * 256])
def test_a_file_name_we_cannot_write_is_our_fault(name: str) -> None:
    """Found before anything is sent."""
    with pytest.raises(OurFault):
        disposition(name)
