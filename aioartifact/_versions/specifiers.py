"""
Specifiers: ``>=1.2,<2``, ``~=1.4``, ``==1.*`` for every scheme, and Maven's ranges for Maven's.

Clauses mean what they mean for Python packages, with the order of the scheme: ``<2`` leaves out the pre-releases of
2 unless it names one. Maven's own ranges do not: ``[1,2)`` has ``2-SNAPSHOT`` in it, there as here.

See: https://packaging.python.org/en/latest/specifications/version-specifiers/; https://maven.apache.org/pom.html,
"Dependency Version Requirement Specification"
"""

import re
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import TypeAlias

from .._errors import InvalidArgumentError
from .natural import Digits, digits_of, release_of
from .pep440 import pep440_matcher
from .schemes import Scheme
from .suggestions import suggestion_for

Matcher: TypeAlias = Callable[[str], bool]

_CLAUSE = re.compile(r"(?P<operator>~=|==|!=|<=|>=|<|>)\s*(?P<version>[^\s<>=!~,\[\]()]+)")
_NAMED = re.compile(r"(?P<operator>~=|===?|!=|<=|>=|<|>|)\s*(?P<version>[^\s<>=!~,\[\]()]+)")
_RANGE = re.compile(r"[\[(][^\[\]()]*[\])]")
_RANGES = re.compile(rf"\s*{_RANGE.pattern}(\s*,\s*{_RANGE.pattern})*\s*")
_ZERO = digits_of("0")


def matcher_of(spec: str, scheme: Scheme) -> Matcher:
    """
    Make the predicate that *spec* stands for.

    Raises:
        InvalidArgumentError: If *spec* is not a specifier, or one of its versions is not one of the scheme.
    """
    if not isinstance(spec, str):
        raise InvalidArgumentError(f"spec is a {type(spec).__name__}; expected a text such as '>=1.2,<2'")
    try:
        return _read(spec, scheme)
    except InvalidArgumentError as error:
        error.hint = suggestion_for(spec, lambda text: _read(text, scheme), is_range=_is_range(spec, scheme))
        raise


def _read(spec: str, scheme: Scheme) -> Matcher:
    if scheme.name == "pep440":
        return pep440_matcher(spec)
    if _is_range(spec, scheme):
        return _any_of(_maven_ranges(spec, scheme))
    return _all_of([_clause(spec, clause, scheme) for clause in spec.split(",")])


def _is_range(spec: str, scheme: Scheme) -> bool:
    return scheme.name == "maven" and spec.lstrip()[:1] in {"[", "("}


def names_prerelease(spec: str, scheme: Scheme) -> bool:
    """
    Whether *spec* asks for pre-releases.

    As in Python, a clause other than ``!=`` that names one does. Maven's ranges have them, as in Maven.
    """
    if _is_range(spec, scheme):
        return True
    is_prerelease = scheme.is_prerelease
    versions = (found["version"] for found in _NAMED.finditer(spec) if found["operator"] != "!=")
    bounds = (_with_three_numbers(version) if scheme.name == "semver" else version for version in versions)
    return is_prerelease is not None and any(scheme.accepts(bound) and is_prerelease(bound) for bound in bounds)


def _all_of(matchers: Iterable[Matcher]) -> Matcher:
    every = tuple(matchers)
    return lambda name: all(matches(name) for matches in every)


def _any_of(matchers: Iterable[Matcher]) -> Matcher:
    every = tuple(matchers)
    return lambda name: any(matches(name) for matches in every)


def _clause(spec: str, clause: str, scheme: Scheme) -> Matcher:
    found = _CLAUSE.fullmatch(clause.strip())
    if not found:
        raise InvalidArgumentError(f"spec={spec!r}: {clause.strip()!r} is not a specifier")
    operator, version = found.group("operator", "version")
    if operator in {"==", "!="} and version.endswith(".*"):
        series = _numbers(spec, version[:-2], whole=True)
        return _in_series(series) if operator == "==" else _none_of(_in_series(series))
    bound = _bound(spec, version, scheme)
    if operator == "~=":
        numbers = _numbers(spec, version)
        if len(numbers) < 2:
            raise InvalidArgumentError(f"spec={spec!r}: ~= needs two numbers")
        return _all_of([_compared(">=", bound, scheme), _in_series(numbers[:-1])])
    return _compared(operator, bound, scheme)


def _none_of(matches: Matcher) -> Matcher:
    return lambda name: not matches(name)


def _numbers(spec: str, version: str, *, whole: bool = False) -> tuple[Digits, ...]:
    numbers = release_of(version)
    if numbers is None or (whole and not re.fullmatch(r"v?[0-9.]+", version)):
        raise InvalidArgumentError(f"spec={spec!r}: {version!r} is not a number")
    return numbers


def _in_series(series: tuple[Digits, ...]) -> Matcher:
    def matches(name: str) -> bool:
        numbers = release_of(name)
        return numbers is not None and _padded(numbers, len(series))[: len(series)] == series

    return matches


def _padded(numbers: tuple[Digits, ...], length: int) -> tuple[Digits, ...]:
    return numbers + (_ZERO,) * (length - len(numbers))


def _bound(spec: str, version: str, scheme: Scheme) -> str:
    """Complete *version*, of which a semantic one may leave out numbers, to one of the scheme."""
    bound = _with_three_numbers(version) if scheme.name == "semver" else version
    if not scheme.accepts(bound):
        raise InvalidArgumentError(f"spec={spec!r}: {version!r} is not a version of scheme {scheme.name!r}")
    return bound


def _with_three_numbers(version: str) -> str:
    return re.sub(r"v?[0-9]+(\.[0-9]+)*", lambda found: found[0] + ".0" * (2 - found[0].count(".")), version, count=1)


def _compared(operator: str, bound: str, scheme: Scheme) -> Matcher:
    rank = scheme.precedence(bound)
    precedence = scheme.precedence
    match operator:
        case "==":
            return lambda name: bool(precedence(name) == rank)
        case "!=":
            return lambda name: bool(precedence(name) != rank)
        case ">=":
            return lambda name: bool(precedence(name) >= rank)
        case ">":
            return lambda name: bool(precedence(name) > rank)
        case "<=":
            return lambda name: bool(precedence(name) <= rank)
        case _:
            return _all_of([_below(bound, scheme), lambda name: not _leads_to(name, bound, scheme)])


def _below(bound: str, scheme: Scheme) -> Matcher:
    rank = scheme.precedence(bound)
    return lambda name: bool(scheme.precedence(name) < rank)


def _leads_to(name: str, bound: str, scheme: Scheme) -> bool:
    """Whether *name* is a pre-release of *bound*, which is a release."""
    if scheme.is_prerelease is None or scheme.is_prerelease(bound) or not scheme.is_prerelease(name):
        return False
    pairs = zip_longest(release_of(name) or (), release_of(bound) or (), fillvalue=_ZERO)
    return all(one == other for one, other in pairs)


def _maven_ranges(spec: str, scheme: Scheme) -> list[Matcher]:
    """Read ``[1.0,2.0),[3.0]``: ranges of which a version must be in one."""
    if not _RANGES.fullmatch(spec):
        raise InvalidArgumentError(f"spec={spec!r} is not a list of ranges")
    return [_maven_range(spec, found[0], scheme) for found in _RANGE.finditer(spec)]


def _maven_range(spec: str, text: str, scheme: Scheme) -> Matcher:
    bounds = [_bound(spec, bound.strip(), scheme) if bound.strip() else None for bound in text[1:-1].split(",")]
    if len(bounds) == 1 and bounds[0] and text.startswith("[") and text.endswith("]"):
        return _compared("==", bounds[0], scheme)
    if len(bounds) != 2 or not any(bounds):
        raise InvalidArgumentError(f"spec={spec!r}: {text!r} is not a range")
    lower, upper = bounds
    if lower and upper and scheme.precedence(lower) > scheme.precedence(upper):
        raise InvalidArgumentError(f"spec={spec!r}: {text!r} ends before it begins")
    limits = [_compared(">=" if text[0] == "[" else ">", lower, scheme)] if lower else []
    if upper:
        limits.append(_compared("<=", upper, scheme) if text[-1] == "]" else _below(upper, scheme))
    return _all_of(limits)
