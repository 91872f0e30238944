"""
``GET api/build``: the builds, the runs of one, the document of a run, and how two runs differ.

``GET api/search/dependency`` (Pro): the runs that depend on a file.
"""

from collections.abc import Mapping, Sequence

from ...protocol import build_info, formats, jackson
from ...protocol.build_info import Document, Produced
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...storage import builds as build_rows
from ...wire.exchange import Exchange
from ..request_checks import demand_pro
from .build_access import BuildAccess, access, build_reply, path_names

_PREFIX = "api/build"
_Entries = Mapping[str, list[jackson.JSON]]
_LENGTHS = {"sha1": 40, "sha256": 64}


async def get(exchange: Exchange) -> Reply:
    """List the builds or the runs of one, or show a run."""
    builds = access(exchange)
    names = exchange.request.raw_path.partition("?")[0].removeprefix(exchange.instance.context_path).strip("/")
    depth = names.removeprefix(_PREFIX).strip("/").count("/") + 1
    if names == _PREFIX:
        return _all(builds)
    if depth == 1:
        return _runs(builds, *path_names(exchange, _PREFIX, count=1))
    name, number = path_names(exchange, _PREFIX, count=2)
    return _run(builds, name, number)


def _all(builds: BuildAccess) -> Reply:
    entries: list[jackson.JSON] = [
        {"uri": _relative(builds, run.name), "lastStarted": _date(builds, run.started)} for run in builds.latest_runs()
    ]
    if not entries:
        refuse(404, "No builds were found")
    return build_reply({"uri": builds.link(), "builds": entries}, "Builds")


def _runs(builds: BuildAccess, name: str) -> Reply:
    entries: list[jackson.JSON] = [
        {"uri": _relative(builds, run.number), "started": _date(builds, run.started)}
        for run in reversed(builds.runs(name))
        if builds.can("r", run)
    ]
    if not entries:
        refuse(404, f"No build was found for build name: {name}")
    return build_reply({"uri": builds.link(name), "buildsNumbers": entries}, "BuildsByName")


def _run(builds: BuildAccess, name: str, number: str) -> Reply:
    query = builds.exchange.target.query
    run, document = builds.demand_document(name, number, query.get("started", ""))
    if "diff" not in query:
        return build_reply({"uri": builds.link(name, number), "buildInfo": document}, "BuildInfo")
    if query["diff"] in ("", "null"):
        refuse(400, "Parameter 'diff' must contain a value, if specified.")
    other = builds.find(name, query["diff"])
    if other is None:
        refuse(404, f"No build was found for build name: {name} , build number: {query['diff']} ")
    builds.demand("r", other)
    if run.started < other.started:
        refuse(400, "Build number should be greater than the build number to compare against.")
    demand_pro(builds.exchange)
    return build_reply(compared(document, builds.document(other)), "BuildsDiff")


def _relative(builds: BuildAccess, name: str) -> str:
    """Return the part of a link that is added to the link of the list."""
    return "/" + builds.link(name).partition("?")[0].rpartition("/")[2]


def _date(builds: BuildAccess, time_ms: int) -> str:
    return formats.iso_without_colon(time_ms, builds.exchange.instance.zone)


def compared(newer: Document, older: Document) -> jackson.JSON:
    """Compare the artifacts, dependencies and properties of two documents."""
    new, old = build_info.modules_of(newer), build_info.modules_of(older)
    return {
        "artifacts": _files(
            {(each.name, file.name): file for each in new for file in each.artifacts},
            {(each.name, file.name): file for each in old for file in each.artifacts},
            ("name", "diffName"),
        ),
        "dependencies": _files(
            {(each.name, file.name): file for each in new for file in each.dependencies},
            {(each.name, file.name): file for each in old for file in each.dependencies},
            ("id", "diffId"),
        ),
        "properties": _properties(build_info.properties_of(newer), build_info.properties_of(older)),
    }


def _files(
    new: Mapping[tuple[str, str], Produced], old: Mapping[tuple[str, str], Produced], names: tuple[str, str]
) -> _Entries:
    found = _empty()
    for (module, name), file in {**old, **new}.items():
        before, after = old.get((module, name)), new.get((module, name))
        kind = _kind(before.sha1 if before else None, after.sha1 if after else None)
        shown: dict[str, jackson.JSON] = {names[0]: name} if after else {}
        shown |= {names[1]: name} if before else {}
        shown |= {"module": module, "type": file.type, "sha1": file.sha1, "md5": file.md5}
        found[kind].append(shown | ({"scopes": list(file.scopes)} if names[0] == "id" else {}))
    return found


def _properties(new: Mapping[str, str], old: Mapping[str, str]) -> _Entries:
    found = _empty()
    for key in {**old, **new}:
        shown: dict[str, jackson.JSON] = {"key": key}
        shown |= {"value": new[key]} if key in new else {}
        shown |= {"diffValue": old[key]} if key in old else {}
        found[_kind(old.get(key), new.get(key))].append(shown)
    return found


def _kind(before: str | None, after: str | None) -> str:
    if before is None:
        return "new"
    if after is None:
        return "removed"
    return "unchanged" if before == after else "updated"


def _empty() -> dict[str, list[jackson.JSON]]:
    kinds: Sequence[str] = ("new", "updated", "unchanged", "removed")
    return {kind: [] for kind in kinds}


async def search_dependents(exchange: Exchange) -> Reply:
    """List the runs with a dependency of this content, the oldest first. [U] Without results, the list is empty."""
    exchange.demand_user()
    demand_pro(exchange)
    builds, store = access(exchange), exchange.instance.store
    digests = {kind: exchange.target.query.get(kind, "").lower() for kind in _LENGTHS}
    if not any(digests.values()):
        refuse(400, "Bad Request")
    for kind, digest in digests.items():
        if digest and len(digest) != _LENGTHS[kind]:
            refuse(400, f"Invalid {kind} checksum: {digest}")
    known = [item.sha1 for item in store.find_content(sha256=digests["sha256"])] if digests["sha256"] else []
    wanted = digests["sha1"] or next(filter(None, known), "")
    runs = [run for run in build_rows.dependent_runs(store, builds.repository, wanted) if builds.can("r", run)]
    listed: list[jackson.JSON] = [{"uri": builds.link(run.name, run.number)} for run in runs]
    return json_reply({"results": listed}, f"{VENDOR}search.DependencyBuilds+json")
