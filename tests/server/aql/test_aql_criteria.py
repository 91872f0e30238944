import sqlite3

import pytest

JAR_1, POM, JAR_2, UI = "app-1.0.jar", "app-1.0.pom", "app-2.0.jar", "App_100%.jar"
README, ODD, SIZE = "readme.txt", "a[b]^c.zip", "größe.bin"
FILES = [README, JAR_1, POM, JAR_2, UI, ODD, SIZE]
FOLDERS = [".", "org", "app", "1.0"]


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        pytest.param("", FILES, id="all-files"),
        pytest.param('{"repo":"libs"}', FILES[:5], id="repo"),
        pytest.param('{"repo":"nowhere"}', [], id="unknown-repo"),
        pytest.param('{"repo":"libs","path":"."}', [README], id="root"),
        pytest.param('{"repo":"libs"},{"path":"."}', [README], id="groups-are-anded"),
        pytest.param(f'{{"name":"{JAR_1}","name":"{POM}"}}', [], id="same-field-twice"),
        pytest.param('{"name":{"$eq":"app*"}}', [], id="eq-takes-wildcards-literally"),
        pytest.param('{"name":{"$ne":"readme.txt"},"repo":"libs"}', FILES[1:5], id="ne"),
        pytest.param('{"created_by":{"$ne":"ann"}}', [POM, JAR_2, UI, SIZE], id="ne-accepts-null"),
        pytest.param('{"created_by":null}', [UI], id="null"),
        pytest.param('{"created_by":{"$ne":null},"repo":"libs"}', FILES[:4], id="not-null"),
        pytest.param('{"size":{"$gt":1000}}', [JAR_2, UI], id="gt"),
        pytest.param('{"size":{"$gte":"1000"}}', [JAR_1, JAR_2, UI], id="gte-quoted"),
        pytest.param('{"size":{"$lt":7}}', [README, SIZE], id="lt-is-numeric"),
        pytest.param('{"size":{"$lte":7}}', [README, ODD, SIZE], id="lte"),
        pytest.param('{"size":{"$match":"7"}}', [ODD], id="match-number"),
        pytest.param('{"name":{"$lt":"a[c"}}', [UI, ODD], id="lt-compares-code-points"),
        pytest.param('{"depth":1}', [README, ODD], id="depth"),
        pytest.param('{"id":3}', [README], id="id"),
        pytest.param(f'{{"actual_sha1":"{6:040x}"}}', [JAR_1], id="sha1"),
        pytest.param('{"repo_path_checksum":null,"id":3}', [README], id="checksum-not-kept"),
        pytest.param('{"type":"folder"}', FOLDERS, id="folders"),
        pytest.param('{"type":"any","repo":"libs"}', [".", "org", README, "app", "1.0", *FILES[1:5]], id="any"),
        pytest.param('{"type":{"$ne":"file"}}', FOLDERS, id="type-ne"),
        pytest.param('{"type":{"$ne":"any"}}', [], id="type-ne-any"),
        pytest.param('{"$or":[{"type":"folder","name":"org"},{"name":"readme.txt"}]}', ["org", README], id="type-deep"),
        pytest.param('{"repo":"auto-trashcan"}', ["gone.jar"], id="trash-asked-for"),
        pytest.param('{"repo":{"$match":"auto-*"}}', [], id="trash-matched"),
        pytest.param('{"repo":"all"}', FILES, id="virtual"),
        pytest.param('{"repo":{"$match":"all"},"path":"."}', [README, ODD], id="virtual-matched-literally"),
        pytest.param('{"repo":{"$ne":"all"}}', [], id="virtual-ne"),
        pytest.param('{"repo":"none"}', [], id="virtual-without-members"),
        pytest.param('{"$or":[{"size":5},{"size":7}]}', [README, ODD], id="or"),
        pytest.param('{"$or":[{"path":"."},{"path":{"$match":"org/app-*"}}]}', [README, ODD, UI], id="or-of-paths"),
        pytest.param(
            '{"$or":[{"path":"org/app/2.0","size":2000},{"path":"bin"},{"$and":[{"path":"."},{"size":5}]}]}',
            [JAR_2, SIZE, README],
            id="or-of-places",
        ),
        pytest.param('{"$or":[{"path":"bin"},{"name":"readme.txt"}]}', [README, SIZE], id="or-path-name"),
        pytest.param('{"$or":[{"path":"bin"},{"path":{"$ne":"."},"size":20}]}', [POM, SIZE], id="or-path-elsewhere"),
        pytest.param('{"$or":[{"size":5,"repo":"tools"},{"size":7}]}', [ODD], id="or-of-and"),
        pytest.param('{"$and":[{"$or":[{"size":5},{"size":7}]},{"repo":"tools"}]}', [ODD], id="and-of-or"),
    ],
)
def test_criteria_on_items(names, criteria, found):
    """Criteria on fields of items select exactly these."""
    assert sorted(names(f"items.find({criteria})")) == sorted(found)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        pytest.param("*", FILES, id="all"),
        pytest.param("app-*", [JAR_1, POM, JAR_2], id="prefix"),
        pytest.param("*.jar", [JAR_1, JAR_2, UI], id="suffix"),
        pytest.param("app-?.0.jar", [JAR_1, JAR_2], id="one-character"),
        pytest.param("gr??e.bin", [SIZE], id="one-character-is-no-byte"),
        pytest.param("*ö*", [SIZE], id="non-ascii"),
        pytest.param("App_*%.jar", [UI], id="sql-wildcards-are-literal"),
        pytest.param("APP-*", [], id="case-sensitive"),
        pytest.param("a[b]*", [ODD], id="brackets-are-literal"),
        pytest.param("*[b]^c.zip", [ODD], id="brackets-after-a-wildcard"),
        pytest.param("?[abc]*", [], id="no-character-classes"),
        pytest.param("readme.txt", [README], id="no-wildcard"),
        pytest.param("readme.tx", [], id="no-wildcard-no-part"),
    ],
)
def test_match_and_its_negation(names, pattern, found):
    """A pattern selects what it matches, its negation everything else."""
    assert sorted(names(f'items.find({{"name":{{"$match":"{pattern}"}}}})')) == sorted(found)
    others = set(FILES) - set(found)
    assert sorted(names(f'items.find({{"name":{{"$nmatch":"{pattern}"}}}})')) == sorted(others)


def test_match_crosses_slashes(names):
    """A star stands for slashes too, and below a folder is not beside it."""
    assert sorted(names('items.find({"path":{"$match":"org/app/*"}})')) == sorted([JAR_1, POM, JAR_2])
    assert sorted(names('items.find({"path":{"$match":"org*"}})')) == sorted([JAR_1, POM, JAR_2, UI])


def test_nmatch_accepts_null(names):
    """What has no value does not match."""
    assert UI in names('items.find({"created_by":{"$nmatch":"*"}})')


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        pytest.param('{"@os":"linux"}', [JAR_1, JAR_2], id="any-of-its-values"),
        pytest.param('{"@os":"linux","@os":"mac"}', [JAR_1], id="each-on-its-own-row"),
        pytest.param('{"@os":"lin*"}', [], id="eq-takes-wildcards-literally"),
        pytest.param('{"@os":{"$match":"lin*"}}', [JAR_1, JAR_2], id="match"),
        pytest.param('{"@os":"*"}', [JAR_1, JAR_2], id="has-it"),
        pytest.param('{"@os":{"$eq":"*"}}', [JAR_1, JAR_2], id="has-it-eq"),
        pytest.param('{"@os":{"$ne":"*"},"repo":"tools"}', [ODD, SIZE], id="has-it-not"),
        pytest.param('{"@*":"linux"}', [JAR_1, JAR_2], id="any-key"),
        pytest.param('{"@*":"*"}', [JAR_1, JAR_2, SIZE], id="any-at-all"),
        pytest.param('{"@*":{"$ne":"linux"},"name":{"$match":"app*"}}', [POM], id="no-key-with"),
        pytest.param('{"@os":{"$ne":"mac"},"name":{"$match":"app*"}}', [POM, JAR_2], id="ne-is-no-such-row"),
        pytest.param('{"@os":{"$nmatch":"m*"},"name":{"$match":"app*"}}', [POM, JAR_2], id="nmatch-is-no-such-row"),
        pytest.param('{"@license":{"$lt":"H"}}', [JAR_1], id="ordered"),
        pytest.param('{"@empty":""}', [JAR_2], id="empty-value"),
        pytest.param('{"@os":null}', [], id="null"),
        pytest.param('{"@build.name":"x*"}', [SIZE], id="key-with-a-dot"),
        pytest.param('{"property.key":"license"}', [JAR_1, JAR_2], id="raw-key"),
        pytest.param('{"property.value":{"$match":"*GPL*"}}', [JAR_1, JAR_2], id="raw-value"),
        pytest.param('{"property.key":"os","property.value":"GPL-3"}', [JAR_1], id="raw-on-different-rows"),
        pytest.param('{"property.key":{"$ne":"os"},"name":{"$match":"app*"}}', [POM], id="raw-ne"),
        pytest.param('{"property.key":null,"repo":"tools"}', [ODD], id="raw-null"),
        pytest.param('{"$msp":[{"property.key":"os"},{"property.value":"GPL-3"}]}', [], id="msp-same-row"),
        pytest.param('{"$msp":[{"@license":{"$match":"*GPL*"}},{"@license":{"$nmatch":"L*"}}]}', [JAR_1], id="msp-not"),
        pytest.param('{"$msp":[{"@os":"*"},{"$or":[{"@os":"mac"},{"@*":"x"}]}]}', [JAR_1], id="msp-or"),
        pytest.param('{"$msp":[{"@os":"linux"},{"size":2000}]}', [JAR_2], id="msp-with-a-field"),
        pytest.param('{"$msp":[{"size":2000}]}', [JAR_2], id="msp-without-a-property"),
        pytest.param('{"$or":[{"@os":"mac"},{"@empty":"*"}]}', [JAR_1, JAR_2], id="or"),
    ],
)
def test_criteria_on_properties(names, criteria, found):
    """Criteria on properties select exactly these."""
    assert sorted(names(f"items.find({criteria})")) == sorted(found)


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        pytest.param('{"stat.downloads":{"$gt":5}}', [JAR_1], id="counted"),
        pytest.param('{"stat.downloads":0}', [POM], id="zero"),
        pytest.param('{"stat.downloads":null,"path":{"$match":"org/app/*"}}', [JAR_2], id="never-counted"),
        pytest.param('{"stat.downloaded":{"$last":"1weeks"}}', [JAR_1], id="lately"),
        pytest.param('{"stat.downloaded":null,"path":{"$match":"org/app/*"}}', [POM, JAR_2], id="never"),
        pytest.param('{"stat.remote_downloads":null,"size":5}', [README], id="remote-not-kept"),
    ],
)
def test_criteria_on_statistics(names, criteria, found):
    """Criteria on download statistics select exactly these; items without any count as NULL."""
    assert sorted(names(f"items.find({criteria})")) == sorted(found)


@pytest.mark.parametrize(
    "field", ["archive.entry.name", "artifact.module.build.name", "artifact.module.@k", "release_artifact.release.name"]
)
def test_criteria_on_what_the_server_has_not(names, field):
    """Archive entries and releases are not kept, and there is no build: nothing equals them, everything differs."""
    assert names(f'items.find({{"{field}":"x"}})') == []
    assert len(names(f'items.find({{"{field}":{{"$ne":"x"}}}})')) == len(FILES)


@pytest.mark.parametrize("domain", ["builds", "archives", "releases", "modules", "artifacts"])
def test_other_domains_have_no_rows(rows, domain):
    """A search in another domain is answered without rows."""
    assert rows(f"{domain}.find()") == []


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        pytest.param('"size":"big"', "AQL Expect long value but found:big\n", id="long"),
        pytest.param('"size":1.5', "AQL Expect long value but found:1.5\n", id="fraction"),
        pytest.param('"size":9223372036854775808', "AQL Expect long value but found:9223372036854775808\n", id="bits"),
        pytest.param('"depth":2147483648', "AQL Expect integer value but found:2147483648\n", id="integer"),
        pytest.param('"type":"dir"', "Invalid file type: dir, valid types are : file, folder, any", id="type"),
        pytest.param(
            '"created":"soon"',
            "Invalid Date format: soon, AQL expect ISODateTimeFormat or long number",
            id="date",
        ),
        pytest.param('"created":{"$last":"1m"}', "Invalid relative date format for: 1m", id="period"),
        pytest.param(
            '"name":{"$match":null}',
            "Illegal syntax the 'null' values are allowed to use only with equals and not equals operators.\n",
            id="null",
        ),
    ],
)
def test_values_that_do_not_fit_are_refused(refusal, criterion, message):
    """A value its field or operator cannot take is refused in the server's words."""
    assert refusal(f"items.find({{{criterion}}})") == message


def test_values_are_checked_in_every_domain(refusal):
    """A search that finds nothing anyway still refuses what makes no sense."""
    assert refusal('builds.find({"started":"soon"})').startswith("Invalid Date format: soon, ")


@pytest.mark.slow
def test_very_long_alternatives_are_answered(names):
    """Thousands of alternatives are no trouble; more values than SQLite takes are refused."""
    many = ",".join(f'{{"name":{{"$match":"nope-{number}*"}}}}' for number in range(3000))
    assert names(f'items.find({{"$or":[{many},{{"size":5}}]}})') == [README]


def test_too_many_values_are_refused(refusal, database):
    """More values than the database takes are a refusal with its cause."""
    database.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 3)
    assert refusal('items.find({"name":"a"})') == "The query is too complex\ncause: too many SQL variables"


def test_pattern_too_long_is_refused(refusal):
    """A pattern longer than SQLite compares is refused before rows are read."""
    assert refusal('items.find({"name":{"$match":"*%s"}})' % ("a" * 50_000)) == "The pattern of a match is too long"


def test_trouble_with_the_database_is_no_refusal(start, database):
    """A database that fails is the server's fault, not the query's."""
    database.set_progress_handler(lambda: 1, 1)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        start("items.find()")
