"""Builds, modules, artifacts, dependencies: as what is searched, as criteria, and as what is included."""

import pytest

from aioartifact.testing.aql import AQLError, Viewer

DAY_MS = 86_400_000
JAR, POM, UI = (f"{number:040x}" for number in (6, 7, 9))  # SHA-1 of app-1.0.jar, app-1.0.pom and App_100%.jar


@pytest.fixture
def database(database, now_ms):
    """The tree, with two runs of a build and one of another."""

    def insert(table, **values):
        marks = ", ".join("?" * len(values))
        columns = ", ".join(values)
        return database.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [*values.values()]).lastrowid

    for item, (name, number, days) in enumerate((("app", "1", 3), ("app", "2", 2), ("ui", "1", 1)), start=1):
        dates = {"started": now_ms - days * DAY_MS, "created": now_ms, "modified": now_ms}
        build = insert("builds", item_id=item, name=name, number=number, url=f"ci/{name}", created_by="ann", **dates)
        insert("build_properties", build_id=build, key="ci", value=name)
        module = insert("modules", build_id=build, name=f"org:{name}")
        insert("module_properties", module_id=module, key="lang", value="c")
        sha1 = JAR if name == "app" else UI
        insert("artifacts", module_id=module, name=f"{name}.jar", type="jar", sha1=sha1, md5="00")
        if name == "ui":
            insert("dependencies", module_id=module, name="org:app", scope="compile", sha1=JAR)
        if (name, number) == ("app", "2"):
            for status in ("tested", "released"):
                fields = {"created_by": "bob", "repo": "rel", "comment": "c", "user": "ci"}
                insert("build_promotions", build_id=build, created=now_ms, status=status, **fields)
            insert("artifacts", module_id=module, name="app.pom", type="pom", sha1=POM)
    return database


def test_row_of_a_build(rows):
    """Names of fields carry the name of their domain; dates are ISO-8601."""
    (row,) = rows('builds.find({"name":"ui"})')
    assert row == {
        "build.created": "2024-06-30T12:00:00.000Z",
        "build.created_by": "ann",
        "build.modified": "2024-06-30T12:00:00.000Z",
        "build.name": "ui",
        "build.number": "1",
        "build.started": "2024-06-29T12:00:00.000Z",
        "build.url": "ci/ui",
    }
    assert list(row) == sorted(row)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('builds.find({"started":{"$last":"36h"}})', None),
        ('builds.find({"started":{"$last":"2d"}})', ["ui/1"]),
        ('builds.find({"name":{"$match":"a*"},"number":{"$ne":"1"}})', ["app/2"]),
        ('builds.find({"@ci":"ui"})', ["ui/1"]),
        ('builds.find({"@ci":{"$ne":"ui"}})', ["app/1", "app/2"]),
        ('builds.find({"property.value":"ui"})', ["ui/1"]),
        ('builds.find({"$msp":[{"@ci":"app"},{"property.value":{"$match":"*p"}}]})', ["app/1", "app/2"]),
        ('builds.find({"promotion.status":"released"})', ["app/2"]),
        ('builds.find({"promotion.status":null})', ["app/1", "ui/1"]),
        ('builds.find({"module.artifact.item.name":"app-1.0.jar"})', ["app/1", "app/2"]),
        ('builds.find({"module.artifact.item.@os":"linux"})', ["app/1", "app/2"]),
        ('builds.find({"module.artifact.item.@os":{"$ne":"linux"}})', ["app/2", "ui/1"]),
        ('builds.find({"module.artifact.item.repo":"all"})', ["app/1", "app/2", "ui/1"]),
        ('builds.find({"module.dependency.item.path":"org/app/1.0"})', ["ui/1"]),
        ('builds.find({"module.@lang":"c","module.name":"org:ui"})', ["ui/1"]),
        ('builds.find({"$or":[{"module.dependency.scope":"compile"},{"number":"2"}]})', ["app/2", "ui/1"]),
    ],
)
def test_builds(rows, query, expected):
    """Each is found once, however many rows there are at the end of a road."""
    if expected is None:
        with pytest.raises(AQLError):
            rows(query)
        return
    assert sorted(f"{row['build.name']}/{row['build.number']}" for row in rows(query)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('modules.find({"build.name":"app"})', [{"module.name": "org:app"}]),
        ('modules.find({"artifact.name":{"$match":"*.pom"}})', [{"module.name": "org:app"}]),
        (
            'artifacts.find({"item.name":"app-1.0.jar","module.build.number":"2"})',
            [{"artifact.name": "app.jar", "artifact.type": "jar"}],
        ),
        (
            'artifacts.find({"name":"ui.jar"}).include("*")',
            [{"artifact.md5": "00", "artifact.name": "ui.jar", "artifact.sha1": UI, "artifact.type": "jar"}],
        ),
        (
            'dependencies.find({"module.build.name":"ui"})',
            [{"dependency.name": "org:app", "dependency.scope": "compile"}],
        ),
        ('build.properties.find({"value":"ui"})', [{"build.property.key": "ci", "build.property.value": "ui"}]),
        (
            'module.properties.find({"module.build.name":"ui"})',
            [{"module.property.key": "lang", "module.property.value": "c"}],
        ),
        (
            'build.promotions.find({"status":"tested"})',
            [
                {
                    "build.promotion.comment": "c",
                    "build.promotion.created": "2024-06-30T12:00:00.000Z",
                    "build.promotion.created_by": "bob",
                    "build.promotion.repo": "rel",
                    "build.promotion.status": "tested",
                    "build.promotion.user": "ci",
                }
            ],
        ),
        (
            'stats.find({"item.name":"app-1.0.jar"}).include("downloads","item.name")',
            [{"downloads": 7, "items": [{"name": "app-1.0.jar"}]}],
        ),
    ],
)
def test_other_domains(rows, query, expected):
    """Rows of everything that belongs to builds, equal ones once."""
    assert rows(query) == expected


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ('{"artifact.module.build.name":"app"}', ["app-1.0.jar", "app-1.0.pom"]),
        ('{"artifact.module.build.name":"app","artifact.module.build.number":"1"}', ["app-1.0.jar"]),
        (
            '{"$or":[{"$and":[{"artifact.module.build.name":"app","artifact.module.build.number":"2"}]}]}',
            ["app-1.0.jar", "app-1.0.pom"],
        ),
        (
            '{"$or":[{"$and":[{"dependency.module.build.name":"ui","dependency.module.build.number":"1"}]}]}',
            ["app-1.0.jar"],
        ),
        ('{"artifact.module.build.@ci":"ui"}', ["App_100%.jar"]),
        ('{"artifact.module.build.promotion.status":"tested"}', ["app-1.0.jar", "app-1.0.pom"]),
        (
            '{"artifact.name":{"$ne":"app.jar"},"repo":"libs","name":{"$match":"*.jar"}}',
            ["App_100%.jar", "app-2.0.jar"],
        ),
        ('{"artifact.module.name":"org:ui","dependency.module.name":"org:ui"}', []),
    ],
)
def test_items(names, criteria, expected):
    """By the builds that produced or used them, as jf searches: criteria on one road are about the same row."""
    assert sorted(names(f"items.find({criteria})")) == sorted(expected)


def test_included_builds(rows):
    """Rows are nested along the road; those that have no fields to show have what is within them."""
    (row,) = rows('items.find({"name":"app-1.0.jar"}).include("name","artifact.module.build.number","dependency")')
    assert row == {
        "name": "app-1.0.jar",
        "artifacts": [
            {"modules": [{"builds": [{"build.number": "1"}]}]},
            {"modules": [{"builds": [{"build.number": "2"}]}]},
        ],
        "dependencies": [{"dependency.name": "org:app", "dependency.scope": "compile"}],
    }


def test_included_artifacts(rows):
    """Every artifact once, with its item, and properties of the build beside them."""
    (row,) = rows(
        'builds.find({"number":"2"}).include("name","module.name","module.artifact.name","module.artifact.item.name","@ci")'
    )
    module = {
        "artifacts": [
            {"artifact.name": "app.jar", "items": [{"name": "app-1.0.jar"}]},
            {"artifact.name": "app.pom", "items": [{"name": "app-1.0.pom"}]},
        ],
        "module.name": "org:app",
    }
    properties = [{"build.property.key": "ci", "build.property.value": "app"}]
    assert row == {"build.name": "app", "build.properties": properties, "modules": [module]}


def test_included_is_what_the_criteria_are_about(rows):
    """As on the real server, rows that do not meet a criterion on their road are not shown."""
    (row,) = rows(
        'items.find({"name":"app-1.0.jar","artifact.module.build.number":"2"}).include("artifact.module.build")'
    )
    ((build,),) = [[each["modules"][0]["builds"][0] for each in row["artifacts"]]]
    assert build["build.number"] == "2"


def test_nothing_to_include(rows):
    """Items of no build have no arrays."""
    (row,) = rows('items.find({"name":"readme.txt"}).include("name","artifact.module.build","archive.entry")')
    assert row == {"name": "readme.txt"}


def test_roads_that_lead_nowhere(rows):
    """Properties at the end of a road without rows are not there; a road back to where it starts is none."""
    assert rows('releases.find({"release_artifact.item.@os":"linux"})') == []
    assert rows('properties.find({"key":"os","value":"mac"}).include("key","item.@os")') == [{"key": "os"}]


def test_sorted_builds(rows):
    """Fields of the searched domain have an order."""
    found = rows('builds.find().include("name","number","started").sort({"$desc":["started"]}).limit(2)')
    assert [(row["build.name"], row["build.number"]) for row in found] == [("ui", "1"), ("app", "2")]


@pytest.mark.parametrize("domain", ["builds", "modules", "artifacts", "dependencies", "build.properties", "stats"])
def test_only_administrators_find_builds(rows, domain):
    """Others get no rows of them."""
    assert rows(f"{domain}.find()", viewer=Viewer(admin=False, can_read=lambda _repository, _path: True)) == []
    assert rows(f"{domain}.find()") != []
