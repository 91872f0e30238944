"""
From the text of a query to its tree.

The text resembles JSON but is none: keys repeat, strings know no escapes, and sections have a fixed order.

See: JFrog, "Artifactory Query Language".
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from .fields import SEARCHABLE, Field, Kind, PropertyKey, Selection, criterion_subject, selection, sort_field
from .syntax import AQLError, Comparison, Criterion, Group, Junction, Operator, Query, Sort

_T = TypeVar("_T")

_BLANKS = re.compile(r"[\x00-\x20]*")
_COUNT = re.compile(r"[0-9]{1,19}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_SECTIONS = ("include", "sort", "offset", "limit")
_MARKS = ("distinct", "transitive")  # 7.x; clients write them after different sections
_RELATIVE = {operator.value: operator for operator in (Operator.LAST, Operator.BEFORE)}
_COMPARING = {operator.value: operator for operator in Operator if operator.value not in _RELATIVE}
_JUNCTIONS = {junction.value: junction for junction in Junction}
_DIRECTIONS = {"$asc": False, "$desc": True}
_ARCHIVE = "archive"
_MAX_LONG = 2**63 - 1
_MAX_DEPTH = 25  # keeps Python's stack and the one of SQLite's parser from overflowing


def parse(text: str, *, archives: bool = True) -> Query:
    """
    Read a query.

    Args:
        text: The query.
        archives: Whether the domains of archives and their entries are known; 7.x has them no more.

    Raises:
        AQLError: If it breaks the grammar or names an unknown domain, field or operator; the message quotes the query
            and the part that was not understood.
    """
    return _Parser(text, archives=archives).query()


class _Scanner:
    """A position in the text, and the tokens from there on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._skip_blanks()

    def _skip_blanks(self) -> None:
        self._position = self._matched_end(_BLANKS)

    def _matched_end(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._position)
        return found.end() if found else self._position

    def _advance(self, position: int) -> str:
        token = self._text[self._position : position]
        self._position = position
        self._skip_blanks()
        return token

    def failure(self) -> AQLError:
        """Error for a text that makes no sense from here on."""
        return AQLError(
            f"Failed to parse query: {self._text}, it looks like there is syntax error near the following "
            f"sub-query: {self._text[self._position :]}"
        )

    def at_end(self) -> bool:
        return self._position == len(self._text)

    def take(self, token: str) -> bool:
        """Pass *token* if it comes next."""
        if not self._text.startswith(token, self._position):
            return False
        self._advance(self._position + len(token))
        return True

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise self.failure()

    def one_of(self, tokens: list[str]) -> str:
        """Pass the longest of *tokens* that comes next."""
        for token in sorted(tokens, key=len, reverse=True):
            if self.take(token):
                return token
        raise self.failure()

    def number(self, pattern: re.Pattern[str]) -> str:
        token = self._advance(self._matched_end(pattern))
        if not token:
            raise self.failure()
        return token

    def at_quote(self) -> bool:
        return self._text.startswith('"', self._position)

    def quoted(self, meaning: Callable[[str], _T]) -> _T:
        """Pass a quoted string that means something, and give what it means; a LookupError is: nothing."""
        self.expect('"')
        end = self._text.find('"', self._position)
        if end < 0:
            raise self.failure()
        try:
            found = meaning(self._text[self._position : end])
        except LookupError as error:
            raise self.failure() from error
        self._advance(end + 1)
        return found


class _Parser:
    """Recursive descent, one method per rule of the grammar."""

    def __init__(self, text: str, *, archives: bool) -> None:
        self._scanner = _Scanner(text)
        self._archives = archives
        self._domain = ""
        self._depth = 0

    def query(self) -> Query:
        domains = [name for name in SEARCHABLE if self._archives or not name.startswith(_ARCHIVE)]
        self._domain = SEARCHABLE[self._scanner.one_of(domains)]
        self._scanner.expect(".")
        self._scanner.expect("find")
        query = Query(self._domain, Group(Junction.AND, self._arguments()))
        open_sections: list[str] = list(_SECTIONS)
        open_marks: list[str] = list(_MARKS)
        while self._scanner.take("."):
            section = self._scanner.one_of([*open_sections, *open_marks])
            if section in open_marks:
                open_marks.remove(section)
            else:
                del open_sections[: open_sections.index(section) + 1]
            query = self._section(query, section)
        if not self._scanner.at_end():
            raise self._scanner.failure()
        return query

    def _arguments(self) -> tuple[Criterion, ...]:
        self._scanner.expect("(")
        if self._scanner.take(")"):
            return ()
        return self._listed(self._group, end=")")

    def _section(self, query: Query, section: str) -> Query:
        self._scanner.expect("(")
        if section == "transitive":
            self._scanner.expect(")")
            return replace(query, transitive=True)
        if section == "include":
            return replace(query, include=self._listed(self._entry, end=")"))
        if section == "sort":
            changed = replace(query, sort=self._sort())
        elif section == "distinct":
            changed = replace(query, distinct=self._scanner.one_of(["true", "false"]) == "true")
        elif section == "offset":
            changed = replace(query, offset=self._count())
        else:
            changed = replace(query, limit=self._count())
        self._scanner.expect(")")
        return changed

    def _listed(self, rule: Callable[[], _T], *, end: str) -> tuple[_T, ...]:
        found = [rule()]
        while self._scanner.take(","):
            found.append(rule())
        self._scanner.expect(end)
        return tuple(found)

    def _entry(self) -> Selection:
        return self._scanner.quoted(self._selection)

    def _selection(self, text: str) -> Selection:
        found = selection(self._domain, text)
        self._demand_known(found)
        return found

    def _sort(self) -> Sort:
        self._scanner.expect("{")
        descending = self._scanner.quoted(_DIRECTIONS.__getitem__)
        self._scanner.expect(":")
        self._scanner.expect("[")
        fields = self._listed(self._sort_field, end="]")
        self._scanner.expect("}")
        return Sort(descending, fields)

    def _sort_field(self) -> Field:
        return self._scanner.quoted(lambda text: sort_field(self._domain, text))

    def _count(self) -> int:
        count = int(self._scanner.number(_COUNT))
        if count > _MAX_LONG:
            raise self._scanner.failure()
        return count

    def _group(self) -> Criterion:
        self._scanner.expect("{")
        filters = self._listed(self._filter, end="}")
        return filters[0] if len(filters) == 1 else Group(Junction.AND, filters)

    def _filter(self) -> Criterion:
        subject = self._scanner.quoted(self._subject)
        self._scanner.expect(":")
        if isinstance(subject, Junction):
            return self._junction(subject)
        if self._scanner.take("{"):
            comparison = self._comparison(subject)
            self._scanner.expect("}")
            return comparison
        return Comparison(subject, Operator.EQ, self._value())

    def _subject(self, text: str) -> Junction | Field | PropertyKey:
        if text in _JUNCTIONS:
            return _JUNCTIONS[text]
        subject = criterion_subject(self._domain, text)
        self._demand_known(subject)
        return subject

    def _demand_known(self, found: Selection) -> None:
        if _ARCHIVE in found.route and not self._archives:
            raise KeyError(_ARCHIVE)

    def _junction(self, junction: Junction) -> Group:
        if self._depth == _MAX_DEPTH:
            raise self._scanner.failure()
        self._depth += 1
        self._scanner.expect("[")
        groups = self._listed(self._group, end="]")
        self._depth -= 1
        return Group(junction, groups)

    def _comparison(self, subject: Field | PropertyKey) -> Comparison:
        known = _COMPARING
        if isinstance(subject, Field) and subject.kind is Kind.DATE:
            known = _COMPARING | _RELATIVE
        operator = self._scanner.quoted(lambda text: known.get(text) or _COMPARING[text.lower()])
        self._scanner.expect(":")
        value = self._scanner.quoted(str) if operator.value in _RELATIVE else self._value()
        return Comparison(subject, operator, value)

    def _value(self) -> str | None:
        if self._scanner.at_quote():
            return self._scanner.quoted(str)
        if self._scanner.take("null"):
            return None
        return self._scanner.number(_NUMBER)
