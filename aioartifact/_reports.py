"""What a bulk call did: one outcome per file, one report per call, one error for its failures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from ._errors import ArtifactoryError

Status = Literal["downloaded", "deployed", "copied", "renamed", "deleted", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of one file.

    Attributes:
        url: URL of the file, percent-encoded; of the target folder where none could be decided for the file.
        path: Local file, as ``str``; None where none could be decided.
        status: ``"downloaded"``, ``"deployed"``, ``"unchanged"`` (the content was already where it goes, or what
            is there is to be kept whatever it holds) or ``"failed"``; of a sync also ``"copied"``, ``"renamed"``
            (the destination had the content under another name) and ``"deleted"``.
        size: Bytes of the file; 0 for a failure.
        sha256: SHA-256 of the verified content, or None where another checksum was compared, or the server told none.
        seconds: Time from the start of this file to its end.
        error: Why it failed, or None.
        was_replaced: Whether the server's file was replaced after it was listed. The bytes are those of the new file,
            which its info confirmed.
    """

    url: str
    path: str | None
    status: Status
    size: int = 0
    sha256: str | None = None
    seconds: float = 0.0
    error: ArtifactoryError | None = None
    was_replaced: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """
    Every outcome of a bulk call, in the order the files finished.

    Attributes:
        outcomes: One per item.
        seconds: Time of the whole call.
    """

    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0

    def __repr__(self) -> str:
        counts = Counter(outcome.status for outcome in self.outcomes)
        shown = "".join(f", {status}={count}" for status, count in counts.items())
        return f"{type(self).__name__}(files={len(self)}{shown}, seconds={self.seconds:.3g})"

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    def _of(self, status: Status) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status == status)

    @property
    def downloaded(self) -> tuple[Outcome, ...]:
        """Files whose bytes were fetched."""
        return self._of("downloaded")

    @property
    def replaced(self) -> tuple[Outcome, ...]:
        """Files that were replaced on the server after they were listed, and downloaded with their new content."""
        return tuple(outcome for outcome in self.outcomes if outcome.was_replaced)

    @property
    def deployed(self) -> tuple[Outcome, ...]:
        """Files the server has now, whether their bytes were sent or it had them under another name."""
        return self._of("deployed")

    @property
    def copied(self) -> tuple[Outcome, ...]:
        """Files whose content the destination of a sync had under another name, which it keeps."""
        return self._of("copied")

    @property
    def renamed(self) -> tuple[Outcome, ...]:
        """Files whose content the destination of a sync had under another name, which is gone."""
        return self._of("renamed")

    @property
    def deleted(self) -> tuple[Outcome, ...]:
        """Files that a sync deleted."""
        return self._of("deleted")

    @property
    def unchanged(self) -> tuple[Outcome, ...]:
        """Files that were already there with the right content."""
        return self._of("unchanged")

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Files that failed; each has its error."""
        return self._of("failed")

    @property
    def bytes_downloaded(self) -> int:
        """Bytes fetched, over all downloaded files."""
        return sum(outcome.size for outcome in self.downloaded)

    def raise_for_failures(self) -> Self:
        """
        Return this report if nothing failed.

        Raises:
            BatchError: At least one file failed.
        """
        if failed := self.failed:
            errors = [outcome.error for outcome in failed if outcome.error]
            count = "1 file" if len(failed) == 1 else f"{len(failed)} files"
            raise BatchError(f"{count} failed, the first with: {errors[0]}", errors, self)
        return self


class BatchError(ExceptionGroup[ArtifactoryError]):
    """
    Files of a bulk call failed; the others are done.

    Attributes:
        report: Every outcome of an awaited call; the failures alone where outcomes were taken one by one.
    """

    report: Report

    def __new__(cls, message: str, errors: Sequence[ArtifactoryError], report: Report) -> Self:
        group = super().__new__(cls, message, errors)
        group.report = report
        return group

    def __init__(self, message: str, errors: Sequence[ArtifactoryError], report: Report) -> None:
        super().__init__(message, errors)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, {len(self.exceptions)} errors)"

    def derive(self, errors: Sequence[ArtifactoryError]) -> Self:  # type: ignore[override]  # parts hold our own errors too
        return type(self)(self.message, errors, self.report)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, list(self.exceptions), self.report)
