"""Real processes for the demo: started, waited for, killed, stopped. Nothing of ours outlives the walk unless asked.

Each process logs to a file of its own; when one dies or does not get ready, the end of its log is in the error.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import OurFault

READY_SECONDS = 30
STOP_SECONDS = 15


@dataclass(kw_only=True)
class Process:
    """One process of the demo and how to see that it is ready."""

    name: str
    arguments: Sequence[str]
    """Arguments of this very Python: `-m gateway serve …`."""
    ready_url: str
    log: Path
    _running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. Raises OurFault with the end of its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
                [sys.executable, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until it answers. Raises OurFault with the end of its log."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._running is not None and self._running.poll() is not None:
                raise self._fault(f"ended with code {self._running.returncode}")
            if _answers(self.ready_url):
                return
            time.sleep(0.05)
        raise self._fault(f"did not get ready in {READY_SECONDS} s ({self.ready_url})")

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up, like a power cut for the process."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not help."""
        if self._running is None:
            return
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self._running = None

    @property
    def pid(self) -> int | None:
        """Its process id while it was started and not stopped."""
        return None if self._running is None else self._running.pid

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._running is not None and self._running.poll() is None

    def _fault(self, what: str) -> OurFault:
        tail = self.log.read_text(encoding="utf-8", errors="replace")[-2000:] if self.log.exists() else ""
        return OurFault(f"{self.name} {what}\n{tail}", remedy=f"see {self.log}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  an address on this machine
            return bool(answer.status == 200)  # noqa: PLR2004
    except urllib.error.HTTPError as refusal:
        return refusal.code < 500  # noqa: PLR2004  it answers, if only to say who may not
    except (urllib.error.URLError, OSError):
        return False
