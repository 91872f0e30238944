"""
Criteria as conditions on rows of ``items``, or of ``properties`` joined with their items.

Names in the conditions: ``i`` is the item, ``s`` its row of ``stats`` if it has one, ``p`` a row of
``properties``. What this server does not keep (builds, archive entries, releases) is as if it were NULL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from .bounds import path_bounds
from .errors import AQLError
from .fields import Field, Kind, PropertyKey, Route
from .patterns import literal_prefix
from .sql import FALSE, SQL, TRUE, every, matches, some, within
from .syntax import Comparison, Criterion, Group, Junction, Operator
from .values import period_start, read_value

TRASH_CAN = "auto-trashcan"

_PROPERTY = ("property",)
_POSITIVE = {Operator.NE: Operator.EQ, Operator.NMATCH: Operator.MATCH}
_ORDERING = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_RELATIVE = {Operator.LAST: ">", Operator.BEFORE: "<"}
_ITEM = ("item",)
_ALIASES: Mapping[str, Mapping[Route, str]] = {
    "item": {(): "i", ("stat",): "s"},
    "property": {(): "p", _ITEM: "i", (*_ITEM, "stat"): "s"},
}
_ITEM_OF: Mapping[str, Route] = {"item": (), "property": _ITEM}
_NOT_STORED = {
    *("repo_path_checksum", "virtual_repos"),
    *("remote_downloaded", "remote_downloads", "remote_downloaded_by", "remote_origin", "remote_path"),
}


def column(domain: str, field: Field) -> str:
    """Name the column that a field is stored in, seen from *domain*; ``NULL`` where it is not stored."""
    alias = _ALIASES.get(domain, {}).get(field.route)
    return f"{alias}.{field.name}" if alias and field.name not in _NOT_STORED else "NULL"


@dataclass(frozen=True, slots=True)
class _PropertyRow:
    """Columns of the property row a condition is about."""

    key: str
    value: str


_ROW = _PropertyRow("p.key", "p.value")
# A row of the included properties. The plus keeps SQLite from looking it up by key instead of by item.
_SHOWN_ROW = _PropertyRow("+p.key", "+p.value")


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
            AQLError: A value does not fit its field or operator.
        """
        conditions = [self._condition(criteria, None)]
        if self.domain == "item" and not any(map(self._asks_for_type, criteria.comparisons())):
            conditions.append(SQL("i.type = 'file'"))
        if not any(map(self._asks_for_trash, criteria.comparisons())):
            conditions.append(SQL("i.repo <> ?", (TRASH_CAN,)))
        return every(conditions)

    def shown_property(self, criteria: Group, keys: Sequence[str]) -> SQL:
        """Condition on the included properties: one of *keys* if there are any, and the query's result filter."""
        filters = [
            self._condition(criterion, _SHOWN_ROW)
            for group in criteria.groups(Junction.RESULT_FILTER)
            for criterion in group.criteria
        ]
        wanted = [SQL(f"{_SHOWN_ROW.key} = ?", (key,)) for key in keys if key != "*"]
        return every([*filters, some(wanted)] if wanted else filters)

    def _condition(self, criterion: Criterion, row: _PropertyRow | None) -> SQL:
        if isinstance(criterion, Group):
            return self._group(criterion, row)
        if isinstance(criterion.subject, PropertyKey):
            return self._property(criterion, criterion.subject, row)
        if self.domain == "item" and criterion.subject.route == _PROPERTY:
            return self._raw_property(criterion, criterion.subject, row)
        return self._field(criterion, criterion.subject)

    def _group(self, group: Group, row: _PropertyRow | None) -> SQL:
        criteria = [each for each in group.criteria if not _is_result_filter(each)]
        if group.junction is Junction.SAME_PROPERTY and row is None and any(map(_about_property, group.comparisons())):
            return _has_property(every([self._condition(each, _ROW) for each in criteria]))
        conditions = [self._condition(each, row) for each in criteria]
        if group.junction is not Junction.OR or not conditions:
            return every(conditions)
        bounds = path_bounds(group) if self.domain == "item" else None
        return every([within("i.path", bounds), some(conditions)]) if bounds else some(conditions)

    def _property(self, comparison: Comparison, subject: PropertyKey, row: _PropertyRow | None) -> SQL:
        operator = _POSITIVE.get(comparison.operator, comparison.operator)
        negated = operator is not comparison.operator
        if subject.route != _ITEM_OF.get(self.domain):
            return TRUE if negated else FALSE
        checked = row or _ROW
        conditions = [] if subject.key == "*" else [SQL(f"{checked.key} = ?", (subject.key,))]
        if (operator, comparison.value) != (Operator.EQ, "*"):
            conditions.append(self._comparison(checked.value, Kind.STRING, operator, comparison.value))
        return _on_row(every(conditions), negated) if row else _has_property(every(conditions), negated)

    def _raw_property(self, comparison: Comparison, subject: Field, row: _PropertyRow | None) -> SQL:
        checked = row or _ROW
        name = checked.key if subject.name == "key" else checked.value
        if row:
            return self._comparison(name, subject.kind, comparison.operator, comparison.value)
        if (comparison.operator, comparison.value) == (Operator.EQ, None):
            return _has_property(TRUE, negated=True)
        operator = _POSITIVE.get(comparison.operator, comparison.operator)
        condition = self._comparison(name, subject.kind, operator, comparison.value)
        return _has_property(condition, negated=operator is not comparison.operator)

    def _field(self, comparison: Comparison, subject: Field) -> SQL:
        name = column(self.domain, subject)
        if name == "i.repo" and (members := self._members(comparison)) is not None:
            negation = "NOT " if comparison.operator in _POSITIVE else ""
            marks = ", ".join("?" * len(members))
            return SQL(f"{name} {negation}IN ({marks})", tuple(members))
        if subject.kind is Kind.ITEM_TYPE and comparison.value == "any":
            return FALSE if comparison.operator in _POSITIVE else TRUE
        return self._comparison(name, subject.kind, comparison.operator, comparison.value)

    def _members(self, comparison: Comparison) -> Sequence[str] | None:
        named = _named_repository(comparison)
        return None if named is None else self.virtual_members(named)

    def _asks_for_type(self, comparison: Comparison) -> bool:
        return isinstance(comparison.subject, Field) and column(self.domain, comparison.subject) == "i.type"

    def _asks_for_trash(self, comparison: Comparison) -> bool:
        subject = comparison.subject
        is_repository = isinstance(subject, Field) and column(self.domain, subject) == "i.repo"
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


def _has_property(condition: SQL, negated: bool = False) -> SQL:
    # Not EXISTS: a sub-select of its own lets SQLite start from the index of the properties.
    rows = f"SELECT p.item_id FROM properties AS p WHERE {condition.text}"  # noqa: S608 - values are parameters
    return SQL(f"i.id {'NOT ' if negated else ''}IN ({rows})", condition.parameters)


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


def _about_property(comparison: Comparison) -> bool:
    return isinstance(comparison.subject, PropertyKey) or comparison.subject.route == _PROPERTY


def _named_repository(comparison: Comparison) -> str | None:
    value = comparison.value
    operator = _POSITIVE.get(comparison.operator, comparison.operator)
    if value is None or operator not in (Operator.EQ, Operator.MATCH):
        return None
    is_pattern = operator is Operator.MATCH and literal_prefix(value) != value
    return None if is_pattern else value
