import os

from hypothesis import assume, given
from hypothesis import strategies as st

from aioartifact._errors import UnsafePathError
from aioartifact._transfer.local_paths import check_inside, local_path, relative_path

ANYTHING = st.text(st.characters(exclude_categories=())) | st.lists(
    st.sampled_from(["..", ".", "/", "\\", "a", "\0", "~", " ", "\ud800", "é", "//", "C:"]), max_size=8
).map("".join)
# Where nothing is: what realpath makes of a path below it depends on the path alone.
ROOT = os.path.realpath("/nonexistent/root")
NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in {".", ".."}
)


@given(ANYTHING)
def test_no_text_leads_out_of_the_root(text):
    """A listing may hold anything; what is not refused lies below the root, and keeps its name."""
    try:
        path = local_path(ROOT, text)
    except UnsafePathError:
        return
    assert os.path.commonpath([ROOT, os.path.realpath(path)]) == ROOT
    assert os.path.realpath(path) == path == f"{ROOT}/{text}"
    check_inside(ROOT, path.rpartition("/")[0])


@given(st.lists(NAMES, min_size=1))
def test_every_good_name_is_accepted(names):
    """Nothing that the server and the disk can hold is refused."""
    assert local_path(ROOT, "/".join(names)) == "/".join([ROOT, *names])


@given(base=st.lists(NAMES, max_size=3).map("/".join), names=st.lists(NAMES, min_size=1))
def test_relative_path_is_what_was_added(base, names):
    """The path below a folder, put below the folder again, is the path."""
    path = "/".join(filter(None, [base, *names]))

    assert relative_path(base, path) == "/".join(names)


@given(first=ANYTHING, second=ANYTHING)
def test_two_names_never_share_a_place(first, second):
    """No file of a tree overwrites another."""
    assume(first != second)
    places = set()
    for text in (first, second):
        try:
            places.add(local_path(ROOT, text))
        except UnsafePathError:
            places.add(text)

    assert len(places) == 2
