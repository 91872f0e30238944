"""What we want to reach, and whether a run did."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .measure import Contender, Sample

Results = Mapping[str, Sequence[Sample]]  # samples of each contender, by its name, in the order of rounds
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Aim:
    """
    A figure and its bound.

    Attributes:
        text: The aim in words.
        values: Take the figure of each round from the results.
        relation: Whether it shall be at least or at most the bound.
        bound: The bound.
        unit: Of both; "" for a ratio.
    """

    text: str
    values: Callable[[Results], Sequence[float]]
    relation: Literal[">=", "<="]
    bound: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an aim: the median of its rounds, or why there is none."""

    text: str
    wanted: str
    measured: float | None
    lowest: float | None
    highest: float | None
    unit: str
    met: bool | None
    why_not: str | None = None


def judge(aim: Aim, results: Results) -> Verdict:
    """Compare what was measured with an aim."""
    wanted = f"{aim.relation} {aim.bound:g}{aim.unit and ' ' + aim.unit}"
    try:
        values = list(aim.values(results))
    except UnmeasuredError as error:
        return Verdict(aim.text, wanted, None, None, None, aim.unit, None, str(error))
    measured = statistics.median(values)
    met = measured >= aim.bound if aim.relation == ">=" else measured <= aim.bound
    return Verdict(aim.text, wanted, measured, min(values), max(values), aim.unit, met)


class UnmeasuredError(Exception):
    """Nothing was measured, and why."""


def _samples(results: Results, contender: Contender) -> Sequence[Sample]:
    samples = results.get(contender.name, ())
    if not samples:
        raise UnmeasuredError(f"{contender.name}: did not run")
    if failed := next((sample.error for sample in samples if sample.error), None):
        raise UnmeasuredError(f"{contender.name}: {failed}")
    return samples


def faster(text: str, who: Contender, than: Contender, factor: float) -> Aim:
    """Throughput of *who* is at least *factor* times that of *than*, round by round."""

    def values(results: Results) -> list[float]:
        pairs = zip(_samples(results, who), _samples(results, than), strict=True)
        return [other.seconds / own.seconds for own, other in pairs]

    return Aim(text, values, ">=", factor)


def within(text: str, who: Contender, seconds: float, factor: float) -> Aim:
    """Time of *who* is at most *factor* times so many *seconds*."""
    return Aim(text, lambda results: [each.seconds / seconds for each in _samples(results, who)], "<=", factor)


def slower_by(text: str, who: Contender, than: Contender, factor: float) -> Aim:
    """Time of *who* is at most *factor* times that of *than*, round by round."""

    def values(results: Results) -> list[float]:
        pairs = zip(_samples(results, who), _samples(results, than), strict=True)
        return [own.seconds / other.seconds for own, other in pairs]

    return Aim(text, values, "<=", factor)


def memory_within(text: str, who: Contender, mebibytes: float) -> Aim:
    """Memory of *who* rises by at most so many *mebibytes* above what the imports take."""

    def values(results: Results) -> list[float]:
        return [(each.memory or 0) / MIB for each in _samples(results, who)]

    return Aim(text, values, "<=", mebibytes, "MiB")


def counted(text: str, who: Contender, count: str, most: int) -> Aim:
    """*who* has counted at most so many of something."""
    return Aim(text, lambda results: [each.counts[count] for each in _samples(results, who)], "<=", most)
