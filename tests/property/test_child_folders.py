"""Taking folders out of the text of a Folder Info finds what reading it as JSON finds."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aioartifact import ArtifactoryError
from aioartifact._address import parse_item_url
from aioartifact._models import Response
from aioartifact._protocol import build_item_info, expect_file_info, not_a_folder, read_child, read_folder_names
from aioartifact._protocol.item_messages import take_child_folders
from aioartifact._protocol.json_values import objects_of, read_object

FOLDER = parse_item_url("https://host.example.com/artifactory/libs/tool")
ASKED = build_item_info(FOLDER)

URIS = st.sampled_from(
    ["/1.0.0", "/1.0.1", "/a", "/a b", "/", "/.", "/..", "/a/b", "a", '/"', "/\\", "/\n", "/é", "/[", 5]
)
FLAGS = st.sampled_from([True, True, True, True, False, "true", None])
CHILDREN = st.fixed_dictionaries({"uri": URIS, "folder": FLAGS}) | st.fixed_dictionaries(
    {"uri": URIS}, optional={"folder": FLAGS, "x": st.just([{"uri": "/x", "folder": True}] * 3)}
)
GOOD = st.fixed_dictionaries({"uri": st.sampled_from(["/1.0.0", "/2.0.0", "/b"]), "folder": st.just(True)})
DOCUMENTS = st.fixed_dictionaries(
    {"repo": st.just("libs"), "children": st.lists(GOOD | CHILDREN) | st.lists(GOOD)},
    optional={"more": st.lists(GOOD), "path": st.just("/[tool]"), "files": GOOD},
)
SEAM = '", "folder": true}, {"uri": "/'
SCRAPS = st.sampled_from(
    ["", '"', "\\", "[", "]", "}", "{", ",", "/", "\n", "\ud800", "\xa0", SEAM, SEAM * 2, '"x": [', '{"children": [']
)


@given(st.lists(st.sampled_from(["1.0.0", "2.0.0-rc.1", "a b", "é"]), min_size=3), st.sampled_from([None, 2]))
def test_folders_between_folders_are_taken(names, indent):
    """What comes before the first seam and after the last stays; so the test below is about something."""
    text = json.dumps(
        {"children": [{"uri": f"/{name}", "folder": True} for name in names]}, indent=indent, ensure_ascii=False
    )

    taken, rest = take_child_folders(text)

    assert taken == names[1:-1]
    assert [child["uri"] for child in json.loads(rest)["children"]] == [f"/{names[0]}", f"/{names[-1]}"]


@st.composite
def texts(draw):
    """The text of a folder, sometimes with a scrap in it, and sometimes without its end."""
    text = json.dumps(draw(DOCUMENTS), indent=draw(st.sampled_from([None, 1])), ensure_ascii=draw(st.booleans()))
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(SCRAPS) + text[at + draw(st.sampled_from([0, 0, 1, 9, len(text)])) :]


def answered(text):
    return Response(200, text.encode("utf-8", "surrogatepass"), {"Content-Type": "application/json"}, ASKED.url)


def names_by_json(response):
    """What is done where nothing can be taken out of the text."""
    document = read_object(ASKED, response)
    if "children" not in document:
        expect_file_info(ASKED, document)
        raise not_a_folder(FOLDER)
    children = [read_child(ASKED, entry) for entry in objects_of(ASKED, document, "children")]
    return sorted(name for name, is_folder in children if is_folder)


def outcome(read, response):
    try:
        return read(response)
    except ArtifactoryError as error:
        return type(error), str(error)


@given(texts())
@example(json.dumps({"children": [{"uri": "/a", "folder": True}] * 3, "other": [{"uri": "/b", "folder": True}] * 3}))
@example(json.dumps({"other": [{"uri": "/b", "folder": True}] * 3}))
@example('{"children": [{"uri": "/a' + SEAM + "b" + SEAM + 'c", "folder": true}], "children": null}')
@example('{"children": [{"uri": "/a' + SEAM + "b\\" + SEAM + 'c", "folder": true}]}')
@example('{"children": [{"uri": "/a' + SEAM + "b" + SEAM + 'c", "folder": true}')
def test_names_are_those_that_json_finds(text):
    """Whatever the answer, whole or broken: the same names, or the same error."""
    assert_same_as_json(text)


@pytest.mark.parametrize("between", ["", ".", "..", "a/b", "a\\u0062", "a\\", "a\x01", "a\n", "\ud800", "a\xa0b", "é"])
def test_name_between_folders_is_what_json_finds(between):
    """A name is spelled as in JSON, and one that would lead out of the folder is refused where folders are taken."""
    assert_same_as_json('{"children": [{"uri": "/a' + SEAM + "b" + SEAM + between + SEAM + 'c", "folder": true}]}')


def assert_same_as_json(text):
    response = answered(text)
    found = outcome(lambda response: sorted(read_folder_names(FOLDER, ASKED, response)), response)
    assert found == outcome(names_by_json, response)
