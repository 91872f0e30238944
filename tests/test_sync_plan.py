"""The plan of a sync as a value: what is decided from two listings, how it reads, how it is kept."""

import json
import pickle
from dataclasses import replace

import pytest

from aioartifact import Checksums, InvalidArgumentError, InvalidURLError, SyncAction, SyncFile, SyncPlan
from aioartifact._sync import Sides, decide, has_twins, needed_digests


def file(path: str, content: int | None = None, size: int = 7) -> SyncFile:
    """A file whose checksum is known, except for None."""
    return SyncFile(path, size, Checksums() if content is None else Checksums(sha256=f"{content:064x}"))


def by_path(*files: SyncFile) -> dict[str, SyncFile]:
    return {each.path: each for each in files}


def decided(wanted, found, *, delete=True, direction="download", **more) -> dict[str, str]:
    actions = decide(Sides(by_path(*wanted), by_path(*found), **more), direction, delete=delete)
    assert [action.path for action in actions] == sorted(action.path for action in actions)
    return {action.path: f"{action.kind} {action.origin.path}" if action.origin else action.kind for action in actions}


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        pytest.param([file("a", 1)], [file("a", 1)], {"a": "keep"}, id="same"),
        pytest.param([file("a", 1)], [file("a", 2)], {"a": "fetch"}, id="other-content"),
        pytest.param([file("a", 1)], [file("a", 1, 8)], {"a": "fetch"}, id="other-size"),
        pytest.param([file("a", 1)], [file("a")], {"a": "fetch"}, id="unknown-content"),
        pytest.param([file("a", 1)], [], {"a": "fetch"}, id="new"),
        pytest.param([], [file("a", 1)], {"a": "delete"}, id="gone"),
        pytest.param([file("b", 1)], [file("a", 1)], {"b": "rename a"}, id="renamed"),
        pytest.param([file("a", 1), file("b", 1)], [file("a", 1)], {"a": "keep", "b": "copy a"}, id="copied"),
        pytest.param(
            [file("b", 1), file("c", 1)], [file("a", 1)], {"b": "rename a", "c": "copy a"}, id="renamed-and-copied"
        ),
        pytest.param(
            [file("a", 2), file("b", 1)], [file("a", 1), file("b", 2)], {"a": "fetch", "b": "fetch"}, id="swapped"
        ),
        pytest.param([file("b", 1, 0)], [file("a", 1, 0)], {"b": "fetch", "a": "delete"}, id="empty-files"),
        pytest.param([file("a/b", 1)], [file("a", 2)], {"a/b": "conflict", "a": "delete"}, id="file-in-the-way"),
        pytest.param([file("a", 1)], [file("a/b", 2)], {"a": "conflict", "a/b": "delete"}, id="folder-in-the-way"),
    ],
)
def test_each_path_is_decided_about(wanted, found, expected):
    """With deletions: what is the same stays, what moved is renamed, what is left over goes."""
    assert decided(wanted, found) == expected


def test_without_deletions_nothing_goes():
    """A file to be renamed would be missing, so it is copied; what is left over is not reported."""
    assert decided([file("b", 1)], [file("a", 1), file("c", 2)], delete=False) == {"b": "copy a"}


def test_what_is_no_file_is_in_the_way():
    """A link at the destination gives way neither to a file nor to a folder."""
    obstacles = {"a": "a link", "b": "a link"}
    assert decided([file("a", 1), file("b/c", 1)], [], obstacles=obstacles) == {"a": "conflict", "b/c": "conflict"}


def test_needed_digests_are_few():
    """Read is what the other side has in the same size: under the same name, or under one that is missing here."""
    local = by_path(file("same"), file("other", size=1), file("moved", size=3), file("alone", size=4))
    remote = by_path(file("same", 1), file("other", 2, 2), file("elsewhere", 3, 3))
    expected = {"same": {"sha256"}, "moved": {"sha256"}}
    assert needed_digests(local, remote, "download") == expected
    assert needed_digests(local, remote, "upload") == expected


def test_upload_looks_for_content_that_the_server_keeps():
    """A new local file may be a copy of one that stays; a download finds that by the files it reads anyway."""
    local, remote = by_path(file("a"), file("b")), by_path(file("a", 1))
    assert set(needed_digests(local, remote, "upload")) == {"a", "b"}
    assert set(needed_digests(local, remote, "download")) == {"a"}


def test_twins_are_different_paths_of_one_key():
    """The same path twice is none."""
    assert has_twins(["a", "a"], ["A", "a"])
    assert not has_twins(["a", "b", "a"], ["a", "b", "a"])


PLAN = SyncPlan(
    "https://host/artifactory/r/d",
    "/data",
    "download",
    (
        SyncAction("keep", "a", file("a", 1), file("a", 1)),
        SyncAction("fetch", "b", file("b", 2, 1000), SyncFile("b", 3, modified_ns=5)),
        SyncAction("rename", "c", file("c", 3), None, file("old", 3)),
        SyncAction("delete", "line\nbreak", target=file("line\nbreak", 4)),
        SyncAction("conflict", "e", reason="a file is in the way: x"),
    ),
    method="aql",
    manifest="/data/manifest.db",
)


def test_plan_is_a_table_to_read():
    """Where from and where to, a summary, and a line for each change, in which no name breaks the line."""
    assert str(PLAN).splitlines() == [
        "https://host/artifactory/r/d -> /data",
        "1 to fetch, 1 to rename, 1 to delete, 1 in conflict, 1 kept; 1000 bytes to transfer",
        "listing: complete, by aql",
        "fetch     1000  b  (replaces)",
        "rename       7  c  (from old)",
        "delete       7  'line\\nbreak'",
        "conflict     0  e  (a file is in the way: x)",
    ]


def test_empty_plan_says_so():
    """Also where the server has no such folder yet."""
    assert str(SyncPlan("/data", "https://host/artifactory/r/d", "upload")).splitlines() == [
        "/data -> https://host/artifactory/r/d",
        "nothing on either side; 0 bytes to transfer",
        "listing: the server has no such folder yet",
    ]


def test_plan_survives_json_and_pickle():
    """Nothing of it is lost."""
    assert SyncPlan.from_json(PLAN.to_json()) == PLAN
    assert SyncPlan.from_json(PLAN.to_json().encode()) == PLAN
    assert pickle.loads(pickle.dumps(PLAN)) == PLAN


@pytest.mark.parametrize("creates_folder", [True, False])
def test_plan_keeps_whether_it_creates_the_folder(creates_folder):
    """Also from JSON; a plan that an earlier release has written creates none."""
    plan = replace(PLAN, creates_folder=creates_folder)
    assert SyncPlan.from_json(plan.to_json()).creates_folder is creates_folder
    older = json.loads(plan.to_json())
    del older["creates_folder"]
    assert SyncPlan.from_json(json.dumps(older)).creates_folder is False


def document(**changes) -> str:
    return json.dumps(json.loads(PLAN.to_json()) | changes)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:s3cret@host/artifactory/r/d",
        "HTTPS://user:s3cret@host/artifactory/r/d",
        "https://host/artifactory/r/d?token=s3cret",
        "https://host/artifactory/r/d#s3cret",
    ],
)
def test_url_that_holds_a_secret_is_no_folder(url):
    """A plan that was edited by hand is refused with its URL masked: what prints a plan can show no secret."""
    for make in (lambda: SyncPlan.from_json(document(source=url)), lambda: SyncPlan("/data", url, "upload")):
        with pytest.raises(InvalidURLError) as caught:
            make()
        assert "s3cret" not in f"{caught.value}{caught.value!r}{caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "plan: is not JSON", id="empty"),
        pytest.param("[" * 100_000, "plan: is not JSON", id="deep"),
        pytest.param(b"\xff", "plan: is not JSON", id="bytes"),
        pytest.param("[]", "plan: list; expected an object", id="list"),
        pytest.param(None, "plan: NoneType; expected text", id="none"),
        pytest.param("{}", "version: None; this release reads 1", id="no-version"),
        pytest.param(document(version=2), "version: 2; this release reads 1", id="later-version"),
        pytest.param(document(direction="sideways"), "plan.direction: 'sideways'; expected one of", id="direction"),
        pytest.param(document(source=3), "plan.source: 3; expected str", id="source"),
        pytest.param(document(is_complete=1), "plan.is_complete: 1; expected bool", id="is-complete"),
        pytest.param(document(method=[]), "plan.method", id="method"),
        pytest.param(document(actions={}), "plan.actions", id="actions"),
        pytest.param(document(actions=[1]), r"actions\[0\]: int; expected an object", id="action"),
        pytest.param(document(actions=[{"kind": "burn"}]), r"actions\[0\].kind: 'burn'", id="kind"),
        pytest.param(document(actions=[{"kind": "delete", "path": "a"}]), "a delete without 'target'", id="no-target"),
        pytest.param(
            document(actions=[{"kind": "delete", "path": "a", "target": {"path": "a", "size": True}}]),
            r"actions\[0\].target.size: True; expected int",
            id="size-kind",
        ),
        pytest.param(
            document(actions=[{"kind": "delete", "path": "a", "target": {"path": "a", "size": -1}}]),
            "size: -1; expected a number of bytes",
            id="size",
        ),
        pytest.param(
            document(actions=[{"kind": "delete", "path": "a", "target": {"path": "a", "size": 1, "sha1": "x"}}]),
            "sha1 checksum 'x'",
            id="checksum",
        ),
    ],
)
def test_malformed_json_says_where(text, complaint):
    """What is no plan is refused, with the place of what is wrong."""
    with pytest.raises(InvalidArgumentError, match=complaint):
        SyncPlan.from_json(text)
