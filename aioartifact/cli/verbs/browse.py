"""``ls`` and ``tree``: list a folder."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import click

import aioartifact

from .. import render, units
from ..arguments import URL, as_json
from ..errors import say, warn_of_gaps
from ..render import BLUE
from ..running import run
from ..settings import Settings

# Names in a folder, each with its own content; None for a file.
Tree: TypeAlias = dict[str, "Tree | None"]


@click.command()
@click.argument("url", type=URL)
@click.option("-l", "--long", is_flag=True, help="Show sizes and dates, too.")
@click.option("-h", "--human-readable", "human", is_flag=True, help="With -l: sizes in KiB, MiB and so on.")
@click.option("-R", "--recursive", is_flag=True, help="List all levels, as relative paths.")
@as_json
@click.pass_obj
def ls(settings: Settings, url: str, long: bool, human: bool, recursive: bool, as_json: bool) -> None:
    """List a folder; a file is listed as itself."""
    size_of = units.size if human else str

    async def call() -> None:
        async with aioartifact.session(**settings.at(url)) as session:
            if long or recursive:
                listing = aioartifact.walk(url, depth=None if recursive else 1, folders=True, session=session)
            else:
                listing = aioartifact.ls(url, session=session)
            root = aioartifact.path(url, session=session).path
            try:
                async with listing:
                    async for entry in listing:
                        show(entry, below(root, entry))
                warn_of_gaps(listing)
            except aioartifact.NotAFolderError:
                file = await aioartifact.info(url, session=session)
                show(file, file.name)

    def show(entry: render.Entry, name: str) -> None:
        is_folder, record = isinstance(entry, aioartifact.FolderInfo), render.describe(entry)
        details = _details(entry, size_of) if long else ""
        if is_folder:
            render.coloured(details, name, BLUE, "/", record=record, as_json=as_json)
        else:
            render.row(f"{details}{name}", record, as_json=as_json)

    run(call)


def below(root: str, entry: render.Entry) -> str:
    """Path of *entry* below the folder *root* of its repository."""
    return entry.path.removeprefix(f"{root}/") if root else entry.path


def _details(entry: render.Entry, size_of: Callable[[int], str]) -> str:
    """Date and size, in columns before the name."""
    size = entry.size if isinstance(entry, aioartifact.FileInfo) else None
    modified = entry.modified and f"{entry.modified.astimezone():%Y-%m-%d %H:%M:%S}"
    return f"{modified or '-':>19} {'-' if size is None else size_of(size):>14} "


@click.command()
@click.argument("url", type=URL)
@click.option("-L", "--level", "depth", metavar="N", type=click.IntRange(min=1), help="Number of levels; default: all.")
@click.option("-d", "--folders-only", is_flag=True, help="Leave out files.")
@as_json
@click.pass_obj
def tree(settings: Settings, url: str, depth: int | None, folders_only: bool, as_json: bool) -> None:
    """
    Draw a folder as a tree, sorted by name.

    All names are kept in memory to sort them; ls -R keeps none.
    """

    async def call() -> Tree:
        async with aioartifact.session(**settings.at(url)) as session:
            root, top = aioartifact.path(url, session=session).path, Tree()
            listing = aioartifact.walk(url, depth=depth, files=not folders_only, folders=True, session=session)
            async with listing:
                async for entry in listing:
                    _plant(top, below(root, entry), is_folder=isinstance(entry, aioartifact.FolderInfo))
            warn_of_gaps(listing)
            return top

    top = run(call)
    if not as_json:
        render.row(url.rstrip("/"), {}, as_json=False)
    folders = files = 0
    for path, is_folder, margin in _drawn(top, "", ""):
        name, record = path.rpartition("/")[2], {"path": path, "folder": is_folder}
        if is_folder:
            render.coloured(margin, name, BLUE, record=record, as_json=as_json)
        else:
            render.row(f"{margin}{name}", record, as_json=as_json)
        folders, files = folders + is_folder, files + (not is_folder)
    if not settings.quiet:
        say(f"{'1 folder' if folders == 1 else f'{folders} folders'}, {units.files(files)}")


def _plant(top: Tree, path: str, *, is_folder: bool) -> None:
    *parents, name = path.split("/")
    for parent in parents:
        branch = top.setdefault(parent, {})
        assert branch is not None, path
        top = branch
    top.setdefault(name, {} if is_folder else None)


def _drawn(tree: Tree, above: str, margin: str) -> Iterator[tuple[str, bool, str]]:
    """Path, whether it is a folder, and what is drawn before the name of each entry."""
    for position, name in enumerate(sorted(tree), start=1):
        is_last, branch = position == len(tree), tree[name]
        yield f"{above}{name}", branch is not None, f"{margin}{'└── ' if is_last else '├── '}"
        yield from _drawn(branch or {}, f"{above}{name}/", f"{margin}{'    ' if is_last else '│   '}")
