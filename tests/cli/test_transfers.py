"""Transfers of many files: options of download, deploy of folders and lists, sync, cleanup."""

import json
import sys

import pytest

from aioartifact.testing import Fault

pytestmark = pytest.mark.slow

FOLDER = "generic-local/emodb/db"
COMMAND = [sys.executable, "-m", "aioartifact"]
SECONDS = 60  # for what only hangs if it is broken


@pytest.fixture
def local(tmp_path):
    """A local folder with two files at different depths."""
    (tmp_path / "dist/docs").mkdir(parents=True)
    (tmp_path / "dist/tool.bin").write_bytes(b"tool")
    (tmp_path / "dist/docs/notes.txt").write_bytes(b"notes")
    return tmp_path / "dist"


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# download


def test_download_with_a_manifest_reads_nothing_twice(cli, folder, tmp_path):
    """--manifest records what was verified; --durable changes nothing that can be seen."""
    words = ("download", f"{folder}/1.0.0", "-d", tmp_path / "new", "--manifest", tmp_path / "manifest", "--durable")
    assert cli(*words).code == 0
    assert (tmp_path / "manifest").exists()
    assert "3 unchanged" in cli(*words).err


@pytest.mark.parametrize("mark", ["", "\ufeff", "\u00ef\u00bb\u00bf"], ids=["plain", "utf-8", "latin-1"])
def test_list_of_urls_of_any_editor(cli, folder, tmp_path, mark):
    """A byte order mark, comments, empty lines and CRLF are no part of the URLs."""
    text = f"{mark}{folder}/1.0.0/media/a.wav\r\n\r\n# more\r\n{folder}/1.0.0/media/b.wav\r\n"
    run = cli("download", "-", "-d", tmp_path, stdin=text)
    assert (run.code, files_below(tmp_path)) == (0, ["a.wav", "b.wav"])


@pytest.mark.parametrize("options", [[], ["--folder"], ["--folder", "--archive"]], ids=str)
def test_empty_folder_is_created(server, cli, tmp_path, options):
    """An empty folder of the server creates a local one; so does sync."""
    server.make_folder("generic-local/none")
    run = cli("download", f"{server.url}/generic-local/none", "-d", tmp_path / "new", *options)
    assert (run.code, run.out, list((tmp_path / "new").iterdir())) == (0, "", [])
    assert cli("sync", f"{server.url}/generic-local/none", tmp_path / "other").code == 0
    assert list((tmp_path / "other").iterdir()) == []


def test_errors_in_json_have_status_and_retryable(cli, folder, tmp_path):
    """The status of the response, and whether another attempt may help."""
    words = ("download", f"{folder}/1.0.0/media/a.wav", f"{folder}/none", "-d", tmp_path, "--json")
    [error] = [each["error"] for each in cli(*words).objects if each["error"]]
    assert (error["status"], error["retryable"]) == (404, False)


def test_replaced_file_in_json(server, cli, folder, tmp_path):
    """A file that the server has replaced since it was listed is marked."""
    name = "1.0.0/media/a.wav"
    listing = {"uri": "x", "files": [{"uri": f"/{name}", "size": 1, "folder": False}]}
    server.fail("GET", "api/storage/**", fault=Fault.status(200, json.dumps(listing).encode()))
    run = cli("download", folder, "--folder", "-d", tmp_path / "new", "--json")
    assert [(each["status"], each["was_replaced"]) for each in run.objects] == [("downloaded", True)]
    run = cli("download", folder, "-d", tmp_path / "new", "--json")
    assert {each["was_replaced"] for each in run.objects} == {False}


def test_download_of_a_file_with_outdated_info(server, cli, folder, tmp_path):
    """A remote repository describes the file in its cache, and then fetches the new one."""
    path = "1.0.0/media/a.wav"
    info = {"repo": "generic-local", "path": f"/emodb/db/{path}", "size": "1", "checksums": {"sha1": "0" * 40}}
    server.fail("GET", "api/storage/**", fault=Fault.status(200, json.dumps(info).encode()))
    assert cli("download", f"{folder}/{path}", "-d", tmp_path / "new").out == f"{tmp_path}/new/a.wav\n"
    assert files_below(tmp_path / "new") == ["a.wav"]


def test_download_at_a_limited_rate(server, cli, folder, tmp_path):
    """--limit-rate takes sizes; the bytes are the same."""
    run = cli("download", f"{folder}/1.0.0/media/a.wav", "-d", tmp_path, "--limit-rate", "10M")
    assert (run.code, (tmp_path / "a.wav").read_bytes()) == (0, b"a.wav of 1.0.0")


def test_download_of_a_folder_as_one_archive(server, cli, folder, tmp_path):
    """--archive fetches a folder with one request, where the server makes an archive of it."""
    server.enable_folder_download()
    run = cli("download", "--folder", "--archive", f"{folder}/1.0.0", "-d", tmp_path)
    assert (run.code, len(files_below(tmp_path))) == (0, 3)
    assert server.count("GET", "api/archive/download/**") == 1


def test_download_of_some_files_of_a_folder(server, cli, folder, tmp_path):
    """--include and --exclude choose; the URL is taken for a folder, without a request that finds out."""
    run = cli("download", f"{folder}/1.0.0", "-d", tmp_path, "--include", "**/*.wav", "--exclude", "*/b.wav")
    assert (run.code, files_below(tmp_path)) == (0, ["media/a.wav", "media/c.wav"])
    assert run.err.startswith("2 files downloaded: ")
    assert server.count("GET", "api/storage/**") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["download", "URL", "URL", "--include", "*"], "a folder must be the only URL", id="include-several"
        ),
        pytest.param(["download", "URL", "--exclude", "a//b"], "a//b", id="download-pattern"),
        pytest.param(["deploy", "FOLDER", "URL", "--include", "/a"], "/a", id="deploy-pattern"),
        pytest.param(
            ["deploy", "FOLDER/tool.bin", "URL", "--include", "*"], "need a single folder", id="deploy-a-file-filtered"
        ),
        pytest.param(
            ["deploy", "FOLDER/tool.bin", "-", "URL", "--exclude", "*"], "need a single folder", id="deploy-filtered"
        ),
        pytest.param(["download", "URL", "--archive"], "--archive needs --folder", id="archive"),
        pytest.param(["download", "URL", "--limit-rate", "fast"], "'fast' is not a size", id="rate"),
        pytest.param(["download", "URL", "--limit-rate", "0"], "max_bytes_per_second", id="no-rate"),
        pytest.param(["deploy", "FOLDER", "FOLDER", "URL"], "a folder is deployed alone", id="two-folders"),
        pytest.param(["deploy", "FOLDER/tool.bin", "not-a-url"], "not-a-url", id="deploy-no-url"),
        pytest.param(["deploy", "FOLDER", "URL", "-p", "1a=b"], "1a", id="bad-property"),
        pytest.param(["sync", "FOLDER", "FOLDER"], "neither is a URL", id="sync-without-url"),
        pytest.param(["sync", "URL", "URL"], "both are a URL", id="sync-of-urls"),
        pytest.param(["sync", "URL", "FOLDER", "--include", "a//b"], "a//b", id="sync-pattern"),
        pytest.param(["cleanup", "FOLDER/none"], "does not exist", id="cleanup-nowhere"),
        pytest.param(["cleanup", "FOLDER", "--older-than", "long"], "'long' is not a time span", id="cleanup-age"),
    ],
)
def test_transfer_that_means_nothing(server, cli, folder, local, words, message):
    """It is a usage error before any request."""
    run = cli(*(word.replace("URL", folder).replace("FOLDER", str(local)) for word in words))
    assert (run.code, run.out, server.requests) == (2, "", [])
    assert message in run.err


# deploy


@pytest.mark.parametrize(("end", "below"), [("", ""), ("/", "/dist")])
def test_deploy_of_a_folder(server, cli, folder, local, end, below):
    """A folder becomes the URL, or goes below one with a slash at its end; a second time nothing is sent."""
    run = cli("deploy", local, f"{folder}/new{end}", "-p", "os=linux")
    assert sorted(run.out.split()) == [f"{folder}/new{below}/docs/notes.txt", f"{folder}/new{below}/tool.bin"]
    assert run.err.startswith("2 files deployed: 9 B in ")
    assert server.read(f"{FOLDER}/new{below}/docs/notes.txt") == b"notes"
    assert server.properties(f"{FOLDER}/new{below}/tool.bin") == {"os": ["linux"]}
    assert cli("deploy", local, f"{folder}/new{end}").err.startswith("0 files deployed, 2 unchanged: ")


def test_deploy_of_some_files_of_a_folder(cli, folder, local):
    """--include and --exclude, which may be repeated, choose among its files."""
    run = cli("deploy", local, f"{folder}/new", "--include", "*.bin", "--include", "**/*.txt", "--exclude", "docs")
    assert (run.code, run.out) == (0, f"{folder}/new/tool.bin\n")


def test_deploy_of_several_files(server, cli, folder, local):
    """Files from the command line and from stdin get their names below the URL."""
    run = cli("deploy", local / "tool.bin", "-", f"{folder}/new", "--json", stdin=f"{local}/docs/notes.txt\n")
    assert run.code == 0
    assert {(each["url"], each["status"]) for each in run.objects} == {
        (f"{folder}/new/tool.bin", "deployed"),
        (f"{folder}/new/notes.txt", "deployed"),
    }
    assert cli("deploy", "-", folder, stdin="") == (0, "", "")


def test_deploy_of_a_listed_name_with_a_hash(cli, folder, tmp_path, monkeypatch):
    """A file may be called like a comment: it is deployed, not skipped."""
    monkeypatch.chdir(tmp_path)
    for name in ("#1.txt", "2.txt"):
        (tmp_path / name).write_text(name)
    run = cli("deploy", "-", f"{folder}/new/", stdin="\ufeff#1.txt\n2.txt\n")
    assert (run.code, len(run.out.splitlines())) == (0, 2)


def test_deploy_of_one_file_is_one_request(server, cli, folder, local):
    """One file is sent without a look at what is there, unless that is asked for."""
    assert cli("deploy", local / "tool.bin", f"{folder}/tool.bin").code == 0
    assert [record.method for record in server.requests] == ["PUT"]
    run = cli("deploy", local / "tool.bin", f"{folder}/tool.bin", "--overwrite", "changed", "--json")
    assert run.objects[0]["status"] == "unchanged"


def test_deploy_where_a_file_fails(server, cli, folder, local):
    """What failed is an error and the exit code; the rest is there."""
    server.fail("PUT", f"{FOLDER}/new/tool.bin", fault=Fault.status(403))
    run = cli("deploy", local, f"{folder}/new")
    assert (run.code, run.out) == (1, f"{folder}/new/docs/notes.txt\n")
    assert "1 failed" in run.err


# sync


def test_sync_downloads_and_deletes(cli, folder, local):
    """The local folder becomes like the server's: what is new comes, what is gone goes with --delete."""
    words = ("sync", f"{folder}/1.0.0", local)
    assert cli(*words).code == 0
    assert len(files_below(local)) == 5
    run = cli(*words, "--delete", "--json")
    assert run.code == 0
    assert sorted(each["status"] for each in run.objects) == ["deleted", "deleted", *["unchanged"] * 3]
    assert files_below(local) == ["media/a.wav", "media/b.wav", "media/c.wav"]


def test_sync_uploads(server, cli, folder, local):
    """The other way round, the server's folder becomes like the local one; patterns leave files alone."""
    run = cli("sync", local, f"{folder}/new", "--exclude", "docs")
    assert (run.code, run.out) == (0, f"deployed\t{local / 'tool.bin'}\n")
    assert not server.exists(f"{FOLDER}/new/docs/notes.txt")


def test_sync_dry_run_changes_nothing(cli, folder, local):
    """A plan is printed, and is all that happens."""
    words = ("sync", f"{folder}/1.0.0", local, "--delete", "--dry-run")
    run = cli(*words)
    assert run.code == 0
    assert "3 to fetch, 2 to delete" in run.out
    assert files_below(local) == ["docs/notes.txt", "tool.bin"]
    actions = cli(*words, "--json").objects
    assert {tuple(each) for each in actions} == {("action", "path", "size", "from", "reason")}
    assert [(each["action"], each["path"]) for each in actions][:2] == [
        ("delete", "docs/notes.txt"),
        ("fetch", "media/a.wav"),
    ]


def test_sync_that_fails_deletes_nothing(server, cli, folder, local):
    """A file that does not come keeps the others from being deleted."""
    server.fail("GET", f"{FOLDER}/1.0.0/media/a.wav", times=None, fault=Fault.status(403))
    run = cli("sync", f"{folder}/1.0.0", local, "--delete")
    assert run.code == 1
    assert "403" in run.err
    assert (local / "tool.bin").exists()


@pytest.mark.parametrize(
    "words", [["sync", "URL", "HERE"], ["sync", "HERE", "URL"], ["deploy", "HERE/tool.bin", "URL"]]
)
def test_transfer_that_is_refused(bare, cli, local, words):
    """Without credentials it is exit code 3."""
    url = f"{bare.url}/{FOLDER}/1.0.0"
    run = cli(*(word.replace("URL", url).replace("HERE", str(local)) for word in words))
    assert (run.code, run.out) == (3, "")


def test_sync_of_what_is_not_there(cli, folder, local):
    """A source that does not exist is exit code 4, and is not taken for an empty one."""
    run = cli("sync", f"{folder}/none", local, "--delete")
    assert (run.code, run.out) == (4, "")
    assert len(files_below(local)) == 2


# cleanup


def test_cleanup_removes_parts_and_nothing_else(cli, local):
    """What an interrupted download has left goes, its path is printed, and other files stay."""
    part = local / f".tool.bin.{'0' * 16}.part"
    part.write_bytes(b"part")
    assert cli("cleanup", local, "--older-than", "1h") == (0, "", "")
    assert cli("cleanup", local, "--json").objects == [{"path": str(part)}]
    assert files_below(local) == ["docs/notes.txt", "tool.bin"]
