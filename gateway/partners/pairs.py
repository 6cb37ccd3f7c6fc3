"""Our AS2 key pairs: the workspace's first one, and those of `certs/ours.yaml`, each with its date of use.

The first pair is keys/gateway.key with identity.certificate, as ever. Further ones are files of their own and a line in
`certs/ours.yaml`, which `gateway certificate` writes and which is part of the configuration: a change of it is taken up
by a running gateway like any other. Private keys are read when a configuration is built, with the same passphrase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.as2 import KeyPair, fingerprint
from gateway.errors import OurFault
from gateway.partners import keys
from gateway.partners.keyring import ALWAYS, Use
from gateway.settings import Form, Name, Part, Settings
from gateway.yamltext import MAX_BYTES, YamlText, read_yaml, validate

FILE = "certs/ours.yaml"
FIRST = "gateway"
"""The name of the pair that stands in identity.certificate."""
MOST = 50
HEADING = """\
# Our AS2 key pairs beside the first one (keys/gateway.key with identity.certificate), which is called gateway.
# Written by `gateway certificate new | import | roll | retire`; what a running gateway finds here it takes up.
"""


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time with its zone, such as 2027-01-31T00:00:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999, in UTC too") from None


Moment = Annotated[datetime, AfterValidator(_aware)]
PairName = Annotated[str, Form(r"[a-z0-9][a-z0-9_-]{0,62}", "small letters, digits, - and _, 63 at most")]
File = Annotated[str, Form(r"(?!/)(?!.*\.\.)[^\\\x00-\x1f]{1,200}", "a file below the workspace")]


class FurtherPair(Part):
    """A key pair of ours beside the first one."""

    name: PairName = Field(description="What the commands call it.", examples=["as2-2027"])
    certificate: File = Field(description="Its certificate, PEM.", examples=["certs/as2-2027.pem"])
    key: File = Field(description="Its private key, encrypted.", examples=["keys/as2-2027.key"])
    sign_from: Moment | None = Field(default=None, description="From when it signs; absent: it only decrypts.")
    partners: dict[Name, Moment] = Field(
        default_factory=dict, description="Partners for whom it signs from another time on."
    )

    @property
    def use(self) -> Use:
        """As the keyring wants it."""
        return Use(sign_from=self.sign_from, partners=self.partners)


class OurPairs(Part):
    """The whole of `certs/ours.yaml`."""

    pairs: Annotated[tuple[FurtherPair, ...], Field(max_length=MOST)] = Field(
        default=(), description="Further key pairs."
    )
    retired: tuple[PairName, ...] = Field(default=(), description="Pairs that count no more; their files stay.")

    def named(self, name: str) -> FurtherPair | None:
        """The further pair of this name."""
        return next((one for one in self.pairs if one.name == name), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class OurCertificate:
    """Where a pair of ours stands, whether its key can be opened or not."""

    name: str
    certificate: str
    key: str
    use: Use
    retired: bool


def read(folder: Path) -> tuple[OurPairs, YamlText]:
    """`certs/ours.yaml` as a value; without the file there are no further pairs. OurFault with all its findings."""
    try:
        with (folder / FILE).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return OurPairs(), YamlText(file=FILE, data=None)
    except OSError as error:
        raise OurFault(f"{FILE}: {error.strerror}", remedy="make it readable for the gateway") from error
    source, wrong = read_yaml(FILE, content)
    found, more = (None, ()) if wrong else validate(source, OurPairs)
    if found is None:
        findings = (*wrong, *more)
        raise OurFault(f"{FILE} is wrong: {findings[0].text}", remedy=findings[0].fix, findings=findings)
    return found, source


def write(folder: Path, pairs: OurPairs) -> None:
    """Write `certs/ours.yaml` anew, whole."""
    lines = [HEADING, "pairs:\n" if pairs.pairs else "pairs: []\n"]
    for one in pairs.pairs:
        lines.append(
            f"  - name: {_quoted(one.name)}\n    certificate: {_quoted(one.certificate)}\n    key: {_quoted(one.key)}\n"
        )
        if one.sign_from is not None:
            lines.append(f"    sign_from: {_moment(one.sign_from)}\n")
        if one.partners:
            lines.append("    partners:\n")
            lines += [
                f"      {_quoted(partner)}: {_moment(since)}\n" for partner, since in sorted(one.partners.items())
            ]
    lines.append(f"retired: [{', '.join(map(_quoted, pairs.retired))}]\n")
    keys.write_file(folder / FILE, "".join(lines).encode(), mode=0o644, overwrite=True)


def known(settings: Settings, pairs: OurPairs) -> tuple[OurCertificate, ...]:
    """All our pairs, the first one first, retired ones too."""
    first = OurCertificate(
        name=FIRST,
        certificate=settings.identity.certificate,
        key=keys.AS2_KEY,
        use=Use(sign_from=ALWAYS),
        retired=FIRST in pairs.retired,
    )
    more = (
        OurCertificate(
            name=one.name, certificate=one.certificate, key=one.key, use=one.use, retired=one.name in pairs.retired
        )
        for one in pairs.pairs
    )
    return (first, *more)


def load(folder: Path, settings: Settings) -> tuple[tuple[KeyPair, ...], Mapping[str, Use]]:
    """Our pairs that are not retired, and when each signs. OurFault for the first that cannot be opened."""
    opened: list[KeyPair] = []
    uses: dict[str, Use] = {}
    passphrase = settings.passphrase.read(folder)
    for one in known(settings, read(folder)[0]):
        if one.retired:
            continue
        pair = keys.load_pair(folder / one.key, folder / one.certificate, passphrase)
        opened.append(pair)
        uses[fingerprint(pair.certificate)] = one.use
    if not opened:
        raise OurFault(
            "all our AS2 key pairs are retired", remedy=f"take one out of `retired` in {FILE}, or make a new one"
        )
    return tuple(opened), uses


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
