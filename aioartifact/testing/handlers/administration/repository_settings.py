"""``api/repositories``: the list of repositories, and their configurations (Pro)."""

from functools import partial

from ...protocol import jackson
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...repositories import configurations
from ...repositories.configurations import ConfigurationError
from ...repositories.definitions import BUILD_INFO_TYPE, Repository, problem
from ...wire.exchange import Exchange
from ..request_checks import demand_pro

_NO_STORE = {"Cache-Control": "no-store"}
_TEXT = {"Content-Type": "text/plain"}


async def get(exchange: Exchange) -> Reply:
    """Answer with the repositories in which the user can read something, or with the configuration of one."""
    if exchange.target.segments:
        return _configuration(exchange)
    query = exchange.target.query
    document: list[jackson.JSON] = [
        _entry(exchange, each)
        for each in exchange.instance.repositories.values()
        if each.kind != "cache"
        and query.get("type", each.kind).lower() == each.kind
        and query.get("packageType", each.package_type).lower() == each.package_type
        and _may_know(exchange, each)
    ]
    return json_reply(document, f"{VENDOR}repositories.RepositoryDetailsList+json", headers=_NO_STORE)


async def create(exchange: Exchange) -> Reply:
    """Answer ``PUT api/repositories/{key}``. [U] The texts of refusals are invented."""
    key = _demand_key(exchange)
    if key in exchange.instance.repositories:
        refuse(400, f"Case insensitive repository key already exists: '{key}'")
    sent = await _read_document(exchange)
    try:
        await _save(exchange, configurations.created(key, sent))
    except ConfigurationError as error:
        refuse(400, str(error))
    return Reply(200, _TEXT, f"Successfully created repository '{key}' \n".encode())


async def update(exchange: Exchange) -> Reply:
    """Answer ``POST api/repositories/{key}``: change the fields that are sent."""
    repository = _configured(exchange, _demand_key(exchange))
    sent = await _read_document(exchange)
    try:
        await _save(exchange, configurations.updated(repository, sent))
    except ConfigurationError as error:
        refuse(400, str(error))
    return Reply(200, _TEXT, f"Repository {repository.key} update successfully.\n".encode())


async def delete(exchange: Exchange) -> Reply:
    """Answer ``DELETE api/repositories/{key}``: delete the repository and its content."""
    repository = _configured(exchange, _demand_key(exchange))
    if repository.package_type == BUILD_INFO_TYPE:
        refuse(403, f"Deletion of Build Info repository {repository.key} is not allowed.")
    await exchange.instance.in_thread(partial(exchange.instance.remove_repository, repository))
    text = f"Repository {repository.key} and all its content have been removed successfully.\n"
    return Reply(200, _TEXT, text.encode())


def _entry(exchange: Exchange, repository: Repository) -> jackson.JSON:
    entry: dict[str, jackson.JSON] = {"key": repository.key}
    if repository.description:
        entry["description"] = repository.description
    entry |= {"type": repository.kind.upper(), "url": repository.url or exchange.link(repository.key)}
    if repository.kind == "remote":
        entry["configuration"] = exchange.link("api/repositories", repository.key, "configuration")
    return entry | {"packageType": _package_type(repository)}


def _package_type(repository: Repository) -> str:
    return "BuildInfo" if repository.package_type == BUILD_INFO_TYPE else repository.package_type.capitalize()


def _may_know(exchange: Exchange, repository: Repository) -> bool:
    """Return whether the user can read something in *repository*, or in one of those that store its items."""
    instance, user = exchange.instance, exchange.user
    return user.admin or any(
        instance.accounts.can_browse(user, each.key, "") for each in instance.storing(repository.key)
    )


def _configuration(exchange: Exchange) -> Reply:
    demand_pro(exchange)
    repository = _configured(exchange, exchange.target.path.removesuffix("/configuration"))
    if not _may_know(exchange, repository):
        exchange.deny("Forbidden", servlet=False)
    document = configurations.document if exchange.user.admin else configurations.summary
    kind = configurations.MEDIA_KINDS[repository.kind]
    return json_reply(
        document(repository), f"{VENDOR}repositories.{kind}RepositoryConfiguration+json", headers=_NO_STORE
    )


def _configured(exchange: Exchange, key: str) -> Repository:
    repository = exchange.instance.repositories.get(key)
    if repository is None or repository.kind == "cache":
        refuse(400, "Bad Request")
    return repository


def _demand_key(exchange: Exchange) -> str:
    """
    Accept only administrators, and return the key of a repository that they name.

    Raises:
        RefusalError: 400 in the open source edition, 401 or 403 for others, 405 without a key.
    """
    demand_pro(exchange)
    exchange.demand_admin()
    if len(exchange.target.segments) != 1:
        refuse(405, "Method Not Allowed")
    return exchange.target.repository


async def _read_document(exchange: Exchange) -> dict[str, object]:
    try:
        sent = jackson.loads(await exchange.whole_body())
    except ValueError:
        sent = None
    return sent if isinstance(sent, dict) else refuse(400, "Error parsing json body")


async def _save(exchange: Exchange, repository: Repository) -> None:
    if wrong := problem(repository, exchange.instance.repositories):
        refuse(400, wrong)
    await exchange.instance.in_thread(partial(exchange.instance.add_repository, repository))
