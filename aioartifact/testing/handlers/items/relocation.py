"""
``POST /api/copy/...`` and ``/api/move/...?to=/{repository}/{path}`` (Pro).

The whole of it is one transaction in a thread: a dry run does everything, reports it, and rolls it back.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from ...indexes import computed_metadata
from ...layouts import names
from ...protocol import jackson
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...repositories.definitions import BUILD_INFO_TYPE, Repository
from ...storage.store import ConflictError, Item, join_path, walk
from ...wire.exchange import Exchange
from ..request_checks import demand_pro, number

_RESULT = f"{VENDOR}storage.CopyOrMoveResult+json"


@dataclass(frozen=True, slots=True)
class Verb:
    """The words for an operation in messages, and whether it removes the source."""

    plain: str
    doing: str
    done: str
    removes: bool


COPY = Verb("copy", "copying", "copied", removes=False)
MOVE = Verb("move", "moving", "moved", removes=True)


async def copy(exchange: Exchange) -> Reply:
    """Copy a file, or a folder with everything below it."""
    return await _relocate(exchange, COPY)


async def move(exchange: Exchange) -> Reply:
    """Move a file, or a folder with everything below it."""
    return await _relocate(exchange, MOVE)


async def move_to(exchange: Exchange, repository: str, path: str) -> Reply:
    """Move the item of the request as WebDAV does, in both editions; nothing is moved if one item cannot be."""
    relocation = Relocation(exchange, MOVE, repository, path, is_dry=False, is_atomic=True, fails_fast=True)
    await exchange.instance.in_thread(relocation.run)
    if relocation.status == 200:
        return Reply(200)
    if relocation.status == 403 and exchange.user.is_anonymous:
        exchange.deny("", servlet=True)
    return refuse(relocation.status, relocation.messages[0][1], servlet=True)


async def _relocate(exchange: Exchange, verb: Verb) -> Reply:
    demand_pro(exchange)
    to = exchange.target.query.get("to", "").strip("/")
    if not to:
        refuse(400, "The target of the operation is missing: to=/repository/path")
    repository, _, path = to.partition("/")
    relocation = Relocation(
        exchange,
        verb,
        repository,
        "/".join(filter(None, path.split("/"))),
        is_dry=number(exchange, "dry") != 0,
        is_atomic=exchange.target.query.get("atomic") in ("1", "true"),
        fails_fast=number(exchange, "failFast") != 0,
    )
    await exchange.instance.in_thread(relocation.run)
    if relocation.status == 403 and exchange.user.is_anonymous:
        exchange.deny("", servlet=False)
    messages: jackson.JSON = [{"level": level, "message": text} for level, text in relocation.messages]
    return json_reply({"messages": messages}, _RESULT, status=relocation.status)


class _ItemError(Exception):
    """One item cannot be copied or moved: the status and the text of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _UndoError(Exception):
    """Rolls the transaction back."""


@dataclass(slots=True)
class Relocation:
    """
    One copy or move, and its messages.

    Attributes:
        repository: Key of the target repository.
        path: The requested target; if it is an existing folder, the source goes into it.
        is_dry: Whether to report what would happen, and change nothing.
        is_atomic: Whether to do nothing if one item fails.
        fails_fast: Whether to stop at the first error; what was done before is kept.
        status: That of the last error, 200 if there was none.
        messages: Level and text.
    """

    exchange: Exchange
    verb: Verb
    repository: str
    path: str
    is_dry: bool
    is_atomic: bool
    fails_fast: bool
    status: int = 200
    messages: list[tuple[str, str]] = field(default_factory=list)
    _files: int = 0
    _folders: int = 0
    _stays: set[str] = field(default_factory=set)
    _changed: dict[str, set[str]] = field(
        default_factory=dict
    )  # folders whose metadata is not up to date, by repository

    def run(self) -> None:
        """Copy or move the items, or as many as possible."""
        store = self.exchange.instance.store
        store.flush_stats()  # downloads counted before must not be undone
        with suppress(_UndoError), store.transaction():
            self._relocate()
            self._recompute_metadata()
            self._undo_if_asked_to()

    def _undo_if_asked_to(self) -> None:
        if self.is_dry or (self.is_atomic and self.status != 200):
            raise _UndoError

    def _recompute_metadata(self) -> None:
        store, now = self.exchange.instance.store, self.exchange.instance.now_ms()
        for key, folders in self._changed.items():
            computed_metadata.recompute(store, self._repositories[key], folders, now)

    def _relocate(self) -> None:
        try:
            source = self._source()
            path = self._target_of(source)
        except _ItemError as wrong:
            self._tell(wrong)
            return
        self._relocate_all(source, path)
        self._summarize(source, path)

    def _source(self) -> Item:
        target, instance = self.exchange.target, self.exchange.instance
        repository = self._repositories.get(target.repository)
        if repository and repository.kind not in ("local", "cache"):
            message = f"Only what is in a local repository or a cache can be {self.verb.done}: {self.exchange.address}"
            raise _ItemError(400, message)
        source = instance.store.get(target.repository, target.item_path)
        is_hidden = instance.hide_unauthorized and not (source and self.exchange.can_see(source))
        if source is None and not is_hidden and not self.exchange.can("r"):
            raise self._denied(self.verb.plain, self.exchange.address, "read")
        if source is None or is_hidden:
            raise _ItemError(404, f"Could not find item at {self.exchange.address}")
        return source

    def _target_of(self, source: Item) -> str:
        """Return the path *source* gets: below the target if that is a folder, else the target itself."""
        repository = self._repositories.get(self.repository)
        if repository is None or repository.kind != "local":
            raise _ItemError(400, f"Could not find a local repository named {self.repository} to {self.verb.plain} to.")
        if repository.package_type == BUILD_INFO_TYPE:
            message = (
                "Copy and Move operations are not allowed within the Build Info repository"
                if source.repo == self.repository
                else f"Failed to parse Build Info from source path '{source.repo}:{source.path}'. Operation is blocked."
            )
            raise _ItemError(400, message)
        there = self.exchange.instance.store.get(self.repository, self.path)
        path = join_path(self.path or ".", source.name) if there and there.is_folder and source.path else self.path
        if source.repo == self.repository and f"{path}/".startswith(f"{source.path}/" if source.path else ""):
            message = (
                f"Cannot {self.verb.plain} {source.repo}:{source.path} to {self.repository}:{path}: a part of itself"
            )
            raise _ItemError(409, message)
        return path

    @property
    def _repositories(self) -> Mapping[str, Repository]:
        return self.exchange.instance.repositories

    def _relocate_all(self, source: Item, path: str) -> None:
        store = self.exchange.instance.store
        with store.reader() as connection:  # sees the items as they were before, whatever happens meanwhile
            for item in self._items(source, walk(connection, source)):
                relative = item.path.removeprefix(source.path).strip("/")
                try:
                    self._relocate_one(item, "/".join(filter(None, (path, relative))))
                except _ItemError as wrong:
                    self._stays.add(item.path)
                    self._tell(wrong)
                    if self.fails_fast:
                        return
        if self.verb.removes and source.is_folder:
            store.prune(source, lambda _repo, path: path not in self._stays)

    @staticmethod
    def _items(source: Item, below: Iterator[Item]) -> Iterator[Item]:
        if source.path:
            yield source
        if source.is_folder:
            yield from below

    def _relocate_one(self, item: Item, path: str) -> None:
        store, user = self.exchange.instance.store, self.exchange.user
        self._demand_rights(item, path)
        if problem := names.path_problem(path, f"{self.repository}:{path}"):
            raise _ItemError(400, problem)
        rejected = None if item.is_folder else self._repositories[self.repository].rejection(path, is_deploy=True)
        if rejected:
            raise _ItemError(*rejected)
        try:
            store.duplicate(item, self.repository, path, user.name, self.exchange.instance.now_ms())
        except ConflictError as conflict:
            raise _ItemError(409, str(conflict)) from conflict
        if item.is_folder:
            self._folders += 1
            return
        self._files += 1
        self._mark(self.repository, computed_metadata.after_deploy(self._repositories[self.repository], path))
        if self.verb.removes:
            self._mark(item.repo, computed_metadata.after_delete(self._repositories[item.repo], item.path))
            store.delete(item)

    def _mark(self, key: str, folders: set[str]) -> None:
        self._changed.setdefault(key, set()).update(folders)

    def _demand_rights(self, item: Item, path: str) -> None:
        may = partial(self.exchange.instance.accounts.can, self.exchange.user)
        source, target = f"{item.repo}:{item.path}", f"{self.repository}:{path}"
        there = self.exchange.instance.store.get(self.repository, path)
        overwrites, is_new = there is not None and not there.is_folder, there is None
        if not may("r", item.repo, item.path):
            raise self._denied(self.verb.plain, source, "read")
        if self.verb.removes and not may("d", item.repo, item.path):
            raise self._denied(self.verb.plain, source, "delete")
        if (is_new or overwrites) and not may("w", self.repository, path):
            raise self._denied("create", target, "write")
        if overwrites and not may("d", self.repository, path):
            raise self._denied("override", target, "delete")

    @staticmethod
    def _denied(what: str, address: str, right: str) -> _ItemError:
        return _ItemError(403, f"User doesn't have permissions to {what} '{address}'. Needs {right} permissions.")

    def _tell(self, wrong: _ItemError) -> None:
        self.status = wrong.status
        self.messages.append(("ERROR", str(wrong)))

    def _summarize(self, source: Item, path: str) -> None:
        verb, errors = self.verb, len(self.messages)
        prefix = "Dry Run for " if self.is_dry else ""
        what = f"{prefix}{verb.doing} {source.repo}:{source.path} to {self.repository}:{path}"
        counts = f"{self._files} artifacts and {self._folders} folders were {verb.done}"
        if errors:
            self.messages.append(("ERROR", f"{what} completed with {errors} errors, {counts}"))
        else:
            self.messages.append(("INFO", f"{what} completed successfully, {counts}"))
