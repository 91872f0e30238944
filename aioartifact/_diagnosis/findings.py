"""The result of a diagnosis."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One check of a diagnosis.

    Attributes:
        check: What was checked: ``"dns"``, ``"proxy"``, ``"connection"``, ``"tls"``, ``"address"``, ``"clock"``,
            ``"latency"``, ``"version"``, ``"credentials"``, ``"repositories"``, ``"listing"``, ``"aql"``,
            ``"ranges"``, ``"storage"`` or ``"checksums"``.
        status: ``"ok"``; ``"warn"`` if calls work, but slower or not all of them; ``"fail"`` if calls fail.
        text: What was found.
        hint: What to do, or None.
    """

    check: str
    status: Status
    text: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.status:<5} {self.check:<12}  {self.text}" + (f" — {self.hint}" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    What :func:`diagnose` has found, in the order of the checks.

    Attributes:
        url: Base address of the server, as found; the requested one if there is none.
        findings: One for each check; checks that need a failed one are missing.
    """

    url: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed; there may be warnings."""
        return all(finding.status != "fail" for finding in self.findings)

    def __getitem__(self, check: str) -> Finding:
        """
        Return the finding of a check.

        Raises:
            KeyError: If it was not made.
        """
        for finding in self.findings:
            if finding.check == check:
                return finding
        raise KeyError(check)

    def __str__(self) -> str:
        return "\n".join([self.url, *map(str, self.findings)])
