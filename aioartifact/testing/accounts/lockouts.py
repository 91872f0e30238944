"""What failed logins lead to: a wait that grows, and a locked account."""

from dataclasses import dataclass, field
from math import ceil

from ..protocol.replies import refuse

_STEP = 0.5  # seconds; the wait after the second failure, and by how much each further one adds


@dataclass(slots=True)
class Lockouts:
    """
    Failed logins per user name.

    Args:
        suspends: Whether a user whose logins fail twice in a row has to wait before the next one.
        lock_after: Failures in a row that lock a user until an administrator unlocks it; None for never.
        longest: Seconds up to which the wait grows.
    """

    suspends: bool
    lock_after: int | None
    longest: float
    _failures: dict[str, int] = field(default_factory=dict)
    _waits: dict[str, float] = field(default_factory=dict)
    _locked: set[str] = field(default_factory=set)

    @property
    def locked(self) -> list[str]:
        """The names of the locked users."""
        return sorted(self._locked)

    def lock(self, name: str) -> None:
        """Lock a user."""
        self._locked.add(name)

    def unlock(self, name: str) -> None:
        """Unlock a user and forget its failures."""
        self._locked.discard(name)
        self.succeeded(name)

    def check(self, name: str, now: float) -> None:
        """
        Let pass who may try to log in at *now* (epoch seconds), with right credentials or wrong ones.

        Raises:
            RefusalError: 403, the user is locked or has to wait.
        """
        if name in self._locked:
            _deny("User is Locked.\nContact System Administrator to Unlock The Account.")
        if (left := self._waits.get(name, now) - now) > 0:
            _deny(f"This request is blocked due to recurrent login failures, please try again in {ceil(left)} seconds")

    def failed(self, name: str, now: float) -> None:
        """Count a failed login."""
        failures = self._failures[name] = self._failures.get(name, 0) + 1
        if self.suspends and failures > 1:
            self._waits[name] = now + min((failures - 1) * _STEP, self.longest)
        if failures == self.lock_after:
            self._locked.add(name)

    def succeeded(self, name: str) -> None:
        """Forget the failures of a user."""
        self._failures.pop(name, None)
        self._waits.pop(name, None)


def _deny(message: str) -> None:
    refuse(403, message, servlet=True, challenge=True)
