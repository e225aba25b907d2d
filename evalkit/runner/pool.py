"""A supervised pool: each piece of work in a process of its own, so that none can take another along."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from evalkit.errors import Refusal, RunFailed

_KILL_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_LIBRARY_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work: a function that can be pickled, what it is given, and where its talk is kept."""

    name: str
    function: Callable[[Any], Any]
    given: Any
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a task ended: `done` with its answer, or `refused`, `failed` or `killed` with the reason in words.

    `kind` is the class of the refusal. The reason is for those who run the report: it may hold counts of the data.
    """

    task: Task
    status: str
    reason: str = ""
    kind: str = ""
    answer: Any = None
    seconds: float = 0.0


@dataclass(slots=True)
class _Running:
    task: Task
    process: multiprocessing.process.BaseProcess
    pipe: Connection
    began: float = field(default_factory=time.monotonic)


def supervised(tasks: Sequence[Task], *, workers: int, minutes: float) -> Iterator[Ended]:
    """Every task's end, in the order in which they end; at most `workers` at once, each for at most `minutes`.

    When the caller stops (an interrupt, an error) everything still running is stopped, descendants too.
    """
    waiting, running = list(tasks), list[_Running]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(_started(waiting.pop(0)))
            for one, ended in _ended(running, minutes):
                running.remove(one)
                yield ended
    finally:
        for one in running:
            _stop(one.process)


def _started(task: Task) -> _Running:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, task, os.getpid()), name=task.name, daemon=False)
    with _quiet_libraries(), _deaf_to_interrupts():
        process.start()
    there.close()
    return _Running(task=task, process=process, pipe=here)


@contextlib.contextmanager
def _quiet_libraries() -> Iterator[None]:
    """One thread a process for the numeric libraries: they must be told before they are loaded."""
    before = {name: os.environ.get(name) for name in _LIBRARY_THREADS}
    os.environ.update(dict.fromkeys(_LIBRARY_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """A process started meanwhile never hears an interrupt at the keyboard: whoever started it stops it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ended(running: list[_Running], minutes: float) -> list[tuple[_Running, Ended]]:
    soonest = min(one.began for one in running) + 60 * minutes - time.monotonic()
    wait([part for one in running for part in (one.pipe, one.process.sentinel)], timeout=max(soonest, 0))
    return [(one, end) for one in running for end in [_end_of(one, minutes)] if end]


def _end_of(one: _Running, minutes: float) -> Ended | None:
    seconds = time.monotonic() - one.began
    alive = one.process.is_alive()  # asked first: what a process said before its end is then never missed
    told = _told(one.pipe)
    if told:
        one.process.join(timeout=5)
        _stop(one.process)
        status, what, kind = told
        found = {"answer": what} if status == "done" else {"reason": what, "kind": kind}
        return Ended(task=one.task, status=status, seconds=seconds, **found)
    if not alive:
        one.process.join()
        return Ended(task=one.task, status="killed", reason=_how(one.process.exitcode), seconds=seconds)
    if seconds >= 60 * minutes:
        _stop(one.process)
        limit = f"{minutes:g} minutes" if minutes != 1 else "1 minute"
        why = f"took longer than {limit} and was stopped; allow more with --minutes, or look for an endless loop"
        return Ended(task=one.task, status="killed", reason=why, seconds=seconds)
    return None


def _told(pipe: Connection) -> tuple[str, Any, str] | None:
    try:
        return pipe.recv() if pipe.poll() else None
    except (EOFError, OSError):
        return None


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"was stopped by the system (signal {name}); often the machine ran out of memory"
    return f"ended without a word (exit code {code})"


def _stop(process: multiprocessing.process.BaseProcess) -> None:
    """Stop a process and everything that it started; kernels lead sessions of their own, so a group is not enough."""
    import psutil

    try:
        parent = psutil.Process(process.pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.join(timeout=5)


def _work(pipe: Connection, task: Task, parent: int) -> None:
    _die_with(parent)
    _talk_to(task.log)
    try:
        pipe.send(("done", task.function(task.given), ""))
    except Refusal as refusal:
        status = "failed" if isinstance(refusal, RunFailed) else "refused"
        pipe.send((status, str(refusal), type(refusal).__name__))
    except BaseException as fault:
        traceback.print_exc()
        words = f"a fault in evalkit itself ({type(fault).__name__}); its course is kept in the work folder"
        pipe.send(("failed", words, type(fault).__name__))


def _die_with(parent: int) -> None:
    """Ask Linux to stop this process when the runner dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_KILL_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _talk_to(log: Path) -> None:
    """Send everything the process prints to a file for its owner's eyes: it may name a person."""
    handle = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
