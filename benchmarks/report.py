"""Results as JSON and as Markdown; nothing is measured here."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .aims import MIB, Results, Verdict
from .measure import Sample


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case."""

    key: str
    title: str
    count: int
    size: int
    results: Results
    verdicts: Sequence[Verdict]
    ideal: dict[str, float]
    why_not: str | None = None


def document(outcomes: Iterable[Outcome], facts: dict[str, Any]) -> dict[str, Any]:
    """All figures, for programs."""
    return {"machine": facts, "cases": [asdict(outcome) for outcome in outcomes]}


def markdown(outcomes: Sequence[Outcome], facts: dict[str, Any], command: str) -> str:
    """All figures, for people."""
    parts = [
        f"# Transfers\n\n`{command}`. Figures are medians, with lowest and highest; [the method](../README.md) says"
        " how they were taken. They hold for this machine on that day, and promise nothing for another.",
        "## Aims",
        _aims(outcomes),
        *(_case(outcome) for outcome in outcomes),
        "## Machine",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _aims(outcomes: Sequence[Outcome]) -> str:
    lines = ["| case | aim | wanted | measured | lowest to highest | |", "| --- | --- | ---: | ---: | ---: | --- |"]
    for outcome in outcomes:
        lines += [_verdict(outcome.key, verdict) for verdict in outcome.verdicts]
        if outcome.why_not:
            lines.append(f"| {outcome.key} | | | | | not run: {outcome.why_not} |")
    return "\n".join(lines)


def _verdict(key: str, verdict: Verdict) -> str:
    if verdict.measured is None:
        return f"| {key} | {verdict.text} | {verdict.wanted} | | | not measured: {verdict.why_not} |"
    spread = f"{verdict.lowest:.2f} to {verdict.highest:.2f}"
    word = "met" if verdict.met else "**missed**"
    return f"| {key} | {verdict.text} | {verdict.wanted} | {verdict.measured:.2f} | {spread} | {word} |"


def _case(outcome: Outcome) -> str:
    head = f"## {outcome.key}: {outcome.title}"
    if outcome.why_not:
        return f"{head}\n\nNot run: {outcome.why_not}."
    ideal = "".join(f"Ideal, {name}: {seconds:.3f} s. " for name, seconds in outcome.ideal.items())
    rows = [_row(name, samples, outcome) for name, samples in outcome.results.items()]
    table = [
        "| contender | seconds | lowest to highest | MiB/s | files/s | CPU s | server CPU s |"
        " memory above imports, MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *rows,
    ]
    return "\n\n".join(filter(None, [head, ideal.strip(), "\n".join(table)]))


def _row(name: str, samples: Sequence[Sample], outcome: Outcome) -> str:
    if failed := next((sample.error for sample in samples if sample.error), None):
        return f"| {name} | not measured: {failed.replace('|', '/')} | | | | | | |"
    seconds = [sample.seconds for sample in samples]
    median = statistics.median(seconds)
    rises = [sample.memory / MIB for sample in samples if sample.memory is not None]
    memory = f"{statistics.median(rises):.0f}" if rises else ""
    cpu = statistics.median(sample.cpu_seconds for sample in samples)
    server = [each.server_cpu_seconds for each in samples if each.server_cpu_seconds is not None]
    server_cpu = f"{statistics.median(server):.2f}" if server else ""
    return (
        f"| {name} | {median:.3f} | {min(seconds):.3f} to {max(seconds):.3f} | {outcome.size / MIB / median:,.0f} |"
        f" {outcome.count / median:,.0f} | {cpu:.2f} | {server_cpu} | {memory} |"
    )
