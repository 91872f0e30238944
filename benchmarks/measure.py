"""Run one contender once, as a process of its own, and take its figures."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

from .machine import python_environment
from .task import Task

_WORDS = 300  # characters of a failure that are kept
_LIMIT = 600.0  # seconds after which a contender hangs; one of the peers can


@dataclass(frozen=True, slots=True)
class Sample:
    """
    Figures of one run.

    Attributes:
        seconds: Time of the job; imports of a Python client are left out.
        cpu_seconds: User and system time of the job, in all its processes and threads.
        memory: Rise of resident memory to its highest, above what start and imports took, in bytes; None for a
            program that does not measure itself.
        process_seconds: Time of the whole process.
        process_cpu_seconds: User and system time of the whole process.
        counts: What else was counted.
        server_cpu_seconds: User and system time of the server during the run; None where it is not measured.
        error: Why there are no figures, or None.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory: int | None = None
    process_seconds: float = 0.0
    process_cpu_seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    server_cpu_seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """
    Someone who can do a job.

    Attributes:
        name: As shown.
        command: Make its command line, from the task and a folder for files of its own.
        needs: Programs and modules it cannot do without.
        reports: Whether it measures itself and prints figures, see :mod:`benchmarks.child`.
        writes: Whether it leaves files that can be counted.
    """

    name: str
    command: Callable[[Task, Path], Sequence[str]]
    needs: tuple[str, ...] = ()
    reports: bool = True
    writes: bool = True


def run(contender: Contender, task: Task, folder: Path, *, keeps: bool = False, limit: float = _LIMIT) -> Sample:
    """Let a contender do a task once; its files are checked, and removed unless it *keeps* them."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        command = contender.command(task, Path(own))
        try:
            sample = _spawn(contender, command, Path(own), limit)
            if sample.error is None and contender.writes:
                _check_files(task)
        except (OSError, ValueError) as error:
            sample = Sample(error=_words(f"{type(error).__name__}: {error}"))
        finally:
            if not keeps:
                shutil.rmtree(task.destination, ignore_errors=True)
    return sample


def _spawn(contender: Contender, command: Sequence[str], folder: Path, limit: float) -> Sample:
    out, err = folder / "stdout", folder / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        started = time.perf_counter()
        environment = python_environment(folder)
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, cwd=folder, env=environment)
        # Not process.kill(): that would poll, and take the figures from wait4().
        killer = Timer(limit, os.kill, (process.pid, signal.SIGKILL))
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == -signal.SIGKILL:
        return Sample(error=f"killed, at the latest after {limit:g} s")
    if process.returncode:
        return Sample(error=_words(err.read_text("utf-8", "replace")) or f"exit code {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    if not contender.reports:
        return Sample(seconds, cpu, None, seconds, cpu)
    figures = json.loads(out.read_text("utf-8").splitlines()[-1])
    known = {name: figures.pop(name) for name in ("seconds", "cpu_seconds", "memory")}
    return Sample(**known, process_seconds=seconds, process_cpu_seconds=cpu, counts=figures)


def _check_files(task: Task) -> None:
    sizes = [
        entry.stat().st_size
        for folder, _, names in os.walk(task.destination)
        for entry in (Path(folder, name) for name in names)
    ]
    if (len(sizes), sum(sizes)) != (task.count, task.size):
        raise ValueError(f"{len(sizes)} files of {sum(sizes)} bytes; expected {task.count} of {task.size}")


def _words(text: str) -> str:
    """Last line of a traceback or message, without paths of this machine."""
    lines = [line.strip(" |+-") for line in text.splitlines() if line.strip(" |+-")]
    return lines[-1].replace(tempfile.gettempdir(), "")[:_WORDS] if lines else ""
