"""``cache``, and the options --cache and --offline of download and sync."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The folder of the cache."""
    monkeypatch.setenv("AIOARTIFACT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_second_download_is_from_the_cache(server, cli, folder, tmp_path):
    """--json says which files were; --offline sends no request at all."""
    first = cli("download", folder, "-d", tmp_path / "one", "--cache", "--json")
    assert {each["from_cache"] for each in first.objects} == {False}
    second = cli("download", folder, "-d", tmp_path / "two", "--cache", "--json")
    assert [each["from_cache"] for each in second.objects] == [True] * 9
    server.clear_log()
    assert cli("download", folder, "--folder", "-d", tmp_path / "three", "--offline").code == 0
    assert cli("sync", folder, tmp_path / "four", "--offline").code == 0
    assert "9 kept" in cli("sync", folder, tmp_path / "four", "--offline", "--dry-run").out
    assert server.requests == []


def test_what_the_cache_does_not_have(cli, folder, tmp_path):
    """Offline, it is an error with a hint; so are options that exclude each other."""
    run = cli("download", folder, "--folder", "-d", tmp_path / "one", "--offline")
    assert (run.code, run.out) == (1, "")
    assert "not in the cache, which is offline" in run.err
    assert "download it once without offline" in run.err
    assert cli("download", folder, "--folder", "--archive", "--cache").code == 2
    assert cli("sync", tmp_path, f"{folder}/up", "--cache").code == 2


def test_cache_ls_prune_and_verify(cli, folder, tmp_path, cache):
    """Each prints files; verify fails if one is damaged, and has removed it."""
    cli("download", folder, "-d", tmp_path / "one", "--cache")
    run = cli("cache", "ls")
    assert (run.code, len(run.out.splitlines())) == (0, 9)
    assert "9 files in the cache" in run.err
    [first, *_] = cli("cache", "ls", "--json", "--folder", cache).objects
    assert run.out.startswith(f"{first['sha256']}\t{first['size']}\t{first['used']}\n")
    assert cli("cache", "verify")[:2] == (0, "")
    (cache / "v1/sha256" / first["sha256"][:2] / first["sha256"]).write_bytes(b"damaged")
    run = cli("cache", "verify", "--json")
    assert (run.code, [each["sha256"] for each in run.objects]) == (1, [first["sha256"]])
    assert cli("cache", "prune", "--older-than", "1h")[:2] == (0, "")
    assert len(cli("--quiet", "cache", "prune", "--max-size", "0").out.splitlines()) == 8
    assert cli("--quiet", "cache", "ls") == (0, "", "")
