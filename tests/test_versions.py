from itertools import combinations
from random import Random

import pytest

from aioartifact._versions import selection_of
from aioartifact._versions.semver import is_semantic_version, semver_key

# In ascending order; every pair of it is compared below.
ASCENDING = [
    # names that are no versions: digits as numbers, and before text
    "",
    "1.2",
    "1.2.3.4",
    "1.10",
    "2024-1",
    " 1.2.3",
    "V9.9.9",
    "latest",
    "release-2",
    "release-10",
    "release-10a",
    "vv1.0.0",
    "\uff11.0.0",
    # the core
    "0.0.0-0",
    "0.0.0",
    "0.0.1",
    "0.0.2",
    "0.0.10",
    "0.1.0",
    "v0.9.9",
    # pre-releases: numbers before text, of which nothing at all is the first
    "1.0.0-0",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-10.0",
    "1.0.0-",
    "1.0.0--",
    "1.0.0-2a",
    "1.0.0-RC.1",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "v1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0-rc.1-2-gdeadbee",
    "1.0.0-rc.1-10-gdeadbee",
    "1.0.0-rc.1.1",
    "1.0.0-rc.2",
    "1.0.0-rc1",
    "1.0.0-rc10",
    "1.0.0-rc2",
    # the release, its equals in plain text order, and what git describes after it
    "1.0.0",
    "1.0.0+",
    "1.0.0+build.10",
    "1.0.0+build.5",
    "v1.0.0",
    "v1.0.0+build.5",
    "1.0.0-0-gabc1234",
    "1.0.0-1-gdf29c4a",
    "1.0.0-3-gabc1234+local",
    "v1.0.0-3-gabc1234",
    "1.0.0-20-gabc1234",
    # what looks like git's tail but is none belongs to the next version's pre-releases
    "1.0.1-3-gxyz",
    "1.0.1-rc.1",
    "1.0.1-rc.1-2-gdeadbee",
    "1.0.1",
    "1.01.2",
    "1.1.2",
    "1.2.3",
    "1.10.0",
    "2.0.0-alpha.1",
    "2.0.0",
    "2024.01.05",
    "9" * 5000 + ".0.0",
    "1" + "0" * 5000 + ".0.0",
]


@pytest.mark.parametrize("text", ["1.2.3", "0.0.0", "10.20.30", "01.002.0003", "v1.2.3", "9" * 5000 + ".0.0"])
@pytest.mark.parametrize(
    "tail", ["", "-", "+", "-r3", "-rc.1", "+build.5", "-rc.1+build.5", "-9-g1572b37", "-1.2.3.4", "- é\n\x00", "+-+"]
)
def test_predicate_accepts_three_numbers_with_any_tail(text, tail):
    """X.Y.Z, one "v" or none, leading zeros or none, any number of digits; the tail is free."""
    assert is_semantic_version(text + tail)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("v", id="only-v"),
        pytest.param("v1", id="one-number"),
        pytest.param("1.2", id="two-numbers"),
        pytest.param("1.2-3", id="two-numbers-and-tail"),
        pytest.param("1.2.3.4", id="four-numbers"),
        pytest.param("1.2.", id="missing-last"),
        pytest.param(".2.3", id="missing-first"),
        pytest.param("1..3", id="missing-middle"),
        pytest.param("1.2.3rc1", id="tail-without-separator"),
        pytest.param("1.2.x", id="letter"),
        pytest.param("V1.2.3", id="capital-v"),
        pytest.param("vv1.2.3", id="two-v"),
        pytest.param("1.v2.3", id="v-in-the-middle"),
        pytest.param("latest", id="word"),
    ],
)
def test_predicate_refuses_other_shapes(text):
    """As audeer does."""
    assert not is_semantic_version(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" 1.2.3", id="blank-before"),
        pytest.param("1.2.3 ", id="blank-after"),
        pytest.param("1. 2.3", id="blank-within"),
        pytest.param("1.2.3\n", id="line-end"),
        pytest.param("1_0.2.3", id="underscore"),
        pytest.param("-1.2.3", id="minus"),
        pytest.param("+1.2.3", id="plus"),
        pytest.param("1.+2.3", id="plus-within"),
        pytest.param("\uff11.2.3", id="full-width-digit"),
        pytest.param("\u0661.2.3", id="arabic-digit"),
        pytest.param("1.2.\u00b3", id="superscript"),
    ],
)
def test_predicate_refuses_what_only_int_accepts(text):
    """Numbers are ASCII digits and nothing else, unlike in audeer."""
    assert not is_semantic_version(text)


def test_ascending_list_holds_for_every_pair():
    """Each name sorts before each later one, whichever of the two is asked."""
    keys = [semver_key(name) for name in ASCENDING]

    wrong = [pair for pair in combinations(range(len(keys)), 2) if not keys[pair[0]] < keys[pair[1]]]

    assert [(ASCENDING[first], ASCENDING[second]) for first, second in wrong] == []


def test_key_restores_the_order_from_any_other():
    """The result depends on the names alone, and the argument stays as it was."""
    random = Random(20261122)
    for _ in range(20):
        shuffled = random.sample(ASCENDING, len(ASCENDING))
        before = list(shuffled)
        assert sorted(shuffled, key=semver_key) == ASCENDING
        assert shuffled == before


@pytest.mark.parametrize(
    "ascending",
    [
        pytest.param(
            "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0",
            id="semver.org-11.4",
        ),
        pytest.param("1.0.0 2.0.0 2.1.0 2.1.1", id="semver.org-11.2"),
        pytest.param("v1.0.0 2.0.0 v2.0.0-1-gdf29c4a 2.0.1", id="audeer"),
        pytest.param("v1.9.0 1.10.0 2.0.0-rc1 2.0.0 2.0.0+build.5", id="release-after-candidate-unlike-audeer"),
        pytest.param("1.0.0-1 1.0.0-alpha", id="type-error-in-audeer"),
        pytest.param("2.0.0-alpha 2.0.0-3-gabc", id="type-error-in-audeer-described"),
    ],
)
def test_key_agrees_with_published_examples(ascending):
    """Precedence is that of semver.org; audeer's plain examples hold too."""
    names = ascending.split()
    backwards = names[::-1]

    assert sorted(backwards, key=semver_key) == names


def test_pick_takes_versions_alone_from_any_iterable():
    """Other names are left out; picking neither adds nor drops beyond that."""
    assert selection_of().pick(name for name in ("2.0.0", "latest", "1.0.0", "2.0.0")) == ["1.0.0", "2.0.0", "2.0.0"]
    assert selection_of().pick([]) == []


def test_newest_looks_at_no_more_than_it_must():
    """What the names must match is asked from the newest on, until one does."""
    asked = []

    def is_even(name):
        asked.append(name)
        return name.endswith(("0", "2"))

    assert selection_of(where=is_even).newest(["1.0.1", "1.0.0", "latest", "1.0.3", "1.0.2"]) == "1.0.2"
    assert asked == ["1.0.3", "1.0.2"]
    assert selection_of(where=is_even).newest(["1.0.1"]) is None
