"""``DELETE api/build``, ``POST api/build/delete`` and ``POST api/build/retention`` (Pro)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from ...protocol import build_info
from ...protocol.build_info import BuildInfoError, Run
from ...protocol.replies import Reply, refuse
from ...storage.store import Item
from ...wire.exchange import Exchange
from ..items.deploy import delete_item
from ..request_checks import demand_pro
from ..request_checks import number as number_of
from ..security.entities import flag, text, texts
from .build_access import BuildAccess, access, path_names, read_object, understood
from .build_artifacts import artifacts_of

_TEXT = {"Content-Type": "text/plain"}
_NO_COUNT = "Max count retention needs to be a positive number"


async def delete(exchange: Exchange) -> Reply:
    """Delete the runs of a build that the query names."""
    exchange.demand_user()
    (name,) = path_names(exchange, "api/build", count=1)
    demand_pro(exchange)
    numbers = [each for each in exchange.target.query.get("buildNumbers", "").split(",") if each]
    everything, with_artifacts = (number_of(exchange, each) != 0 for each in ("deleteAll", "artifacts"))
    if not everything and not numbers:
        refuse(400, "Please provide at least one build number to delete")
    return await _delete(access(exchange), name, None if everything else numbers, with_artifacts=with_artifacts)


async def delete_listed(exchange: Exchange) -> Reply:
    """Delete the runs of a build that the body names; their numbers may have any characters."""
    exchange.demand_user()
    sent = await read_object(exchange)
    name, numbers, everything = (
        text(sent, "buildName"),
        texts(sent, "buildNumbers"),
        flag(sent, "deleteAll", default=False),
    )
    if not name.strip():
        refuse(400, "Missing build name")
    if not numbers and not everything:
        refuse(400, "Missing build numbers")
    demand_pro(exchange)
    with_artifacts = flag(sent, "deleteArtifacts", default=False)
    return await _delete(access(exchange, sent), name, None if everything else numbers, with_artifacts=with_artifacts)


async def apply_retention(exchange: Exchange) -> Reply:
    """Delete the runs of a build that a policy does not keep, before the response even with ``async``."""
    exchange.demand_user()
    (name,) = path_names(exchange, "api/build/retention", count=1)
    sent = understood(partial(_retention_document, await exchange.whole_body()))
    if sent is None or sent.count == 0:
        return Reply(400, {"Content-Type": "application/json"}, _NO_COUNT.encode())
    demand_pro(exchange)
    await exchange.instance.in_thread(partial(retain, access(exchange), name, sent))
    return Reply(204)


@dataclass(frozen=True, slots=True)
class Retention:
    """
    Which runs of a build are kept.

    Attributes:
        count: How many of the newest; None for any number.
        since: Those that started at this time or later, in epoch milliseconds; None for any time.
        kept: Numbers of runs that are kept regardless of *count* and *since*.
        with_artifacts: Whether the artifacts of deleted runs are deleted as well.
    """

    count: int | None
    since: int | None
    kept: Collection[str]
    with_artifacts: bool

    @classmethod
    def of(cls, sent: object) -> "Retention":
        """
        Read a policy.

        Raises:
            BuildInfoError: If it is not one.
        """
        if not isinstance(sent, dict):
            raise BuildInfoError("Error parsing json body")
        count = sent.get("count")
        kept = sent.get("buildNumbersNotToBeDiscarded") or ()
        if not isinstance(kept, list | tuple) or not all(isinstance(each, str) for each in kept):
            raise BuildInfoError("'buildNumbersNotToBeDiscarded' is not a list of text")
        whole = None if count in (None, "") else _whole(count)
        return cls(
            None if whole is not None and whole < 0 else whole,
            _time(sent.get("minimumBuildDate")),
            frozenset(kept),
            sent.get("deleteBuildArtifacts") is True,
        )

    def discarded(self, runs: Sequence[Run]) -> list[Run]:
        """Return the runs that are not kept, of *runs* from the oldest to the newest that may be discarded."""
        candidates = [run for run in runs if run.number not in self.kept]
        too_old = [run for run in candidates if self.since is not None and run.started < self.since]
        left = [run for run in candidates if run not in too_old]
        too_many = [] if self.count is None else left[: max(0, len(left) - self.count)]
        return too_old + too_many


def retain(builds: BuildAccess, name: str, retention: Retention) -> None:
    """Delete the runs that *retention* does not keep; promoted ones stay, and those that the user may not delete."""
    runs = [run for run in builds.runs(name) if not builds.status(run) and builds.can("d", run)]
    for run in retention.discarded(runs):
        delete_run(builds, run, with_artifacts=retention.with_artifacts)


def delete_run(builds: BuildAccess, run: Run, *, with_artifacts: bool) -> None:
    """
    Delete a run: its document and, if asked for, its artifacts, with the folders that this leaves empty.

    Raises:
        RefusalError: 403 if the user may not delete an artifact; nothing was deleted.
    """
    exchange, store = builds.exchange, builds.exchange.instance.store
    artifacts = artifacts_of(builds, builds.document(run)).items if with_artifacts else ()
    for item in artifacts:
        if not exchange.instance.accounts.can(exchange.user, "d", item.repo, item.path):
            message = (
                f"Not enough permissions to delete/overwrite artifact '{item.repo}:{item.path}'"
                f" (user: '{exchange.user.name}' needs DELETE permission)."
            )
            refuse(403, message)
    document = store.get(builds.repository, run.path)
    with store.transaction():
        for item in (*artifacts, *([document] if document else ())):
            _delete_item(exchange, item)


async def _delete(builds: BuildAccess, name: str, numbers: Sequence[str] | None, *, with_artifacts: bool) -> Reply:
    runs = builds.runs(name)
    if not runs:
        refuse(404, f"Unable to find build '{name}'")
    newest = {run.number: run for run in runs}
    chosen = runs if numbers is None else [newest[each] for each in dict.fromkeys(numbers) if each in newest]
    if not chosen:
        refuse(404, "Unable to find the given build numbers")
    for run in chosen:
        builds.demand("d", run)
    for run in chosen:
        await builds.exchange.instance.in_thread(partial(delete_run, builds, run, with_artifacts=with_artifacts))
    if numbers is None:
        message = f"All builds '{name}' under '{builds.repository}' have been deleted successfully"
    else:
        message = _report(name, chosen, [each for each in numbers if each not in newest])
    return Reply(200, _TEXT, message.encode())


def _report(name: str, deleted: Sequence[Run], unknown: Sequence[str]) -> str:
    listed = ", ".join(f"'{name}#{run.number}'" for run in deleted)
    text_ = f"The following builds have been deleted successfully: {listed}.\n"
    missing = ", ".join(f"'{each}'" for each in unknown)
    return text_ + (f"Warning - the following builds could not be removed: {missing}.\n" if unknown else "")


def _delete_item(exchange: Exchange, item: Item) -> None:
    store = exchange.instance.store
    delete_item(exchange, item, lambda _repository, _path: True, is_atomic=False)
    folder = item.path.rpartition("/")[0]
    while folder and (found := store.get(item.repo, folder)) and not store.children(found):
        delete_item(exchange, found, lambda _repository, _path: True, is_atomic=False)
        folder = folder.rpartition("/")[0]


def _retention_document(body: bytes) -> Retention | None:
    if not body.strip():
        return None
    return Retention.of(build_info.parse_json(body))


def _whole(value: object) -> int:
    """Return a whole number, given as a number or as text."""
    if isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdecimal()):
        return int(value)
    raise BuildInfoError("'count' is not a number")


def _time(value: object) -> int | None:
    """Return a date in epoch milliseconds, given as a number or as text."""
    if value in (None, ""):
        return None
    return value if isinstance(value, int) else build_info.parse_started(str(value))
