"""Checksums in Artifactory's form: SHA-256, SHA-1 and MD5 in lower-case hexadecimal."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from ._errors import InvalidArgumentError

Algorithm = Literal["sha256", "sha1", "md5"]
ALGORITHMS: tuple[Algorithm, ...] = ("sha256", "sha1", "md5")  # strongest first
_HEX_LENGTHS: dict[Algorithm, int] = {"sha256": 64, "sha1": 40, "md5": 32}
_LOWER_HEX = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True)
class Checksums:
    """
    The checksums of a file in hexadecimal; None if not known.

    Old artifacts may lack the SHA-256, which the server computes since release 5.5.

    Attributes:
        sha256: SHA-256, 64 digits.
        sha1: SHA-1, 40 digits; also Artifactory's ETag.
        md5: MD5, 32 digits.

    Raises:
        InvalidArgumentError: If a value does not have the right number of hexadecimal digits.
    """

    sha256: str | None = None
    sha1: str | None = None
    md5: str | None = None

    def __post_init__(self) -> None:
        for algorithm, value in zip(ALGORITHMS, (self.sha256, self.sha1, self.md5), strict=True):
            if value is not None and not _is_lower_hex(value, _HEX_LENGTHS[algorithm]):
                # Artifactory ignores case, so lower case is used throughout.
                object.__setattr__(self, algorithm, _to_lower_hex(value, algorithm))

    def get(self, algorithm: Algorithm) -> str | None:
        """Return the checksum for *algorithm*, or None."""
        value: str | None = getattr(self, algorithm)
        return value

    def strongest(self) -> tuple[Algorithm, str] | None:
        """Return the strongest known checksum with its name, or None."""
        if self.sha256:
            return "sha256", self.sha256
        if self.sha1:
            return "sha1", self.sha1
        return ("md5", self.md5) if self.md5 else None

    def known(self) -> tuple[Algorithm, ...]:
        """Return the algorithms of the known checksums, strongest first."""
        return tuple(algorithm for algorithm in ALGORITHMS if self.get(algorithm))

    def agree_with(self, other: "Checksums") -> bool:
        """Return whether the strongest checksum that both have is the same; False without a common one."""
        for algorithm in ALGORITHMS:
            mine, theirs = self.get(algorithm), other.get(algorithm)
            if mine and theirs:
                return mine == theirs
        return False

    def __bool__(self) -> bool:
        return bool(self.sha256 or self.sha1 or self.md5)


NO_CHECKSUMS = Checksums()


def checksums_of(values: object) -> Checksums:
    """Return the checksums that are well formed; a proxy may have dropped or corrupted some."""
    if not isinstance(values, dict):
        return NO_CHECKSUMS
    try:
        return Checksums(values.get("sha256"), values.get("sha1"), values.get("md5"))
    except InvalidArgumentError:
        return _well_formed(values)


def _well_formed(values: Mapping[str, Any]) -> Checksums:
    known: dict[str, str | None] = {}
    for name in ALGORITHMS:
        with suppress(InvalidArgumentError):
            known[name] = Checksums(**{name: values.get(name)}).get(name)
    return Checksums(**known)


def _is_lower_hex(value: object, digits: int) -> bool:
    return isinstance(value, str) and len(value) == digits and _LOWER_HEX.match(value) is not None


def _to_lower_hex(value: object, algorithm: Algorithm) -> str:
    digits = _HEX_LENGTHS[algorithm]
    if not isinstance(value, str) or not _is_lower_hex(value.lower(), digits):
        raise InvalidArgumentError(f"{algorithm} checksum {value!r}: expected {digits} hexadecimal digits")
    return value.lower()


class Digests:
    """Digests of one stream of bytes with several *algorithms*."""

    def __init__(self, algorithms: Iterable[Algorithm]) -> None:
        # Not for security, so that MD5 and SHA-1 work in FIPS mode.
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}

    def update(self, data: bytes | memoryview) -> None:
        """Update all digests; releases the GIL above 2 KiB."""
        for digest in self._digests.values():
            digest.update(data)

    def checksums(self) -> Checksums:
        """Return the checksums of all bytes so far."""
        return Checksums(**{name: digest.hexdigest() for name, digest in self._digests.items()})


def digested(chunks: Iterable[bytes], algorithms: Iterable[Algorithm]) -> Checksums:
    """Return the checksums of the joined *chunks*."""
    digests = Digests(algorithms)
    for chunk in chunks:
        digests.update(chunk)
    return digests.checksums()


def parse_algorithm(name: str) -> Algorithm:
    """
    Return *name* as an algorithm.

    Raises:
        InvalidArgumentError: If the name is unknown; it is also a ValueError.
    """
    for algorithm in ALGORITHMS:
        if name == algorithm:
            return algorithm
    raise InvalidArgumentError(f"checksum type {name!r}: expected one of 'md5', 'sha1', 'sha256'")


def checksum_file(path: str) -> tuple[str, Algorithm] | None:
    """
    Return the file that a checksum file at *path* belongs to, and the algorithm; None for other files.

    Artifactory does not store ``lib.jar.sha1``: deploying it sets the client's SHA-1 of ``lib.jar``.
    """
    main, _, extension = path.rpartition(".")
    if extension not in _HEX_LENGTHS or not main.rpartition("/")[2]:
        return None
    return main, parse_algorithm(extension)


def checksum_in(content: bytes, algorithm: Algorithm) -> str | None:
    """Return the checksum in the *content* of a checksum file, without a file name after it; None if there is none."""
    first = content[:256].decode("latin-1").lower().split(maxsplit=1)[:1]
    return first[0] if first and _is_lower_hex(first[0], _HEX_LENGTHS[algorithm]) else None
