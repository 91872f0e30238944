"""
Other clients of Artifactory, called as their manuals say; one file after the other where they offer no more.

They live in an environment of their own, which has none of our dependencies, and are imported by name.
"""

import os
from importlib import import_module
from pathlib import Path

from ..task import Task

_MODULES = {"dohq_artifactory": "artifactory"}


def _targets(task: Task) -> list[tuple[str, Path]]:
    """URL and local path of each file; the folders are made."""
    targets = [(url, Path(task.destination, path)) for url, path, _ in task.items()]
    for folder in {target.parent for _, target in targets}:
        folder.mkdir(parents=True)
    return targets


def _credentials(task: Task) -> tuple[str, str, str]:
    assert task.credentials is not None
    return task.credentials


async def prepare(name: str) -> None:
    """Import one of them."""
    import_module(_MODULES.get(name, name))


async def audfactory(task: Task) -> dict[str, int]:
    """``audfactory.download()`` per file."""
    os.environ["ARTIFACTORY_USERNAME"], os.environ["ARTIFACTORY_API_KEY"], _ = _credentials(task)
    package = import_module("audfactory")
    targets = _targets(task)
    for url, target in targets:
        package.download(url, str(target))
    return {"files": len(targets)}


async def dohq_artifactory(task: Task) -> dict[str, int]:
    """``ArtifactoryPath.writeto()`` per file."""
    package = import_module("artifactory")
    user, password, _ = _credentials(task)
    targets = _targets(task)
    for url, target in targets:
        package.ArtifactoryPath(url, auth=(user, password)).writeto(out=str(target))
    return {"files": len(targets)}


async def pyartifactory(task: Task) -> dict[str, int]:
    """``artifacts.download()`` per file."""
    package = import_module("pyartifactory")
    user, password, _ = _credentials(task)
    artifacts = package.Artifactory(url=task.server, auth=(user, password), api_version=1).artifacts
    targets = _targets(task)
    for url, target in targets:
        artifacts.download(url.removeprefix(f"{task.server}/"), str(target.parent))
    return {"files": len(targets)}


async def aioartifactory(task: Task) -> dict[str, int]:
    """``retrieve()`` of the folder, its own way to fetch many."""
    package = import_module("aioartifactory")
    (group,) = task.files
    client = package.AIOArtifactory(api_key=_credentials(task)[2])
    paths = await client.retrieve(group.url, task.destination, recursive=True)
    return {"files": len(paths)}
