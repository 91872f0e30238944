"""
The layers of the package, as a test.

Imports point strictly downwards, and a rung never imports its own rung. What is on rungs 0 to 3 does no
I/O, so all of it can be tested with literals. Each I/O library has one home: above ``_session``, aiohttp
is only the type of the argument ``session``. The embedded server and the client share no code: a parser
used by both would agree with itself about a wrong answer. The server has rungs of its own.
"""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

import aioartifact

NAME = "aioartifact"
PACKAGE = Path(__file__).parent.parent / NAME
LAYERS = (
    {"_errors"},
    {
        "_address",
        "_bodies",
        "_checksums",
        "_json_stream",
        "_pacing",
        "_path_filter",
        "_reprs",
        "_retry",
        "_versions",
    },
    {"_models", "_options", "_progress", "_reports"},
    {"_aql", "_archives", "_credentials", "_diagnosis", "_filters", "_protocol", "_sync"},
    {"_threads", "query"},
    {"_files", "_scheduler", "_session"},
    {"_cache"},
    {"_listing", "_transfer"},
    {"_api"},
    {"_lookup", "data"},
    {"_public"},
    {"__init__"},
    {"_blocking", "cli", "fsspec", "otel", "progress"},
    {"__main__", "blocking"},
)
SERVER_LAYERS = (
    {"profiles", "protocol", "signals"},
    {"aql", "clocks", "layouts"},
    {"accounts", "read_timeouts", "repositories", "turnstile"},
    {"storage"},
    {"archive"},
    {"indexes"},
    {"instance"},
    {"wire"},
    {"lookup"},
    {"handlers"},
    {"app"},
    {"runner"},
    {"control"},
    {"remote"},
    {"server", "threaded"},
    {"process"},
    {"__init__"},
    {"plugin"},
)
LOOKUP_LAYERS = (
    {"table", "writer_lock"},
    {"table_file"},
    {"lookup"},
    {"__init__"},
)
HANDLER_LAYERS = (
    {"request_checks"},
    {"storage_api"},
    {"administration", "items", "search", "security"},
    {"builds", "packages"},
    {"__init__"},
)
SESSION_LAYERS = (
    {"additions", "connections", "plain_head", "proxies", "telemetry"},
    {"attempts"},
    {"limits"},
    {"renewal"},
    {"state"},
    {"payload", "small_responses"},
    {"small_files", "translation"},
    {"middlewares", "tls"},
    {"connection_probe", "token_requests"},
    {"exchange", "opening"},
    {"__init__"},
)
TRANSFER_LAYERS = (
    {"accounting", "local_paths", "overwrite"},
    {"receive", "send"},
    {"many"},
    {"__init__"},
)
RECEIVE_LAYERS = (
    {"content"},
    {"journal", "segments"},
    {"partial_file", "small_file", "streaming"},
    {"parallel", "remote_file"},
    {"blocking_file", "file_stream", "one_file"},
    {"archive_members", "cached_file"},
    {"__init__"},
)
LADDERS = {
    NAME: LAYERS,
    f"{NAME}._session": SESSION_LAYERS,
    f"{NAME}._transfer": TRANSFER_LAYERS,
    f"{NAME}._transfer.receive": RECEIVE_LAYERS,
    f"{NAME}._lookup": LOOKUP_LAYERS,
    f"{NAME}.testing": SERVER_LAYERS,
    f"{NAME}.testing.handlers": HANDLER_LAYERS,
}
RANKS = {
    package: {unit: rank for rank, units in enumerate(layers) for unit in units} for package, layers in LADDERS.items()
}
RANK = RANKS[NAME]
SANS_IO = set().union(*LAYERS[:4])
SANS_IO_FILES = {
    "_lookup/table.py",
    "data/sharding.py",
    "data/tar_format.py",
    "fsspec/addresses.py",
    "fsspec/entries.py",
    "fsspec/spans.py",
}
IO_LIBRARIES = {"aiofiles", "aiohttp", "anyio", "asyncio", "socket", "ssl", "subprocess"}
ASYNC_SYNTAX = (ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith, ast.Await)
HOMES = {"aiofiles": "_files", "aiohttp": "_session"}
SESSION_TYPE = "aiohttp.ClientSession"
FILES = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


def unit_of_file(file: str) -> str:
    """Module or folder directly below the package that *file* belongs to."""
    return file.partition("/")[0].removesuffix(".py")


@lru_cache(maxsize=1)  # all rules are checked for one file, then for the next
def nodes_of(source: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(source)))


def imports(file: str, source: str) -> Iterator[str]:
    """Imports of *source* as absolute names: ``from ._errors import X`` is ``aioartifact._errors.X``."""
    package = [NAME, *file.split("/")[:-1]]
    for node in nodes_of(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [node.module] if node.module else []
            yield from (".".join([*base, *module, alias.name]) for alias in node.names)


def unit_of_import(dotted: str) -> str | None:
    """Unit of this package that *dotted* belongs to; None for other packages."""
    package, _, rest = dotted.partition(".")
    if package != NAME:
        return None
    unit = rest.partition(".")[0]
    return unit if unit in RANK or unit == "testing" else "__init__"


def module_of_file(file: str) -> str:
    """Absolute name of the module in *file*; that of a package ends in ``__init__``."""
    return ".".join([NAME, *file.removesuffix(".py").split("/")])


def unit_in(package: str, dotted: str) -> str | None:
    """Unit of *package* that *dotted* belongs to; None for what is elsewhere."""
    if dotted != package and not dotted.startswith(f"{package}."):
        return None
    unit = dotted.removeprefix(package).removeprefix(".").partition(".")[0]
    return unit if unit in RANKS[package] or f"{package}.{unit}" in RANKS else "__init__"


def breaks_the_order(file: str, source: str) -> Iterator[str]:
    """Imports that do not point downwards in a package with layers that *file* is in."""
    module = module_of_file(file)
    for package, ranks in RANKS.items():
        here = unit_in(package, module)
        for dotted in imports(file, source):
            target = unit_in(package, dotted)
            inside = target == here and module != f"{package}.{here}"
            if here in ranks and target in ranks and not inside and ranks[target] >= ranks[here]:
                yield f"{file}: {dotted} is not below {here}"


def does_io(file: str, source: str) -> Iterator[str]:
    if unit_of_file(file) not in SANS_IO and file not in SANS_IO_FILES:
        return
    for dotted in imports(file, source):
        if dotted.partition(".")[0] in IO_LIBRARIES:
            yield f"{file}: {dotted} does I/O"
    for node in nodes_of(source):
        if isinstance(node, ASYNC_SYNTAX):
            yield f"{file}:{node.lineno}: {type(node).__name__}"


def strays_from_home(file: str, source: str) -> Iterator[str]:
    for dotted in imports(file, source):
        home = HOMES.get(dotted.partition(".")[0])
        if home and home != unit_of_file(file) and not (dotted == "aiohttp" and unit_of_file(file) != "cli"):
            yield f"{file}: {dotted} belongs in {home}"


def uses_aiohttp(file: str, source: str) -> Iterator[str]:
    """Away from home aiohttp names the type of a session, and nothing is called."""
    if unit_of_file(file) == HOMES["aiohttp"]:
        return
    for node in nodes_of(source):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "aiohttp":
            if ast.unparse(node) != SESSION_TYPE:
                yield f"{file}:{node.lineno}: {ast.unparse(node)} belongs in _session"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == SESSION_TYPE:
            yield f"{file}:{node.lineno}: {SESSION_TYPE}() belongs in _session"


def uses_private_names(file: str, source: str) -> Iterator[str]:
    """The command line has what users have: the names of ``aioartifact`` and of ``aioartifact.testing``."""
    for dotted in imports(file, source):
        target = unit_of_import(dotted)
        names = dotted.removeprefix(f"{NAME}.testing").removeprefix(NAME).removeprefix(".")
        public = names in {"", "testing", *aioartifact.__all__} if target == "__init__" else "." not in names
        if target and target != unit_of_file(file) and not (target in {"__init__", "testing"} and public):
            yield f"{file}: {dotted} is not public"


def reaches_the_server(file: str, source: str) -> Iterator[str]:
    for dotted in imports(file, source):
        if unit_of_import(dotted) == "testing":
            yield f"{file}: {dotted} is the embedded server"


def reaches_the_client(file: str, source: str) -> Iterator[str]:
    for dotted in imports(file, source):
        if unit_of_import(dotted) not in {None, "testing"}:
            yield f"{file}: {dotted} is the client"


def violations(file: str, source: str) -> list[str]:
    """Every rule that *file* breaks."""
    match unit_of_file(file):
        case "testing":
            rules = [breaks_the_order, reaches_the_client]
        case "cli" | "fsspec" | "progress":
            rules = [breaks_the_order, strays_from_home, uses_private_names]
        case _:
            rules = [breaks_the_order, strays_from_home, uses_aiohttp, does_io, reaches_the_server]
    return [broken for rule in rules for broken in rule(file, source)]


@pytest.mark.parametrize("file", FILES)
def test_file_keeps_to_its_layer(file):
    """No file of the package breaks a rule."""
    assert violations(file, FILES[file]) == []


def test_every_unit_has_a_layer():
    """A new module must be given its place in the ladder, and a removed one leaves it."""
    assert {unit_of_file(file) for file in FILES} == {*RANK, "testing"}


@pytest.mark.parametrize("package", [package for package in LADDERS if package != NAME])
def test_every_unit_of_a_package_with_layers_has_one(package):
    """The packages with layers of their own, too."""
    folder = "/".join(package.split(".")[1:]) + "/"
    inside = [file.removeprefix(folder) for file in FILES if file.startswith(folder)]
    assert {unit_of_file(file) for file in inside} == set(RANKS[package])


def table_of_layers(heading):
    """The layers that design.md lists in the first table of numbered rows after *heading*; the lowest one first."""
    page = PACKAGE.parent.joinpath("docs/explanation/design.md").read_text("utf-8")
    table = re.search(r"^\| row \|.*?\n\n", page[page.index(heading) :], re.DOTALL | re.MULTILINE)
    layers, number = {}, ""
    for row in table[0].strip().splitlines()[2:]:
        first, modules = row.split("|")[1:3]
        number = first.strip() or number
        layers.setdefault(int(number), set()).update(re.findall(r"`(\w+)`", modules))
    assert list(layers) == sorted(layers, reverse=True)
    return [layers[number] for number in sorted(layers)]


@pytest.mark.parametrize(("heading", "layers"), [("# Design", LAYERS), ("## The embedded server", SERVER_LAYERS)])
def test_design_page_lists_the_same_layers(heading, layers):
    """A reader finds each module in the row that this test enforces."""
    assert table_of_layers(heading) == list(layers)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        pytest.param("_errors.py", "import enum", id="standard-library"),
        pytest.param("_protocol.py", "from ._errors import NotFoundError", id="downwards"),
        pytest.param("_protocol.py", "from . import _errors", id="downwards-module"),
        pytest.param("_transfer/many/fetcher.py", "from .destination import Destination", id="sibling-inside-a-folder"),
        pytest.param(
            "_transfer/many/fetcher.py", "from ..._files import Staging\nimport anyio", id="downwards-from-a-folder"
        ),
        pytest.param("_transfer/many/fetcher.py", "from ..receive.one_file import fetch_file", id="transfer-downwards"),
        pytest.param("_session.py", "import aiohttp\nasync def send(): await aiohttp.request()", id="home-of-aiohttp"),
        pytest.param("_listing.py", "import aiohttp\ndef f(s: aiohttp.ClientSession): ...", id="type-of-a-session"),
        pytest.param("_public.py", "from ._api.versions import versions as versions", id="public-names"),
        pytest.param("cli/verbs/browse.py", "import aioartifact\nfrom ..render import table", id="cli-sibling"),
        pytest.param("cli/verbs/local.py", "from aioartifact import NotFoundError", id="cli-public-name"),
        pytest.param("cli/program.py", "from .. import testing", id="cli-testing"),
        pytest.param("cli/verbs/local.py", "from aioartifact.testing import ArtifactoryServer", id="cli-testing-name"),
        pytest.param("testing/app.py", "import aiohttp.web\nfrom .aql import run", id="server-inside"),
        pytest.param("testing/aql/parser.py", "from ..protocol.formats import iso", id="server-inside-deeper"),
        pytest.param("testing/storage/store.py", "from .blobs import Content", id="server-sibling"),
        pytest.param("testing/handlers/items/deploy.py", "from . import methods", id="handler-sibling"),
        pytest.param("testing/handlers/items/deploy.py", "from ..storage_api import item_info", id="handler-downwards"),
        pytest.param("testing/plugin.py", "from . import ArtifactoryServer", id="server-public-name"),
    ],
)
def test_rules_allow(file, source):
    """What the layers permit is not reported."""
    assert violations(file, source) == []


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        pytest.param("_errors.py", "from ._models import FileInfo", "not below", id="upwards"),
        pytest.param("_models.py", "from ._options import Limits", "not below", id="same-rung"),
        pytest.param("_models.py", "from aioartifact._options import Limits", "not below", id="same-rung-absolute"),
        pytest.param("_errors.py", "def f():\n    from . import _models", "not below", id="upwards-inside-a-function"),
        pytest.param(
            "_transfer/many/fetcher.py", "from ..._api.download import get", "not below", id="upwards-from-a-folder"
        ),
        pytest.param("_transfer/many/fetcher.py", "from ..._listing import walk", "not below", id="same-rung-folder"),
        pytest.param(
            "_transfer/receive/one_file.py", "from ..many.fetcher import Job", "not below", id="transfer-upwards"
        ),
        pytest.param("_transfer/receive/one_file.py", "from ..send import x", "not below", id="transfer-same-rung"),
        pytest.param("_transfer/receive/content.py", "from .journal import Journal", "not below", id="receive-upwards"),
        pytest.param("_session/limits.py", "from .state import state_of", "not below", id="session-upwards"),
        pytest.param(
            "_session/payload.py", "from .small_responses import SmallSender", "not below", id="session-same-rung"
        ),
        pytest.param("_session.py", "import aioartifact", "not below", id="package-from-below"),
        pytest.param("_session.py", "from . import NotFoundError", "not below", id="public-name-from-below"),
        pytest.param("_api/download.py", "from .._public import Report", "not below", id="list-of-names-from-below"),
        pytest.param("_api/download.py", "from .. import Report", "not below", id="public-name-from-a-folder"),
        pytest.param("_protocol.py", "import asyncio", "does I/O", id="library-in-the-core"),
        pytest.param("_lookup/table.py", "import anyio", "does I/O", id="library-in-a-pure-file"),
        pytest.param("_lookup/table.py", "from .table_file import TableFile", "not below", id="lookup-upwards"),
        pytest.param("_api/versions.py", "from .._lookup import Lookup", "not below", id="lookup-from-the-functions"),
        pytest.param("_retry.py", "from anyio.abc import TaskGroup", "does I/O", id="submodule-in-the-core"),
        pytest.param("_retry.py", "async def wait(): ...", "AsyncFunctionDef", id="async-def-in-the-core"),
        pytest.param("_retry.py", "async def f():\n    await g()", "Await", id="await-in-the-core"),
        pytest.param("_listing.py", "from aiohttp import web", "belongs in", id="aiohttp-away-from-home"),
        pytest.param("_listing.py", "import aiohttp.web", "belongs in", id="aiohttp-submodule"),
        pytest.param("_listing.py", "import aiohttp\naiohttp.ClientError", "belongs in", id="aiohttp-errors"),
        pytest.param("_listing.py", "import aiohttp\naiohttp.ClientSession()", "belongs in", id="aiohttp-made"),
        pytest.param("_session.py", "from aiofiles import os", "belongs in _files", id="aiofiles-away-from-home"),
        pytest.param("cli/__init__.py", "from .._errors import NotFoundError", "not public", id="cli-private-module"),
        pytest.param("cli/__init__.py", "from aioartifact import _errors", "not public", id="cli-private-name"),
        pytest.param(
            "cli/__init__.py", "from aioartifact.testing.app import app", "not public", id="cli-inside-server"
        ),
        pytest.param("cli/__init__.py", "import aiohttp", "belongs in _session", id="cli-with-aiohttp"),
        pytest.param(
            "_api/demo.py",
            "from ..testing import ArtifactoryServer",
            "embedded server",
            id="client-uses-server",
        ),
        pytest.param("testing/protocol/paths.py", "from ..wire import log", "not below", id="server-upwards"),
        pytest.param("testing/clocks.py", "from .layouts import names", "not below", id="server-same-rung"),
        pytest.param("testing/wire/log.py", "from .. import Fault", "not below", id="server-public-name-from-below"),
        pytest.param("testing/server.py", "from . import plugin", "not below", id="server-uses-plugin"),
        pytest.param(
            "testing/handlers/items/deploy.py", "from ..search import modules", "not below", id="handler-same-rung"
        ),
        pytest.param(
            "testing/handlers/storage_api/item_info.py", "from ..items import deploy", "not below", id="handler-upwards"
        ),
        pytest.param("testing/handlers/request_checks.py", "from ..app import App", "not below", id="handler-uses-app"),
        pytest.param("testing/app.py", "from .._address import quote", "the client", id="server-uses-client"),
        pytest.param("testing/aql/fields.py", "import aioartifact", "the client", id="server-uses-public-client"),
        pytest.param("testing/app.py", "from aioartifact import url", "the client", id="server-uses-public-name"),
    ],
)
def test_rules_refuse(file, source, complaint):
    """Each rule reports the file that breaks it."""
    assert any(complaint in broken for broken in violations(file, source))


@pytest.mark.parametrize("file", [file for file in FILES if unit_of_file(file) != "testing"])
def test_no_async_generator_is_left_to_the_garbage_collector(file):
    """A generator that is made in the head of an ``async for`` cannot be closed where the loop ends early."""
    nodes = [node for node in nodes_of(FILES[file]) if isinstance(node, ast.AsyncFor | ast.comprehension)]
    loops = [node for node in nodes if isinstance(node, ast.AsyncFor) or node.is_async]
    assert [ast.unparse(node.iter) for node in loops if isinstance(node.iter, ast.Call)] == []
