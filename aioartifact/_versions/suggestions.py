"""What a text that is not a specifier probably means: the notations of npm, Cargo, Ruby, and slips."""

import re
from collections.abc import Callable

# A blank between clauses, as in npm, separates them, too.
_SEPARATOR = re.compile(r"\s*,\s*|\s+(?=[<>=!~^])")
_CLAUSE = re.compile(r"(?P<operator>[<>=!~^]*)\s*(?P<version>.*)", re.DOTALL)
_SERIES = re.compile(r"(?P<numbers>v?[0-9]+(?:\.[0-9]+)*)(?:\.[xX*])+")
_NUMBERS = re.compile(r"v?[0-9]+(?:\.[0-9]+)*")
_OPERATORS = {"": "==", "=": "==", "===": "==", "=>": ">=", "=<": "<=", "<>": "!=", "~>": "~="}
_EQUALS_SERIES = frozenset({"", "=", "==", "===", "~", "~=", "~>", "^"})
_EXAMPLES = (">=1.2,<2", "~=1.4")
_RANGE_EXAMPLES = ("[1.0,2.0)", "(,1.0],[1.2,)")


def suggestion_for(spec: str, read: Callable[[str], object], *, is_range: bool = False) -> str | None:
    """
    Return a hint for *spec*, which *read* has refused; whatever it suggests is accepted by *read*.

    Args:
        spec: The text.
        read: Reads a specifier; raises if it is not one.
        is_range: Whether *spec* is meant as a range of Maven.
    """
    repaired = spec if is_range else ",".join(map(_repaired, _SEPARATOR.split(spec.strip())))
    if repaired != spec and _is_accepted(repaired, read):
        return f"did you mean {repaired!r}?"
    examples = [text for text in (_RANGE_EXAMPLES if is_range else _EXAMPLES) if _is_accepted(text, read)]
    return "such as " + " or ".join(map(repr, examples)) if examples else None


def _is_accepted(text: str, read: Callable[[str], object]) -> bool:
    try:
        read(text)
    except Exception:  # noqa: BLE001  # a key function of the user may raise anything
        return False
    return True


def _repaired(clause: str) -> str:
    """The clause that *clause* probably means."""
    found = _CLAUSE.fullmatch(clause)
    operator, version = found.group("operator", "version") if found else ("", clause)
    if series := _SERIES.fullmatch(version):
        return _of_series(operator, series["numbers"])
    count = version.count(".") + 1 if _NUMBERS.fullmatch(version) else 0
    if operator == "~=" and count == 1:
        return f"~={version}.0"
    if operator == "~" and count:  # npm: up to the next minor version
        return f"~={version}" if count > 2 else f"=={version}.*"
    if operator == "^" and count and (major := version.partition(".")[0]).strip("v0"):
        return f">={version},=={major}.*"
    return f"{_OPERATORS.get(operator, operator)}{version}"


def _of_series(operator: str, numbers: str) -> str:
    if operator in _EQUALS_SERIES:
        return f"=={numbers}.*"
    if operator in {">=", "=>", "<"}:  # what is left out is zero
        return f"{_OPERATORS.get(operator, operator)}{numbers}"
    return f"{operator}{numbers}.*"
