"""
Criteria as conditions on rows of the searched domain, joined with rows of the domains that the criteria name.

Criteria on the same road are about the same row, as on the real server, but those on properties are not: each may
be met by a property of its own. What this server does not keep (archive entries, releases) is as if it were NULL.

Two things are derived from criteria for SQLite. Everything below a folder is asked for as "the folder, or what starts
with it": an alternative, which SQLite does not turn into a range of its index; bounds around both sides give it one.
A row of the searched domain is accepted without a row at the end of a road where criteria are met by nothing, such as
"differs from"; where no row would be, the statement says so, and SQLite starts from whichever table is best.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from .fields import Field, Kind, PropertyKey, Route, domain_at
from .sql import FALSE, SQL, TRUE, Bounds, every, literal_prefix, matches, pattern_bounds, some, within
from .syntax import AQLError, Comparison, Criterion, Group, Junction, Operator
from .tables import PROPERTY, alias_at, column, is_stored, properties_at, steps, with_beginnings
from .values import period_start, read_value

TRASH_CAN = "auto-trashcan"

_POSITIVE = {Operator.NE: Operator.EQ, Operator.NMATCH: Operator.MATCH}
_ORDERING = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_RELATIVE = {Operator.LAST: ">", Operator.BEFORE: "<"}
_WITH_ITEM: Mapping[str, Route] = {"item": (), "property": ("item",), "stat": ("item",)}
"""Domains whose rows belong to one item each, and the roads there."""
_PATH = Field((), "path", Kind.STRING)
_MET_BY_NOTHING = (Operator.NE, Operator.NMATCH)


@dataclass(frozen=True, slots=True)
class _PropertyRow:
    """
    The property row a condition is about.

    Attributes:
        owner: Road to what the property belongs to.
        key: Column of the key.
        value: Column of the value.
    """

    owner: Route
    key: str = "p.key"
    value: str = "p.value"


@dataclass(frozen=True, slots=True)
class Conditions:
    """
    What the conditions of one query depend on besides its text.

    Attributes:
        domain: Domain searched.
        now_ms: Time that periods count back from, in epoch milliseconds.
        time_zone: Zone of dates that name none.
        virtual_members: Local and cache repositories of a virtual one, None for any other key.
    """

    domain: str
    now_ms: int
    time_zone: tzinfo
    virtual_members: Callable[[str], Sequence[str] | None]

    def where(self, criteria: Group) -> SQL:
        """
        Condition a row must meet, with the server's own: no trash, and items are files unless a type is asked for.

        Raises:
            AQLError: If a value does not fit its field or operator.
        """
        conditions = [self._condition(criteria, None)]
        if self.domain == "item" and not any(map(self._asks_for_type, criteria.comparisons())):
            conditions.append(SQL("i.type = 'file'"))
        if self.domain in _WITH_ITEM and not any(map(self._asks_for_trash, criteria.comparisons())):
            conditions.append(SQL("i.repo <> ?", (TRASH_CAN,)))
        return every(conditions)

    def routes(self, criteria: Group) -> list[Route]:
        """Roads to the rows that the conditions are about, besides those of the searched domain."""
        found = [road_of(each.subject) for each in criteria.comparisons()]
        return with_beginnings(route for route in found if is_stored(self.domain, route))

    def shown_property(self, criteria: Group, route: Route, keys: Sequence[str]) -> SQL:
        """
        Condition on the included properties at *route*.

        It is one of *keys* if there are any, and meets the query's result filter if they are the searched items'.
        """
        # The plus keeps SQLite from looking a row up by key instead of by its owner.
        alias = alias_at(self.domain, route)
        row = _PropertyRow(route[:-1], f"+{alias}.key", f"+{alias}.value")
        filters = [
            self._condition(criterion, row)
            for group in criteria.groups(Junction.RESULT_FILTER)
            for criterion in group.criteria
            if len(route) == 1
        ]
        wanted = [SQL(f"{row.key} = ?", (key,)) for key in keys if key != "*"]
        return every([*filters, some(wanted)] if wanted else filters)

    def _condition(self, criterion: Criterion, row: _PropertyRow | None) -> SQL:
        if isinstance(criterion, Group):
            return self._group(criterion, row)
        if isinstance(criterion.subject, PropertyKey):
            return self._property(criterion, criterion.subject, row)
        if is_of_property(criterion.subject):
            return self._raw_property(criterion, criterion.subject, row)
        return self._field(criterion, criterion.subject)

    def _group(self, group: Group, row: _PropertyRow | None) -> SQL:
        criteria = [each for each in group.criteria if not _is_result_filter(each)]
        owners = [road_of(each.subject) for each in group.comparisons() if is_of_property(each.subject)]
        if group.junction is Junction.SAME_PROPERTY and row is None and owners:
            same = _PropertyRow(owners[0])
            return self._has_property(same.owner, every([self._condition(each, same) for each in criteria]))
        conditions = [self._condition(each, row) for each in criteria]
        if group.junction is not Junction.OR or not conditions:
            return every(conditions)
        bounds = path_bounds(group) if self.domain == "item" else None
        return every([within("i.path", bounds), some(conditions)]) if bounds else some(conditions)

    def _property(self, comparison: Comparison, subject: PropertyKey, row: _PropertyRow | None) -> SQL:
        operator = _POSITIVE.get(comparison.operator, comparison.operator)
        negated = operator is not comparison.operator
        is_checked = row is not None and row.owner == subject.route
        checked = row if row is not None and is_checked else _PropertyRow(subject.route)
        conditions = [] if subject.key == "*" else [SQL(f"{checked.key} = ?", (subject.key,))]
        if (operator, comparison.value) != (Operator.EQ, "*"):
            conditions.append(self._comparison(checked.value, Kind.STRING, operator, comparison.value))
        if is_checked:
            return _on_row(every(conditions), negated)
        return self._has_property(subject.route, every(conditions), negated)

    def _raw_property(self, comparison: Comparison, subject: Field, row: _PropertyRow | None) -> SQL:
        owner = subject.route[:-1]
        is_checked = row is not None and row.owner == owner
        checked = row if row is not None and is_checked else _PropertyRow(owner)
        name = checked.key if subject.name == "key" else checked.value
        if is_checked:
            return self._comparison(name, subject.kind, comparison.operator, comparison.value)
        if (comparison.operator, comparison.value) == (Operator.EQ, None):
            return self._has_property(owner, TRUE, negated=True)
        operator = _POSITIVE.get(comparison.operator, comparison.operator)
        condition = self._comparison(name, subject.kind, operator, comparison.value)
        return self._has_property(owner, condition, negated=operator is not comparison.operator)

    def _has_property(self, owner: Route, condition: SQL, negated: bool = False) -> SQL:
        """Ask whether the row at the end of *owner* has a property that meets *condition*; no row has none."""
        if not is_stored(self.domain, owner):
            return TRUE if negated else FALSE
        table = properties_at(self.domain, owner)
        key = f"{alias_at(self.domain, owner)}.id"
        # Not EXISTS: a sub-select of its own lets SQLite start from the index of the properties.
        rows = f"SELECT p.{table.owner} FROM {table.name} AS p WHERE {condition.text}"  # noqa: S608 - values are parameters
        if not negated:
            return SQL(f"{key} IN ({rows})", condition.parameters)
        lacks = f"{key} NOT IN ({rows})"
        return SQL(f"({key} IS NULL OR {lacks})" if owner else lacks, condition.parameters)

    def _field(self, comparison: Comparison, subject: Field) -> SQL:
        name = column(self.domain, subject)
        if self._is_repository(subject) and (members := self._members(comparison)) is not None:
            negation = "NOT " if comparison.operator in _POSITIVE else ""
            marks = ", ".join("?" * len(members))
            return SQL(f"{name} {negation}IN ({marks})", tuple(members))
        if subject.kind is Kind.ITEM_TYPE and comparison.value == "any":
            return FALSE if comparison.operator in _POSITIVE else TRUE
        return self._comparison(name, subject.kind, comparison.operator, comparison.value)

    def _is_repository(self, subject: Field) -> bool:
        return subject.name == "repo" and domain_at(self.domain, subject.route) == "item"

    def _members(self, comparison: Comparison) -> Sequence[str] | None:
        named = _named_repository(comparison)
        return None if named is None else self.virtual_members(named)

    @staticmethod
    def _asks_for_type(comparison: Comparison) -> bool:
        subject = comparison.subject
        return isinstance(subject, Field) and not subject.route and subject.kind is Kind.ITEM_TYPE

    def _asks_for_trash(self, comparison: Comparison) -> bool:
        subject = comparison.subject
        is_repository = (
            isinstance(subject, Field) and subject.route == _WITH_ITEM[self.domain] and subject.name == "repo"
        )
        return is_repository and comparison.operator is Operator.EQ and comparison.value == TRASH_CAN

    def _comparison(self, name: str, kind: Kind, operator: Operator, value: str | None) -> SQL:
        if value is None:
            return _null_check(name, operator)
        if operator in _RELATIVE:
            start = period_start(value, self.now_ms, self.time_zone)
            return SQL(f"{name} {_RELATIVE[operator]} ?", (start,))
        if kind is Kind.STRING and operator is Operator.MATCH:
            return matches(name, value)
        if kind is Kind.STRING and operator is Operator.NMATCH:
            matching = matches(name, value)
            return SQL(f"(NOT ({matching.text}) OR {name} IS NULL)", matching.parameters)
        typed = read_value(kind, value, self.time_zone)
        if operator in _POSITIVE:
            return SQL(f"{name} IS NOT ?", (typed,))
        return SQL(f"{name} {_ORDERING.get(operator, '=')} ?", (typed,))


def _on_row(condition: SQL, negated: bool) -> SQL:
    return SQL(f"NOT ({condition.text})", condition.parameters) if negated else condition


def _null_check(name: str, operator: Operator) -> SQL:
    if operator is Operator.EQ:
        return SQL(f"{name} IS NULL")
    if operator is Operator.NE:
        return SQL(f"{name} IS NOT NULL")
    raise AQLError("Illegal syntax the 'null' values are allowed to use only with equals and not equals operators.\n")


def _is_result_filter(criterion: Criterion) -> bool:
    return isinstance(criterion, Group) and criterion.junction is Junction.RESULT_FILTER


def _named_repository(comparison: Comparison) -> str | None:
    value = comparison.value
    operator = _POSITIVE.get(comparison.operator, comparison.operator)
    if value is None or operator not in (Operator.EQ, Operator.MATCH):
        return None
    is_pattern = operator is Operator.MATCH and literal_prefix(value) != value
    return None if is_pattern else value


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
