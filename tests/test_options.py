import dataclasses
import math

import pytest

from aioartifact._errors import InvalidArgumentError
from aioartifact._options import Limits, Timeouts, check_choice, check_count


def test_defaults_are_the_documented_ones():
    """Every settings class works without an argument."""
    assert dataclasses.asdict(Timeouts()) == {"connect": 30.0, "stall": 60.0, "reply": 600.0, "credentials": 30.0}
    assert dataclasses.asdict(Limits()) == {
        "max_concurrency": 16,
        "max_connections": 32,
        "max_bytes_per_second": None,
        "max_requests_per_second": None,
    }


@pytest.mark.parametrize("name", ["connect", "stall", "reply"])
@pytest.mark.parametrize("value", [0, -1, -0.0, math.nan, None, "30", True])
def test_timeout_that_is_no_time(name, value):
    """The error says which one, and what it was."""
    with pytest.raises(InvalidArgumentError) as caught:
        Timeouts(**{name: value})

    assert str(caught.value) == f"{name} timeout {value!r}: expected seconds above 0"


@pytest.mark.parametrize("value", [1, 0.001, math.inf])
def test_timeout_that_is_a_time(value):
    """Fractions of a second, and no limit, are times."""
    assert Timeouts(stall=value).stall == value


@pytest.mark.parametrize("name", ["max_concurrency", "max_connections"])
@pytest.mark.parametrize("value", [0, -1, 1.0, True, None, "1"])
def test_limit_that_is_no_count(name, value):
    """The error says which one, and what it was."""
    with pytest.raises(InvalidArgumentError) as caught:
        Limits(**{name: value})

    assert str(caught.value) == f"{name}={value!r}: expected a whole number of at least 1"


@pytest.mark.parametrize("name", ["max_bytes_per_second", "max_requests_per_second"])
@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, True, "1"])
def test_rate_that_is_none(name, value):
    """The error says which one, what it was, and how to have no limit."""
    with pytest.raises(InvalidArgumentError) as caught:
        Limits(**{name: value})

    assert str(caught.value) == f"{name}={value!r}: expected a finite number above 0, or None for no limit"


@pytest.mark.parametrize("value", [None, 1, 0.001, 1e12])
def test_rate_that_is_one(value):
    """Fractions are rates: one request in a thousand seconds is one."""
    assert Limits(max_requests_per_second=value).max_requests_per_second == value


def test_count_is_returned():
    """A good count passes unchanged."""
    assert check_count("x", 1) == 1


@pytest.mark.parametrize("value", ["c", "", "A", None])
def test_unknown_choice(value):
    """The error lists what there is to choose."""
    check_choice("x", "a", ("a", "b"))

    with pytest.raises(InvalidArgumentError) as caught:
        check_choice("x", value, ("a", "b"))

    assert str(caught.value) == f"x={value!r}: expected one of 'a', 'b'"
