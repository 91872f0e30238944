"""Grants and permission targets: what users and groups may do at which paths."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..protocol import ant_patterns
from .principals import User

LETTERS = "rwndm"
# By the letters of the first API: the names of the second one. Those after "manage" decide nothing here.
ACTIONS = {
    "r": "read",
    "w": "write",
    "n": "annotate",
    "d": "delete",
    "m": "manage",
    "mxm": "managedXrayMeta",
    "mxw": "managedXrayWatches",
    "mxp": "managedXrayPolicies",
    "x": "distribute",
}
BUILD_INFO = "artifactory-build-info"
ANY, ANY_LOCAL, ANY_REMOTE = "ANY", "ANY LOCAL", "ANY REMOTE"
ANY_KEYS = frozenset({ANY, ANY_LOCAL, ANY_REMOTE, "ANY DISTRIBUTION"})


@dataclass(frozen=True, slots=True)
class Grant:
    """
    A permission: letters of r (read), w (deploy), n (annotate), d (delete), m (manage) on a path pattern.

    Attributes:
        user: Name of a user, or of a group if *is_group*.
        repository: Repository key or pattern, or one of ``ANY``, ``ANY LOCAL`` and ``ANY REMOTE``.
        excludes: Patterns of paths that are left out.
    """

    user: str
    repository: str
    actions: str
    pattern: str
    is_group: bool = False
    excludes: tuple[str, ...] = ()

    def concerns(self, user: User) -> bool:
        """Whether this is granted to *user*."""
        return self.user in user.groups if self.is_group else self.user == user.name

    def covers(self, path: str) -> bool:
        """Whether this is granted at *path*."""
        return ant_patterns.matches(self.pattern, path) and not self._excludes(path)

    def may_cover_below(self, folder: str) -> bool:
        """Whether this could be granted at *folder* or below it."""
        return ant_patterns.may_hold_matches(self.pattern, folder) and not self._excludes(folder)

    def _excludes(self, path: str) -> bool:
        return any(ant_patterns.matches(pattern, path) for pattern in self.excludes)


Principals = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """
    The part of a permission target for one kind of resource.

    Attributes:
        includes: Patterns of paths; none for every path.
        excludes: Patterns of paths that are left out.
        users: Letters of actions (keys of :data:`ACTIONS`) by user.
        groups: The same by group.
    """

    repositories: tuple[str, ...]
    includes: tuple[str, ...] = ("**",)
    excludes: tuple[str, ...] = ()
    users: Principals = field(default_factory=dict)
    groups: Principals = field(default_factory=dict)

    def grants(self) -> Iterator[Grant]:
        """Yield what this permits, a grant for each principal, repository and pattern."""
        for is_group, principals in ((False, self.users), (True, self.groups)):
            for name, actions in principals.items():
                letters = "".join(letter for letter in LETTERS if letter in actions)
                for repository in self.repositories:
                    for pattern in self.includes or ("**",):
                        yield Grant(name, repository, letters, pattern, is_group, self.excludes)

    def actions_of(self, user: User) -> frozenset[str]:
        """Return what *user* may do, itself or as a member of its groups."""
        own = self.users.get(user.name, frozenset())
        return own.union(*(actions for group, actions in self.groups.items() if group in user.groups))

    def without(self, name: str, *, is_group: bool) -> "Section":
        """Return this section with a user or a group removed."""
        if is_group:
            return replace(self, groups={each: actions for each, actions in self.groups.items() if each != name})
        return replace(self, users={each: actions for each, actions in self.users.items() if each != name})


@dataclass(frozen=True, slots=True)
class PermissionTarget:
    """
    A named set of permissions.

    Attributes:
        repo: Permissions on items; None for none.
        build: Permissions on builds: on their documents in the repository for build info; None for none.
    """

    name: str
    repo: Section | None = None
    build: Section | None = None

    @property
    def sections(self) -> list[Section]:
        """The sections that are set."""
        return [section for section in (self.repo, self.build) if section]

    def is_managed_by(self, user: User) -> bool:
        """Whether *user* may see this target and change its actions."""
        return user.admin or any("m" in section.actions_of(user) for section in self.sections)

    def without(self, name: str, *, is_group: bool) -> "PermissionTarget":
        """Return this target with a user or a group removed."""
        repo, build = (
            section.without(name, is_group=is_group) if section else None for section in (self.repo, self.build)
        )
        return replace(self, repo=repo, build=build)
