"""Versions of Python packages, read by ``packaging``, which is an extra and imported on first use."""

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

from .._errors import ConfigurationError, InvalidArgumentError

if TYPE_CHECKING:
    from packaging.version import Version


def _packaging() -> ModuleType:
    try:
        import packaging.specifiers
        import packaging.version
    except ImportError:
        raise ConfigurationError(
            "scheme='pep440' needs the package packaging", hint="pip install 'aioartifact[pep440]'"
        ) from None
    return packaging


def require_packaging() -> None:
    """
    Make sure that versions can be read.

    Raises:
        ConfigurationError: If ``packaging`` is not installed.
    """
    _packaging()


def _version(text: str) -> "Version":
    version: Version = _packaging().version.Version(text)
    return version


def is_pep440_version(text: str) -> bool:
    """Return whether *text* is a version of a Python package, perhaps after a ``v``, and nothing around it."""
    try:
        _version(text)
    except ValueError:
        return False
    return text == text.strip()


def pep440_precedence(text: str) -> "Version":
    return _version(text)


def is_pep440_prerelease(text: str) -> bool:
    """Return whether *text* is a pre-release or a development release."""
    return _version(text).is_prerelease


def pep440_matcher(spec: str) -> Callable[[str], bool]:
    """
    Make the predicate of a version specifier, exactly as PEP 440 has it; pre-releases count.

    Raises:
        InvalidArgumentError: If *spec* is none.

    See: https://packaging.python.org/en/latest/specifications/version-specifiers/
    """
    specifiers = _packaging().specifiers
    for clause in spec.split(","):
        try:
            specifiers.Specifier(clause)
        except ValueError:
            raise InvalidArgumentError(f"spec={spec!r}: {clause.strip()!r} is not a specifier of PEP 440") from None
    parsed = specifiers.SpecifierSet(spec)
    return lambda name: bool(parsed.contains(name, prereleases=True))
