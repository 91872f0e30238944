"""
What criteria say about the paths of the items they accept.

Everything below a folder is asked for as "the folder, or what starts with it": an alternative, which SQLite does
not turn into a range of its index. Bounds around both sides give it one.
"""

from .fields import Field, Kind
from .patterns import Bounds, pattern_bounds
from .syntax import Comparison, Criterion, Junction, Operator

_PATH = Field((), "path", Kind.STRING)


def path_bounds(criterion: Criterion) -> Bounds | None:
    """Bound the paths of all items that meet *criterion*; None where it leaves them open."""
    if isinstance(criterion, Comparison):
        return _compared(criterion)
    found = [path_bounds(each) for each in criterion.criteria]
    known = [each for each in found if each]
    starts, stops = [each.start for each in known], [each.stop for each in known]
    if criterion.junction is Junction.AND and known:
        return Bounds(max(starts), min(stops))
    if criterion.junction is Junction.OR and len(known) == len(found):
        return Bounds(min(starts), max(stops))
    return None


def _compared(comparison: Comparison) -> Bounds | None:
    if comparison.value is None or comparison.subject != _PATH:
        return None
    if comparison.operator is Operator.EQ:
        return Bounds(comparison.value, comparison.value + "\0")
    return pattern_bounds(comparison.value) if comparison.operator is Operator.MATCH else None
