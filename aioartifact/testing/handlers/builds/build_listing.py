"""``GET api/build``: the builds, the runs of one, the document of a run, and how two runs differ."""

from ...protocol import dates, jackson
from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from ..editions import demand_pro
from .build_access import BuildAccess, access, build_reply, path_names
from .build_comparison import compared

_PREFIX = "api/build"


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
    return dates.iso_without_colon(time_ms, builds.exchange.instance.zone)
