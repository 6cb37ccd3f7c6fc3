"""`python -m bench.fuzz TARGET --runs N --seed S --seconds T`: coverage-guided fuzzing by atheris.

Run it from the repository's folder in an environment of its own that has `atheris` and `pyyaml`; nothing else here
needs them. Targets and their laws are in `fuzz_targets`, what they begin with in `fuzz_seeds`. A broken law does not
end the run: each place is kept once, with the input that broke it, which `--replay FILE` runs again. Half of the
inputs are made by the fuzzer's own changes to bytes, half by changes to segments and elements, on one corpus.
`--blind` runs changes to the corpus of an earlier run (`--folder`) without measuring coverage and without atheris: it
finds less per input, and runs three times as many.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

SLOW = 1.0
"""Seconds of CPU for one small input that are a finding themselves."""
LONGEST, LONGEST_TEXT = 640, 8_192
"""Bytes of an input: short ones are run more often; guides and directories say nothing in so few."""
TEXTS = frozenset({"guide", "directory"})
AS2 = frozenset({"message", "receipt"})
LONGEST_AS2 = 4_096
"""A signed message with its certificate."""
ONE_INPUT = 60
"""Seconds after which an input ends the run."""


def main(arguments: list[str] | None = None) -> int:
    """Run a target in a process of its own, and say what came of it; 1 when a law was broken."""
    options = _options(arguments)
    if options.replay:
        _target(options.target)(Path(options.replay).read_bytes())
        print("the law holds")
        return 0
    if options.blind:
        return _blind(options)
    if options.inside:
        _inside(options)
    folder = Path(options.folder or tempfile.mkdtemp(prefix=f"fuzz-{options.target}-"))
    folder.joinpath("crashes").mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    logs = [_run(options, folder, way) for way in ("segments", "bytes")]
    return _summary(options.target, folder, time.monotonic() - started, logs)


def _run(options: argparse.Namespace, folder: Path, way: str) -> str:
    """Half of the inputs, changed in one way, in a process of their own; what it printed."""
    command = [sys.executable, "-m", "bench.fuzz", options.target, "--inside", way, "--folder", str(folder)]
    command += ["--runs", str(options.runs // 2), "--seed", str(options.seed), "--seconds", str(options.seconds // 2)]
    log = folder / f"{way}.log"
    with log.open("wb") as output:
        subprocess.run(command, stdout=output, stderr=output, check=False)
    return log.read_text("utf-8", "replace")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.fuzz", description=__doc__)
    parser.add_argument("target", choices=["read", "answer", "theirs", "guide", "directory", "tiers", *sorted(AS2)])
    parser.add_argument("--runs", type=int, default=100_000, help="inputs to run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=0, help="stop after so long; 0: when all have run")
    parser.add_argument("--folder", help="where corpus, crashes and log are kept (default: a new temporary folder)")
    parser.add_argument("--replay", help="run one input again")
    parser.add_argument("--blind", action="store_true", help="without coverage, on an earlier run's corpus")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _target(name: str) -> Callable[[bytes], None]:
    targets = import_module("bench.fuzz_as2" if name in AS2 else "bench.fuzz_targets")
    targets.warm()
    target: Callable[[bytes], None] = targets.TARGETS[name]
    return target


def _summary(target: str, folder: Path, seconds: float, logs: list[str]) -> int:
    ran = [re.search(r"stat::number_of_executed_units:\s*(\d+)", log) for log in logs]
    covered = re.findall(r"cov: (\d+) ft: (\d+)", logs[-1])
    crashes = sorted(folder.joinpath("crashes").glob("*.txt"))
    ended = [log for log in logs if "Done " not in log]
    count = sum(int(one[1]) for one in ran if one)
    print(f"{target}: {count:,} inputs in {seconds:.0f} s, {count / seconds if seconds else 0:.0f} a second")
    print(f"  corpus {sum(1 for _ in folder.joinpath('corpus').iterdir())} inputs, in {folder / 'corpus'}")
    if covered:
        print(f"  coverage {covered[-1][0]} edges, {covered[-1][1]} features")
    print(f"  {len(crashes)} laws broken")
    for crash in crashes:
        print(f"  {crash.with_suffix('')}\n    {crash.read_text().strip().splitlines()[-1][:300]}")
    for log in ended:
        print(f"  a run ended by itself: {log.strip().splitlines()[-1]}; see the logs in {folder}")
    return 1 if crashes or ended else 0


class _Keeper:
    """Runs the target and keeps each way of breaking its law once."""

    def __init__(self, target: Callable[[bytes], None], folder: Path) -> None:
        self.target, self.folder = target, folder
        self.known: set[str] = set()

    def __call__(self, data: bytes) -> None:
        started = time.process_time()
        try:
            self.target(data)
        except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
            frames = [one for one in traceback.extract_tb(error.__traceback__) if "atheris" not in one.filename]
            where = " ".join(f"{Path(one.filename).stem}:{one.lineno}" for one in frames[-2:])
            said = re.sub(r"[^A-Za-z ]+.*", "", str(error))[:60] if isinstance(error, AssertionError) else ""
            self.keep(f"{type(error).__name__} {where} {said}", data, "".join(traceback.format_exception(error)))
        else:
            if time.process_time() - started > SLOW:
                self.keep("slow", data, f"slow: {time.process_time() - started:.1f} s for {len(data)} bytes")

    def keep(self, signature: str, data: bytes, text: str) -> None:
        """Write the input and what it did."""
        if signature in self.known:
            return
        self.known.add(signature)
        name = hashlib.sha256(data).hexdigest()[:12]
        self.folder.joinpath(name).write_bytes(data)
        self.folder.joinpath(f"{name}.txt").write_text(f"{signature}\n{text}\n")


class _Mutator:
    """Changes as the trade makes them: segments and elements moved, doubled, dropped, tokens put anywhere."""

    def __init__(self, tokens: tuple[bytes, ...], separators: bytes) -> None:
        self.tokens, self.separators = tokens, separators

    def __call__(self, data: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
            data = self.once(data, chance)
        return data[:longest]

    def once(self, data: bytes, chance: random.Random) -> bytes:
        """One change."""
        at = chance.randrange(len(data) + 1)
        if chance.random() < 0.15:
            return data[:at] + chance.randbytes(chance.choice((1, 1, 2, 5))) + data[at + 1 :]
        if chance.random() < 0.5:
            width = chance.choice((0, 0, 1, 2, 4, 8))
            return data[:at] + chance.choice(self.tokens) * chance.choice((1, 1, 1, 2, 9)) + data[at + width :]
        by = bytes([chance.choice(self.separators)])
        parts = data.split(by)
        one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
        match chance.randrange(4):
            case 0:
                del parts[one]
            case 1:
                parts.insert(other, parts[one])
            case 2:
                parts[one], parts[other] = parts[other], parts[one]
            case _:
                parts[one : one + 1] = [parts[one]] * chance.choice((2, 3, 12))
        return by.join(parts)


def _blind(options: argparse.Namespace) -> int:
    """Change and run inputs of the corpus; crashes are kept like any others."""
    start = _start(options.target)
    folder = Path(options.folder or tempfile.mkdtemp(prefix=f"fuzz-{options.target}-"))
    crashes = folder / "crashes"
    crashes.mkdir(parents=True, exist_ok=True)
    corpus = [file.read_bytes() for file in sorted(folder.joinpath("corpus").glob("*"))] or [
        *start.seeds(options.target)
    ]
    keeper = _Keeper(_target(options.target), crashes)
    mutator = _Mutator(_tokens(start, options.target), _separators(options.target))
    chance = random.Random(options.seed)
    started, count = time.monotonic(), 0
    while count < options.runs and (not options.seconds or time.monotonic() - started < options.seconds):
        keeper(mutator(chance.choice(corpus), _longest(options.target), chance.getrandbits(32)))
        count += 1
    done = f"stat::number_of_executed_units: {count}\nDone "
    return _summary(options.target, folder, time.monotonic() - started, [done])


def _start(target: str) -> Any:
    """The module that knows what a target begins with."""
    return import_module("bench.fuzz_as2" if target in AS2 else "bench.fuzz_seeds")


def _tokens(start: Any, target: str) -> tuple[bytes, ...]:
    found: tuple[bytes, ...] = start.TOKENS if target in AS2 else start.tokens(target)
    return found


def _longest(target: str) -> int:
    return LONGEST_AS2 if target in AS2 else LONGEST_TEXT if target in TEXTS else LONGEST


def _separators(target: str) -> bytes:
    if target in AS2:
        return b"\n:;-\x30\x04"
    return b"\n:[ " if target in TEXTS else b"~'*+\n:>"


def _inside(options: argparse.Namespace) -> None:
    """Never returns: atheris ends the process."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["gateway.as2" if options.target in AS2 else "gateway.edi"]):
        target = _target(options.target)
    start = _start(options.target)
    folder = Path(options.folder)
    corpus, crashes = folder / "corpus", folder / "crashes"
    corpus.mkdir(exist_ok=True)
    for seed in start.seeds(options.target):
        corpus.joinpath(hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    tokens = _tokens(start, options.target)
    words = folder / "dictionary"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n' for token in tokens if token))
    separators = _separators(options.target)
    flags = [f"-runs={options.runs}", f"-seed={options.seed}", f"-max_total_time={options.seconds}"]
    flags += [f"-max_len={_longest(options.target)}", f"-timeout={ONE_INPUT}", f"-dict={words}", "-print_final_stats=1"]
    flags += [f"-artifact_prefix={crashes}{os.sep}", "-rss_limit_mb=4096", "-reload=0", str(corpus)]
    more = {"custom_mutator": _Mutator(tokens, separators)} if options.inside == "segments" else {}
    atheris.Setup(["bench.fuzz", *flags], _Keeper(target, crashes), **more)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
