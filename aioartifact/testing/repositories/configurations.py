"""
A repository's configuration as JSON: what the REST API shows of it, and what it makes of what is sent.

Fields that this server does nothing with are shown with the real server's default, and overlooked when sent.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from ..protocol import jackson
from .definitions import KINDS, Kind, Repository, RepositoryOptions, configured

MEDIA_KINDS = {"local": "Local", "remote": "Remote", "virtual": "Virtual"}

_POLICIES = {"client": "client-checksums", "server": "server-generated-checksums"}
_REMOTE_POLICIES = ("generate-if-absent", "fail", "ignore-and-generate", "pass-thru")
_BEHAVIORS = ("unique", "non-unique", "deployer")

_ALL = {
    "description": "description",
    "notes": "notes",
    "includesPattern": "includes",
    "excludesPattern": "excludes",
    "repoLayoutRef": "layout",
}
_REAL = {
    **_ALL,
    "handleReleases": "handle_releases",
    "handleSnapshots": "handle_snapshots",
    "blackedOut": "blacked_out",
    "archiveBrowsingEnabled": "content_browsing",
    "downloadRedirect": "download_redirect",
}
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "local": {**_REAL, "snapshotVersionBehavior": "snapshot_behavior", "checksumPolicyType": "checksum_policy"},
    "remote": {
        **_REAL,
        "url": "url",
        "username": "username",
        "password": "password",
        "remoteRepoChecksumPolicyType": "checksum_policy",
        "storeArtifactsLocally": "store_locally",
        "offline": "offline",
        "hardFail": "hard_fail",
        "missedRetrievalCachePeriodSecs": "missed_seconds",
        "assumedOfflinePeriodSecs": "offline_seconds",
        "retrievalCachePeriodSecs": "metadata_seconds",
    },
    "virtual": {
        **_ALL,
        "repositories": "members",
        "defaultDeploymentRepo": "deploy_to",
        "artifactoryRequestsCanRetrieveRemoteArtifacts": "retrieves_for_servers",
    },
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "checksumPolicyType": tuple(_POLICIES.values()),
    "remoteRepoChecksumPolicyType": _REMOTE_POLICIES,
    "snapshotVersionBehavior": _BEHAVIORS,
}
_NOT_SERVED: Mapping[str, jackson.JSON] = {"maxUniqueSnapshots": 0, "propertySets": []}
_PACKAGE_TYPES = (
    *("Bower", "Chef", "CocoaPods", "Composer", "Conan", "Debian", "Docker", "Gems", "GitLfs", "Npm", "NuGet"),
    *("Puppet", "Pypi", "Vagrant"),
)
_SECRETS = {"password": "***"}


class ConfigurationError(ValueError):
    """A configuration cannot be read; the text says why."""


def document(repository: Repository) -> dict[str, jackson.JSON]:
    """Return everything there is to say of a repository; a password is masked."""
    shown = {name: _shown(name, repository, attribute) for name, attribute in _FIELDS[repository.kind].items()}
    more = _NOT_SERVED if repository.kind != "virtual" else {}
    supports: dict[str, jackson.JSON] = {
        f"enable{name}Support": name.lower() == repository.package_type for name in _PACKAGE_TYPES
    }
    return {**summary(repository), **shown, **more, **supports}


def summary(repository: Repository) -> dict[str, jackson.JSON]:
    """Return what anybody who may use a repository may know of it. [U] Which fields those are."""
    return {
        "key": repository.key,
        "rclass": repository.kind,
        "packageType": repository.package_type,
        "description": repository.description,
    }


def _shown(name: str, repository: Repository, attribute: str) -> jackson.JSON:
    value: jackson.JSON = getattr(repository, attribute)
    if name == "checksumPolicyType":
        return _POLICIES[repository.checksum_policy]
    return _SECRETS.get(name, value) if value else value


def created(key: str, sent: Mapping[str, Any]) -> Repository:
    """
    Read the configuration of a new repository.

    Raises:
        ConfigurationError: If a field has a value that it cannot have.
    """
    kind: Kind | None = next((each for each in KINDS if each == sent.get("rclass")), None)
    if kind is None:
        raise ConfigurationError(f"'{sent.get('rclass')}' is not a repository class: use {', '.join(KINDS)}")
    package_type = "generic" if sent.get("packageType") is None else sent["packageType"]
    if not isinstance(package_type, str):
        raise ConfigurationError("Unexpected value of the field 'packageType'")
    options = RepositoryOptions(kind=kind, package_type=package_type.lower())
    return updated(configured(key, options), sent)


def updated(repository: Repository, sent: Mapping[str, Any]) -> Repository:
    """
    Read what changes in the configuration of a repository.

    Raises:
        ConfigurationError: If a field has a value that it cannot have, or the key or class is another one.
    """
    for name, has in (("key", repository.key), ("rclass", repository.kind)):
        if sent.get(name, has) != has:
            raise ConfigurationError(f"The field '{name}' cannot be changed from '{has}' to '{sent[name]}'")
    fields = _FIELDS[repository.kind]
    defaults = asdict(configured(repository.key, _options(repository)))
    changes = {
        attribute: defaults[attribute] if sent[name] is None else _read(name, sent[name], defaults[attribute])
        for name, attribute in fields.items()
        if name in sent and sent[name] != _SECRETS.get(name)
    }
    return replace(repository, **changes)


def _options(repository: Repository) -> RepositoryOptions:
    kind: Kind = next(each for each in KINDS if each == repository.kind)
    return RepositoryOptions(kind=kind, package_type=repository.package_type)


def _read(name: str, value: Any, default: object) -> Any:
    """Return the value of a field, which must be of the type of its *default*."""
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ConfigurationError(f"'{value}' is not a value of the field '{name}': use {', '.join(_CHOICES[name])}")
    if name == "checksumPolicyType":
        return next(policy for policy, text in _POLICIES.items() if text == value)
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
    elif type(value) is type(default):
        return value
    raise ConfigurationError(f"Unexpected value of the field '{name}'")
