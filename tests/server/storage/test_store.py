"""What lies below a folder, and transactions in transactions."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.repositories.definitions import Repository
from aioartifact.testing.storage.store import Checksums, ConflictError, Deployment, Store, below, walk

BY = Deployment("admin", 1, original=Checksums())


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    store.add_repository(Repository("r"), 1)
    yield store
    store.close()


@pytest.mark.slow
@given(paths=st.sets(st.lists(st.sampled_from("a!-/.0ü"), min_size=1, max_size=5).map("".join)))
def test_below_is_what_starts_with_the_folder(tmp_path_factory, paths):
    """Names that sort between a folder and what is in it do not belong to it."""
    paths = {"/".join(name for name in path.split("/") if name not in ("", ".", "..")) for path in paths} - {""}
    store = Store(tmp_path_factory.mktemp("store"))
    store.add_repository(Repository("r"), 1)
    for path in paths:
        store.make_folder("r", path, BY)
    made = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, path.count("/") + 2)}
    with store.reader() as connection:
        for folder in ("", *made):
            found = [item.path for item in walk(connection, store.get("r", folder))]
            assert sorted(found) == sorted(each for each in made if not folder or each.startswith(f"{folder}/"))
    store.close()


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM items WHERE {}", "SELECT * FROM items WHERE {} ORDER BY path", "DELETE FROM items WHERE {}"],
)
def test_below_is_one_range_of_the_index(store, statement):
    """No more of the repository is read than the folder, however large it is."""
    condition, values = below(store.make_folder("r", "f", BY))
    with store.reader() as connection:
        first, *_ = connection.execute("EXPLAIN QUERY PLAN " + statement.format(condition), values)
    assert first[3] == "SEARCH items USING INDEX sqlite_autoindex_items_1 (repo=? AND path>? AND path<?)"


def change_twice_and_fail(store):
    with store.transaction():
        store.make_folder("r", "a/b", BY)
        with store.transaction():
            store.make_folder("r", "c", BY)
        raise ConflictError("undo")


def test_transactions_join(store):
    """What is inside another transaction goes with it."""
    with pytest.raises(ConflictError):
        change_twice_and_fail(store)
    assert store.get("r", "a") is None
    assert store.get("r", "c") is None
    store.make_folder("r", "a/c", BY)
    assert [child.name for child in store.children(store.get("r", "a"))] == ["c"]


def test_pruning_takes_empty_folders_only(store):
    """From the bottom up, and no folder in which something stays."""
    content = store.blobs.add(b"x")
    for folder in ("f/a/b/c", "f/d/e"):
        store.make_folder("r", folder, BY)
    store.put("r", "f/d/x", content, BY)
    assert not store.prune(store.get("r", "f"))
    left = ["f/a", "f/a/b", "f/d", "f/d/e", "f/d/x"]
    assert [path for path in left if store.get("r", path)] == ["f/d", "f/d/x"]
    store.delete(store.get("r", "f/d/x"))
    assert store.prune(store.get("r", "f"))
    assert store.get("r", "f") is None


@pytest.mark.parametrize("kinds", list(itertools.product(("file", "folder"), repeat=2)))
def test_duplicating_onto_something(store, kinds):
    """A file takes the place of a file, a folder that is there stays, and one kind never replaces the other."""
    source, target = kinds
    for path, kind in (("source", source), ("target", target)):
        if kind == "file":
            store.put("r", path, store.blobs.add(path.encode()), BY)
        else:
            store.make_folder("r", path, BY)
    item = store.get("r", "source")
    if source != target:
        with pytest.raises(ConflictError, match=rf"^r:target is a {target}, not a {source}$"):
            store.duplicate(item, "r", "target", "admin", 2)
        return
    store.duplicate(item, "r", "target", "admin", 2)
    assert store.get("r", "target").sha1 == item.sha1
