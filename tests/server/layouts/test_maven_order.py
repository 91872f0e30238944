"""The order of versions."""

from itertools import combinations, zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.layouts.maven_order import maven_key, newest_first

ANYTHING = st.text(st.characters(codec="utf-8"), max_size=20) | st.text("01.-arcbgs", max_size=12)
NUMBERS = st.integers(0, 12).map(str)
QUALIFIERS = ["snapshot", "alpha", "beta", "milestone", "preview", "rc", "sp", "dev", "post"]
ORDINARY = st.tuples(
    st.lists(NUMBERS, min_size=1, max_size=4).map(".".join),
    st.sampled_from(["", "-"]) | NUMBERS.map("-{}".format),
    st.sampled_from(QUALIFIERS),
    st.just("") | NUMBERS | NUMBERS.map("-{}".format),
).map(lambda parts: parts[0] + (parts[1] if parts[1] != "-" else f"-{parts[2]}{parts[3]}"))


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1", "2"),
        ("1.13", "2.0"),
        ("2.2.2", "3.0.0"),
        ("5.06", "5.8"),
        ("5", "5.06"),
        ("2.1.0-alpha", "2.1.0-alpha-1"),
        ("2.1.0-alpha-1", "2.1.0-alpha-2"),
        ("2.1.0-alpha-2", "2.1.0-beta-1"),
        ("beta-2", "rc"),
        ("beta-1", "m-1"),
        ("m5", "ga-1"),
        ("rc-1", "ga"),
        ("ga", "ga-1"),
        ("4.0.0-rc6", "4.0.0"),
        ("2.1.0-SNAPSHOT", "2.1.0-alpha"),
        ("2.1.0-SNAPSHOT", "2.1.0"),
        ("1.0", "1.0.dev1"),
        ("1.0", "1.0.post1"),
        ("1.0-20240305.101231-2", "1.0-20240305.101231-10"),
        ("1.9", "1.10"),
        ("1.0a1", "1.0b1"),
        ("1.0b1", "1.0m1"),
    ],
)
def test_pairs_of_the_real_servers_tests(older, newer):
    """What Artifactory's own tests and documents say about two versions."""
    assert maven_key(older) < maven_key(newer)


@pytest.mark.parametrize(
    "same",
    [
        ("5.0", "5"),
        ("5.1-ga", "5.1-final", "5.1"),
        ("1", "1.0", "1.0.0", "1-ga", "1.0-final", "01"),
        ("1-RC1", "1-cr1", "1.0.rc1"),
        ("1-mr1", "1-milestone1", "1m1"),
        ("1.a1", "1.alpha1"),
        ("1.ALPHA", "1.alpha"),
    ],
)
def test_versions_that_mean_the_same(same):
    """Case, zeros at the end and other names make no difference."""
    assert len({maven_key(version) for version in same}) == 1


def test_qualifiers_stand_in_their_order():
    """Every kind of item, from the snapshot to the number, against every other."""
    order = ["1-snapshot", "1-alpha", "1-beta", "1-milestone", "1-preview", "1-rc", "1"]
    order += ["1-sp", "1-abc", "1-xyz", "1-1", "1-2", "1.0.1", "1.1"]
    for older, newer in combinations(order, 2):
        assert maven_key(older) < maven_key(newer), (older, newer)


def test_short_names_need_a_digit():
    """A lone letter is a qualifier like any other, in front of a digit it is short for one."""
    assert maven_key("1-a") > maven_key("1") > maven_key("1-a1")


def test_newest_first_does_not_depend_on_the_order_it_is_given():
    """Versions that mean the same still have one order."""
    assert newest_first(["1.0", "1.1-SNAPSHOT", "1", "1.1"]) == ["1.1", "1.1-SNAPSHOT", "1.0", "1"]
    assert newest_first(["1", "1.1", "1.0", "1.1-SNAPSHOT"]) == ["1.1", "1.1-SNAPSHOT", "1.0", "1"]


@given(st.lists(ANYTHING, max_size=8))
def test_any_texts_have_an_order(texts):
    """No text has no key, and of two keys one is less or they are equal."""
    keys = sorted(maven_key(text) for text in texts)
    for first, second in combinations(keys, 2):
        assert first < second or first == second


@given(st.lists(ANYTHING, max_size=8), st.randoms())
def test_order_is_the_same_however_shuffled(texts, random):
    """A sorted list depends on what is in it alone."""
    shuffled = random.sample(texts, len(texts))
    assert newest_first(shuffled) == newest_first(texts)


@given(ORDINARY, ORDINARY)
def test_key_agrees_with_the_rules_pair_by_pair(one, other):
    """For versions as people write them the key says what the comparison of items says."""
    keys = maven_key(one), maven_key(other)
    assert (keys[0] > keys[1]) - (keys[0] < keys[1]) == compare(parse(one), parse(other)), (one, other)


@pytest.mark.parametrize("version", ["1" * 6000, "1-" * 3000 + "1", "." * 3000, "-" * 3000, "a1" * 3000])
def test_long_versions_compare(version):
    """Neither thousands of digits nor thousands of nested lists are too many."""
    assert maven_key(version) == maven_key(version)
    assert maven_key(version) != maven_key(version + "-alpha")


# The rules as documented: lists of numbers, words and lists, compared item by item.


def parse(version: str) -> list:
    """Read an ordinary version: numbers with dots, then ``-number`` or ``-word`` with a number after it."""
    numbers, _, rest = version.partition("-")
    whole = trimmed([int(number) for number in numbers.split(".")])
    if rest.isdigit():
        return trimmed([*whole, trimmed([int(rest)])])
    word = rest.rstrip("-0123456789")
    number = rest[len(word) :].lstrip("-")
    return trimmed([*whole, *([word] if word else []), *([int(number)] if number else [])])


def trimmed(items: list) -> list:
    while items and items[-1] in (0, [], ""):
        items.pop()
    return items


def compare(left, right) -> int:
    if isinstance(left, list) and isinstance(right, list):
        return next((found for pair in zip_longest(left, right) if (found := compare(*pair))), 0)
    if left is None:
        return -compare(right, None)
    if right is None:
        return compare_with_nothing(left)
    return order(rank(left), rank(right))


def compare_with_nothing(item) -> int:
    if isinstance(item, list):
        return compare_with_nothing(item[0]) if item else 0
    return order(item, 0) if isinstance(item, int) else order(rank(item), rank(""))


def rank(item) -> tuple:
    if isinstance(item, str):
        known = ["snapshot", "alpha", "beta", "milestone", "preview", "rc", "", "sp"]
        return (0, known.index(item), "") if item in known else (0, len(known), item)
    return (1, 0, "") if isinstance(item, list) else (2, item, "")


def order(one, other) -> int:
    return (one > other) - (one < other)
