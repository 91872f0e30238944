"""Lookup tables as values: format, IDs, rules."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact import InvalidArgumentError, Lookup, LookupTableError
from aioartifact._lookup.table import Row, Table, check_columns, check_params, read_table

PLACE = {"name": "lookup", "group_id": "g", "version": "1.0.0", "repository": "r"}


def make_uid(params):
    return Lookup.generate_uid(params=params, **PLACE)


def test_uid_is_that_of_audfactory():
    """The example of audfactory's documentation."""
    arguments = {"name": "name", "group_id": "group.id", "version": "1.0.0", "repository": "models-public-local"}
    assert Lookup.generate_uid(params={0: None}, **arguments) == "afe694a5-8bad-4dbc-73ba-636f18340615"
    assert Lookup.generate_uid(params="{0: None}", **arguments) == "afe694a5-8bad-4dbc-73ba-636f18340615"


def test_file_is_that_of_audfactory():
    """CSV with line ends of two characters, quotes where needed, nothing for None."""
    table = Table(("a", "b"), (Row("u-1", ("x, y", None)), Row("u-2", ('say "hi"', 1.5)), Row("u-3", (True, -3))))
    content = b'id,a,b\r\nu-1,"x, y",\r\nu-2,"say ""hi""",1.5\r\nu-3,True,-3\r\n'
    assert table.encode() == content
    assert read_table(content, "t") == table


def read_as_audfactory(content):
    """Its reader, as far as texts go."""
    return list(csv.reader(content.decode().splitlines()))


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS


@given(values=st.lists(VALUES, min_size=1, max_size=4))
def test_values_survive_the_file(values):
    """What is accepted is read back with its type, here and by readers that split at every line break."""
    params = {f"c{at}": value for at, value in enumerate(values)}
    try:
        check_params(params)
    except InvalidArgumentError:
        assert any(isinstance(value, str) for value in values)
        return
    table = Table(tuple(params)).with_row("u", params)
    read = read_table(table.encode(), "t")
    assert [(type(value), value) for value in read.rows[0].values] == [(type(value), value) for value in values]
    assert read_as_audfactory(table.encode())[1][1:] == ["" if value is None else str(value) for value in values]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("1", "'1' is forbidden, use the int 1 instead", id="int"),
        pytest.param("1_0", "'1_0' is forbidden, use the int 1_0 instead", id="int-with-underscore"),
        pytest.param("4.0", "'4.0' is forbidden, use the float 4.0 instead", id="float"),
        pytest.param("nan", "'nan' is forbidden, use the float nan instead", id="nan"),
        pytest.param("True", "'True' is forbidden, use the bool True instead", id="bool"),
        pytest.param("None", "'None' is forbidden, use the NoneType None instead", id="none"),
        pytest.param("", "'' is forbidden, use the NoneType", id="empty"),
        pytest.param([1], "can only contain values of type: bool, float, int, NoneType, str", id="list"),
        pytest.param(type("F", (float,), {})(1), "Yours includes <class", id="subclass"),
        pytest.param("a\nb", "line breaks", id="line-break"),
        pytest.param("a\u2028b", "line breaks", id="rare-line-break"),
        pytest.param("\ud800", "cannot be written", id="surrogate"),
        pytest.param("x" * 200_000, "not be read back", id="too-long"),
    ],
)
def test_values_that_would_change_are_refused(value, message):
    """In the words of audfactory where it has them."""
    with pytest.raises(InvalidArgumentError, match=message):
        check_params({"a": value})


@pytest.mark.parametrize(
    ("check", "names"),
    [
        (check_params, {1: "x"}),
        (check_params, {"id": "x"}),
        (check_params, {"": "x"}),
        (check_params, {"2020": "x"}),
        (check_params, ["a"]),
        (check_columns, "ab"),
        (check_columns, 5),
        (check_columns, ["a", "a"]),
        (check_columns, [None]),
        (check_columns, ["a\n"]),
    ],
)
def test_names_that_are_no_columns_are_refused(check, names):
    """Readers would take them for something else."""
    with pytest.raises(InvalidArgumentError):
        check(names)


def test_rows_are_the_same_if_they_are_written_alike():
    """Values of other types, and other columns, make another row."""
    table = Table(("a",)).with_row("u-1", {"a": 1}).with_row("u-2", {"a": True}).with_row("u-3", {"a": 1.0})
    found = [table.find({"a": value}) for value in (1, True, 1.0, None)]
    assert found == ["u-1", "u-2", "u-3", None]
    assert table.find({"b": 1}) is None
    with pytest.raises(LookupTableError, match=r"Entry for '\{'a': 1\}' already exists"):
        table.with_row("u-4", {"a": 1})
    with pytest.raises(LookupTableError, match=r"Table columns '\['a'\]' do not match parameters '{'b': 1}'"):
        table.with_row("u-4", {"b": 1})


def test_row_by_its_id():
    """Values by column; nothing for an ID that is not there."""
    table = Table(("a", "b")).with_row("u", {"b": 2, "a": 1})
    assert table.row("u") == {"a": 1, "b": 2}
    assert table.row("v") == {}
    assert table.without_row("u") == Table(("a", "b"))


@pytest.mark.parametrize(
    ("table", "params", "expected"),
    [
        pytest.param(
            Table(("b",), (Row("u", (1,)),)), {"c": 2, "a": None}, [["id", "a", "b", "c"], ["u", None, 1, 2]], id="rows"
        ),
        pytest.param(Table(("b",), (Row("u", (1,)),)), {"b": 2}, [["id", "b"], ["u", 1]], id="known"),
        pytest.param(Table(("b",)), {"a": None}, [["id", "a", "b"]], id="no-rows"),
        pytest.param(
            Table(), {"b": 1, "a": 2}, [["id", "a", "b"], [make_uid({"b": 1}), 2, 1]], id="first-row-of-first-value"
        ),
        pytest.param(
            Table(("b",)),
            {"a": None, "c": 1},
            [["id", "a", "b", "c"], [make_uid({"b": None, "a": None, "c": 1}), None, None, 1]],
            id="first-row-of-later-value",
        ),
    ],
)
def test_columns_are_added_and_sorted(table, params, expected):
    """All rows get the value; the ID of a row stays."""
    assert table.with_columns(params, make_uid).as_lists() == expected


def test_table_as_text():
    """Columns are padded, with two blanks between them, as audfactory does."""
    table = Table(("a", "long"), (Row("u-1", ("xyz", None)), Row("u-22", (1, 2))))
    assert table.render() == "id    a    long\nu-1   xyz  None\nu-22  1    2   "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "first column is not 'id'", id="empty"),
        pytest.param(b"a,b\r\n", "first column is not 'id'", id="another-file"),
        pytest.param(b"id,a\r\nu,1,2\r\n", "row 'u' has 3 of 2 columns", id="ragged"),
        pytest.param(b"id,a\r\nu,\xff\r\n", "t: is not a lookup table: .*utf-8", id="no-text"),
        pytest.param(b"id," + b"x" * 200_000, "field larger than field limit", id="field-too-long"),
    ],
)
def test_file_that_is_no_table(content, message):
    """A damaged file is reported, with the place of the damage."""
    with pytest.raises(LookupTableError, match=message):
        read_table(content, "t")


def test_blank_lines_are_no_rows():
    """Editors leave them behind."""
    assert read_table(b"id,a\n\nu,1\n\n", "t") == Table(("a",), (Row("u", (1,)),))


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), min_size=3), max_size=9))
def test_written_table_is_read_by_plain_csv(rows):
    """Any reader of CSV sees the same cells."""
    table = Table(("a", "b", "c"))
    for params in rows:
        if table.find(params) is None:
            table = table.with_row(make_uid(params), params)
    cells = list(csv.reader(io.StringIO(table.encode().decode(), newline="")))
    assert cells == [[str(value) for value in row] for row in table.as_lists()]
