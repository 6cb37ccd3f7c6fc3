"""Which agreement, map and guide decided, by content hash: how it is recorded, what is kept, how it is made again.

Recorded is `x12/855 4f0c…` (name and hash); a guide's record begins with the version read: `004010 acme/855 9a…`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from gateway.edi import delta, library
from gateway.edi.guide import Guide
from gateway.edi.library import Guides
from gateway.errors import OurFault
from gateway.mapping import AnyMap, Map, compile_any
from gateway.mapping.hooks import NO_HOOKS, Hooks
from gateway.partners.agreement import Agreement
from gateway.partners.configuration import Configuration, map_names_of
from gateway.partners.workspace import Workspace, agreement_of
from gateway.ports import Source, Version, VersionKind

GUIDES = "guides"


def recorded(text: str | None) -> tuple[str | None, str | None]:
    """Name and hash of what stands with a document; None for what is not said (older records have a hash only)."""
    words = (text or "").split()
    digest = words[-1] if words and len(words[-1]) == _HEX else None
    name = words[-2] if digest and len(words) > 1 else None
    return name, digest


_HEX = 64


def record(name: str, digest: str) -> str:
    """How a map is recorded."""
    return f"{name} {digest}"


def guide_record(guides: Guides, own: delta.PartnerGuide | None, version: str, type: str) -> str:  # noqa: A002
    """How the guide is recorded by which a set was checked: `own`, the partner's, where it is the one that was used."""
    used = guides.find(version, type)
    if used is None:
        return version
    if own is not None and own.guide is used:
        return f"{version} {own.name} {own.hash}"
    texts = guides.sources(version, type)
    return f"{version} {used.name} {_digest(texts)}" if texts else version


@lru_cache(maxsize=256)
def _digest(texts: tuple[tuple[str, bytes], ...]) -> str:
    return delta.digest(("", file, text) for file, text in texts)


def of(configuration: Configuration) -> Iterator[Version]:
    """All that may decide while this configuration is active."""
    loaded = configuration.workspace
    yield from _agreements(loaded)
    for name in sorted(map_names_of(loaded)):
        sources = tuple(
            Source(name=link.name, file=link.file, content=link.text.encode("utf-8", "surrogatepass"))
            for link in configuration.maps.chain(name)
        )
        yield _version(VersionKind.MAP, configuration.maps.version(name), name, sources)
    for guide in loaded.guides.values():
        sources = tuple(Source(name=name, file=file, content=text) for name, file, text in guide.sources)
        yield _version(VersionKind.GUIDE, guide.hash, guide.name, sources)
    sets = {
        rule.set
        for one in loaded.agreements
        for rule in (*one.documents.send.values(), *one.documents.receive.values())
    }
    for name in loaded.standard.names():
        _, version, type_ = name.split("/")
        texts = loaded.standard.sources(version, type_) if type_ in sets else ()
        if texts:
            sources = tuple(Source(name=name, file=file, content=text) for file, text in texts)
            yield _version(VersionKind.GUIDE, _digest(texts), name, sources)


def _agreements(loaded: Workspace) -> Iterator[Version]:
    for name, text in loaded.texts.items():
        file = loaded.files[name]
        yield _version(
            VersionKind.AGREEMENT,
            hashlib.sha256(text).hexdigest(),
            name,
            (Source(name=name, file=file, content=text),),
        )


def _version(kind: VersionKind, digest: str, name: str, sources: tuple[Source, ...]) -> Version:
    return Version(kind=kind, hash=digest, name=name, gateway=gateway_version(), sources=sources)


def gateway_version() -> str:
    """Ours, as it is installed."""
    try:
        return installed("partner-gateway")
    except PackageNotFoundError:
        return "source"


def sources_of(version: Version) -> Callable[[str], tuple[str, str]]:
    """The texts of then, as `compile_map` and `compile_any` take them: file and text by a map's name."""
    texts = {source.name: (source.file, source.content.decode("utf-8", "surrogatepass")) for source in version.sources}
    return texts.__getitem__


def map_of(version: Version, hooks: Hooks = NO_HOOKS) -> AnyMap:
    """The map as it was then, by the language of now. OurFault where that cannot compile it any more.

    The functions of then are kept as text, and never run: a map that names hooks is made again with those that the
    workspace runs now, `hooks`, while they are the same, which the map's hash tells.
    """
    try:
        made = compile_any(version.sources[0].name, sources_of(version), hooks)
    except OurFault as fault:
        raise OurFault(
            f"the map {version.name} of then cannot be made again: {fault}",
            remedy="read the payload with the map of now: gateway message show ID --payload, gateway map explain; "
            "a map with hooks is made again only with the workspace's hooks of then",
            findings=fault.findings,
        ) from fault
    if isinstance(made, Map) and hooks.text and made.hash != version.hash:
        raise OurFault(
            f"the map {version.name} of then named hooks, and the workspace's hooks are others now",
            remedy="bring the hooks file of then back from your version control for as long as you look",
        )
    return made


def agreement_then(version: Version) -> Agreement:
    """The agreement as it was then. OurFault where it is none by the rules of now."""
    source = version.sources[0]
    made, findings = agreement_of(source.name, source.file, source.content)
    if made is None:
        raise OurFault(
            f"the agreement {version.name} of then is none for this gateway: {findings[0].text}",
            remedy=f"read it with gateway {version.gateway}, which used it first",
            findings=findings,
        )
    return made


def guide_of(version: Version) -> Guide:
    """The guide as it was then, the gateway's own under it too. OurFault where it cannot be read any more."""
    guides = library.standard()
    deltas = {source.name: (source.file, source.content) for source in version.sources if not _shipped(source)}
    # From the most general text to the set's own: each stands before what was there.
    for source in reversed([one for one in version.sources if _shipped(one)]):
        standard, folder, file = source.file.split("/")
        guides = guides.adding(standard, folder, {file: source.content})
    if not deltas:
        _, number, type_ = version.name.split("/")
        found = guides.find(number, type_)
        if found is None:
            raise _gone(version)
        return found
    made, _ = delta.resolve(version.name, find=deltas.get, guides=guides)
    if made is None:
        raise _gone(version)
    return made.guide


def _shipped(source: Source) -> bool:
    """Whether it is the text of a whole guide: `x12/004010/855.yaml`; a delta's file is under `guides/`."""
    return not source.file.startswith((f"{GUIDES}/", "maps/"))


def _gone(version: Version) -> OurFault:
    return OurFault(
        f"the guide {version.name} of then cannot be read by this gateway",
        remedy=f"read it with gateway {version.gateway}, which used it first",
    )
