"""
Maven's ``maven-metadata.xml``: made from the names of files, merged, read and written.

See: Artifactory's ``MavenMetadataCalculator`` and ``MergeableMavenMetadata``, Maven's ``MetadataXpp3Writer``
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from .layout import LAYOUTS, ModuleInfo
from .maven_order import newest_first

SNAPSHOT = "-SNAPSHOT"

_LAYOUT = LAYOUTS["maven-2-default"]
_PLUGIN = ("name", "prefix", "artifactId")


@dataclass(frozen=True, slots=True, order=True)
class Build:
    """
    A deployed snapshot; the one with the higher number is newer.

    Attributes:
        number: Counts from 1; 0 where it is not known.
        timestamp: As in file names, ``20240305.101231``; ``""`` for a snapshot without.
    """

    number: int
    timestamp: str = ""


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """
    The newest file of one kind in the folder of a snapshot.

    Attributes:
        version: As in its name: ``1.0-20240305.101231-1``.
        updated: Digits of its timestamp.
    """

    classifier: str
    extension: str
    version: str
    updated: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """
    One document; ``""`` for what it does not say.

    Attributes:
        versions: The oldest first.
        build: The newest build of a snapshot; None in other metadata.
        updated: Time of the last change, as 14 digits in UTC.
        files: The newest files of a snapshot, one of each classifier and extension.
        plugins: Name, prefix and artifact of each plugin of a group.
    """

    group: str
    artifact: str
    version: str = ""
    latest: str = ""
    release: str = ""
    versions: tuple[str, ...] = ()
    build: Build | None = None
    updated: str = ""
    files: tuple[SnapshotFile, ...] = ()
    plugins: tuple[tuple[str, ...], ...] = ()


def is_snapshot(folder: str) -> bool:
    """Return whether *folder* is that of a snapshot version."""
    return folder.endswith(SNAPSHOT)


def module_of(path: str) -> ModuleInfo | None:
    """Read a path as Maven does; None where it is not laid out for Maven."""
    return _LAYOUT.parse(path)


def is_pom(path: str) -> bool:
    """Return whether a file is a pom."""
    return path.endswith(".pom")


def is_unique_snapshot(path: str) -> bool:
    """Return whether a file is a snapshot with a timestamp."""
    module = module_of(path)
    return module is not None and bool(module.folder_integration) and module.file_integration not in ("", SNAPSHOT[1:])


def of_versions(folder: str, versions: Iterable[str], updated: str) -> Metadata | None:
    """
    Describe the versions of the artifact in *folder*; None where there are none.

    Args:
        folder: Path of the artifact: ``org/example/app``.
        versions: Names of the folders in it that have a pom.
        updated: The present, as 14 digits.
    """
    group, _, artifact = folder.rpartition("/")
    if not group:
        return None
    return _with_versions(Metadata(group.replace("/", "."), artifact, updated=updated), set(versions), is_new=True)


def _with_versions(metadata: Metadata, versions: Iterable[str], *, is_new: bool = False) -> Metadata | None:
    ordered = tuple(reversed(newest_first(versions)))
    if not ordered:
        return None
    release = next((each for each in reversed(ordered) if not is_snapshot(each)), metadata.release)
    version = ordered[-1] if is_new else metadata.version
    return replace(metadata, version=version, latest=ordered[-1], release=release, versions=ordered)


def of_snapshot(folder: str, paths: Iterable[str], updated: str, *, is_unique: bool) -> Metadata | None:
    """
    Describe the newest build of a snapshot; None where *paths* have no pom.

    Args:
        folder: Path of the snapshot: ``org/example/app/1.0-SNAPSHOT``.
        paths: Paths of the files in it.
        updated: The present, as 14 digits.
        is_unique: Whether the repository keeps builds apart by their timestamps.
    """
    modules = {path: module for path in sorted(paths) if (module := module_of(path))}
    poms = {path: module for path, module in modules.items() if is_pom(path)}
    if not poms:
        return None
    first = next(iter(poms.values()))
    metadata = Metadata(first.organization, first.module, folder.rpartition("/")[2], build=Build(1), updated=updated)
    if not is_unique:
        return metadata
    newest = max((_build(module) for path, module in poms.items() if is_unique_snapshot(path)), default=Build(0))
    files = _newest_files(module for path, module in modules.items() if is_unique_snapshot(path))
    return replace(metadata, build=newest, files=tuple(files))


def _build(module: ModuleInfo) -> Build:
    timestamp, _, number = module.file_integration.rpartition("-")
    return Build(int(number), timestamp)


def _newest_files(modules: Iterable[ModuleInfo]) -> Iterator[SnapshotFile]:
    newest: dict[tuple[str, str], ModuleInfo] = {}
    for module in sorted(modules, key=_build):
        newest[module.classifier, module.ext] = module
    for (classifier, extension), module in sorted(newest.items()):
        version = f"{module.base_revision}-{module.file_integration}"
        yield SnapshotFile(classifier, extension, version, _build(module).timestamp.replace(".", ""))


def merged(documents: Iterable[Metadata]) -> Metadata:
    """Merge the metadata of several repositories, at least one, as a virtual repository does."""
    first, *others = documents
    for other in others:
        first = _merged(first, other)
    return first


def _merged(one: Metadata, other: Metadata) -> Metadata:
    newer = other.updated >= one.updated
    prefixes = {prefix for _, prefix, _ in one.plugins}
    whole = replace(
        one,
        latest=(newer and other.latest) or one.latest,
        release=(newer and other.release) or one.release,
        build=_merged_build(one, other),
        updated=max(one.updated, other.updated),
        files=tuple(_merged_files(one.files, other.files)),
        plugins=(*one.plugins, *(each for each in other.plugins if each[1] not in prefixes)),
    )
    return _with_versions(whole, {*one.versions, *other.versions}) or whole


def _merged_build(one: Metadata, other: Metadata) -> Build | None:
    if one.build is None or other.build is None:
        return one.build or other.build
    return other.build if other.updated >= one.updated else max(one.build, other.build)


def _merged_files(files: tuple[SnapshotFile, ...], others: tuple[SnapshotFile, ...]) -> Iterator[SnapshotFile]:
    """Yield each of *files* in its newest version; what only *others* have is left out, unless *files* is empty."""
    if not files:
        yield from others
    newer = {(each.classifier, each.extension): each for each in others}
    for file in files:
        other = newer.get((file.classifier, file.extension), file)
        yield other if _number(other) > _number(file) else file


def _number(file: SnapshotFile) -> Build:
    rest, _, number = file.version.rpartition("-")
    return Build(int(number) if number.isdecimal() else 0, rest.rpartition("-")[2])


def parse(data: bytes) -> Metadata | None:
    """Read a document; None for what is none."""
    try:
        root = ET.fromstring(data)  # noqa: S314  # expat refuses entities that grow
    except (ET.ParseError, ValueError, LookupError):
        return None
    if root.tag != "metadata":
        return None
    return Metadata(
        _text(root, "groupId"),
        _text(root, "artifactId"),
        _text(root, "version"),
        _text(root, "versioning/latest"),
        _text(root, "versioning/release"),
        tuple(text for each in root.iterfind("versioning/versions/version") if (text := (each.text or "").strip())),
        _parsed_build(root.find("versioning/snapshot")),
        _text(root, "versioning/lastUpdated"),
        tuple(map(_parsed_file, root.iterfind("versioning/snapshotVersions/snapshotVersion"))),
        tuple(tuple(_text(each, name) for name in _PLUGIN) for each in root.iterfind("plugins/plugin")),
    )


def _text(element: ET.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _parsed_build(element: ET.Element | None) -> Build | None:
    if element is None:
        return None
    number = _text(element, "buildNumber")
    return Build(int(number) if number.isdecimal() else 0, _text(element, "timestamp"))


def _parsed_file(element: ET.Element) -> SnapshotFile:
    return SnapshotFile(*(_text(element, name) for name in ("classifier", "extension", "value", "updated")))


def document(metadata: Metadata) -> bytes:
    """Write a document as Maven does."""
    root = ET.Element("metadata")
    _add(root, {"groupId": metadata.group, "artifactId": metadata.artifact, "version": metadata.version})
    versioning = ET.Element("versioning")
    _add(versioning, {"latest": metadata.latest, "release": metadata.release})
    if metadata.build:
        number = str(metadata.build.number or "")
        _add(ET.SubElement(versioning, "snapshot"), {"timestamp": metadata.build.timestamp, "buildNumber": number})
    if metadata.versions:
        versions = ET.SubElement(versioning, "versions")
        for version in metadata.versions:
            _add(versions, {"version": version})
    _add(versioning, {"lastUpdated": metadata.updated})
    if metadata.files:
        files = ET.SubElement(versioning, "snapshotVersions")
        for file in metadata.files:
            values = {"value": file.version, "updated": file.updated}
            kind = {"classifier": file.classifier, "extension": file.extension}
            _add(ET.SubElement(files, "snapshotVersion"), kind | values)
    if len(versioning):
        root.append(versioning)
    if metadata.plugins:
        plugins = ET.SubElement(root, "plugins")
        for plugin in metadata.plugins:
            _add(ET.SubElement(plugins, "plugin"), dict(zip(_PLUGIN, plugin, strict=True)))
    ET.indent(root)
    text: str = ET.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _add(parent: ET.Element, texts: dict[str, str]) -> None:
    """Add an element for each text that says something."""
    for name, text in texts.items():
        if text:
            ET.SubElement(parent, name).text = text
