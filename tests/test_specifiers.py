"""Specifiers and ranges: what they match, and how malformed ones are reported."""

import re

import pytest

from aioartifact import InvalidArgumentError
from aioartifact._versions import selection_of

SEMANTIC = [
    "1.0.0-rc.1",
    "1.0.0",
    "v1.0.1",
    "1.2.0",
    "1.2.3",
    "1.9.9+b",
    "1.10.0",
    "2.0.0-rc.1",
    "2.0.0",
    "2.0.0-3-gabc",
    "2.1.0",
]
MAVEN = ["1.0-SNAPSHOT", "1.0", "1.0.1", "1.5", "1.5.Final", "2.0-alpha-1", "2.0-SNAPSHOT", "2.0", "2.0-sp", "3"]
PYTHON = ["1.0rc1", "1.0", "1.0.post1", "1.4", "1.4.5", "1.5", "2.0.dev1", "2.0", "2.0+local"]


@pytest.mark.parametrize(
    ("scheme", "spec", "expected"),
    [
        pytest.param("semver", ">=1.2,<2", "1.2.0 1.2.3 1.9.9+b 1.10.0", id="half-open"),
        pytest.param("semver", " >= 1.2 , < 2 ", "1.2.0 1.2.3 1.9.9+b 1.10.0", id="blanks"),
        pytest.param("semver", "<2.0.0-rc.2,>1.10", "2.0.0-rc.1", id="below-a-candidate"),
        pytest.param("semver", "<=2.0.0,>1.10", "2.0.0", id="up-to"),
        pytest.param("semver", ">2", "2.0.0-3-gabc 2.1.0", id="above"),
        pytest.param("semver", "~=1.2", "1.2.0 1.2.3 1.9.9+b 1.10.0", id="compatible"),
        pytest.param("semver", "~=1.2.1", "1.2.3", id="compatible-patch"),
        pytest.param("semver", "==1.2.*", "1.2.0 1.2.3", id="series"),
        pytest.param("semver", "!=1.*,!=2.0.*", "2.1.0", id="not-in-series"),
        pytest.param("semver", "==1.9.9", "1.9.9+b", id="equal-but-for-the-build"),
        pytest.param("semver", "==v1.0.1", "v1.0.1", id="leading-v"),
        pytest.param("semver", "==1", "1.0.0", id="missing-numbers-are-zero"),
        pytest.param("semver", "!=1.0.0,<1.1", "v1.0.1", id="unequal"),
        pytest.param("semver", ">3", "", id="nothing"),
        pytest.param("maven", "[1.0,2.0)", "1.0 1.0.1 1.5 1.5.Final 2.0-alpha-1 2.0-SNAPSHOT", id="range-as-in-maven"),
        pytest.param("maven", "(1.0,1.5]", "1.0.1 1.5 1.5.Final", id="range-open-below"),
        pytest.param("maven", "(,1.0],[2.0,)", "1.0-SNAPSHOT 1.0 2.0 2.0-sp 3", id="ranges"),
        pytest.param("maven", " [1.5] , (2.0 , ) ", "1.5 1.5.Final 2.0-sp 3", id="exact-range"),
        pytest.param("maven", ">=1.5,<2", "1.5 1.5.Final", id="specifier"),
        pytest.param("maven", "<2-beta,>=1.5", "1.5 1.5.Final 2.0-alpha-1", id="below-a-pre-release"),
        pytest.param("pep440", "~=1.4", "1.4 1.4.5 1.5", id="python-compatible"),
        pytest.param("pep440", ">1.0,<2", "1.4 1.4.5 1.5", id="python-exclusive"),
        pytest.param("pep440", "===2.0+local", "2.0+local", id="python-arbitrary"),
        pytest.param("natural", "<1.5,>1.0", "1.0.1", id="natural"),
    ],
)
def test_specifier_takes(scheme, spec, expected):
    """Every clause must hold, in the order of the scheme."""
    names = {"semver": SEMANTIC, "pep440": PYTHON, "maven": MAVEN, "natural": ["1.0", "1.0.1", "1.5"]}[scheme]
    assert selection_of(scheme, spec).pick(names) == expected.split()


@pytest.mark.parametrize(
    ("scheme", "spec", "names", "picked", "newest"),
    [
        pytest.param("semver", None, "1.0.0 2.0.0-rc.1", "1.0.0 2.0.0-rc.1", "1.0.0", id="without-specifier"),
        pytest.param("semver", ">=1", "1.0.0 2.0.0-rc.1", "1.0.0", "1.0.0", id="a-release-matches"),
        pytest.param("semver", ">1", "1.0.0 2.0.0-rc.1", "2.0.0-rc.1", "2.0.0-rc.1", id="no-release-matches"),
        pytest.param("semver", ">=1.0.0-0", "1.0.0 2.0.0-rc.1", "1.0.0 2.0.0-rc.1", "2.0.0-rc.1", id="named"),
        pytest.param("semver", ">=1,!=2.0.0-rc.2", "1.0.0 2.0.0-rc.1", "1.0.0", "1.0.0", id="named-to-exclude"),
        pytest.param("maven", ">=1", "1.0 2.0-SNAPSHOT", "1.0", "1.0", id="snapshot"),
        pytest.param("maven", "[1,)", "1.0 2.0-SNAPSHOT", "1.0 2.0-SNAPSHOT", "2.0-SNAPSHOT", id="range-of-maven"),
        pytest.param("pep440", ">=1", "1.0 2.0rc1", "1.0", "1.0", id="python"),
        pytest.param("pep440", ">=1.0rc1", "1.0 2.0rc1", "1.0 2.0rc1", "2.0rc1", id="python-named"),
    ],
)
def test_prereleases_count_as_in_python(scheme, spec, names, picked, newest):
    """A pre-release counts only if no release matches or a clause names one; without a specifier all are listed."""
    selection = selection_of(scheme, spec)
    assert selection.pick(names.split()) == picked.split()
    assert selection.newest(names.split()) == newest


def test_specifier_compares_keys_of_a_function():
    """The bound goes through the user's key, too."""
    assert selection_of(int, ">=9,!=11").pick(["10", "9", "11", "8"]) == ["9", "10"]


@pytest.mark.parametrize(
    ("scheme", "spec", "message"),
    [
        pytest.param("semver", "", "spec='': '' is not a specifier — such as", id="empty"),
        pytest.param("semver", ">=1.2,,<2", "'' is not a specifier", id="empty-clause"),
        pytest.param("semver", ">=1,=<2", "'=<2' is not a specifier", id="turned-around"),
        pytest.param("semver", "1.2.3", "'1.2.3' is not a specifier — did you mean '==1.2.3'", id="bare-version"),
        pytest.param("semver", ">=1 <2", "'>=1 <2' is not a specifier", id="missing-comma"),
        pytest.param("semver", ">=latest", "'latest' is not a version of scheme 'semver'", id="word"),
        pytest.param("semver", ">=1.2.3.4", "'1.2.3.4' is not a version of scheme 'semver'", id="four-numbers"),
        pytest.param("semver", ">=1.*", r"'1.\*' is not a version", id="star-with-order"),
        pytest.param("semver", "==1.x.*", "'1.x' is not a number", id="star-behind-a-word"),
        pytest.param("semver", "~=1", r"~= needs two numbers — did you mean '~=1.0'\?", id="compatible-with-one"),
        pytest.param("semver", "~=x", "'x' is not a version of scheme", id="compatible-with-a-word"),
        pytest.param("semver", "[1,2)", r"'\[1' is not a specifier", id="range-of-another-scheme"),
        pytest.param("semver", 2, "spec is a int; expected a text", id="number"),
        pytest.param("maven", "[1,2", "is not a list of ranges", id="range-without-end"),
        pytest.param("maven", "[1,2)[3]", "is not a list of ranges", id="ranges-without-comma"),
        pytest.param("maven", "[1,2),x", "is not a list of ranges", id="range-and-word"),
        pytest.param("maven", "(1)", r"'\(1\)' is not a range", id="exact-but-open"),
        pytest.param("maven", "[,]", r"'\[,\]' is not a range", id="range-of-nothing"),
        pytest.param("maven", "[1,2,3]", r"'\[1,2,3\]' is not a range", id="three-bounds"),
        pytest.param("maven", "[2,1]", r"'\[2,1\]' ends before it begins", id="backwards"),
        pytest.param("maven", "[a,b]", "'a' is not a version of scheme 'maven'", id="range-of-words"),
        pytest.param("pep440", ">=1,<x", "'<x' is not a specifier of PEP 440", id="python"),
        pytest.param("pep440", "", "'' is not a specifier of PEP 440", id="python-empty"),
    ],
)
def test_specifier_without_meaning_is_refused(scheme, spec, message):
    """The error names the part that is wrong."""
    with pytest.raises(InvalidArgumentError, match=message):
        selection_of(scheme, spec)


@pytest.mark.parametrize(
    ("scheme", "spec", "suggested"),
    [
        *(
            (scheme, spec, "==1.*")
            for scheme in ("semver", "maven", "pep440", "natural")
            for spec in ("1.x", "1.X", " 1.* ", "=1.x", "^1.x", "~1", "1.x.x")
        ),
        ("semver", "==1.x", "==1.*"),
        ("semver", "~=1.2.x", "==1.2.*"),
        ("semver", "!=1.x", "!=1.*"),
        ("semver", ">=1.x", ">=1"),
        ("semver", ">=1.x <2.x", ">=1,<2"),
        ("semver", "<1.*", "<1"),
        ("semver", "v1.2.x", "==v1.2.*"),
        ("semver", "1.2.3", "==1.2.3"),
        ("semver", "1.2.3-rc.1", "==1.2.3-rc.1"),
        ("semver", "=1.2.3", "==1.2.3"),
        ("semver", ">=1,=<2", ">=1,<=2"),
        ("semver", "=>1 <> 1.5", ">=1,!=1.5"),
        ("semver", ">=1 <2", ">=1,<2"),
        ("semver", "1.x,!=1.3", "==1.*,!=1.3"),
        ("semver", "~1.2.3", "~=1.2.3"),
        ("semver", "~> 1.2", "~=1.2"),
        ("semver", "^1.2.3", ">=1.2.3,==1.*"),
        ("semver", "~=1", "~=1.0"),
        ("pep440", "~=1", "~=1.0"),
        ("pep440", "1.0rc1", "==1.0rc1"),
        (int, "7", "==7"),
    ],
)
def test_suggested_specifier_is_accepted(scheme, spec, suggested):
    """The suggestion replaces the whole specifier."""
    with pytest.raises(InvalidArgumentError) as caught:
        selection_of(scheme, spec)
    assert caught.value.hint == f"did you mean {suggested!r}?"
    selection_of(scheme, suggested)


def length(name):
    return {"1": 1}[name]


# Not accepted by any scheme, and by some only.
NONSENSE = ["^x", "^0.1", "latest", "*", ">=", "=", "1,", "[1", "(1)", "1||2"]
DOUBTFUL = ["1.2.3.4", "1.2-", "1.x-rc", "==1.x.*", ">1.x", "<=1.x", "~=1-rc", "~=x", "1.x.y"]


@pytest.mark.parametrize("scheme", ["semver", "maven", "pep440", "natural", int, length])
@pytest.mark.parametrize("spec", [*NONSENSE, *DOUBTFUL, "", "1 - 2"])
def test_refused_specifier_suggests_only_what_is_accepted(scheme, spec):
    """Neither a repaired specifier nor an example is one that is refused as well."""
    hint = hint_of(scheme, spec)
    assert hint or callable(scheme) or spec in DOUBTFUL
    for suggestion in re.findall("'([^']*)'", hint or ""):
        selection_of(scheme, suggestion)


def hint_of(scheme, spec):
    """Return the hint for a specifier that is refused, else None."""
    try:
        selection_of(scheme, spec)
    except InvalidArgumentError as error:
        return error.hint
    except (ValueError, KeyError):  # what the functions raise
        return None
    return None
