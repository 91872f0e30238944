"""Under which names snapshots are stored."""

import pytest

from aioartifact.testing.repositories.definitions import Repository
from aioartifact.testing.repositories.snapshots import stored_path

NOW = 1_709_626_351_219  # 5 March 2024, 08:12:31
FOLDER = "org/app/1.0-SNAPSHOT"
SNAPSHOT, FIRST = f"{FOLDER}/app-1.0-SNAPSHOT", f"{FOLDER}/app-1.0-20240101.000000-1"
NEXT = f"{FOLDER}/app-1.0-20240305.081231-2"


@pytest.mark.parametrize(
    ("behavior", "path", "there", "expected"),
    [
        pytest.param("unique", f"{SNAPSHOT}.jar", [], f"{FOLDER}/app-1.0-20240305.081231-1.jar", id="first build"),
        pytest.param("unique", f"{SNAPSHOT}.pom", [f"{FIRST}.jar"], f"{FIRST}.pom", id="joins the newest build"),
        pytest.param("unique", f"{SNAPSHOT}-src.jar", [f"{FIRST}.jar"], f"{FIRST}-src.jar", id="classifier joins"),
        pytest.param("unique", f"{SNAPSHOT}.jar", [f"{FIRST}.jar"], f"{NEXT}.jar", id="next build"),
        pytest.param(
            "unique",
            f"{SNAPSHOT}.jar",
            [f"{FOLDER}/app-1.0-20240101.000000-9.jar", f"{FOLDER}/app-1.0-20240102.000000-10.pom"],
            f"{FOLDER}/app-1.0-20240102.000000-10.jar",
            id="builds by number",
        ),
        pytest.param("unique", f"{SNAPSHOT}.jar", [f"{SNAPSHOT}.pom", "x"], f"{NEXT[:-1]}1.jar", id="others beside"),
        pytest.param("unique", f"{FIRST}.jar", [], f"{FIRST}.jar", id="unique already"),
        pytest.param("non-unique", f"{FIRST}-src.jar", [], f"{SNAPSHOT}-src.jar", id="timestamp taken away"),
        pytest.param("non-unique", f"{SNAPSHOT}.jar", [], f"{SNAPSHOT}.jar", id="without timestamp already"),
        pytest.param("deployer", f"{SNAPSHOT}.jar", [], f"{SNAPSHOT}.jar", id="deployer decides"),
        pytest.param("deployer", f"{FIRST}.jar", [], f"{FIRST}.jar", id="deployer decides on timestamps"),
        pytest.param("unique", "org/app/1.0/app-1.0.jar", [], "org/app/1.0/app-1.0.jar", id="release"),
        pytest.param("unique", "a-SNAPSHOT.jar", [], "a-SNAPSHOT.jar", id="not the layout's"),
    ],
)
def test_snapshots_are_stored_as_the_repository_wants(behavior, path, there, expected):
    """Names of snapshots in Maven's layout follow the repository's behaviour, all others stay."""
    repository = Repository("libs", layout="maven-2-default", snapshot_behavior=behavior)
    assert stored_path(repository, path, lambda: there, NOW) == expected


def test_snapshots_without_a_layout_that_knows_them():
    """In a generic repository a snapshot is a name like any other."""
    for layout in ("simple-default", "our-own"):
        assert stored_path(Repository("x", layout=layout), f"{SNAPSHOT}.jar", list, NOW) == f"{SNAPSHOT}.jar"
