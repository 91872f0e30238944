import copy
import inspect
import pickle
from typing import get_args

import pytest

from aioartifact._errors import ArtifactoryError, ForbiddenError, IntegrityError, NotFoundError
from aioartifact._reports import BatchError, Outcome, Report, Status

GONE = NotFoundError("GET u: 404 Not Found", status=404, hint="check the path")
SPOILED = IntegrityError("GET v: sha1 differs", algorithm="sha1")
GOOD = Outcome("https://host/r/a", "a", "downloaded", 3, "f" * 64, 0.5)
KEPT = Outcome("https://host/r/b", "b", "unchanged", 5)
FAILED = Outcome("https://host/r/c", "c", "failed", error=GONE)
BROKEN = Outcome("https://host/r/d", "d", "failed", error=SPOILED)
REPORT = Report((GOOD, FAILED, KEPT, BROKEN), 1.5)


def batch_error():
    with pytest.raises(BatchError) as caught:
        REPORT.raise_for_failures()
    return caught.value


def test_report_sorts_outcomes_by_status():
    """Each outcome is in one of three lists, in the order the files finished."""
    assert (REPORT.downloaded, REPORT.unchanged, REPORT.failed) == ((GOOD,), (KEPT,), (FAILED, BROKEN))
    assert REPORT.bytes_downloaded == 3
    assert list(REPORT) == [GOOD, FAILED, KEPT, BROKEN]
    assert len(REPORT) == 4


@pytest.mark.parametrize("status", get_args(Status))
def test_each_status_has_its_list(status):
    """A new status is found by its name, and is described; nothing else is in its list."""
    wanted, other = Outcome("u", None, status), Outcome("v", None, "failed" if status != "failed" else "moved")
    assert getattr(Report((other, wanted, other)), status) == (wanted,)
    described = inspect.getdoc(getattr(Report, status))
    assert described
    assert described.endswith(".")
    assert len({inspect.getdoc(getattr(Report, each)) for each in get_args(Status)}) == len(get_args(Status))


def test_repr_of_many_outcomes_is_short():
    """Counts, not the files; the error of a batch likewise."""
    report = Report((GOOD,) * 1998 + (FAILED, BROKEN), 12.3456)
    assert repr(report) == "Report(files=2000, downloaded=1998, failed=2, seconds=12.3)"
    assert repr(Report()) == "Report(files=0, seconds=0)"
    many = Report((FAILED,) * 2000)
    with pytest.raises(BatchError) as caught:
        many.raise_for_failures()
    assert len(repr(caught.value)) < 300
    assert repr(caught.value).startswith("BatchError('2000 files failed, the first with: GET u: 404 Not Found")
    assert repr(caught.value).endswith(", 2000 errors)")


def test_report_without_failure_is_returned():
    """The call can be chained."""
    report = Report((GOOD, KEPT))

    assert report.raise_for_failures() is report
    assert Report().raise_for_failures() == Report()


def test_failures_are_raised_together():
    """One error holds all, with the whole report, and its text the first."""
    error = batch_error()

    assert error.message == "2 files failed, the first with: GET u: 404 Not Found — check the path"
    assert error.exceptions == (GONE, SPOILED)
    assert error.report is REPORT


def test_one_failure_is_said_in_the_singular():
    """The text is for people."""
    with pytest.raises(BatchError, match=r"^1 file failed, the first with: GET v: sha1 differs"):
        Report((BROKEN,)).raise_for_failures()


def test_parts_of_a_batch_error_keep_its_report():
    """``split`` and ``subgroup`` make batch errors that know the same outcomes."""
    error = batch_error()
    gone, rest = error.split(NotFoundError)

    assert isinstance(gone, BatchError)
    assert (gone.exceptions, rest.exceptions) == ((GONE,), (SPOILED,))
    assert gone.report is rest.report is REPORT
    assert error.subgroup(ForbiddenError) is None


def test_except_star_takes_the_errors_it_names():
    """Python's own syntax for groups works; errors that are not handled are raised with the report."""
    taken = []

    def take_what_is_gone():
        try:
            raise batch_error()
        except* FileNotFoundError as group:
            taken.extend(group.exceptions)

    with pytest.raises(BatchError) as caught:
        take_what_is_gone()

    assert taken == [GONE]
    assert caught.value.exceptions == (SPOILED,)
    assert caught.value.report is REPORT


@pytest.mark.parametrize(
    "travel",
    [
        pytest.param(lambda error: pickle.loads(pickle.dumps(error)), id="pickle"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
    ],
)
def test_batch_error_travels_whole(travel):
    """Errors and report arrive in another process."""
    twin = travel(batch_error())

    assert type(twin) is BatchError
    assert str(twin) == str(batch_error())
    assert [(type(error), str(error)) for error in twin.exceptions] == [
        (type(error), str(error)) for error in (GONE, SPOILED)
    ]
    assert twin.report.downloaded == (GOOD,)
    assert [outcome.url for outcome in twin.report] == [outcome.url for outcome in REPORT]


def test_batch_error_is_no_error_of_one_file():
    """Code that handles one refusal must not take a whole batch for it."""
    assert not issubclass(BatchError, ArtifactoryError)
    assert issubclass(BatchError, ExceptionGroup)
