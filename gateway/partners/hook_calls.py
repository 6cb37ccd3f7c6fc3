"""Calls of the workspace's hooks, each within a time limit, in a thread of their own.

A hook that does not end is interrupted, and not asked again for a while: what needs it is refused at once as our fault,
so that a job comes back later and nothing goes on without the value. Python
code is interrupted between two of its steps; a single call into C that never returns holds its thread for ever, and one
that keeps the interpreter to itself meanwhile (a regular expression that backtracks) holds the process until it ends.
Where MOST_HELD threads are held so, no hook is asked until one of them ends.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final

from gateway.errors import OurFault

CALL_SECONDS: Final = 1.0
"""For one value."""
START_SECONDS: Final = 10.0
"""For running the file itself."""
REST_SECONDS: Final = 10.0
"""How long a hook that did not end is not asked; what other partners sent waits so long too."""
MOST_HELD: Final = 8
"""Threads of one configuration that calls which never return may hold."""

log = logging.getLogger(__name__)

_Reply = SimpleQueue[tuple[Any, BaseException | None]]
_Calls = SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...], _Reply] | None]


class _Interrupted(BaseException):
    """Ends code of a hook that took too long; `except Exception` in it does not hold it up."""


class TookTooLongError(OurFault):
    """It did not end in its time, which says nothing about the value. What a hook raises itself is never this."""


class HookThread:
    """Runs functions one after another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: _Calls = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._held: list[threading.Thread] = []

    def run(self, function: Callable[..., Any], *arguments: Any, seconds: float) -> Any:
        """What the function gives or raises. Raises TookTooLongError, letting go of the thread, if it does not end."""
        with self._lock:
            if self._thread is None:
                self._held = [one for one in self._held if one.is_alive()]
                if len(self._held) >= MOST_HELD:
                    raise TookTooLongError(f"{MOST_HELD} calls before it have not ended yet")
                self._calls = SimpleQueue()
                self._thread = threading.Thread(target=_serve, args=(self._calls,), name="hooks", daemon=True)
                self._thread.start()
                self._gone = weakref.finalize(self, self._calls.put, None)  # a configuration that is gone leaves none
            reply: _Reply = SimpleQueue()
            self._calls.put((function, arguments, reply))
            try:
                result, raised = reply.get(timeout=seconds)
            except Empty:
                _interrupt(self._thread)
                self._gone()  # also where it ended just now, and would wait for the next call
                self._held.append(self._thread)
                self._thread = None
                raise TookTooLongError(f"it took longer than {seconds:g} s") from None
        if raised is not None and not isinstance(raised, Exception):  # SystemExit would end the gateway
            raise RuntimeError(f"it raised {type(raised).__name__}") from raised
        if raised is not None:
            raise raised
        return result


class BoundedTurn:
    """One direction of a hook."""

    def __init__(self, thread: HookThread, name: str, function: Callable[[str], Any]) -> None:
        self._thread = thread
        self._name = name
        self._function = function
        self._rests_until = 0.0

    def __call__(self, text: str) -> Any:
        """What the hook makes of a text. Raises TookTooLongError where it does not end, or what it raises itself."""
        if time.monotonic() < self._rests_until:
            raise self._late(f"it took longer than {CALL_SECONDS:g} s not long ago")
        try:
            return self._thread.run(self._function, text, seconds=CALL_SECONDS)
        except TookTooLongError as late:
            self._rests_until = time.monotonic() + REST_SECONDS
            told = "the hook %s took longer than %g s: it is not asked for %g s, and what needs it waits"
            log.warning(told, self._name, CALL_SECONDS, REST_SECONDS)
            raise self._late(str(late)) from None

    def _late(self, why: str) -> TookTooLongError:
        return TookTooLongError(f"no value of {self._name}: {why}", remedy="Make that function of the hooks faster.")


def _serve(calls: _Calls) -> None:
    """Until one does not end: the thread of that one is given up."""
    with suppress(_Interrupted):  # which may come a moment after the call that it was meant for
        while (call := calls.get()) is not None:
            function, arguments, reply = call
            made: tuple[Any, BaseException | None]
            try:
                made = function(*arguments), None
            except _Interrupted:
                return
            except BaseException as fault:  # noqa: BLE001  it is raised where the hook was called
                made = None, fault
            reply.put(made)


def _interrupt(thread: threading.Thread) -> None:
    """Raise in a thread as soon as it comes to Python code again."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_Interrupted))
