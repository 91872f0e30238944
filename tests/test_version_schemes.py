"""Schemes beside semantic versions: Maven, PEP 440, natural, a user's own key."""

import sys
from itertools import combinations
from pathlib import Path

import pytest

from aioartifact import ConfigurationError, InvalidArgumentError
from aioartifact._versions import base_version, selection_of
from aioartifact._versions.maven import maven_key

# As Maven 3.8.7 judged them.
MAVEN_PAIRS = [
    tuple(line.split())
    for line in (Path(__file__).parent / "maven_order.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize(
    "ascending",
    [
        pytest.param("1 1.1", id="number-padding"),
        pytest.param("1-snapshot 1 1-sp", id="qualifier-padding"),
        pytest.param("1-foo2 1-foo10", id="numbers-in-words"),
        pytest.param("1-foo 1-1 1.1", id="separators"),
        pytest.param("1-ga 1-sp", id="service-pack"),
        pytest.param("1-ga.1 1-sp.1", id="service-pack-behind-a-dot"),
        pytest.param("1-sp-1 1-ga-1", id="release-means-nothing"),
        pytest.param("1-alpha 1-beta 1-milestone 1-rc 1-SNAPSHOT 1 1-sp 1-xyz 1-1 1.1", id="qualifiers"),
        pytest.param("1-a1 1-alpha2 1-b1 1-m1 1-cr1 1-rc2", id="short-forms"),
        pytest.param("1.0-alpha-1-SNAPSHOT 1.0-alpha-1 1.0-alpha-2", id="snapshot-of-an-alpha"),
        pytest.param("1.0.0.RC1 1.0.0-RC2 1.0.0", id="dotted-qualifier"),
        pytest.param("1.0-20240305.101231-2 1.0-20240305.101231-10", id="timestamped-snapshots"),
        pytest.param("31.1-android 31.1-jre 32.0.0-android", id="guava"),
        pytest.param("5.4.0.Alpha1 5.4.0.Beta1 5.4.0.CR1 5.4.0.Final 5.4.1.Final", id="hibernate"),
        pytest.param("r03 1", id="word-first"),
    ],
)
def test_maven_order_is_that_of_its_specification(ascending):
    """The examples of "Version Order Specification", and versions as they are found in Maven Central."""
    names = ascending.split()
    keys = [maven_key(name) for name in names]

    assert [(names[i], names[j]) for i, j in combinations(range(len(names)), 2) if not keys[i] < keys[j]] == []


@pytest.mark.parametrize(
    "same",
    [
        "1 1.0 1.0.0 1-ga 1.ga 1-0 1.final 1. 1- 1.0-release 01",
        "1-a1 1-alpha-1 1alpha1 1.0.0-a1",
        "1-rc 1-cr 1rc 1-RC",
        "1.foo 1-foo 1.0.foo 1.0.0-foo.0.0",
        "1-1 1.0.0-1 1-1.0",
        "1-1.foo-bar1baz-.1 1-1.foo-bar-1-baz-0.1",
    ],
)
def test_maven_order_knows_what_is_the_same(same):
    """Trimmed and normalised, these are one version each."""
    assert len({maven_key(name) for name in same.split()}) == 1


def test_maven_order_agrees_with_maven():
    """Pairs of versions compare as Maven compared them."""
    ours = [(older, _sign(maven_key(older), maven_key(newer)), newer) for older, _, newer in MAVEN_PAIRS]

    assert len(MAVEN_PAIRS) > 200
    assert ours == MAVEN_PAIRS


def _sign(one, other):
    return "<" if one < other else ">" if one > other else "=="


@pytest.mark.parametrize(
    ("version", "base"),
    [
        ("1.0-20240305.101231-2", "1.0-SNAPSHOT"),
        ("1.0-rc-1-20240305.101231-12", "1.0-rc-1-SNAPSHOT"),
        ("1.0-SNAPSHOT", "1.0-SNAPSHOT"),
        ("1.0-20240305", "1.0-20240305"),
        ("20240305.101231-2", "20240305.101231-2"),
    ],
)
def test_base_version_of_a_timestamped_snapshot(version, base):
    """A build of a snapshot belongs to it; anything else stays."""
    assert base_version(version) == base


@pytest.mark.parametrize(
    ("scheme", "names", "expected"),
    [
        pytest.param("maven", "1.0-SNAPSHOT 1.0 latest 1.0-rc1 r9", "r9 1.0-rc1 1.0-SNAPSHOT 1.0", id="maven"),
        pytest.param(
            "pep440",
            "1.0.post1 1!0.1 1.0.dev1 1.0rc1 latest 1.0 v0.9 1.0-SNAPSHOT",
            "v0.9 1.0.dev1 1.0rc1 1.0 1.0.post1 1!0.1",
            id="pep440",
        ),
        pytest.param("natural", "r10 r9 latest 1 r9a", "1 latest r9 r9a r10", id="natural"),
        pytest.param(len, "ccc a bb aa", "a aa bb ccc", id="key-function"),
    ],
)
def test_scheme_decides_what_is_a_version_and_its_order(scheme, names, expected):
    """Names that are no versions of the scheme are left out; equals follow each other as text."""
    assert selection_of(scheme).pick(names.split()) == expected.split()


@pytest.mark.parametrize(
    ("scheme", "prereleases", "releases"),
    [
        pytest.param("semver", "1.0.0-rc.1 1.0.0-rc.1-3-gabc 1.0.0-", "1.0.0 1.0.0+x-y 1.0.0-3-gabc", id="semver"),
        pytest.param("maven", "1-SNAPSHOT 1-alpha 1.0.0.CR1 1m2", "1 1-jre 1-sp 1.0.Final 1-1", id="maven"),
        pytest.param("pep440", "1a1 1.0.dev0 1rc1.post1", "1 1.post1 1+local", id="pep440"),
    ],
)
def test_prereleases_are_told_apart(scheme, prereleases, releases):
    """True takes what comes before a release, False the others, None both."""
    names = [*prereleases.split(), *releases.split()]

    assert set(selection_of(scheme, prerelease=True).pick(names)) == set(prereleases.split())
    assert set(selection_of(scheme, prerelease=False).pick(names)) == set(releases.split())
    assert set(selection_of(scheme, prerelease=None).pick(names)) == set(names)


def test_pep440_without_packaging_says_how_to_get_it(monkeypatch):
    """The extra is missed where the scheme is chosen, not in the middle of the work."""
    monkeypatch.setitem(sys.modules, "packaging", None)
    monkeypatch.setitem(sys.modules, "packaging.specifiers", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'aioartifact\[pep440\]'"):
        selection_of("pep440")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"scheme": "calver"}, "scheme='calver': expected one of 'semver', 'maven'", id="unknown"),
        pytest.param({"scheme": None}, "scheme=None: expected one of", id="none"),
        pytest.param({"scheme": ["semver"]}, "or a key function", id="list"),
        pytest.param({"prerelease": "no"}, "prerelease='no': expected True, False or None", id="prerelease-text"),
        pytest.param({"prerelease": 1}, "prerelease=1: expected", id="prerelease-number"),
        pytest.param({"scheme": "natural", "prerelease": False}, "'natural' knows no pre-releases", id="natural"),
        pytest.param({"scheme": len, "prerelease": False}, "'len' knows no pre-releases", id="key-function"),
        pytest.param({"where": "1.(2"}, r"where='1.\(2' is not a regular expression: .* at position 2", id="regex"),
        pytest.param({"where": 7}, "where is a int", id="where-number"),
    ],
)
def test_options_without_meaning_are_refused(options, message):
    """The error names the option, what was given, and what there is."""
    with pytest.raises(InvalidArgumentError, match=message):
        selection_of(**options)


def test_where_of_bytes_is_refused():
    """Names are text."""
    import re

    with pytest.raises(InvalidArgumentError, match="pattern of bytes"):
        selection_of(where=re.compile(b"1"))


@pytest.mark.parametrize("where", [r"1\.\d+\.0", lambda name: name.startswith("1.") and name.endswith(".0")])
def test_where_narrows_names(where):
    """A regular expression matches from end to end; a function decides."""
    assert selection_of(where=where).pick(["1.0.0", "1.1.0", "1.1.0-rc1", "1.1.1", "11.0.0"]) == ["1.0.0", "1.1.0"]
