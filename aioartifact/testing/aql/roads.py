"""
What criteria say about the rows that belong to those they accept, at the ends of roads to other domains.

A row of the searched domain is accepted without a row at the end of a road where criteria are met by nothing, such as
"differs from". Where no row would be, the statement says so: SQLite then starts from whichever table is best.
"""

from .fields import Field, Kind, PropertyKey, Route
from .syntax import Comparison, Criterion, Junction, Operator
from .tables import PROPERTY, steps

_MET_BY_NOTHING = (Operator.NE, Operator.NMATCH)


def is_of_property(subject: Field | PropertyKey) -> bool:
    """Return whether a criterion is about properties."""
    return isinstance(subject, PropertyKey) or subject.route[-1:] == (PROPERTY,)


def road_of(subject: Field | PropertyKey) -> Route:
    """Return the road to the row that a criterion is about; for a property, to what it belongs to."""
    is_field_of_property = isinstance(subject, Field) and is_of_property(subject)
    return subject.route[:-1] if is_field_of_property else subject.route


def required_roads(criterion: Criterion) -> frozenset[Route]:
    """Return the roads at whose ends all that meet *criterion* have a row."""
    if isinstance(criterion, Comparison):
        return frozenset() if _may_be_met_by_nothing(criterion) else frozenset(steps(road_of(criterion.subject)))
    if criterion.junction is Junction.RESULT_FILTER or not criterion.criteria:
        return frozenset()
    found = [required_roads(each) for each in criterion.criteria]
    return frozenset.intersection(*found) if criterion.junction is Junction.OR else frozenset.union(*found)


def _may_be_met_by_nothing(comparison: Comparison) -> bool:
    if comparison.operator in _MET_BY_NOTHING or comparison.value is None:
        return True
    subject = comparison.subject
    return isinstance(subject, Field) and subject.kind is Kind.ITEM_TYPE and comparison.value == "any"
