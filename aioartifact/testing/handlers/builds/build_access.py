"""Which build a request is about, in which repository its documents are, and what the user may do with it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from ...accounts.permission_targets import BUILD_INFO
from ...protocol import build_info, jackson
from ...protocol.build_info import BuildInfoError, Run
from ...protocol.replies import RefusalError, Reply, json_reply, refuse
from ...repositories.definitions import BUILD_INFO_TYPE, configured
from ...storage import builds
from ...wire.exchange import Exchange

T = TypeVar("T")

_KEY = re.compile(r"[\w.-]{1,52}-build-info", flags=re.ASCII)

_MEDIA_TYPE = "application/vnd.org.jfrog.build.{}+json"
_ACTIONS = {
    "r": "access build info. Read permission is needed.",
    "w": "upload build info. Upload permission is needed.",
    "d": "delete build info. Delete permission is needed.",
}


@dataclass(frozen=True, slots=True)
class BuildAccess:
    """
    The builds of a repository, for the user of a request.

    Attributes:
        repository: Key of the repository with the documents.
    """

    exchange: Exchange
    repository: str

    def can(self, action: str, run: Run) -> bool:
        """Return whether the user may do *action* (one of ``rwd``) with *run*."""
        return self.exchange.instance.accounts.can(self.exchange.user, action, self.repository, run.path)

    def demand(self, action: str, run: Run) -> None:
        """
        Accept users who may do *action* with *run*.

        Raises:
            RefusalError: 401 for anonymous users, else 403.
        """
        if not self.can(action, run):
            message = f"The user: '{self.exchange.user.name}' is not authorized to {_ACTIONS[action]}"
            self.exchange.deny(message, servlet=False)

    def latest_runs(self) -> list[Run]:
        """Return the newest run of each build that the user may read, the oldest first."""
        return [run for run in builds.latest_runs(self.exchange.instance.store, self.repository) if self.can("r", run)]

    def runs(self, name: str, number: str | None = None) -> list[Run]:
        """Return the runs of a build, or those with a number, the oldest first, readable or not."""
        return builds.runs(self.exchange.instance.store, self.repository, name, number)

    def find(self, name: str, number: str, started: str = "") -> Run | None:
        """
        Return the newest run with a number, or the one with that start.

        Raises:
            RefusalError: 400 if *started* is not a date.
        """
        found = self.runs(name, number)
        if started.strip():
            when = understood(partial(build_info.parse_started, started))
            found = [run for run in found if run.started == when]
        return found[-1] if found else None

    def status(self, run: Run) -> str:
        """Return the status of the last promotion of *run*, ``""`` without one."""
        return builds.status_of(self.exchange.instance.store, self.repository, run)

    def document(self, run: Run) -> dict[str, Any]:
        """
        Return the document of *run*.

        Raises:
            RefusalError: 404 if it was deleted meanwhile.
        """
        found = builds.document_of(self.exchange.instance.store, self.repository, run)
        return refuse(404, _missing(run.name, run.number)) if found is None else found

    def demand_document(self, name: str, number: str, started: str = "") -> tuple[Run, dict[str, Any]]:
        """
        Return the run that a request names, and its document.

        Raises:
            RefusalError: 404 if there is no such run; 401 or 403 if the user may not read it.
        """
        run = self.find(name, number, started)
        if run is None:
            refuse(404, _missing(name, number, f", build started: {started}" if started.strip() else ""))
        self.demand("r", run)
        return run, self.document(run)

    def link(self, *names: str) -> str:
        """Return the URL of the builds, of a build or of a run."""
        return self.exchange.link("api/build", *(quote(name, safe="") for name in names)) + self._parameter

    @property
    def _parameter(self) -> str:
        return f"?buildRepo={self.repository}" if self.exchange.instance.profile.is_platform else ""


def access(exchange: Exchange, named: Mapping[str, object] | None = None) -> BuildAccess:
    """
    Return the builds that a request is about.

    Args:
        exchange: The request.
        named: Parameters with ``buildRepo`` and ``project``; None for the query. 6.20 ignores both.
    """
    sent: Mapping[str, object] = exchange.target.query if named is None else named
    if not exchange.instance.profile.is_platform:
        return BuildAccess(exchange, BUILD_INFO)
    repository, project = (str(sent.get(field) or "") for field in ("buildRepo", "project"))
    of_project = f"{project}-build-info" if project not in ("", "default") else BUILD_INFO
    return BuildAccess(exchange, repository or of_project)


def ensure_repository(exchange: Exchange, key: str) -> None:
    """
    Create the repository for build info if the server does not have it yet.

    Raises:
        RefusalError: 400 if a repository with this key is for something else, or the key is not that of a project.
    """
    repository = exchange.instance.repositories.get(key)
    if repository is None and _KEY.fullmatch(key):
        exchange.instance.add_repository(configured(key, {"package_type": BUILD_INFO_TYPE}))
    elif repository is None or repository.package_type != BUILD_INFO_TYPE:
        refuse(400, f"Build info repository '{key}' does not exist")


def path_names(exchange: Exchange, prefix: str, *, count: int) -> tuple[str, ...]:
    """
    Return the names in the path of a request: of a build, and with *count* 2 the number of a run.

    An encoded slash belongs to a name. Of the other slashes, the last ones separate names; the rest belong to the
    first name.

    Args:
        exchange: The request.
        prefix: What precedes the names, such as ``"api/build/promote"``.
        count: How many names there are.

    Raises:
        RefusalError: 404 if there are fewer.
    """
    raw_path = exchange.request.raw_path.partition("?")[0].removeprefix(exchange.instance.context_path)
    names = raw_path.strip("/").removeprefix(prefix).strip("/")
    found = names.rsplit("/", count - 1)
    if len(found) < count or not all(found):
        exchange.refuse_unknown()
    return tuple(map(unquote, found))


def understood(read: Callable[[], T]) -> T:
    """
    Return what *read* returns.

    Raises:
        RefusalError: 400 with the text of its ``BuildInfoError``.
    """
    try:
        return read()
    except BuildInfoError as wrong:
        refuse(400, str(wrong))


async def read_json(exchange: Exchange, limit: int = 1 << 20) -> Any:
    """
    Read the JSON in the body.

    Raises:
        RefusalError: 400 if it is something else; 413 if it has more than *limit* bytes.
    """
    return understood(partial(build_info.parse_json, await exchange.whole_body(limit)))


async def read_object(exchange: Exchange) -> dict[str, Any]:
    """
    Read the JSON object in the body.

    Raises:
        RefusalError: 400 if it is something else.
    """
    sent = await read_json(exchange)
    return sent if isinstance(sent, dict) else refuse(400, "Error parsing json body")


def build_reply(value: jackson.JSON, kind: str) -> Reply:
    """Answer with a document of a kind, such as ``"BuildInfo"``."""
    return json_reply(value, _MEDIA_TYPE.format(kind))


def as_rest(refusal: RefusalError) -> RefusalError:
    """Return a refusal of the servlet layer as the REST API prints it."""
    try:
        refuse(refusal.reply.status, refusal.message, challenge="WWW-Authenticate" in refusal.reply.headers)
    except RefusalError as same:
        return same


def _missing(name: str, number: str, started: str = "") -> str:
    return f"No build was found for build name: {name}, build number: {number} {started}"
