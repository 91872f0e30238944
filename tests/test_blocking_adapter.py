"""The tests of the public functions, once more through `aioartifact.blocking`; see support/blocking_adapter.py."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent
FILES = (
    "test_deploy.py",
    "test_deploy_many.py",
    "test_deploy_target.py",
    "test_download.py",
    "test_folder_archive.py",
    "test_folder_filters.py",
    "test_listing.py",
    "test_manifest.py",
    "test_pins.py",
    "test_sync.py",
    "test_sync_plan.py",
    "test_versions_api.py",
    "test_versions_many.py",
)
# Tests of what the adapter cannot pass on.
WITHOUT = (
    # The cancellation of a task; test_blocking.py has that of a thread.
    "test_cancelled_sync_deletes_nothing",
    "test_cancelled_while_the_disk_is_slow",
    "test_archive_that_is_cancelled",
    "test_deploy_cut_at_any_await_leaves_nothing",
    # Objects of aiohttp.
    "test_download_with_a_session_of_the_users_own",
    "test_leaving_early_closes_the_connection",
    # Methods of paths, which would block the event loop that the server of the test runs in.
    "test_bytes_need_a_name",
    "test_rename_into_a_folder",
    # Arguments that are changed between a call and its await.
    "test_patterns_are_read_at_the_call",
    # The line that a warning names: it is raised in the thread of the event loop.
    "test_refused_latest_version_warns",
    "test_wrong_password_warns_once_and_is_tried_once",
)


@pytest.mark.parametrize("file", FILES)
def test_public_tests_pass(file):
    """What the asynchronous functions promise, the blocking ones keep."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "blocking_adapter", "--color=no"]
        # A refused upload leaves a transport with unsent bytes, which outlives its loop, as in asyncio.run().
        + ["-W", "ignore:unclosed:ResourceWarning"]
        + [f"--deselect={TESTS.name}/{file}::{name}" for name in WITHOUT]
        + [f"{TESTS.name}/{file}"],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout[-6000:]
    assert " passed" in ended.stdout
