"""
One contender written in Python, in a process of its own, which measures itself.

    python -m benchmarks.child CLIENT LOOP TASK

CLIENT is ``module.function`` in :mod:`benchmarks.clients`, LOOP ``asyncio`` or ``uvloop``, TASK a file. The clock
starts once everything is imported, for which each module has a function ``prepare``: start and imports would hide
what takes a second. What was measured is printed as one line of JSON.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Coroutine
from importlib import import_module
from pathlib import Path
from typing import Any

from .task import Task

Client = Callable[[Task], Coroutine[Any, Any, dict[str, int]]]


def memory(field: str) -> int:
    """Return ``VmRSS`` (resident now) or ``VmHWM`` (highest since forgotten) in bytes."""
    status = Path("/proc/self/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def forget_peak() -> None:
    """Let the highest memory so far be the present one."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def cpu_time() -> float:
    """Return user and system time in seconds, of this process and of child processes that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Find the event loop of that name."""
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module(name).new_event_loop
    return factory


def measure(client: Client, factory: Callable[[], asyncio.AbstractEventLoop], task: Task) -> dict[str, int | float]:
    """Do the job, and return its seconds, CPU seconds, rise of memory, and what the client counted."""
    forget_peak()
    baseline, cpu, started = memory("VmRSS"), cpu_time(), time.perf_counter()
    with asyncio.Runner(loop_factory=factory) as runner:
        counts = runner.run(client(task))
    seconds, used = time.perf_counter() - started, cpu_time() - cpu
    return {"seconds": seconds, "cpu_seconds": used, "memory": memory("VmHWM") - baseline, **counts}


def main() -> None:
    """Import the client, do the job, print the figures."""
    name, loop, path = sys.argv[1:]
    module, _, function = name.partition(".")
    clients = import_module(f"benchmarks.clients.{module}")
    client: Client = getattr(clients, function)
    factory, task = loop_factory(loop), Task.load(Path(path))
    asyncio.run(clients.prepare(function))
    figures = measure(client, factory, task)
    print(json.dumps(figures), flush=True)
    os._exit(0)  # peers leave threads and sockets open; how they end is not measured


if __name__ == "__main__":
    main()
