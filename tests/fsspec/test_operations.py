"""What a file system does with items, and the requests that it costs."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from fsspec.callbacks import Callback

import aioartifact
from aioartifact.testing import Fault


@pytest.fixture
def tree(server):
    """A small tree, and no request so far."""
    for name, content in {"a.csv": b"a", "b.csv": b"bb", "sub/c.csv": b"ccc", "sub/deep/d.csv": b"dddd"}.items():
        server.put(f"data/tree/{name}", content)
    server.make_folder("data/tree/empty")
    server.clear_log()
    return server


def test_info_of_a_file(tree, fs):
    """One request, which is remembered."""
    entry = fs.info("artifactory://data/tree/b.csv")
    assert (entry["name"], entry["type"], entry["size"]) == ("data/tree/b.csv", "file", 2)
    assert entry["sha256"] == sha256(b"bb").hexdigest()
    assert entry["modified"].timestamp() == entry["mtime"]
    assert fs.size("data/tree/b.csv") == 2
    assert fs.isfile("data/tree/b.csv")
    assert len(tree.requests) == 1


def test_info_of_a_folder(tree, fs):
    entry = fs.info("data/tree/")
    assert (entry["name"], entry["type"], entry["size"]) == ("data/tree", "directory", 0)
    assert fs.info("")["type"] == fs.info("artifactory://data")["type"] == "directory"


def test_info_of_a_missing_item(tree, fs):
    with pytest.raises(FileNotFoundError):
        fs.info("data/tree/missing")
    assert not fs.exists("data/tree/missing")
    assert not fs.isfile("data/tree/missing")
    assert not fs.isdir("data/tree/missing")


def test_missing_item_is_not_remembered(tree, fs):
    """A file that appears is seen, also in a folder that has been listed."""
    fs.ls("data/tree")
    assert not fs.exists("data/tree/new.csv")
    tree.put("data/tree/new.csv", b"new")
    assert fs.exists("data/tree/new.csv")


def test_list_with_sizes_in_one_request(tree, fs):
    """Sizes, checksums and types of a folder cost one request, which also answers for its entries."""
    entries = {entry["name"].rpartition("/")[2]: entry for entry in fs.ls("data/tree")}
    assert {name: (entry["type"], entry["size"]) for name, entry in entries.items()} == {
        "a.csv": ("file", 1),
        "b.csv": ("file", 2),
        "empty": ("directory", 0),
        "sub": ("directory", 0),
    }
    assert fs.ls("data/tree", detail=False) == sorted(f"data/tree/{name}" for name in entries)
    assert fs.info("data/tree/a.csv")["sha256"] == sha256(b"a").hexdigest()
    assert fs.isdir("data/tree/sub")
    assert len(tree.requests) == 1


def test_list_a_file(tree, fs):
    """As in other file systems, the list of a file is the file."""
    assert fs.ls("data/tree/a.csv", detail=False) == ["data/tree/a.csv"]


def test_list_the_root(tree, fs):
    """The root has the repositories."""
    assert "data" in fs.ls("", detail=False)
    assert fs.glob("dat*") == ["data"]
    assert "data/tree/a.csv" in fs.find("")
    assert "data" not in fs.find("", maxdepth=1)
    assert {"data", "data/tree"} <= set(fs.find("", maxdepth=2, withdirs=True))


def test_refreshed_list(tree, fs):
    """What others change is seen with refresh=True, or when the listing expires."""
    fs.ls("data/tree")
    tree.put("data/tree/new.csv", b"new")
    assert "data/tree/new.csv" not in fs.ls("data/tree", detail=False)
    assert "data/tree/new.csv" in fs.ls("data/tree", detail=False, refresh=True)


def test_listings_expire(tree, new_fs):
    """By default, listings are remembered for a short time; here, for none."""
    fs = new_fs(listings_expiry_time=0, use_listings_cache=False)
    fs.ls("data/tree")
    tree.put("data/tree/new.csv", b"new")
    assert "data/tree/new.csv" in fs.ls("data/tree", detail=False)
    assert new_fs(listings_expiry_time=3.0).dircache.listings_expiry_time == 3.0


def test_find_in_one_request(tree, fs):
    """A whole tree is one request."""
    names = ["a.csv", "b.csv", "sub/c.csv", "sub/deep/d.csv"]
    assert fs.find("data/tree") == [f"data/tree/{name}" for name in names]
    assert len(tree.requests) == 1
    assert fs.find("data/tree", maxdepth=1, withdirs=True) == [
        f"data/tree{name}" for name in ("", "/a.csv", "/b.csv", "/empty", "/sub")
    ]
    assert fs.find("data/tree", detail=True)["data/tree/b.csv"]["size"] == 2
    assert fs.find("data/tree/a.csv") == ["data/tree/a.csv"]
    assert fs.find("data/missing") == []
    assert fs.find("data/tree/empty", withdirs=True) == ["data/tree/empty"]


def test_listed_files_need_no_info(tree, fs):
    """Entries of a listing are remembered, so that a dataset of many files costs no request for each."""
    names = fs.find("data/tree")
    assert [fs.size(name) for name in names] == [1, 2, 3, 4]
    assert len(tree.requests) == 1
    fs.invalidate_cache()
    assert fs.size(names[0]) == 1
    assert len(tree.requests) == 2


def test_glob_in_one_request(tree, fs):
    assert fs.glob("artifactory://data/tree/**/*.csv") == fs.find("data/tree")
    assert len(tree.requests) == 2
    assert fs.glob("data/tree/[ab].csv") == ["data/tree/a.csv", "data/tree/b.csv"]
    assert fs.glob("data/missing/*") == []


def test_walk_in_one_request(tree, fs):
    walked = list(fs.walk("data/tree"))
    assert [(folder, sorted(dirs), sorted(files)) for folder, dirs, files in walked] == [
        ("data/tree", ["empty", "sub"], ["a.csv", "b.csv"]),
        ("data/tree/empty", [], []),
        ("data/tree/sub", ["deep"], ["c.csv"]),
        ("data/tree/sub/deep", [], ["d.csv"]),
    ]
    assert len(tree.requests) == 1
    assert [folder for folder, _, _ in fs.walk("data/tree", maxdepth=1)] == ["data/tree"]
    assert [folder for folder, _, _ in fs.walk("data/tree", maxdepth=2, topdown=False)] == [
        "data/tree/sub",
        "data/tree/empty",
        "data/tree",
    ]
    (_, dirs, files) = next(iter(fs.walk("data/tree", detail=True)))
    assert (dirs["sub"]["type"], files["b.csv"]["size"]) == ("directory", 2)


def test_walk_of_a_missing_folder(tree, fs):
    """As in other file systems: nothing, an error, or a call, as *on_error* says."""
    assert list(fs.walk("data/missing")) == [("data/missing", [], [])]
    with pytest.raises(FileNotFoundError):
        list(fs.walk("data/missing", on_error="raise"))
    errors = []
    list(fs.walk("data/missing", on_error=errors.append))
    assert [type(error) for error in errors] == [aioartifact.NotFoundError]


def test_du(tree, fs):
    assert fs.du("data/tree") == 10
    assert fs.du("data/tree", total=False)["data/tree/sub/c.csv"] == 3
    assert len(tree.requests) == 2


@pytest.mark.parametrize("call", ["exists", "isfile", "isdir", "find", "glob", "walk", "ls", "info"])
def test_refused_credentials_are_no_empty_result(tree, new_fs, call):
    """Only a missing item is missing: what cannot be known raises, as the error that Python has for it."""
    fs = new_fs(auth=("stranger", "wrong"))
    path = "data/tree/*" if call == "glob" else "data/tree"
    with pytest.raises(PermissionError):
        list(getattr(fs, call)(path))


@pytest.mark.parametrize("call", ["find", "walk", "glob"])
def test_failed_listing_is_no_empty_result(tree, new_fs, call):
    """The walk of fsspec passes over errors of the operating system; a tree without a part of it would be wrong."""
    fs = new_fs(retry=aioartifact.RetryPolicy(attempts=1))
    tree.fail("GET", "**", times=None, fault=Fault.reset())
    tree.fail("POST", "**", times=None, fault=Fault.reset())
    with pytest.raises(aioartifact.ConnectionLostError):
        list(getattr(fs, call)("data/tree/*" if call == "glob" else "data/tree"))


def test_unknown_repository(tree, fs):
    assert not fs.exists("unknown/a")
    assert fs.glob("unknown/*") == []
    for call in (fs.cat_file, fs.ls, fs.open):
        with pytest.raises(FileNotFoundError):
            call("unknown/a")
    with pytest.raises(FileNotFoundError):
        fs.pipe_file("unknown/a", b"")


def test_no_permission(tree, new_fs):
    """What a user may not do is a PermissionError."""
    tree.add_user("reader", password="password")
    tree.grant("reader", "data", "r")
    fs = new_fs(auth=("reader", "password"))
    assert fs.cat_file("data/tree/a.csv") == b"a"
    with pytest.raises(PermissionError):
        fs.pipe_file("data/tree/a.csv", b"new")
    with pytest.raises(PermissionError):
        fs.rm("data/tree/a.csv")


@pytest.mark.parametrize(
    ("start", "end"),
    [(None, None), (0, 5), (2, None), (-3, None), (None, -3), (-5, -2), (2, -2), (-5, 8), (4, 4), (8, 2), (50, 60)],
)
def test_cat_file(server, fs, start, end):
    """A range is a slice of the bytes."""
    server.put("data/f", b"0123456789")
    assert fs.cat_file("data/f", start=start, end=end) == b"0123456789"[start:end]


def test_cat_many(tree, fs):
    """Several files, or those of a pattern, come as a dict; a missing one raises, or is left out."""
    assert fs.cat("data/tree/*.csv") == {"data/tree/a.csv": b"a", "data/tree/b.csv": b"bb"}
    paths = ["data/tree/a.csv", "data/tree/missing"]
    assert fs.cat(paths, on_error="omit") == {"data/tree/a.csv": b"a"}
    with pytest.raises(FileNotFoundError):
        fs.cat(paths)


def test_cat_ranges_merges_near_ones(server, fs):
    """Near ranges are one request, far ones are others, and the order is that of the arguments."""
    content = bytes(range(256)) * 4000
    server.put("data/f", content)
    server.put("data/g", b"other")
    spans = [(1000, 1100), (0, 100), (900_000, 900_010), (-5, None)]
    paths, starts, ends = ["data/f"] * 4 + ["data/g"], [s for s, _ in spans] + [0], [e for _, e in spans] + [3]
    server.clear_log()
    assert fs.cat_ranges(paths, starts, ends) == [*(content[s:e] for s, e in spans), b"oth"]
    assert server.count("GET", "data/*") == 4
    assert len(fs.cat_ranges(["data/f"] * 3, [0, 10, 20], 30, max_gap=0)) == 3


def test_cat_ranges_returns_errors(server, fs):
    """An error takes the position of its range, or is raised."""
    server.put("data/f", b"0123")
    found = fs.cat_ranges(["data/f", "data/missing"], [0, 0], [2, 2])
    assert found[0] == b"01"
    assert isinstance(found[1], FileNotFoundError)
    with pytest.raises(FileNotFoundError):
        fs.cat_ranges(["data/f", "data/missing"], [0, 0], [2, 2], on_error="raise")


@pytest.mark.parametrize(("paths", "error"), [("data/f", TypeError), (["data/f"], ValueError)])
def test_cat_ranges_with_bad_arguments(fs, paths, error):
    with pytest.raises(error):
        fs.cat_ranges(paths, [0, 1], [2, 2])


def test_ranges_of_two_contents_are_an_error(server, fs):
    """If the file is replaced between the requests, no caller gets bytes of both."""
    server.put("data/f", b"a" * 1_000_000)
    server.fail("GET", "data/f", times=2, fault=Fault.overwrite(b"b" * 1_000_000, b"c" * 1_000_000))
    found = fs.cat_ranges(["data/f"] * 2, [0, 900_000], [10, 900_010])
    assert [type(each) for each in found] == [aioartifact.IntegrityError] * 2


@pytest.mark.parametrize(
    "fault", [Fault.ignore_range(), Fault.drop_checksums(), Fault.ignore_range() | Fault.drop_checksums()]
)
def test_ranges_of_a_server_without_them(server, fs, fault):
    """If a server ignores ranges, or does not say which content a range is of, the bytes are right."""
    content = bytes(range(256)) * 4000
    server.put("data/f", content)
    server.fail("GET", "data/f", times=None, fault=fault)
    assert fs.cat_ranges(["data/f"] * 3, [0, 900_000, -5], [10, 900_010, None]) == [
        content[:10],
        content[900_000:900_010],
        content[-5:],
    ]
    assert fs.cat_file("data/f", 5, 10) == content[5:10]
    with fs.open("data/f") as file:
        file.seek(-5, 2)
        assert file.read() == content[-5:]


def test_get_is_verified_and_atomic(server, fs, tmp_path):
    """A download that fails leaves the existing file."""
    server.put("data/f", b"content")
    target = tmp_path / "f"
    target.write_bytes(b"old")
    server.fail("GET", "data/f", times=None, fault=Fault.replace(b"damaged"))
    with pytest.raises(aioartifact.IntegrityError):
        fs.get("data/f", str(target))
    assert target.read_bytes() == b"old"
    server.clear_faults()
    fs.get("data/f", str(target))
    assert target.read_bytes() == b"content"


def test_get_into_a_file_object(server, fs, tmp_path):
    server.put("data/f", b"content")
    with (tmp_path / "f").open("wb") as file:
        fs.get_file("data/f", file)
    assert (tmp_path / "f").read_bytes() == b"content"


def test_get_onto_a_folder(server, fs, tmp_path):
    """A folder is not replaced by a file."""
    server.put("data/f", b"content")
    with pytest.raises(OSError, match="is a folder"):
        fs.get_file("data/f", str(tmp_path))


def test_callbacks_see_bytes(server, fs, tmp_path):
    """Callbacks of fsspec are called with the bytes of each file."""
    server.put("data/f", b"x" * 100)
    download, upload = Callback(), Callback()
    fs.get_file("data/f", str(tmp_path / "f"), callback=download)
    fs.put_file(str(tmp_path / "f"), "data/g", callback=upload)
    assert [(each.size, each.value) for each in (download, upload)] == [(100, 100)] * 2


def test_put_and_pipe(server, fs, tmp_path):
    """Both replace a file, or create it only."""
    (tmp_path / "f").write_bytes(b"local")
    fs.put_file(str(tmp_path / "f"), "data/new/f")
    fs.pipe({"data/new/g": b"memory"})
    assert (server.read("data/new/f"), server.read("data/new/g")) == (b"local", b"memory")
    with pytest.raises(FileExistsError):
        fs.put_file(str(tmp_path / "f"), "data/new/g", mode="create")
    with pytest.raises(FileExistsError):
        fs.pipe_file("data/new/f", b"", mode="create")
    assert (server.read("data/new/f"), server.read("data/new/g")) == (b"local", b"memory")


def test_own_changes_are_seen(tree, fs):
    """What is remembered is forgotten when this object changes it."""
    assert "data/tree/new" not in fs.ls("data/tree", detail=False)
    fs.pipe_file("data/tree/new", b"1")
    assert "data/tree/new" in fs.ls("data/tree", detail=False)
    assert fs.size("data/tree/new") == 1
    fs.pipe_file("data/tree/new", b"22")
    assert fs.size("data/tree/new") == 2
    fs.rm("data/tree/new")
    assert not fs.exists("data/tree/new")
    assert "data/tree/new" not in fs.ls("data/tree", detail=False)
    fs.rm("data/tree/sub", recursive=True)
    assert not fs.exists("data/tree/sub/c.csv")


def test_make_folders(server, fs):
    fs.mkdir("data/new/folder")
    assert fs.isdir("data/new/folder")
    with pytest.raises(FileExistsError):
        fs.mkdir("data/new/folder")
    with pytest.raises(FileExistsError):
        fs.makedirs("data/new/folder")
    fs.makedirs("data/new/folder", exist_ok=True)
    fs.makedirs("data", exist_ok=True)
    with pytest.raises(FileExistsError):
        fs.mkdir("data")
    with pytest.raises(FileNotFoundError):
        fs.mkdir("data/a/b/c", create_parents=False)
    with pytest.raises(ValueError, match="is a repository"):
        fs.mkdir("not-there")


def test_copy_and_move_on_the_server(tree, fs):
    """No bytes are transferred."""
    fs.cp("data/tree/a.csv", "data/copies/a.csv")
    fs.mv("data/tree/b.csv", "data/copies/")
    fs.mv("data/tree/sub", "data/moved", recursive=True)
    assert fs.find("data") == [
        "data/copies/a.csv",
        "data/copies/b.csv",
        "data/moved/c.csv",
        "data/moved/deep/d.csv",
        "data/tree/a.csv",
    ]
    fs.mv("data/copies/*.csv", "data/tree/")
    assert fs.find("data/tree") == ["data/tree/a.csv", "data/tree/b.csv"]
    assert fs.find("data/copies") == []
    with pytest.raises(IsADirectoryError):
        fs.mv("data/tree", "data/other")
    with pytest.raises(FileNotFoundError):
        fs.mv("data/missing", "data/other")


def test_copy_without_pro(new_fs):
    """Artifactory OSS does not copy: the error says so."""
    with aioartifact.testing.ThreadedArtifactoryServer(edition="oss") as oss:
        oss.put("generic-local/a", b"a")
        fs = new_fs(base_url=oss.url, auth=(oss.username, oss.password))
        with pytest.raises(aioartifact.BadRequestError, match="Pro"):
            fs.cp("generic-local/a", "generic-local/b")
        assert fs.ls("generic-local")[0]["size"] == 1
        fs.close()


def test_delete(tree, fs):
    """A folder is deleted only if that is meant, in one request."""
    with pytest.raises(IsADirectoryError, match="recursive=True"):
        fs.rm("data/tree")
    with pytest.raises(IsADirectoryError):
        fs.rm_file("data/tree/sub")
    assert tree.exists("data/tree/sub/c.csv")
    with pytest.raises(FileNotFoundError):
        fs.rm("data/missing")
    with pytest.raises(FileNotFoundError):
        fs.rm("data/missing", recursive=True)
    fs.rm("data/tree/*.csv")
    assert fs.find("data/tree") == ["data/tree/sub/c.csv", "data/tree/sub/deep/d.csv"]
    fs.rm("data/tree/*")
    assert not fs.exists("data/tree/empty")
    assert tree.exists("data/tree/sub/c.csv")
    tree.clear_log()
    fs.rm("data/tree", recursive=True)
    assert tree.count("DELETE") == 1
    assert not tree.exists("data/tree")
    with pytest.raises(ValueError, match="whole"):
        fs.rm("data", recursive=True)


def test_delete_an_empty_folder(tree, fs):
    with pytest.raises(OSError, match="has entries"):
        fs.rmdir("data/tree")
    with pytest.raises(NotADirectoryError):
        fs.rmdir("data/tree/a.csv")
    fs.rmdir("data/tree/empty")
    assert not fs.exists("data/tree/empty")


def test_what_identifies_a_content(server, fs):
    """Keys are checksums, always of the present content; times have time zones."""
    server.put("data/f", b"one")
    assert fs.ukey("data/f") == sha256(b"one").hexdigest()
    assert fs.checksum("data/f") == int(fs.ukey("data/f"), 16)
    server.put("data/f", b"two")
    assert fs.ukey("data/f") == sha256(b"two").hexdigest()
    assert isinstance(fs.created("data/f"), datetime)
    assert fs.modified("data/f").astimezone(UTC).tzinfo is UTC
    with pytest.raises(IsADirectoryError):
        fs.ukey("data")


def test_urls_are_not_signed(fs):
    """A link that works without credentials would not be honest: the error says what to do."""
    with pytest.raises(NotImplementedError, match="no signed URLs"):
        fs.sign("data/f")


def test_touch_and_text(server, fs):
    fs.touch("data/f")
    assert server.read("data/f") == b""
    fs.write_text("data/f", "größe")
    assert fs.read_text("data/f") == "größe"
    assert fs.tail("data/f", 2) == b"\x9fe"[-2:]
    assert fs.head("data/f", 2) == b"gr"


def test_names_survive(server, fs):
    """Names that URLs cannot hold are written, listed and read."""
    name = "data/a b#c;d=e%41+ü[1].csv"
    fs.pipe_file(name, b"x")
    assert fs.find("data") == [name]
    assert fs.cat_file(name) == b"x"
    assert fs.cat_file("artifactory://" + name) == b"x"
    with fs.open(name) as file:
        assert file.read() == b"x"


@pytest.mark.parametrize("path", ["data/../x", "data//x", "data/./x"])
def test_bad_path(fs, server, path):
    """A path that a server would resolve to another one is an error, without a request."""
    for call in (fs.info, fs.cat_file, fs.open, fs.rm_file, fs.ls):
        with pytest.raises(ValueError, match="name"):
            call(path)
    with pytest.raises(ValueError, match="name"):
        fs.open(path, "wb")
    assert server.requests == []
