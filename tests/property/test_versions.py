from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from aioartifact._versions import selection_of
from aioartifact._versions.maven import maven_key
from aioartifact._versions.natural import natural_key
from aioartifact._versions.semver import is_semantic_version, semver_key, sort_semantic_versions

NUMBERS = st.integers(min_value=0, max_value=30)
PLAIN = st.tuples(NUMBERS, NUMBERS, NUMBERS).map(lambda numbers: ".".join(map(str, numbers)))
# Few and short pieces, so that names that differ in one place only, or only in spelling, are common.
IDENTIFIERS = st.sampled_from(["0", "1", "2", "10", "01", "a", "alpha", "rc1", "1a", "-", "", "g1"])
PRERELEASES = st.lists(IDENTIFIERS, min_size=1, max_size=3).map(lambda parts: "-" + ".".join(parts))
DESCRIBED = st.sampled_from(["-0-gabc", "-1-gdeadbee", "-2-gdeadbee", "-10-g1", "-1-gx"])
BUILDS = st.sampled_from(["+", "+1", "+10", "+build.5", "+1-2-gabc"])
SMALL = st.sampled_from(["0.0.0", "1.0.0", "1.0.1", "1.00.0", "1.2.0", "1.10.0"])


def sort_versions(names):
    return sorted(names, key=semver_key)


def perhaps(strategy):
    return st.just("") | strategy


VERSIONS = st.tuples(perhaps(st.just("v")), SMALL, perhaps(PRERELEASES), perhaps(DESCRIBED), perhaps(BUILDS)).map(
    "".join
)
# Surrogates too: names on disk may hold bytes that are no text.
ANYTHING = st.text(st.characters(exclude_categories=())) | st.text("v0123.-+ag ", max_size=12)
NAMES = VERSIONS | PLAIN | ANYTHING


@given(first=NAMES, second=NAMES)
def test_order_is_antisymmetric(first, second):
    """Of two names exactly one comes first, unless they are the same; keys are equal only then."""
    one, other = semver_key(first), semver_key(second)

    assert (one < other, one == other, one > other).count(True) == 1
    assert (one < other) is (other > one)
    assert (one == other) is (first == second)


@given(st.tuples(NAMES, NAMES, NAMES))
def test_order_is_transitive(names):
    """What comes before something comes before all that follows it."""
    first, second, third = (semver_key(name) for name in names)

    assert not (first <= second <= third) or first <= third
    assert not (first >= second >= third) or first >= third


@given(st.lists(NAMES).flatmap(lambda names: st.tuples(st.just(names), st.permutations(names))))
def test_sorted_list_does_not_depend_on_the_order_before(lists):
    """The same names always end in the same order."""
    names, shuffled = lists

    assert sort_versions(names) == sort_versions(shuffled)


@given(st.lists(NAMES))
def test_names_that_are_no_versions_come_first(names):
    """The predicate and the order agree about what a version is."""
    accepted = [is_semantic_version(name) for name in sort_versions(names)]

    assert accepted == sorted(accepted)


# Names that are no versions, of which some hold one, and versions that are not spelled as usual.
NEARLY = st.sampled_from(
    ["1.2", "x0.0.0", "vv0.0.0", "0.0.0.1", "0.0.0rc1", "-0.0.0", "v", "", "\n", "01.0.0", "v0.0.0"]
)


@given(st.lists(PLAIN | SMALL) | st.lists(NAMES) | st.lists(PLAIN | NEARLY | VERSIONS))
def test_names_sorted_together_are_those_sorted_one_by_one(names):
    """Plain releases among other names, alone, or not at all: the same versions in the same order."""
    assert sort_semantic_versions(names) == sort_versions(filter(is_semantic_version, names))


@given(st.lists(NAMES), st.sampled_from(["semver", "maven", "natural"]), st.sampled_from([None, ">=1.0", "<1.0.1"]))
def test_newest_is_the_last_that_is_picked(names, scheme, spec):
    """Whether asked for one or for all, the newest is the same."""
    selection = selection_of(scheme, spec if scheme != "natural" else None)

    assert selection.newest(names) == (selection.pick(names) or [None])[-1]


@given(VERSIONS)
def test_version_shaped_names_are_versions(name):
    """The strategy above makes what it says, so the proofs are about versions."""
    assert is_semantic_version(name)


@given(first=PLAIN, second=PLAIN)
def test_plain_versions_agree_with_packaging(first, second):
    """On X.Y.Z, with or without "v", there is only one order."""
    smaller = Version(first) < Version(second)

    assert (semver_key(first) < semver_key(second)) is smaller
    if first != second:
        assert (semver_key(f"v{first}") < semver_key(second)) is smaller


@given(core=PLAIN, prerelease=PRERELEASES, more=IDENTIFIERS)
def test_prerelease_comes_before_its_longer_form_and_its_release(core, prerelease, more):
    """Fields added to a pre-release raise it, but never to the release (semver.org 11.3 and 11.4.4)."""
    names = [core + prerelease, f"{core}{prerelease}.{more}", core]

    assert sort_versions(names) == names


@given(version=VERSIONS.filter(lambda name: "+" not in name and "-g" not in name), commits=NUMBERS)
def test_described_commit_comes_directly_after_what_it_describes(version, commits):
    """Between a version and the commits after it there is room only for fewer commits."""
    described, later = f"{version}-{commits}-gdeadbee", f"{version}-{commits + 1}-gdeadbee"
    next_ones = [f"{version}.0" if "-" in version else "1.10.1-0"]

    assert sort_versions([*next_ones, later, described, version]) == [version, described, later, *next_ones]


@given(version=VERSIONS, build=BUILDS, other=VERSIONS)
def test_build_metadata_decides_nothing_between_unequal_versions(version, build, other):
    """Metadata moves a version past its equals at most (semver.org 10)."""
    assume("+" not in version and precedence(version) != precedence(other))

    assert (semver_key(version + build) < semver_key(other)) is (semver_key(version) < semver_key(other))


def precedence(name):
    """Key without the text that breaks ties."""
    return semver_key(name)[:-1]


MAVEN = st.lists(
    st.sampled_from([".", "-", ""])
    | st.sampled_from(["0", "1", "10", "alpha", "a", "rc", "snapshot", "ga", "sp", "x"]),
    max_size=8,
).map("".join)


@given(names=st.tuples(MAVEN | ANYTHING, MAVEN | ANYTHING, MAVEN | ANYTHING))
def test_maven_order_is_total(names):
    """Any names compare, without going round in circles; what means the same has one key."""
    first, second, third = map(maven_key, names)

    assert (first < second, first == second, first > second).count(True) == 1
    assert not (first <= second <= third) or first <= third


@given(version=MAVEN, nothing=st.sampled_from([".0", "-0", ".0.0", "-ga", "-final"]))
def test_maven_order_ignores_what_means_nothing(version, nothing):
    """Zeros and words for the release, put at the end, change nothing."""
    assume(version[-1:] not in {".", "-"})

    assert maven_key(version + nothing) == maven_key(version)


@given(first=ANYTHING, second=ANYTHING)
def test_natural_order_is_total(first, second):
    """Any names compare."""
    one, other = natural_key(first), natural_key(second)

    assert (one < other, one == other, one > other).count(True) == 1


SPECS = st.builds(
    lambda operator, version, zero: f"{operator}{version}{zero if operator in ('==', '!=') else ''}",
    st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~="]),
    st.sampled_from(["1.0", "1.0.0", "1.2", "1.2.0", "2.10.3"]),
    st.sampled_from(["", ".*"]),
)


@given(spec=st.lists(SPECS, min_size=1, max_size=3).map(",".join), version=PLAIN, candidate=st.booleans())
def test_specifiers_agree_with_packaging(spec, version, candidate):
    """A clause means what it means for Python packages, in the order of each scheme."""
    expected = SpecifierSet(spec).contains(version + "rc1" * candidate, prereleases=True)

    for scheme in ("semver", "maven", "pep440"):
        name = version + ("rc1" if scheme == "pep440" else "-rc1") * candidate
        assert bool(selection_of(scheme, spec).pick([name])) is expected
