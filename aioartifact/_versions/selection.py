"""Which of many names are wanted, and in which order."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .._errors import InvalidArgumentError
from .schemes import Scheme, SchemeLike, scheme_of
from .specifiers import Matcher, matcher_of, names_prerelease

Where: TypeAlias = str | re.Pattern[str] | Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Selection:
    """
    A scheme, and what a version must match beside being one of it.

    Attributes:
        scheme: Which names are versions, and their order.
        matchers: Predicates, all of which must hold.
        lists_prereleases: Whether all pre-releases that match are listed; else only where no release matches.
        takes_prereleases: The same for the newest version.
    """

    scheme: Scheme
    matchers: tuple[Matcher, ...] = ()
    lists_prereleases: bool = True
    takes_prereleases: bool = True

    def pick(self, names: Iterable[str]) -> list[str]:
        """Sort those of *names* that are wanted, oldest version first."""
        found = list(self._matching(self.scheme.versions(names)))
        is_prerelease = self.scheme.is_prerelease
        if self.lists_prereleases or is_prerelease is None:
            return found
        return [name for name in found if not is_prerelease(name)] or found

    def newest(self, names: Iterable[str]) -> str | None:
        """The newest of *names* that is wanted; None if nothing is."""
        # Keys cost more than sorting, and what must match is looked at from the newest on, mostly once.
        return self._preferred(self._matching(reversed(self.scheme.versions(names))))

    def newest_of(self, versions: Sequence[str]) -> str | None:
        """The same for *versions* that `pick` has returned."""
        return self._preferred(reversed(versions))

    def _preferred(self, found: Iterator[str]) -> str | None:
        """The first of the matching versions, which come newest first; a release if pre-releases do not count."""
        newest, is_prerelease = next(found, None), self.scheme.is_prerelease
        if newest is None or self.takes_prereleases or is_prerelease is None or not is_prerelease(newest):
            return newest
        return next((name for name in found if not is_prerelease(name)), newest)

    def _matching(self, versions: Iterable[str]) -> Iterator[str]:
        for matches in self.matchers:
            versions = filter(matches, versions)
        return iter(versions)


def selection_of(
    scheme: SchemeLike = "semver",
    spec: str | None = None,
    prerelease: bool | None = None,
    where: Where | None = None,
) -> Selection:
    """
    Make a selection of the arguments that users give.

    Raises:
        InvalidArgumentError: If one of them cannot mean anything.
        ConfigurationError: If the extra of the scheme is not installed.
    """
    chosen = scheme_of(scheme)
    matchers = [] if spec is None else [matcher_of(spec, chosen)]
    if prerelease is not None:
        matchers.append(_prerelease_matcher(chosen, prerelease))
    if where is not None:
        matchers.append(_where_matcher(where))
    is_open = prerelease is not None or (spec is not None and names_prerelease(spec, chosen))
    return Selection(chosen, tuple(matchers), is_open or spec is None, is_open)


def _prerelease_matcher(scheme: Scheme, wanted: bool) -> Matcher:
    if not isinstance(wanted, bool):
        raise InvalidArgumentError(f"prerelease={wanted!r}: expected True, False or None")
    is_prerelease = scheme.is_prerelease
    if is_prerelease is None:
        raise InvalidArgumentError(
            f"prerelease={wanted}: scheme {scheme.name!r} knows no pre-releases", hint="say which names with where="
        )
    return lambda name: is_prerelease(name) is wanted


def _where_matcher(where: Where) -> Matcher:
    if callable(where):
        return where
    if not isinstance(where, str | re.Pattern):
        raise InvalidArgumentError(f"where is a {type(where).__name__}; expected a regular expression or a function")
    try:
        pattern = re.compile(where)
    except re.error as error:
        raise InvalidArgumentError(f"where={where!r} is not a regular expression: {error}") from None
    if not isinstance(pattern.pattern, str):
        raise InvalidArgumentError("where is a pattern of bytes; expected one of text")
    return lambda name: pattern.fullmatch(name) is not None
