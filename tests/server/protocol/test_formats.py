"""How values are printed: JSON, dates."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.protocol import formats, jackson

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_json_looks_as_artifactory_prints_it():
    """Spaces around colons, two spaces of indentation, arrays on the line they start on."""
    value = {"a": [{"b": 1}, {"c": True}], "d": [], "e": {}, "f": ["x", "y"], "g": None}
    assert jackson.dumps(value) == (
        '{\n  "a" : [ {\n    "b" : 1\n  }, {\n    "c" : true\n  } ],\n  "d" : [ ],\n  "e" : { },\n'
        '  "f" : [ "x", "y" ],\n  "g" : null\n}'
    )


@pytest.mark.slow
@given(JSON)
def test_json_reads_back(value):
    """Whatever is printed is JSON of the same value."""
    assert json.loads(jackson.dumps(value)) == value


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (UTC, "2024-03-05T08:12:31.219Z"),
        (timezone(timedelta(hours=2)), "2024-03-05T10:12:31.219+02:00"),
        (timezone(-timedelta(hours=3, minutes=30)), "2024-03-05T04:42:31.219-03:30"),
    ],
)
def test_dates_carry_the_zone(zone, expected):
    """Milliseconds always, ``Z`` only for an offset of zero."""
    assert formats.iso(1709626351219, zone) == expected


def test_milliseconds_survive_both_ways():
    """Dates convert without the rounding of floats."""
    assert formats.to_ms(formats.at(1709626351219)) == 1709626351219
    assert formats.to_ms(datetime(1970, 1, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue, 05 Mar 2024 08:12:31 GMT", 1709626351000),
        ("Tue, 05 Mar 2024 08:12:31 -0000", 1709626351000),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_header_dates_are_read(text, expected):
    """What is no date counts as no header."""
    assert formats.parse_http(text) == expected
