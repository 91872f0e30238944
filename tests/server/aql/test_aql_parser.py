import pytest

from aioartifact.testing import aql

VALID = [
    pytest.param("items.find()", id="no-criteria"),
    pytest.param('items.find({"repo":"a"})', id="one"),
    pytest.param(' items . find ( { "repo" : "a" , "name" : { "$eq" : "b" } } ) \n', id="blanks-everywhere"),
    pytest.param('items.find({"name":"a","name":"b"})', id="same-key-twice"),
    pytest.param('items.find({"name":"a"},{"name":"b"})', id="two-groups"),
    pytest.param('items.find({"$or":[{"name":"a"},{"$and":[{"name":"b"},{"size":1}]}]})', id="nested-groups"),
    pytest.param('items.find({"size":{"$gt":"100"}})', id="quoted-number"),
    pytest.param('items.find({"size":-1})', id="negative-number"),
    pytest.param('items.find({"created_by":null})', id="null"),
    pytest.param('items.find({"name":{"$EQ":"a"}})', id="operator-in-capitals"),
    pytest.param('items.find({"created":{"$last":"1d"}})', id="relative-date"),
    pytest.param('items.find({"@a.b@c":"x"})', id="property-with-dots"),
    pytest.param('items.find({"$msp":[{"@a":"b"},{"@*":{"$ne":"c"}}]})', id="same-property"),
    pytest.param('items.find({"$rf":[{"@a":"b"}]})', id="result-filter"),
    pytest.param('items.find({"artifact.module.build.@k":"v"})', id="property-of-a-build"),
    pytest.param('items.find({"archive.entry.name":"Main.class"})', id="archive-entry"),
    pytest.param('items.find({"release_artifact.release.name":"r"})', id="release"),
    pytest.param('items.find().include("*","property.*","stat.downloads","@k","archive")', id="includes"),
    pytest.param('items.find().include("name").sort({"$asc":["name"]}).offset(1).limit(2)', id="all-sections"),
    pytest.param("items.find().transitive().limit(1).distinct(false)", id="marks-as-documented"),
    pytest.param('items.find().sort({"$desc":["name"]}).offset(0).transitive().limit(1)', id="marks-as-jfrog-cli"),
    pytest.param('builds.find({"module.artifact.item.repo":"r"})', id="builds"),
    pytest.param('build.promotions.find({"build.name":"b"})', id="promotions"),
    pytest.param('archive.entries.find({"archive.item.repo":"r"})', id="archive-entries"),
    pytest.param('releases.find({"release_artifact.item.@k":"v"}).include("release_artifact")', id="releases"),
    pytest.param('properties.find({"item.name":"a"})', id="properties"),
]


@pytest.mark.parametrize("text", VALID)
def test_parse_accepts_the_grammar(text):
    """Whatever the grammar allows is read."""
    assert aql.parse(text)


INVALID = [
    pytest.param("", "", id="empty"),
    pytest.param("item.find()", "item.find()", id="unknown-domain"),
    pytest.param("items.delete()", "delete()", id="other-action"),
    pytest.param("items.Find()", "Find()", id="keyword-in-capitals"),
    pytest.param("items.find({})", "})", id="empty-group"),
    pytest.param('items.find({"$or":[]})', "]})", id="empty-list"),
    pytest.param('items.find({"nam":"x"})', 'nam":"x"})', id="unknown-field"),
    pytest.param('items.find({"Name":"x"})', 'Name":"x"})', id="field-in-capitals"),
    pytest.param('items.find({"name":"x",})', "})", id="trailing-comma"),
    pytest.param("items.find({'name':'x'})", "'name':'x'})", id="single-quotes"),
    pytest.param('items.find({"name":true})', "true})", id="boolean"),
    pytest.param('items.find({"name":{"$not":"x"}})', '$not":"x"}})', id="unknown-operator"),
    pytest.param('items.find({"size":{"$gt":1,"$lt":9}})', ',"$lt":9}})', id="two-operators"),
    pytest.param('items.find({"name":{"$last":"1d"}})', '$last":"1d"}})', id="relative-without-date"),
    pytest.param('items.find({"created":{"$LAST":"1d"}})', '$LAST":"1d"}})', id="relative-in-capitals"),
    pytest.param('items.find({"created":{"$last":1}})', "1}})", id="relative-unquoted"),
    pytest.param('items.find({"$AND":[{"name":"x"}]})', '$AND":[{"name":"x"}]})', id="junction-in-capitals"),
    pytest.param('items.find({"name":"say \\"hi\\""})', 'hi\\""})', id="no-escapes"),
    pytest.param('items.find({"name":"x', "x", id="open-string"),
    pytest.param('items.find({"virtual_repos":"v"})', 'virtual_repos":"v"})', id="result-only-field"),
    pytest.param('items.find({"@":"v"})', '@":"v"})', id="property-without-key"),
    pytest.param('items.find({"stat.@k":"v"})', 'stat.@k":"v"})', id="property-of-statistics"),
    pytest.param('items.find({"stat":"v"})', 'stat":"v"})', id="domain-as-criterion"),
    pytest.param('items.find({"artifact.item.name":"v"})', 'artifact.item.name":"v"})', id="way-back"),
    pytest.param("items.find().include()", ")", id="empty-include"),
    pytest.param('items.find().include("size","sizes")', 'sizes")', id="unknown-include"),
    pytest.param('items.find().sort({"$asc":["dsdsdsd"]})', 'dsdsdsd"]})', id="unknown-sort"),
    pytest.param('items.find().sort({"$up":["name"]})', '$up":["name"]})', id="unknown-direction"),
    pytest.param('items.find().sort({"$asc":["@k"]})', '@k"]})', id="sort-by-property"),
    pytest.param('items.find().limit(1).sort({"$asc":["name"]})', 'sort({"$asc":["name"]})', id="sort-after-limit"),
    pytest.param("items.find().limit(1).offset(1)", "offset(1)", id="offset-after-limit"),
    pytest.param("items.find().limit(1).limit(1)", "limit(1)", id="limit-twice"),
    pytest.param("items.find().limit(-1)", "-1)", id="negative-limit"),
    pytest.param("items.find().limit(9223372036854775808)", ")", id="huge-limit"),
    pytest.param('items.find().limit("1")', '"1")', id="quoted-limit"),
    pytest.param('items.find().distinct("true")', '"true")', id="quoted-distinct"),
    pytest.param("items.find() // all", "// all", id="comment"),
    pytest.param("items.find().", "", id="trailing-dot"),
    pytest.param('builds.find({"repo":"r"})', 'repo":"r"})', id="field-of-another-domain"),
]


@pytest.mark.parametrize(("text", "rest"), INVALID)
def test_parse_refuses_what_breaks_the_grammar(text, rest):
    """A syntax error quotes the query and what follows the last part that made sense."""
    with pytest.raises(aql.AQLError) as caught:
        aql.parse(text)
    assert caught.value.message == (
        f"Failed to parse query: {text}, it looks like there is syntax error near the following sub-query: {rest}"
    )


def test_parse_bounds_the_depth_of_groups():
    """Groups nested without end are a syntax error, not an exhausted stack."""
    deep = 'items.find({"name":"x"})'.replace('{"name":"x"}', '{"$or":[' * 5000 + '{"name":"x"}' + "]}" * 5000)
    with pytest.raises(aql.AQLError, match=r"^Failed to parse query: "):
        aql.parse(deep)


def test_parse_loses_leading_blanks_of_values(names):
    """Blanks after an opening quote are lost, those before a closing one are not."""
    assert names('items.find({"name":"  readme.txt"})') == ["readme.txt"]
    assert names('items.find({"name":"readme.txt  "})') == []
