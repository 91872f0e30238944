import copy
import errno
import os
import pickle
import re

import pytest

from aioartifact import _errors
from aioartifact._errors import (
    ArtifactoryError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    IntegrityError,
    LocalFileError,
    LocalNotFoundError,
    NotFoundError,
    RateLimitedError,
    ResponseError,
    ServerError,
    TransportError,
    error_for_status,
)

# One line of the tree: its branches, a name, the builtin it also is, what it means, whether a retry may help.
LINE = re.compile(r"^(?P<branches>[│├└─ ]*)(?P<name>\w+Error)(?: \((?P<builtin>\w+)\))?(?P<rest>.*)$")


def below(cls):
    return {cls}.union(*map(below, cls.__subclasses__()))


ERRORS = sorted(below(ArtifactoryError), key=lambda cls: cls.__name__)
BY_NAME = pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)


def drawn_tree():
    """The drawn tree, as name: (parent, builtin, retryable)."""
    path, rows = [], {}
    for match in filter(None, map(LINE.match, _errors.__doc__.splitlines())):
        depth = len(match["branches"]) // 4
        path[depth:] = [match["name"]]
        rows[match["name"]] = (path[depth - 1] if depth else None, match["builtin"], "retryable" in match["rest"])
    return {name: row for name, row in rows.items() if name != "BatchError"}  # drawn beside the tree


def test_tree_in_docstring_is_the_tree_of_classes():
    """The drawing names every class, with its parent, its builtin base and whether it is retryable."""
    real = {"ArtifactoryError": (None, None, False)}
    for cls in below(ArtifactoryError) - {ArtifactoryError}:
        parent, *others = (base.__name__ for base in cls.__bases__)
        real[cls.__name__] = (parent, others[0] if others else None, cls.retryable)

    assert drawn_tree() == real


@BY_NAME
def test_error_survives_pickle_and_copies(cls):
    """Class, text and every attribute arrive in another process, and in a copy."""
    error = cls("op object: went wrong", hint="try this")
    error.extra = 1

    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert (str(twin), twin.hint, twin.args, vars(twin)) == (str(error), "try this", error.args, vars(error))


def test_pickled_local_error_keeps_what_oserror_holds():
    """``errno`` and ``filename`` lie in slots of OSError, outside the ``__dict__``."""
    twin = pickle.loads(pickle.dumps(LocalFileError("m", errno=errno.ENOSPC, filename="data/a")))

    assert (twin.errno, twin.filename) == (errno.ENOSPC, "data/a")


@BY_NAME
def test_text_is_message_and_hint(cls):
    """After the message comes what to try, where that is known; repr shows the class and the same text."""
    error = cls("GET u: went wrong", hint="try this")

    assert str(error) == "GET u: went wrong — try this"
    assert str(cls("GET u: went wrong")) == error.message == "GET u: went wrong"
    assert repr(error) == f"{cls.__name__}('GET u: went wrong — try this')"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(TransportError("m", attempts=1, elapsed=2.0), "m", id="one-attempt"),
        pytest.param(TransportError("m", attempts=3, elapsed=2.04), "m (3 attempts in 2.0 s)", id="transport"),
        pytest.param(TransportError("m", attempts=3, hint="h"), "m (3 attempts in 0.0 s) — h", id="and-hint"),
        pytest.param(ServerError("m", attempts=1), "m", id="one-refusal"),
        pytest.param(ServerError("m", attempts=5, hint="h"), "m (5 attempts) — h", id="refusals"),
        pytest.param(ServerError("m", retry_after=0.0), "m", id="no-delay"),
        pytest.param(ServerError("m", retry_after=7.0), "m (the server asks to wait 7 s)", id="delay"),
        pytest.param(
            RateLimitedError("m", attempts=2, retry_after=86400.0, hint="h"),
            "m (2 attempts) (the server asks to wait 86400 s) — h",
            id="delay-and-attempts",
        ),
    ],
)
def test_text_tells_attempts_beyond_the_first(error, text):
    """Who reads the error knows that trying again was tried."""
    assert str(error) == text


@pytest.mark.parametrize(
    ("error", "attributes"),
    [
        pytest.param(
            TransportError("m", method="GET", url="u", attempts=2, elapsed=1.5),
            {"method": "GET", "url": "u", "attempts": 2, "elapsed": 1.5, "hint": None},
            id="transport",
        ),
        pytest.param(
            ResponseError("m", method="GET", url="u", status=418, server_message="w", request_id="r", retry_after=3),
            {"method": "GET", "url": "u", "status": 418, "server_message": "w", "request_id": "r", "retry_after": 3},
            id="response",
        ),
        pytest.param(
            IntegrityError("m", algorithm="md5", expected="a", actual="b"),
            {"algorithm": "md5", "expected": "a", "actual": "b"},
            id="integrity",
        ),
        pytest.param(_errors.CredentialsError("m", source="~/.netrc:3"), {"source": "~/.netrc:3"}, id="source"),
    ],
)
def test_attributes_hold_what_was_given(error, attributes):
    """Attributes describe what happened, so that no program must parse a message."""
    assert {name: getattr(error, name) for name in attributes} == attributes


def test_status_decides_the_class():
    """Of 300 to 599 six statuses have a class of their own; 500 and above are the server's fault."""
    own = {
        400: BadRequestError,
        401: AuthenticationError,
        403: ForbiddenError,
        404: NotFoundError,
        409: ConflictError,
        429: RateLimitedError,
    }
    expected = {status: own.get(status, ServerError if status >= 500 else ResponseError) for status in range(300, 600)}

    assert {status: error_for_status(status) for status in range(300, 600)} == expected


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        ("ENOSPC", "free space"),
        ("EDQUOT", "quota"),
        ("EACCES", "permissions"),
        ("EPERM", "permissions"),
        ("EROFS", "read-only"),
        ("EISDIR", "a folder has that name"),
        ("ENOTDIR", "a file is in the place"),
        ("ENAMETOOLONG", "shorter"),
        ("ENOENT", "check the path"),
        ("EMFILE", "ulimit"),
        ("ENFILE", "ulimit"),
    ],
)
def test_disk_error_says_what_to_try(number, hint):
    """Each trouble a user can do something about comes with that something."""
    code = getattr(errno, number)
    error = LocalFileError.from_os_error("write", "data/a", OSError(code, os.strerror(code), "data/.a.part"))

    assert error.message == f"write data/a: {os.strerror(code)}"
    assert hint in error.hint
    assert (error.errno, error.filename) == (code, "data/a")
    assert isinstance(error, LocalNotFoundError) is (number == "ENOENT")


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        pytest.param(OSError(errno.EIO, "Input/output error"), "read a: Input/output error", id="no-hint"),
        pytest.param(OSError("odd"), "read a: OSError", id="no-number"),
        pytest.param(BlockingIOError(), "read a: BlockingIOError", id="nothing"),
    ],
)
def test_disk_error_without_known_cure(cause, text):
    """What has no number or no hint is still named."""
    assert str(LocalFileError.from_os_error("read", "a", cause)) == text
