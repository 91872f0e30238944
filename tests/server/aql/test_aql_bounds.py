import pytest

from aioartifact.testing.aql import parse
from aioartifact.testing.aql.criteria import path_bounds
from aioartifact.testing.aql.sql import Bounds


@pytest.mark.parametrize(
    ("criteria", "bounds"),
    [
        pytest.param('{"path":"a"}', Bounds("a", "a\0"), id="equal"),
        pytest.param('{"path":{"$match":"a/*"}}', Bounds("a/", "a0"), id="prefix"),
        pytest.param('{"$or":[{"path":"a"},{"path":{"$match":"a/*"}}]}', Bounds("a", "a0"), id="or-spans-both"),
        pytest.param('{"path":{"$match":"a*"}},{"path":{"$match":"ab*"}}', Bounds("ab", "ac"), id="and-meets"),
        pytest.param('{"$or":[{"path":"b","name":"x"},{"path":"a"}]}', Bounds("a", "b\0"), id="and-beside-others"),
        pytest.param('{"$or":[{"path":"a"},{"name":"x"}]}', None, id="open-alternative"),
        pytest.param('{"path":{"$ne":"a"}}', None, id="negation"),
        pytest.param('{"path":{"$nmatch":"a*"}}', None, id="negated-pattern"),
        pytest.param('{"path":null}', None, id="null"),
        pytest.param('{"$msp":[{"path":"a"}]}', None, id="same-property"),
    ],
)
def test_bounds_of_paths(criteria, bounds):
    """Criteria that pin the path down give bounds; where one alternative leaves it open there are none."""
    assert path_bounds(parse(f"items.find({criteria})").criteria) == bounds
