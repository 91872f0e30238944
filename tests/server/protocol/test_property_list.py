"""The grammar of ``?properties=``, with the real server's rules on the right and an encoder of our own as witness."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.protocol.property_list import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param(";|; ;", {}, id="only separators"),
        pytest.param("k=v", {"k": ["v"]}, id="one"),
        pytest.param("k=v;l=w|m=x", {"k": ["v"], "l": ["w"], "m": ["x"]}, id="both separators"),
        pytest.param("k=a,b", {"k": ["a", "b"]}, id="values"),
        pytest.param("k=b,a,b", {"k": ["b", "a", "b"]}, id="order and repetition are the store's business"),
        pytest.param(r"k=a\,b", {"k": ["a,b"]}, id="escaped comma"),
        pytest.param(r"k=a\=b\;c\|d", {"k": ["a=b;c|d"]}, id="escaped separators"),
        pytest.param(r"k\=l=v", {"k=l": ["v"]}, id="escape in a key"),
        pytest.param(r"k=a\b", {"k": [r"a\b"]}, id="backslash before a letter"),
        pytest.param(r"k=a\\b", {"k": [r"a\\b"]}, id="two backslashes"),
        pytest.param(r"k=a\\,b", {"k": [r"a\,b"]}, id="a backslash before an escaped comma"),
        pytest.param("k=a\\", {"k": ["a\\"]}, id="backslash at the end"),
        pytest.param("k", {"k": [""]}, id="no equals sign"),
        pytest.param("k=", {"k": [""]}, id="no value"),
        pytest.param("k=,,", {"k": [""]}, id="only commas"),
        pytest.param("k=a=b;l=w", {"l": ["w"]}, id="two equals signs drop the pair"),
        pytest.param("k=a,", {"k": ["a"]}, id="trailing empty value"),
        pytest.param("k=a,,b,,", {"k": ["a", "", "b"]}, id="inner empty value"),
        pytest.param("k=,a", {"k": ["", "a"]}, id="leading empty value"),
        pytest.param(" k=a b ; l = w", {"k": ["a b"], "l ": [" w"]}, id="blanks around a pair, not in it"),
        pytest.param("k=a;k=b", {"k": ["a", "b"]}, id="the same key twice"),
        pytest.param("=v", {"": ["v"]}, id="empty key"),
        pytest.param("k=ü日;l=#&?", {"k": ["ü日"], "l": ["#&?"]}, id="other characters"),
    ],
)
def test_parse(text, expected):
    """Separators split, escapes make them characters, and what the real server drops is dropped."""
    assert parse(text) == expected


def encode(properties: dict[str, list[str]], separator: str) -> str:
    """Write what JFrog's documentation requires: a backslash before every special character."""

    def escaped(text: str) -> str:
        return "".join(f"\\{each}" if each in ",=|;" else each for each in text)

    return separator.join(f"{escaped(key)}={','.join(map(escaped, values))}" for key, values in properties.items())


def survives(text: str) -> bool:
    """Return whether the grammar can express *text*: a backslash at the end would escape what follows."""
    return text == text.strip() and not text.endswith("\\")


keys = st.text(min_size=1).filter(survives)
values = st.lists(st.text().filter(survives), min_size=1).filter(lambda values: values == [""] or values[-1] != "")


@pytest.mark.slow
@given(properties=st.dictionaries(keys, values), separator=st.sampled_from(";|"))
def test_parse_undoes_encoding(properties, separator):
    """Whatever a client can express arrives as it was meant."""
    assert parse(encode(properties, separator)) == properties


@given(st.text(alphabet="k=,;|\\ v"))
def test_parse_takes_everything(text):
    """No text is an error, and every key has a value, the last of several not empty."""
    for found in parse(text).values():
        assert found
