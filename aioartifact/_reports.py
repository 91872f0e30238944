"""Results of bulk calls: an outcome per item, a report per call, and an error for failures."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar, overload

from ._errors import ArtifactoryError
from ._reprs import html_size, html_table

Status = Literal["downloaded", "deployed", "copied", "moved", "renamed", "deleted", "unchanged", "planned", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    The outcome of one item of a bulk call.

    Attributes:
        url: URL of the item, percent-encoded; for a copy or a move, the new URL. If there is none, because the item is
            invalid, the URL of the target folder or of the source.
        path: Path of the local file, or None.
        status: ``"downloaded"``, ``"deployed"``, ``"copied"``, ``"moved"``, ``"deleted"``, ``"unchanged"`` (the target
            already has the content, existing files are kept, or there was nothing to delete), ``"planned"`` (in a dry
            run) or ``"failed"``. In a sync also ``"renamed"``, and ``"copied"`` for content that the destination had
            under another name.
        size: Size of the file in bytes; 0 for a failure, a copy and a move, and for a deletion that is not a dry run.
        sha256: SHA-256 of the verified content; None if it was not verified, or by another checksum.
        seconds: Duration.
        error: The error of a failure, or None.
        was_replaced: Whether the file was replaced on the server after it was listed, and the new content was
            downloaded.
        source: URL of the source of a copy or a move; otherwise None.
        from_cache: Whether a downloaded file was taken from the cache.
    """

    url: str
    path: str | None
    status: Status
    size: int = 0
    sha256: str | None = None
    seconds: float = 0.0
    error: ArtifactoryError | None = None
    was_replaced: bool = False
    source: str | None = None
    from_cache: bool = False


if TYPE_CHECKING:

    class LocalOutcome(Outcome):
        """The outcome of a downloaded file, which has a path."""

        path: str
else:
    LocalOutcome = Outcome

O = TypeVar("O", bound=Outcome)  # noqa: E741


class _OutcomesOf(property, Generic[O]):
    """A property of a report: its outcomes with one status."""

    def __init__(self, status: Status, doc: str) -> None:
        def select(report: "Report") -> tuple[Outcome, ...]:
            return tuple(outcome for outcome in report.outcomes if outcome.status == status)

        select.__doc__ = doc  # CPython 3.11 would show the docstring of this class instead of doc=
        super().__init__(select)

    if TYPE_CHECKING:  # a plain property would lose the type of its outcomes

        @overload
        def __get__(self, report: None, owner: type, /) -> Self: ...
        @overload
        def __get__(self, report: Any, owner: type | None = None, /) -> tuple[O, ...]: ...
        def __get__(self, report: Any, owner: type | None = None, /) -> Self | tuple[O, ...]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """
    The outcomes of a bulk call, in the order in which they finished.

    Attributes:
        outcomes: One outcome per item.
        seconds: Duration of the call.
    """

    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0

    @classmethod
    def merged(cls, reports: Iterable["Report"]) -> Self:
        """
        Combine several reports, for instance of the parts of a plan, see :meth:`SyncPlan.split`.

        The result has all outcomes, one report after the other, and the longest duration.
        """
        merged = list(reports)
        outcomes = tuple(outcome for report in merged for outcome in report)
        return cls(outcomes, max((report.seconds for report in merged), default=0.0))

    def __repr__(self) -> str:
        counts = Counter(outcome.status for outcome in self.outcomes)
        shown = "".join(f", {status}={count}" for status, count in counts.items())
        return f"{type(self).__name__}(files={len(self)}{shown}, seconds={self.seconds:.3g})"

    def _repr_html_(self) -> str:
        """Return a table for notebooks: the counts, and a row for each file, failures first."""
        counts = Counter(outcome.status for outcome in self.outcomes)
        size = html_size(sum(outcome.size for outcome in self.outcomes))
        caption = ", ".join([f"{count} {status}" for status, count in counts.items()] or ["no files"])
        ordered = sorted(self.outcomes, key=lambda outcome: outcome.error is None)
        rows = [(done.status, done.path or done.url, html_size(done.size), done.error) for done in ordered]
        return html_table(f"{caption}; {size} in {self.seconds:.1f} s", ("status", "file", "size", "error"), rows)

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    downloaded: ClassVar[_OutcomesOf[LocalOutcome]] = _OutcomesOf("downloaded", "Files that were downloaded.")
    deployed: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "deployed", "Files that were uploaded, or deployed by their checksums."
    )
    copied: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "copied", "Copied items; in a sync, files whose content the destination had under another name."
    )
    moved: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf("moved", "Items that were moved.")
    renamed: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "renamed", "Files that the destination of a sync had under another name."
    )
    deleted: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "deleted", "Deleted items; in a sync, files of the destination."
    )
    unchanged: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "unchanged",
        "Files that already had the right content, and items to delete that were already missing.",
    )
    planned: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "planned", "Items that a dry run would have copied, moved or deleted."
    )
    failed: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf("failed", "Items that failed, with their errors.")

    @property
    def replaced(self) -> tuple[Outcome, ...]:
        """Files that were replaced on the server after they were listed, and whose new content was downloaded."""
        return tuple(outcome for outcome in self.outcomes if outcome.was_replaced)

    @property
    def from_cache(self) -> tuple[Outcome, ...]:
        """The downloaded files that were taken from the cache."""
        return tuple(outcome for outcome in self.outcomes if outcome.from_cache)

    @property
    def bytes_downloaded(self) -> int:
        """Total bytes of the downloaded files, including those from the cache."""
        return sum(outcome.size for outcome in self.downloaded)

    def raise_for_failures(self) -> Self:
        """
        Return this report if nothing failed.

        Raises:
            BatchError: If at least one item failed.
        """
        if failed := self.failed:
            errors = [outcome.error for outcome in failed if outcome.error]
            count = "1 file" if len(failed) == 1 else f"{len(failed)} files"
            raise BatchError(f"{count} failed, the first with: {errors[0]}", errors, self)
        return self


class BatchError(ExceptionGroup[ArtifactoryError]):
    """
    Items of a bulk call failed; the others are complete.

    Attributes:
        report: All outcomes, or only the failures if outcomes were taken one by one.
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
