"""
Repository layouts: what a path says about organization, module and revision, and the path that says it.

See: artifactory-http.md, 14.2 and 14.3, after ``RepoLayoutUtils`` and ``ModuleInfoUtils``
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

_PIECE = re.compile(
    r"\[(?P<token>\w+)(?:<(?P<regex>.*?)>)?\]"  # [module], [channel<[^/]+>]
    r"|(?P<open>\()|(?P<close>\)\??)|(?P<text>[^\[()]+)"
)
_REGEXES = {
    "org": "[^/]+?",
    "orgPath": ".+?",
    "module": "[^/]+",
    "baseRev": "[^/]+?",
    "classifier": "[^/]+?",
    "ext": r"(?!\d)[^\-/]+|7z",
    "type": "[^/]+?",
}
_ANY_CUSTOM = "[^/]+?"


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    """
    What a path means in its layout; ``""`` for what it does not say.

    Attributes:
        organization: With dots, also where the path has folders.
        base_revision: The revision without integration part: ``1.0`` of ``1.0-SNAPSHOT``.
        folder_integration: Integration part of the folder: ``SNAPSHOT``.
        file_integration: Integration part of the file: ``SNAPSHOT`` or ``20240305.101231-2``.
        ext: Extension without its dot.
        type: Artifact type; layouts that have one and no value take the extension.
        custom: Values of the layout's own tokens.
    """

    organization: str
    module: str
    base_revision: str
    folder_integration: str = ""
    file_integration: str = ""
    classifier: str = ""
    ext: str = ""
    type: str = ""
    custom: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """Whether organization, module and base revision say something."""
        return all(text.strip() for text in (self.organization, self.module, self.base_revision))

    @property
    def is_integration(self) -> bool:
        """Whether this is an integration (snapshot) rather than a release: folder or file say so."""
        return bool(self.folder_integration or self.file_integration)

    def tokens(self) -> dict[str, str]:
        """Return the value of every token, as it stands in a path."""
        return {
            **self.custom,
            "org": self.organization,
            "orgPath": self.organization.replace(".", "/"),
            "module": self.module,
            "baseRev": self.base_revision,
            "folderItegRev": self.folder_integration,
            "fileItegRev": self.file_integration,
            "classifier": self.classifier,
            "ext": self.ext,
            "type": self.type or self.ext,
        }


@dataclass(frozen=True, slots=True)
class _Token:
    name: str
    regex: str | None


_Part: TypeAlias = "str | _Token | tuple[_Part, ...]"  # text, a token, or an optional group


@dataclass(frozen=True)
class Layout:
    """
    A repository layout.

    Attributes:
        name: As the repository's configuration has it.
        pattern: Pattern of artifact paths.
        folder_integration: Regular expression of the token ``[folderItegRev]``.
        file_integration: The same of ``[fileItegRev]``.
    """

    name: str
    pattern: str
    folder_integration: str = ".*"
    file_integration: str = ".*"

    def parse(self, path: str) -> ModuleInfo | None:
        """Read the path of a file inside its repository; None where it is no valid module of this layout."""
        found = self._regex.fullmatch(path)
        module = _module({name: text or "" for name, text in found.groupdict().items()}) if found else None
        return module if module and module.is_valid else None

    def render(self, module: ModuleInfo) -> str:
        """
        Build the path of *module*, the inverse of :meth:`parse` (but for dots inside the folders of an orgPath).

        Raises:
            ValueError: If the layout needs a token that *module* has no value for.
        """
        return self._fill(self._parts, module)

    def version(self, module: ModuleInfo) -> str:
        """
        Return the version of *module* as Artifactory shows it: base revision to file integration revision.

        For the folder's sake only (``1.0-SNAPSHOT/app-1.0.jar``) nothing is added to it.
        """
        return self._fill(self._version_parts, module)

    def glob(self, known: Mapping[str, str]) -> str:
        """
        Build a pattern that the path of every module with these values matches.

        Args:
            known: Values by token name, with ``*`` (any text, slashes too) and ``?``.
        """
        return re.sub(r"\*{2,}", "*", "".join(_glob(self._parts, known)))

    @cached_property
    def _parts(self) -> tuple[_Part, ...]:
        return _parse(self.pattern)

    @cached_property
    def _version_parts(self) -> tuple[_Part, ...]:
        parts = self._parts
        start = max((index for index, part in enumerate(parts) if "baseRev" in _names([part])), default=len(parts))
        stop = max((index for index, part in enumerate(parts) if "fileItegRev" in _names([part])), default=start)
        return parts[start : max(start, stop) + 1]

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        regexes = {**_REGEXES, "folderItegRev": self.folder_integration, "fileItegRev": self.file_integration}
        return re.compile("".join(_regex_of(self._parts, regexes, set())))

    def _fill(self, parts: Sequence[_Part], module: ModuleInfo) -> str:
        values = module.tokens()
        for name in _names(part for part in parts if not isinstance(part, tuple)):
            if not values.get(name):
                raise ValueError(f"layout {self.name} needs a value for [{name}]")
        return "".join(_filled(parts, values))


def _parse(pattern: str) -> tuple[_Part, ...]:
    whole: list[_Part] = []
    group = whole
    for found in _PIECE.finditer(pattern):
        if found["token"]:
            group.append(_Token(found["token"], found["regex"]))
        elif found["open"]:
            group = []
        elif found["close"]:
            whole.append(tuple(group))
            group = whole
        else:
            group.append(found["text"])
    return tuple(whole)


def _names(parts: Iterable[_Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, _Token):
            yield part.name
        elif isinstance(part, tuple):
            yield from _names(part)


def _regex_of(parts: Iterable[_Part], regexes: Mapping[str, str], seen: set[str]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield re.escape(part)
        elif isinstance(part, tuple):
            yield f"(?:{''.join(_regex_of(part, regexes, seen))})?"
        elif part.name in seen:
            yield f"(?P={part.name})"
        else:
            seen.add(part.name)
            yield f"(?P<{part.name}>{part.regex or regexes.get(part.name, _ANY_CUSTOM)})"


def _filled(parts: Iterable[_Part], values: Mapping[str, str]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, _Token):
            yield values[part.name]
        elif all(values.get(name) for name in _names(part)):
            yield from _filled(part, values)


def _glob(parts: Iterable[_Part], known: Mapping[str, str]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, _Token):
            yield known.get(part.name, "*")
        elif known.keys() & set(_names(part)):
            yield from _glob(part, known)
        else:
            yield "*"


def _module(tokens: dict[str, str]) -> ModuleInfo:
    organization = tokens.pop("orgPath", "").replace("/", ".")
    return ModuleInfo(
        tokens.pop("org", organization),
        tokens.pop("module", ""),
        tokens.pop("baseRev", ""),
        tokens.pop("folderItegRev", ""),
        tokens.pop("fileItegRev", ""),
        tokens.pop("classifier", ""),
        tokens.pop("ext", ""),
        tokens.pop("type", ""),
        tokens,
    )


_FILE = "[module]-[baseRev](-[fileItegRev])"
_TIMESTAMP = r"\d{14}"
_DEFAULTS = (
    Layout(
        "maven-2-default",
        f"[orgPath]/[module]/[baseRev](-[folderItegRev])/{_FILE}(-[classifier]).[ext]",
        "SNAPSHOT",
        "SNAPSHOT|(?:(?:[0-9]{8}.[0-9]{6})-(?:[0-9]+))",
    ),
    Layout("maven-1-default", f"[org]/[type]s/{_FILE}(-[classifier]).[ext]", ".+", ".+"),
    Layout(
        "ivy-default",
        "[org]/[module]/[baseRev](-[folderItegRev])/[type]s/[module](-[classifier])-[baseRev](-[fileItegRev]).[ext]",
        _TIMESTAMP,
        _TIMESTAMP,
    ),
    Layout(
        "gradle-default",
        f"[org]/[module]/[baseRev](-[folderItegRev])/{_FILE}(-[classifier]).[ext]",
        _TIMESTAMP,
        _TIMESTAMP,
    ),
    Layout("nuget-default", "[orgPath]/[module]/[module].[baseRev](-[fileItegRev]).nupkg"),
    Layout("npm-default", f"[orgPath]/[module]/{_FILE}.tgz"),
    Layout("bower-default", f"[orgPath]/[module]/{_FILE}.[ext]"),
    Layout("composer-default", f"[orgPath]/[module]/{_FILE}.[ext]"),
    Layout(
        "vcs-default",
        f"[orgPath]/[module]/[refs<tags|branches>]/[baseRev]/{_FILE}(-[classifier]).[ext]",
        ".*",
        "[a-zA-Z0-9]{40}",
    ),
    Layout(
        "sbt-default",
        "[org]/[module]/(scala_[scalaVersion<.+>])/(sbt_[sbtVersion<.+>])/[baseRev]/[type]s/[module](-[classifier]).[ext]",
        _TIMESTAMP,
        _TIMESTAMP,
    ),
    Layout("simple-default", "[orgPath]/[module]/[module]-[baseRev].[ext]"),
    Layout(
        "conan-default",
        "[org]/[module]/[baseRev]/[channel<[^/]+>]/[folderItegRev]/(package/[package_id<[^/]+>]/[fileItegRev]/)?"
        "[remainder<(?:.+)>]",
        "[^/]+",
        "[^/]+",
    ),
    Layout("puppet-default", "[orgPath]/[module]/[orgPath]-[module]-[baseRev].tar.gz"),
    Layout("go-default", "[orgPath]/[module]/@v/v[refs].zip"),
    Layout("build-default", "[orgPath]/[module](-[fileItegRev]).[ext]"),
)
LAYOUTS: Mapping[str, Layout] = {each.name: each for each in _DEFAULTS}
