"""
Repositories: their kinds and settings, and which content they accept and serve.

A local repository stores items. A remote one fetches them from another server, and stores them in its cache, the
repository ``<key>-cache``. A virtual one combines the items of its members.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

from ..layouts import names
from ..layouts.layout import LAYOUTS
from ..protocol import ant_patterns

Kind = Literal["local", "remote", "virtual"]
KINDS: tuple[Kind, ...] = ("local", "remote", "virtual")

ChecksumPolicy = Literal["client", "server", "generate-if-absent", "fail", "ignore-and-generate", "pass-thru"]
SnapshotBehavior = Literal["unique", "non-unique", "deployer"]

BUILD_INFO_TYPE = "buildinfo"
"""Package type of repositories whose files are the documents of builds."""

_CACHE = "-cache"
_LAYOUT_OF_PACKAGE_TYPE = {
    "bower": "bower-default",
    "composer": "composer-default",
    "conan": "conan-default",
    "go": "go-default",
    "gradle": "maven-2-default",
    "ivy": "ivy-default",
    "maven": "maven-2-default",
    "npm": "npm-default",
    "nuget": "nuget-default",
    "puppet": "puppet-default",
    "sbt": "sbt-default",
    "vcs": "vcs-default",
}


class RepositoryOptions(TypedDict, total=False):
    """
    Settings of a repository; all are optional.

    Attributes:
        kind: ``local`` (default), ``remote`` or ``virtual``.
        package_type: Package type in lower case, such as ``maven``; default: ``generic``.
        layout: Name of the repository layout; default: that of the package type.
        description: Free text for the list of repositories.
        notes: Free text for the configuration.
        checksum_policy: For a local repository, ``client`` (default) refuses deployments whose checksums do not match,
            ``server`` ignores the checksums of the client. For a remote one, ``generate-if-absent`` (default) refuses
            files that do not match the checksums of the upstream, ``fail`` also files without checksums;
            ``ignore-and-generate`` and ``pass-thru`` accept all files, and ``pass-thru`` keeps wrong checksums.
        includes: Comma-separated patterns of paths that are served and deployed; default: ``**/*``.
        excludes: Comma-separated patterns of paths that are not; default: none.
        blacked_out: Whether to refuse all downloads and deployments; default: False.
        handle_releases: Whether releases, as defined by the layout, are served and deployed; default: True.
        handle_snapshots: The same for snapshots.
        snapshot_behavior: Names of snapshots in a Maven layout: ``unique`` (default) adds timestamps, ``non-unique``
            removes them, ``deployer`` keeps names as they are.
        content_browsing: Whether browsers may display files, so that ``Content-Disposition`` is not sent; default:
            False.
        download_redirect: Whether to redirect to signed URLs if the server does; default: True.
        url: Upstream of a remote repository: a repository of another server, or any base URL.
        username: User name for the upstream; default: no credentials.
        password: Password for the upstream.
        store_locally: Whether to store fetched files in the cache; default: True.
        offline: Whether to serve from the cache only; default: False.
        hard_fail: Whether to respond with 500 instead of 404 if the network fails; default: False.
        missed_seconds: Seconds for which a 404 of the upstream is cached; default: 1800.
        offline_seconds: Seconds without requests to the upstream after the network failed; default: 300.
        metadata_seconds: Seconds for which Maven metadata and snapshots without timestamp are cached; default: 7200.
        timeout_seconds: Maximum wait for bytes of the upstream in seconds; default: 15.
        members: Keys of the members of a virtual repository. They are searched in this order, but local ones and caches
            before anything is fetched.
        deploy_to: Key of the local member for deployments; by default, they are refused.
        retrieves_for_servers: Whether to fetch from remote members for other Artifactory servers, too; default: False.
    """

    kind: Kind
    package_type: str
    layout: str
    description: str
    notes: str
    checksum_policy: ChecksumPolicy
    includes: str
    excludes: str
    blacked_out: bool
    handle_releases: bool
    handle_snapshots: bool
    snapshot_behavior: SnapshotBehavior
    content_browsing: bool
    download_redirect: bool
    url: str
    username: str
    password: str
    store_locally: bool
    offline: bool
    hard_fail: bool
    missed_seconds: int
    offline_seconds: int
    metadata_seconds: int
    timeout_seconds: float
    members: tuple[str, ...]
    deploy_to: str
    retrieves_for_servers: bool


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository's configuration: the settings of :class:`RepositoryOptions`; *kind* may be ``cache``, too."""

    key: str
    kind: str = "local"
    package_type: str = "generic"
    layout: str = "simple-default"
    description: str = ""
    checksum_policy: str = "client"
    notes: str = ""
    includes: str = "**/*"
    excludes: str = ""
    blacked_out: bool = False
    handle_releases: bool = True
    handle_snapshots: bool = True
    snapshot_behavior: str = "unique"
    content_browsing: bool = False
    download_redirect: bool = True
    url: str = ""
    username: str = ""
    password: str = ""
    store_locally: bool = True
    offline: bool = False
    hard_fail: bool = False
    missed_seconds: int = 1800
    offline_seconds: int = 300
    metadata_seconds: int = 7200
    timeout_seconds: float = 15
    members: tuple[str, ...] = ()
    deploy_to: str = ""
    retrieves_for_servers: bool = False

    @property
    def storage_key(self) -> str | None:
        """Key of the repository that holds the items: this one's, its cache's; None for a virtual one."""
        if self.kind == "virtual":
            return None
        return self.key + _CACHE if self.kind == "remote" else self.key

    @property
    def cache(self) -> "Repository":
        """The cache of this remote repository."""
        return replace(self, key=self.key + _CACHE, kind="cache")

    def without(self, key: str) -> "Repository":
        """Return this virtual repository, without the member *key*."""
        members = tuple(each for each in self.members if each != key)
        return replace(self, members=members, deploy_to="" if self.deploy_to == key else self.deploy_to)

    def rejection(self, path: str, *, is_deploy: bool = False) -> tuple[int, str] | None:
        """Return status and message if settings keep a file from being served or deployed, for any user."""
        address = f"{self.key}:{path}"
        if self.blacked_out:
            return 404, f"The repository '{self.key}' is blacked out and cannot serve artifact '{address}'."
        if not self._handles(path):
            return 409, (
                f"The repository '{self.key}' rejected the resolution of an artifact '{address}'"
                " due to conflict in the snapshot release handling policy."
            )
        if not self._includes(names.split_checksum(path)[0]):
            return 409 if is_deploy else 404, (
                f"The repository '{self.key}' rejected the artifact '{address}'"
                " due to its include/exclude pattern settings."
            )
        return None

    def _handles(self, path: str) -> bool:
        """Look at the layout: what it cannot read is neither release nor snapshot."""
        if self.handle_releases and self.handle_snapshots:
            return True
        layout = LAYOUTS.get(self.layout)
        module = layout.parse(names.split_checksum(path)[0]) if layout else None
        if module is None:
            return True
        return self.handle_snapshots if module.is_integration else self.handle_releases

    def _includes(self, path: str) -> bool:
        return _any_matches(self.includes or "**", path) and not _any_matches(self.excludes, path)


def _any_matches(listed: str, path: str) -> bool:
    each = filter(None, map(str.strip, listed.split(",")))
    return any(ant_patterns.matches(pattern, path) for pattern in each)


def configured(key: str, options: RepositoryOptions) -> Repository:
    """Make a repository of the settings that were given and the defaults of its kind and package type."""
    package_type = options.get("package_type", "generic")
    defaults: RepositoryOptions = {
        "layout": _LAYOUT_OF_PACKAGE_TYPE.get(package_type, "simple-default"),
        "checksum_policy": "generate-if-absent" if options.get("kind") == "remote" else "client",
    }
    settings: dict[str, Any] = {**defaults, **options, "members": tuple(options.get("members", ()))}
    return Repository(key, **settings)


def problem(repository: Repository, others: Mapping[str, Repository]) -> str | None:
    """Return what is wrong with the settings of *repository*, seen among the *others* of its server."""
    if not repository.key or any(character in '/\\:|?*"<> ' for character in repository.key):
        return f"Invalid repository key: '{repository.key}'"
    taken = others.get(repository.key)
    if taken and taken.kind == "cache":
        return f"Repository key '{repository.key}' is that of a cache"
    if repository.kind == "remote" and not repository.url:
        return f"Remote repository '{repository.key}' needs a url"
    for member in repository.members:
        if member not in others:
            return f"Virtual repository '{repository.key}' names an unknown member: '{member}'"
    deploy_to = others.get(repository.deploy_to)
    if repository.deploy_to and (deploy_to is None or deploy_to.kind != "local"):
        return f"'{repository.deploy_to}' is not a local repository to deploy to"
    return None


def with_caches(configurations: Iterable[Repository]) -> Iterator[Repository]:
    """Yield every repository, and its cache after each remote one."""
    for repository in configurations:
        yield repository
        if repository.kind == "remote":
            yield repository.cache


def members_of(virtual: Repository, repositories: Mapping[str, Repository]) -> list[Repository]:
    """Return the local, remote and cache repositories behind *virtual*, each once, in resolution order."""
    return list(dict.fromkeys(_unfolded(virtual, repositories, {virtual.key})))


def _unfolded(virtual: Repository, repositories: Mapping[str, Repository], seen: set[str]) -> Iterator[Repository]:
    for key in virtual.members:
        member = repositories.get(key)
        if member is None or key in seen:
            continue
        if member.kind == "virtual":
            yield from _unfolded(member, repositories, seen | {key})
        else:
            yield member


def storing(repository: Repository, repositories: Mapping[str, Repository]) -> list[Repository]:
    """
    Return the repositories whose items show up in *repository*, the first that has an item first.

    Local ones come before caches, whatever the order of the members.

    See: JFrog, "Virtual Repositories", on the search order.
    """
    members = members_of(repository, repositories) if repository.kind == "virtual" else [repository]
    holding = dict.fromkeys(repositories[each.storage_key] for each in members if each.storage_key)
    return sorted(holding, key=lambda each: each.kind != "local")
