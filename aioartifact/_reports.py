"""Results of bulk calls: an outcome per file, a report per call, an error for its failures."""

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
    The outcome of one file, or of one item that was copied, moved or deleted.

    Attributes:
        url: URL of the file, percent-encoded, or that of the target folder if the file has none. Of a copy or a move,
            the new URL, or the source if there is none.
        path: Local file, as ``str``; None if there is none.
        status: ``"downloaded"``, ``"deployed"``, ``"copied"``, ``"moved"``, ``"deleted"``, ``"unchanged"`` (the target
            already has the content, existing files are kept, or there was nothing to delete), ``"planned"`` (of a dry
            run) or ``"failed"``; of a sync also ``"renamed"``, and ``"copied"`` for content that the destination had
            under another name.
        size: Bytes of the file; 0 for a failure, a copy and a move. For a deletion, known in a dry run only.
        sha256: SHA-256 of the verified content, or None if another checksum or none was compared.
        seconds: Duration.
        error: Why it failed, or None.
        was_replaced: Whether the server's file was replaced after it was listed. The bytes are those of the new file,
            as its info confirmed.
        source: URL of the item that was copied or moved; otherwise None.
        from_cache: Whether the bytes of a downloaded file came from the cache.
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
        """An outcome of a file that was downloaded."""

        path: str
else:
    LocalOutcome = Outcome

O = TypeVar("O", bound=Outcome)  # noqa: E741


class _OutcomesOf(property, Generic[O]):
    """A property of a report: its outcomes with one status."""

    def __init__(self, status: Status, doc: str) -> None:
        def select(report: "Report") -> tuple[Outcome, ...]:
            return tuple(outcome for outcome in report.outcomes if outcome.status == status)

        select.__doc__ = doc  # CPython 3.11 would find that of this class before a doc= of its own
        super().__init__(select)

    if TYPE_CHECKING:  # type checkers would know no more than that it is a property

        @overload
        def __get__(self, report: None, owner: type, /) -> Self: ...
        @overload
        def __get__(self, report: Any, owner: type | None = None, /) -> tuple[O, ...]: ...
        def __get__(self, report: Any, owner: type | None = None, /) -> Self | tuple[O, ...]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """
    All outcomes of a bulk call, in the order in which they finished.

    Attributes:
        outcomes: One per item.
        seconds: Duration of the call.
    """

    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0

    @classmethod
    def merged(cls, reports: Iterable["Report"]) -> Self:
        """
        Return one report of several, such as those of the parts of a plan, see :meth:`SyncPlan.split`.

        Its outcomes are those of all reports, one report after the other, and its duration is the longest of theirs.
        """
        merged = list(reports)
        outcomes = tuple(outcome for report in merged for outcome in report)
        return cls(outcomes, max((report.seconds for report in merged), default=0.0))

    def __repr__(self) -> str:
        counts = Counter(outcome.status for outcome in self.outcomes)
        shown = "".join(f", {status}={count}" for status, count in counts.items())
        return f"{type(self).__name__}(files={len(self)}{shown}, seconds={self.seconds:.3g})"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the counts, and a row for each file, failures first."""
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
        "copied",
        "Items that were copied; of a sync, files whose content the destination keeps under another name too.",
    )
    moved: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf("moved", "Items that were moved.")
    renamed: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "renamed", "Files whose content the destination of a sync had under another name, which is gone."
    )
    deleted: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "deleted", "Items, or files of the destination of a sync, that were deleted."
    )
    unchanged: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "unchanged",
        "Files that were already there with the right content, and missing items that were to be deleted.",
    )
    planned: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf(
        "planned", "Items that a dry run would have copied, moved or deleted."
    )
    failed: ClassVar[_OutcomesOf[Outcome]] = _OutcomesOf("failed", "Files and items that failed; each has its error.")

    @property
    def replaced(self) -> tuple[Outcome, ...]:
        """Files that were replaced on the server after they were listed, and downloaded with their new content."""
        return tuple(outcome for outcome in self.outcomes if outcome.was_replaced)

    @property
    def from_cache(self) -> tuple[Outcome, ...]:
        """The downloaded files whose bytes came from the cache."""
        return tuple(outcome for outcome in self.outcomes if outcome.from_cache)

    @property
    def bytes_downloaded(self) -> int:
        """Total bytes of the downloaded files, including those from the cache."""
        return sum(outcome.size for outcome in self.downloaded)

    def raise_for_failures(self) -> Self:
        """
        Return this report if nothing failed.

        Raises:
            BatchError: If at least one file failed.
        """
        if failed := self.failed:
            errors = [outcome.error for outcome in failed if outcome.error]
            count = "1 file" if len(failed) == 1 else f"{len(failed)} files"
            raise BatchError(f"{count} failed, the first with: {errors[0]}", errors, self)
        return self


class BatchError(ExceptionGroup[ArtifactoryError]):
    """
    Raised if files of a bulk call failed; the others are done.

    Attributes:
        report: All outcomes of an awaited call; only the failures if outcomes were taken one by one.
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
