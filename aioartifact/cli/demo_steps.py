"""Output of the demo: each step as it begins, and a table of all steps at the end."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

import aioartifact

from . import display, render, units


@dataclass(slots=True)
class Step:
    """One row of the table: what was done, to how much, at what cost."""

    name: str
    files: int = 0
    size: int = 0
    seconds: float = 0.0
    requests: int = 0

    def count(self, paths: Iterable[Path]) -> None:
        """Add these files and their bytes."""
        sizes = [path.stat().st_size for path in paths]
        self.files += len(sizes)
        self.size += sum(sizes)

    @property
    def row(self) -> tuple[str, ...]:
        """The cells."""
        size = units.size(self.size) if self.files else ""
        return self.name, str(self.files or ""), size, f"{self.seconds:.2f}", str(self.requests or "")


class Steps:
    """
    The steps so far.

    Args:
        requests: Returns how many requests the server has received.
        quiet: Whether to show nothing before the table.
    """

    def __init__(self, requests: Callable[[], int], *, quiet: bool) -> None:
        self._requests = requests
        self._quiet = quiet
        self._done: list[Step] = []

    @contextmanager
    def begin(self, name: str, progress: aioartifact.Progress | None = None) -> Iterator[Step]:
        """Announce a step, show its *progress*, and measure it."""
        if not self._quiet:
            render.emit(name[0].upper() + name[1:], {}, as_json=False)
        step = Step(name)
        before, started = self._requests(), time.perf_counter()
        with ExitStack() as shown:
            if progress:
                shown.enter_context(display.shown(progress, quiet=self._quiet))
            yield step
        step.seconds = time.perf_counter() - started
        step.requests = self._requests() - before
        self._done.append(step)

    def note(self, text: str) -> None:
        """Write a line about the current step."""
        if not self._quiet:
            render.emit(f"  {text}", {}, as_json=False)

    def show(self) -> None:
        """Write the table."""
        table = Table("step", box=box.SIMPLE_HEAD)
        for title in ("files", "bytes", "seconds", "requests"):
            table.add_column(title, justify="right")
        for step in self._done:
            table.add_row(*step.row)
        Console().print(table)
