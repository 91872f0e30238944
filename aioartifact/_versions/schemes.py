"""Schemes: which names are versions, their order, and which of them are pre-releases."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .._errors import InvalidArgumentError
from .maven import is_maven_prerelease, maven_key
from .natural import has_digit, natural_key
from .pep440 import is_pep440_prerelease, is_pep440_version, pep440_precedence, require_packaging
from .semver import is_semantic_prerelease, is_semantic_version, semver_precedence, sort_semantic_versions

SchemeName: TypeAlias = Literal["semver", "maven", "pep440", "natural"]
SchemeLike: TypeAlias = SchemeName | Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Scheme:
    """
    A kind of versions: their names and their order.

    Attributes:
        name: Name of the scheme, for messages.
        accepts: Whether a name is a version.
        precedence: Sort key; equal for versions that rank the same.
        is_prerelease: Whether a version is a pre-release; None if the scheme has none.
        sort: Faster implementation of :meth:`versions` for many names, or None.
    """

    name: str
    accepts: Callable[[str], bool]
    precedence: Callable[[str], Any]
    is_prerelease: Callable[[str], bool] | None = None
    sort: Callable[[Iterable[str]], list[str]] | None = None

    def versions(self, names: Iterable[str]) -> list[str]:
        """Sort those of *names* that are versions, oldest first."""
        return self.sort(names) if self.sort else sorted(filter(self.accepts, names), key=self.key)

    def key(self, name: str) -> tuple[Any, str]:
        """Return a sort key that orders equal versions by their text, so that results do not depend on the server."""
        return self.precedence(name), name


def _any_name(name: str) -> bool:
    return True


_SCHEMES = (
    Scheme("semver", is_semantic_version, semver_precedence, is_semantic_prerelease, sort_semantic_versions),
    Scheme("maven", has_digit, maven_key, is_maven_prerelease),
    Scheme("pep440", is_pep440_version, pep440_precedence, is_pep440_prerelease),
    Scheme("natural", _any_name, natural_key),
)


def scheme_of(value: SchemeLike) -> Scheme:
    """
    Return a scheme by its name, or for a key function; for that, every name is a version.

    Raises:
        InvalidArgumentError: If *value* is neither.
        ConfigurationError: If its extra is not installed.
    """
    if callable(value):
        return Scheme(getattr(value, "__name__", "key"), _any_name, value)
    for scheme in _SCHEMES:
        if scheme.name == value:
            if value == "pep440":
                require_packaging()
            return scheme
    names = ", ".join(repr(scheme.name) for scheme in _SCHEMES)
    raise InvalidArgumentError(f"scheme={value!r}: expected one of {names} or a key function")
