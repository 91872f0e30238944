"""Real files of this machine, arranged as versioned artifacts."""

import os
import re
import sysconfig
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from itertools import islice
from pathlib import Path
from platform import python_version

_MAX_FILE = 4 << 20  # bytes
_MAX_FILES = 120  # of one distribution
_WITH_HISTORY = 3


@dataclass(frozen=True, slots=True)
class Artifact:
    """
    One version of an artifact.

    Attributes:
        name: Its name.
        version: ``X.Y.Z``.
        files: Local files, by their paths below the version.
    """

    name: str
    version: str
    files: Mapping[str, Path]


def local_artifacts(count: int) -> Iterator[Artifact]:
    """Arrange about *count* files: a third from the standard library, the others from what is installed."""
    library = _standard_library(count // 3)
    yield library
    left = count - len(library.files)
    for number, artifact in enumerate(_distributions()):
        if left <= 0:
            return
        yield artifact
        earlier = list(_earlier(artifact)) if number < _WITH_HISTORY else []
        yield from earlier
        left -= sum(len(each.files) for each in (artifact, *earlier))


def _standard_library(count: int) -> Artifact:
    root = Path(sysconfig.get_path("stdlib"))
    modules = (path for path in _library_files() if path.suffix == ".py")
    return Artifact(
        "standard-library",
        semantic(python_version()),
        {path.relative_to(root).as_posix(): path for path in islice(modules, count)},
    )


def _library_files() -> Iterator[Path]:
    """Files of the standard library, in the same order every time."""
    for folder, folders, names in os.walk(sysconfig.get_path("stdlib")):
        folders[:] = sorted(set(folders) - {"site-packages", "dist-packages", "__pycache__"})
        yield from filter(_fits, (Path(folder, name) for name in sorted(names)))


def _distributions() -> list[Artifact]:
    found = {each.name.lower(): each for each in metadata.distributions()}
    artifacts = (Artifact(name, semantic(found[name].version), _files(found[name])) for name in sorted(found))
    return [artifact for artifact in artifacts if artifact.files]


def _files(distribution: metadata.Distribution) -> dict[str, Path]:
    # Scripts lie outside, at ../../../bin: they keep the rest of their path.
    located = {
        "/".join(part for part in file.parts if part != ".."): Path(str(file.locate()))
        for file in distribution.files or []
        if file.suffix != ".pyc"  # Python may write it anew at any time
    }
    return dict(islice(((name, path) for name, path in located.items() if _fits(path)), _MAX_FILES))


def _fits(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= _MAX_FILE


def semantic(version: str) -> str:
    """Make ``X.Y.Z`` of any version: ``26.3`` becomes ``26.3.0``, ``1.0.0b2`` becomes ``1.0.0``."""
    release = re.split(r"[a-z+!-]", version.lower(), maxsplit=1)[0]
    return ".".join([*re.findall(r"\d+", release), "0", "0", "0"][:3])


def _earlier(artifact: Artifact) -> Iterator[Artifact]:
    """Invent release candidates that had fewer files."""
    for number, step in (1, 4), (2, 2):
        some = dict(islice(artifact.files.items(), 0, None, step))
        yield Artifact(artifact.name, f"{artifact.version}-rc{number}", some)


def bundle(path: Path, size: int) -> Artifact:
    """Put files of the standard library and of what is installed into a tar of *size* bytes or a little more."""
    with tarfile.open(path, "w") as tar:
        for member in _everything():
            if tar.offset >= size:
                break
            tar.add(member, recursive=False)
    return Artifact("bundle", "1.0.0", {path.name: path})


def _everything() -> Iterator[Path]:
    yield from _library_files()
    for artifact in _distributions():
        yield from artifact.files.values()
