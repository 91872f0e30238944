"""Control of a server by tests, without HTTP; shared by the server in the event loop and the threaded one."""

import json
import os
import random
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Literal, Unpack

from .accounts.oidc import IdentityMapping
from .accounts.permission_targets import Grant
from .accounts.principals import User
from .accounts.tokens import Order
from .indexes import arrivals
from .instance import MEGABYTE, FolderDownload, Instance
from .protocol.formats import to_ms
from .repositories import definitions
from .repositories.definitions import RepositoryOptions
from .runner import Runner
from .storage.blobs import BATCH
from .storage.store import Checksums, Deployment, Item
from .wire.faults import Fault, FaultHandle
from .wire.log import RequestRecord

DescriptionForm = Literal["text", "env", "json"]


class Control:
    """
    Content, accounts, faults and the request log of a running server.

    Addresses are ``"repository/path"``, not percent-encoded; a remote repository means its cache. Methods send no
    requests, so they are not in the request log; any thread may call them.

    Attributes:
        strict: Whether the server fails at its end if endpoints were requested that it does not serve.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.strict: bool = runner.strict
        self._resetting = Lock()

    @property
    def _instance(self) -> Instance:
        return self._runner.instance

    @property
    def origin(self) -> str:
        """Scheme, host and port, such as ``http://127.0.0.1:8081``."""
        return self._instance.origin

    @property
    def url(self) -> str:
        """Base address of the server, which is the origin and the context path."""
        return self._instance.origin + self._instance.context_path

    @property
    def storage_origin(self) -> str:
        """Scheme, host and port of the second origin, which serves signed URLs and refuses credentials."""
        return self._instance.storage_origin

    @property
    def username(self) -> str:
        """Name of the administrator."""
        return self._runner.admin.name

    @property
    def password(self) -> str:
        """Password of the administrator."""
        return self._runner.admin.password or ""

    @property
    def api_key(self) -> str:
        """API key of the administrator; ``""`` without one."""
        admin = self._instance.accounts.get(self.username) or self._runner.admin
        return admin.api_key or ""

    @property
    def token(self) -> str:
        """Access token of the administrator."""
        return self._runner.admin.token or ""

    @property
    def control_url(self) -> str:
        """Base URL of the control interface; ``""`` without *control*."""
        return self._runner.control_origin

    @property
    def control_token(self) -> str:
        """Bearer token for :attr:`control_url`; ``""`` without *control*."""
        return self._runner.control_token

    def describe(self, form: DescriptionForm) -> str:
        """
        Return addresses and credentials for programs that use this server.

        Args:
            form: ``"text"``: URL, user name and password, and where HTTP controls the server its URL and its token,
                a line each. ``"env"``: commands for a POSIX shell that export ``ARTIFACTORY_URL``,
                ``ARTIFACTORY_USERNAME``, ``ARTIFACTORY_PASSWORD``, ``ARTIFACTORY_API_KEY``, ``ARTIFACTORY_PID`` and
                the two ``ARTIFACTORY_CONTROL_URL`` and ``ARTIFACTORY_CONTROL_TOKEN``. ``"json"``: an object in one
                line with the same names in lower case, without ``ARTIFACTORY_``.

        Returns:
            Lines, each with a line break.
        """
        names = ("url", "username", "password", "api_key", "control_url", "control_token")
        values = {name: value for name in names if (value := getattr(self, name))}
        if form == "json":
            return json.dumps({**values, "pid": os.getpid()}) + "\n"
        if form == "env":
            items = {**values, "pid": str(os.getpid())}.items()
            return "".join(f"export ARTIFACTORY_{name.upper()}={shlex.quote(value)}\n" for name, value in items)
        return "".join(f"{value}\n" for name, value in values.items() if name != "api_key")

    def reset(self) -> None:
        """
        Return to the state at the start: empty the server, and call *seed* again.

        Items, repositories, users, permissions, tokens, faults and the request log are those of the start, and the
        clock shows the time of the machine, unless *clock* was given.

        Raises:
            ValueError: If the server keeps its data in a folder.
        """
        if self._runner.keeps_data:
            raise ValueError("a server with a data folder cannot be reset: that would delete what the folder keeps")
        with self._resetting:
            self._runner.reset()
            self._prepare()

    # Configuration

    def create_repository(self, key: str, **options: Unpack[RepositoryOptions]) -> None:
        """
        Create an empty repository, or change the settings of an existing one.

        ::

            server.create_repository("maven-local", package_type="maven")
            server.create_repository("mirror", kind="remote", url=f"{other.url}/maven-local")
            server.create_repository("maven", kind="virtual", members=("maven-local", "mirror"))

        Args:
            key: The repository key.
            options: The settings in :class:`RepositoryOptions`. Missing ones have their defaults, also for an existing
                repository.

        Raises:
            ValueError: If the settings are invalid: an invalid key, a remote repository without a URL, or a virtual one
                with members that do not exist.
        """
        repository = definitions.configured(key, options)
        if wrong := definitions.problem(repository, self._instance.repositories):
            raise ValueError(wrong)
        self._instance.add_repository(repository)

    def has_repository(self, key: str) -> bool:
        """Return whether a repository with this key exists."""
        return key in self._instance.repositories

    def enable_folder_download(
        self, *, max_megabytes: int = 1024, max_files: int = 5000, max_parallel: int = 10, anonymous: bool = False
    ) -> None:
        """
        Allow downloads of folders as archives, which a new Artifactory refuses.

        Args:
            max_megabytes: Maximum size of all files in one archive, in MiB.
            max_files: Maximum number of files in one archive.
            max_parallel: Maximum number of archives at the same time.
            anonymous: Whether requests without credentials may request archives.
        """
        self._instance.folder_download = FolderDownload(max_megabytes * MEGABYTE, max_files, max_parallel, anonymous)

    def add_user(
        self,
        name: str,
        *,
        password: str | None = None,
        api_key: str | None = None,
        token: str | None = None,
        admin: bool = False,
        groups: Iterable[str] = (),
        password_expired: bool = False,
    ) -> None:
        """
        Add or replace a user; unless *admin* is True, it has no permissions until :meth:`grant`.

        Args:
            name: User name.
            password: Password for Basic authentication, or None.
            api_key: API key, or None.
            token: Any text as a token that never expires, or None; :meth:`issue_token` issues real tokens.
            admin: Whether the user is an administrator.
            groups: Groups of the user, see :meth:`grant_group`.
            password_expired: Whether the password is refused until it is changed.
        """
        user = User(name, password, api_key, token, admin, frozenset(groups), password_expired)
        self._instance.accounts.add(user)

    def lock_user(self, name: str) -> None:
        """Lock a user: all its requests get 403, whatever the credentials."""
        self._instance.accounts.lockouts.lock(name)

    def unlock_user(self, name: str) -> None:
        """Unlock a user, and reset its count of failed logins."""
        self._instance.accounts.lockouts.unlock(name)

    def issue_token(
        self, username: str, *, scope: str = "applied-permissions/user", expires_in: int | None = None
    ) -> str:
        """
        Issue an access token.

        Args:
            username: User of the token; if the user does not exist, ``token:<username>``.
            scope: Scope of the token.
            expires_in: Seconds of the server's clock until it expires; None for never.

        Returns:
            A JWT.
        """
        order = Order(username=username, scope=scope, audience="*@*", lifetime=expires_in)
        return self._instance.accounts.tokens.issue(order, self._instance.clock()).text

    def map_identity(
        self,
        provider: str,
        username: str,
        *,
        claims: Mapping[str, str],
        scope: str = "applied-permissions/user",
        name: str = "",
        expires_in: int = 3600,
    ) -> None:
        """
        Allow the exchange of identity tokens of a provider for access tokens (7.x).

        Args:
            provider: Name of the provider in requests.
            username: User of the access token.
            claims: Required claims of the identity token, as patterns with ``*`` and ``**``. Its signature is not
                checked.
            scope: Scope of the access token.
            name: Name of the mapping, for requests that choose one.
            expires_in: Seconds of the server's clock until the access token expires.
        """
        mapping = IdentityMapping(provider, name, dict(claims), username, scope, expires_in)
        self._instance.accounts.mappings.append(mapping)

    def grant(self, user: str, repository: str, actions: str = "r", path: str = "**") -> None:
        """
        Grant permissions to a user.

        Args:
            user: User name; ``anonymous`` for requests without credentials.
            repository: Repository key or pattern.
            actions: Letters of r (read), w (deploy), n (set properties), d (delete, overwrite), m (manage).
            path: Pattern of paths inside the repository; ``*`` matches within a segment, ``**`` across segments.
        """
        self._instance.accounts.grant(Grant(user, repository, actions, path))

    def grant_group(self, group: str, repository: str, actions: str = "r", path: str = "**") -> None:
        """Grant permissions to all users of a group; otherwise like :meth:`grant`."""
        self._instance.accounts.grant(Grant(group, repository, actions, path, is_group=True))

    # Content

    def put(
        self,
        address: str,
        data: bytes | Path,
        *,
        properties: Mapping[str, str | Sequence[str]] | None = None,
        created: datetime | None = None,
        modified: datetime | None = None,
        original: bool = True,
    ) -> None:
        """
        Store a file like a deployment: Maven metadata is computed, and Python packages are indexed.

        Args:
            address: ``"repository/path"``; the repository must exist, missing folders are created.
            data: The content, or a local file to copy.
            properties: Values by key: a str or several.
            created: Creation time with a time zone; None means now.
            modified: Modification time with a time zone; None means now.
            original: Whether to record the checksums as sent by the client.
        """
        store = self._instance.store
        with store.lease():
            content = store.blobs.add_all(_batches_of(data)) if isinstance(data, Path) else store.blobs.add(data)
            supplied = Checksums(content.sha1, content.md5, content.sha256) if original else Checksums()
            deployment = self._deployment(supplied, properties, created, modified)
            key, path = self._locate(address)
            arrivals.store_file(store, self._instance.repositories[key], path, content, deployment)

    def put_tree(self, address: str, folder: Path) -> None:
        """Store all files below the local *folder* under *address*, and create empty folders."""
        for local in sorted(folder.rglob("*")):
            target = f"{address}/{local.relative_to(folder).as_posix()}"
            if local.is_dir():
                self.make_folder(target)
            else:
                self.put(target, local)

    def put_synthetic(self, address: str, size: int, seed: int = 0) -> None:
        """Store *size* pseudo-random bytes, the same for the same *seed*, without keeping them in memory."""
        store = self._instance.store
        with store.lease():
            content = store.blobs.add_all(synthetic(size, seed))
            supplied = Checksums(content.sha1, content.md5, content.sha256)
            store.put(*self._locate(address), content, self._deployment(supplied))

    def make_folder(self, address: str, *, properties: Mapping[str, str | Sequence[str]] | None = None) -> None:
        """Make a folder and its parents."""
        repository, path = self._locate(address)
        self._instance.store.make_folder(repository, path, self._deployment(Checksums(), properties))

    def read(self, address: str) -> bytes:
        """
        Return the content of a file.

        Raises:
            FileNotFoundError: If the file does not exist.
        """
        store = self._instance.store
        with store.lease():
            return store.blob_of(self._file(address)).read_bytes()

    def exists(self, address: str) -> bool:
        """Return whether a file or folder exists."""
        return self._instance.store.get(*self._locate(address)) is not None

    def checksums(self, address: str) -> dict[str, str]:
        """
        Return ``sha1``, ``md5`` and ``sha256`` of a file in hex.

        Raises:
            FileNotFoundError: If the file does not exist.
        """
        content = self._file(address).content
        return {"sha1": content.sha1, "md5": content.md5, "sha256": content.sha256}

    def properties(self, address: str) -> dict[str, list[str]]:
        """
        Return the properties of a file or folder, with their values.

        Raises:
            FileNotFoundError: If the item does not exist.
        """
        return self._instance.store.properties(self._item(address))

    # Trouble

    def fail(self, method: str = "GET", pattern: str = "**", *, times: int | None = 1, fault: Fault) -> FaultHandle:
        """
        Inject a fault.

        Args:
            method: HTTP method, ``*`` for any.
            pattern: Path below the context path, with ``*``, ``?`` and ``**``; the prefix ``storage:`` means the origin
                of signed URLs.
            times: Number of requests that the fault affects; None for all.
            fault: The fault. If several match a request, the first injected one applies.

        Returns:
            A handle to wait for an affected request, and to release it.
        """
        handle = FaultHandle(method, pattern, times, fault, self._instance.clock)
        self._runner.faults.add(handle)
        return handle

    def clear_faults(self) -> None:
        """Remove all faults, and release the requests that they hold."""
        self._runner.faults.clear()

    # Observation

    @property
    def requests(self) -> list[RequestRecord]:
        """All requests so far, in order of arrival."""
        return list(self._runner.log.records)

    def count(self, method: str | None = None, pattern: str | None = None) -> int:
        """Count requests by method and path pattern; None stands for any."""
        return self._runner.log.count(method, pattern)

    @property
    def connections(self) -> int:
        """Number of TCP connections of the recorded requests."""
        return self._runner.log.connections()

    @property
    def max_in_flight(self) -> int:
        """Maximum number of requests in progress at the same time, until the end of their bodies."""
        return self._runner.log.max_in_flight

    def clear_log(self) -> None:
        """Clear the request log."""
        self._runner.log.clear()

    def assert_requests(self, expected: Sequence[str]) -> None:
        """
        Compare the requests with ``["GET generic-local/a.bin", ...]``, exactly and in order.

        A line that contains ``?`` compares the query as sent, too.

        Raises:
            AssertionError: If they differ; the message is a diff.
        """
        self._runner.log.check(expected)

    def assert_counts(self, expected: Mapping[str, int]) -> None:
        """
        Compare the counts of requests with ``{"GET generic-local/**": 3, "POST api/search/aql": 1}``.

        Paths are patterns; a request is counted for the first one that matches. A request without a match is a
        difference, too.

        Raises:
            AssertionError: If they differ; the message is a diff.
        """
        self._runner.log.check_counts(expected)

    @property
    def unknown_endpoints(self) -> list[str]:
        """Requested endpoints that the server does not serve, such as ``GET api/unknown``, without duplicates."""
        return self._runner.log.unknown()

    def _demand_known_endpoints(self) -> None:
        """
        Fail in strict mode if unknown endpoints were requested.

        Raises:
            AssertionError: If endpoints were requested that are not served; the message lists them.
        """
        if self.strict and (unknown := self.unknown_endpoints):
            raise AssertionError("the server does not serve\n" + "\n".join(unknown))

    # Pieces

    def _prepare(self) -> None:
        if self._runner.seed:
            self._runner.seed(self)

    def _locate(self, address: str) -> tuple[str, str]:
        key, _, path = address.strip("/").partition("/")
        repository = self._instance.repositories.get(key)
        if repository is None:
            raise LookupError(f"no repository {key!r}: create_repository() makes one")
        if repository.storage_key is None:
            raise LookupError(f"{key!r} is a virtual repository: its members hold the items")
        return repository.storage_key, path

    def _item(self, address: str) -> Item:
        item = self._instance.store.get(*self._locate(address))
        if item is None:
            raise FileNotFoundError(f"no item {address!r} on the server")
        return item

    def _file(self, address: str) -> Item:
        item = self._item(address)
        if item.is_folder:
            raise FileNotFoundError(f"{address!r} is a folder on the server")
        return item

    def _deployment(
        self,
        supplied: Checksums,
        properties: Mapping[str, str | Sequence[str]] | None = None,
        created: datetime | None = None,
        modified: datetime | None = None,
    ) -> Deployment:
        return Deployment(
            by=self.username,
            now=self._instance.now_ms(),
            created=to_ms(created) if created else None,
            modified=to_ms(modified) if modified else None,
            original=supplied,
            properties={
                key: [values] if isinstance(values, str) else list(values) for key, values in (properties or {}).items()
            },
        )


def synthetic(size: int, seed: int = 0) -> Iterator[bytes]:
    """Yield *size* pseudo-random bytes in batches, the same for the same *seed* on every machine."""
    source = random.Random(seed)  # noqa: S311  # content, not secrets
    for start in range(0, size, BATCH):
        yield source.randbytes(min(BATCH, size - start))


def _batches_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while batch := file.read(BATCH):
            yield batch
