"""artifactory-cleanup: its command with ``--destroy`` deletes what each rule says, and nothing else."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import requests

DAYS = timedelta(days=1)

# What each policy deletes, of the files that the fixture makes. Names of rules and their arguments are those of 1.0.18.
POLICIES = {
    "DeleteOlderThan": (
        [{"rule": "DeleteOlderThan", "days": 30}],
        {"old/a-1.0.0.bin", "old/a-1.1.0.bin", "old/used.bin"},
    ),
    "DeleteWithoutDownloads": (
        [{"rule": "DeleteWithoutDownloads"}],
        {"old/a-1.0.0.bin", "old/a-1.1.0.bin", "new/a-1.2.0.bin", "new/b.txt", "kept/c.bin"},
    ),
    "DeleteOlderThanNDaysWithoutDownloads": (
        [{"rule": "DeleteOlderThanNDaysWithoutDownloads", "days": 30}],
        {"old/a-1.0.0.bin", "old/a-1.1.0.bin"},
    ),
    "DeleteNotUsedSince": ([{"rule": "DeleteNotUsedSince", "days": 30}], {"old/a-1.0.0.bin", "old/a-1.1.0.bin"}),
    "DeleteByRegexpName": ([{"rule": "DeleteByRegexpName", "regex_pattern": r".*\.txt$"}], {"new/b.txt"}),
    "DeleteLeastRecentlyUsedFiles": (
        [{"rule": "DeleteLeastRecentlyUsedFiles", "keep": 4}],
        {"old/a-1.0.0.bin", "old/a-1.1.0.bin"},
    ),
    "KeepLatestNFiles": ([{"rule": "KeepLatestNFiles", "count": 4}], {"old/a-1.0.0.bin", "old/a-1.1.0.bin"}),
    "KeepLatestNFilesInFolder": (
        [{"rule": "KeepLatestNFilesInFolder", "count": 1}],
        {"old/a-1.0.0.bin", "old/a-1.1.0.bin", "new/a-1.2.0.bin"},
    ),
    "KeepLatestVersionNFilesInFolder": (
        [{"rule": "KeepLatestVersionNFilesInFolder", "count": 1}],
        {"old/a-1.0.0.bin"},
    ),
    "IncludePath": ([{"rule": "IncludePath", "masks": "new*"}], {"new/a-1.2.0.bin", "new/b.txt"}),
    "IncludeFilename": ([{"rule": "IncludeFilename", "masks": ["*.txt", "c.*"]}], {"new/b.txt", "kept/c.bin"}),
    "ExcludePath": (
        [{"rule": "ExcludePath", "masks": ["old", "new"]}],
        {"kept/c.bin"},
    ),
    "ExcludeFilename": ([{"rule": "ExcludeFilename", "masks": ["*.bin"]}], {"new/b.txt"}),
    "FilterByRegexpPath": ([{"rule": "FilterByRegexpPath", "path": "^ne"}], {"new/a-1.2.0.bin", "new/b.txt"}),
    "PropertyEq": ([{"rule": "PropertyEq", "property_key": "stage", "property_value": "rc"}], {"new/a-1.2.0.bin"}),
    "PropertyNeq": (
        [
            {"rule": "DeleteOlderThan", "days": 30},
            {"rule": "PropertyNeq", "property_key": "keep", "property_value": "1"},
        ],
        {"old/a-1.0.0.bin", "old/used.bin"},
    ),
}


@pytest.fixture
def files(artifactory):
    """Files of several ages; one was downloaded."""
    now = datetime.now(UTC)
    ages = {
        "old/a-1.0.0.bin": 100,
        "old/a-1.1.0.bin": 90,
        "old/used.bin": 80,
        "new/a-1.2.0.bin": 3,
        "new/b.txt": 2,
        "kept/c.bin": 1,
    }
    properties = {"new/a-1.2.0.bin": {"stage": "rc"}, "old/a-1.1.0.bin": {"keep": "1"}}
    for path, age in ages.items():
        created = now - age * DAYS
        artifactory.put(
            f"generic-local/{path}", b"content", created=created, modified=created, properties=properties.get(path)
        )
    download(artifactory, "generic-local/old/used.bin")
    return set(ages)


def download(artifactory, address):
    url = f"{artifactory.url}/{address}"
    assert requests.get(url, auth=(artifactory.username, artifactory.password), timeout=60).content == b"content"


@pytest.fixture
def cleanup(artifactory, tmp_path):
    """Run the command with policies by name; returns what it says of each."""

    def run(policies, *options):
        config = tmp_path / "cleanup.yaml"
        settings = {
            "server": artifactory.url,
            "user": artifactory.username,
            "password": artifactory.password,
            "policies": [{"name": name, "rules": rules} for name, rules in policies.items()],
        }
        config.write_text(json.dumps({"artifactory-cleanup": settings}), "utf-8")  # JSON is YAML
        report = tmp_path / "report.json"
        command = [sys.executable, "-m", "artifactory_cleanup.cli", "--config", str(config), *options]
        command += ["--output", str(report), "--output-format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return {each["name"]: each for each in json.loads(report.read_text("utf-8"))["policies"]}

    return run


def left(artifactory, files):
    return {path for path in files if artifactory.exists(f"generic-local/{path}")}


@pytest.mark.parametrize("policy", POLICIES)
def test_rule(artifactory, files, cleanup, policy):
    """Without ``--destroy`` it only counts, with it the files are deleted."""
    rules, expected = POLICIES[policy]
    rules = [{"rule": "Repo", "name": "generic-local"}, *rules]
    for options in ((), ("--destroy",)):
        report = cleanup({policy: rules}, *options)[policy]
        assert (report["file_count"], report["size"]) == (len(expected), 7 * len(expected))
        assert left(artifactory, files) == (files - expected if options else files)
    assert artifactory.unknown_endpoints == []


def test_repositories(artifactory, files, cleanup):
    """A list of repositories, and a pattern for their keys."""
    for key in ("other-local", "third-local"):
        artifactory.create_repository(key)
        artifactory.put(f"{key}/x.bin", b"content")
    names = {"rule": "IncludeFilename", "masks": "x.*"}
    assert cleanup({"list": [{"rule": "RepoList", "repos": ["other-local", "generic-local"]}, names]}, "--destroy")
    assert [artifactory.exists(f"{key}/x.bin") for key in ("other-local", "third-local")] == [False, True]
    assert cleanup({"mask": [{"rule": "RepoByMask", "mask": "third*"}]}, "--destroy")
    assert not artifactory.exists("third-local/x.bin")
    assert left(artifactory, files) == files


def test_empty_folders(artifactory, files, cleanup):
    for folder in ("empty/one", "empty/two/three"):
        artifactory.make_folder(f"generic-local/{folder}")
    rules = [{"rule": "Repo", "name": "generic-local"}, {"rule": "DeleteEmptyFolders"}]
    assert cleanup({"folders": rules}, "--destroy")["folders"]["file_count"] >= 1
    assert not artifactory.exists("generic-local/empty")
    assert left(artifactory, files) == files


def test_docker_images(artifactory, cleanup):
    """Images are folders with a manifest; the whole folder goes, and its size is that of the layers."""
    artifactory.create_repository("docker-local", package_type="docker")
    now = datetime.now(UTC)
    for tag, age in {"1.0": 50, "1.1": 40, "2.0": 2}.items():
        created = now - age * DAYS
        for name in ("manifest.json", f"sha256__{tag}"):
            artifactory.put(f"docker-local/app/{tag}/{name}", tag.encode() * 5, created=created, modified=created)
    rules = [
        {"rule": "Repo", "name": "docker-local"},
        {"rule": "DeleteDockerImagesOlderThan", "days": 30},
        {"rule": "ExcludeDockerImages", "masks": "app:1.1"},
    ]
    report = cleanup({"images": rules}, "--destroy", "--worker-count", "3")["images"]
    assert (report["file_count"], report["size"]) == (1, 30)
    assert [artifactory.exists(f"docker-local/app/{tag}") for tag in ("1.0", "1.1", "2.0")] == [False, True, True]
