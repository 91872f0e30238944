"""Repository layouts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.layouts.layout import LAYOUTS, Layout, ModuleInfo

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
REVISIONS = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,3}", fullmatch=True)
HASH = "0123456789abcdef0123456789abcdef01234567"

PATHS = [
    ("maven-2-default", "org/acme/app/1.0/app-1.0.jar", ModuleInfo("org.acme", "app", "1.0", ext="jar")),
    ("maven-2-default", "org/acme/app/1.0/app-1.0.pom", ModuleInfo("org.acme", "app", "1.0", ext="pom")),
    (
        "maven-2-default",
        "org/acme/app/1.0/app-1.0-sources.tar.gz",
        ModuleInfo("org.acme", "app", "1.0", classifier="sources", ext="tar.gz"),
    ),
    (
        "maven-2-default",
        "org/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT.jar",
        ModuleInfo("org", "app", "1.0", "SNAPSHOT", "SNAPSHOT", ext="jar"),
    ),
    (
        "maven-2-default",
        "org/app/1.0-SNAPSHOT/app-1.0-20240305.101231-2-x64.jar",
        ModuleInfo("org", "app", "1.0", "SNAPSHOT", "20240305.101231-2", "x64", "jar"),
    ),
    (
        "maven-2-default",
        "org/my-app/1.0-rc-1/my-app-1.0-rc-1.7z",
        ModuleInfo("org", "my-app", "1.0-rc-1", ext="7z"),
    ),
    ("maven-1-default", "org/jars/app-1.0.jar", ModuleInfo("org", "app", "1.0", ext="jar", type="jar")),
    (
        "ivy-default",
        "org.acme/app/1.0-20240305101231/srcs/app-test-1.0-20240305101231.zip",
        ModuleInfo("org.acme", "app", "1.0", "20240305101231", "20240305101231", "test", "zip", "src"),
    ),
    (
        "gradle-default",
        "org.acme/app/1.0-20240305101231/app-1.0-20240305101231-doc.jar",
        ModuleInfo("org.acme", "app", "1.0", "20240305101231", "20240305101231", "doc", "jar"),
    ),
    ("nuget-default", "a/pkg/pkg.1.2.3-beta.nupkg", ModuleInfo("a", "pkg", "1.2.3", "", "beta")),
    ("npm-default", "scope/pkg/pkg-1.0.0-rc.1.tgz", ModuleInfo("scope", "pkg", "1.0.0", "", "rc.1")),
    ("bower-default", "a/b/b-1.0-x.zip", ModuleInfo("a", "b", "1.0", "", "x", ext="zip")),
    ("composer-default", "a/b/b-1.0.zip", ModuleInfo("a", "b", "1.0", ext="zip")),
    (
        "vcs-default",
        f"a/b/tags/1.0/b-1.0-{HASH}.zip",
        ModuleInfo("a", "b", "1.0", "", HASH, ext="zip", custom={"refs": "tags"}),
    ),
    (
        "sbt-default",
        "o/m/scala_2.10/sbt_0.13/1.0/jars/m-src.jar",
        ModuleInfo("o", "m", "1.0", "", "", "src", "jar", "jar", custom={"scalaVersion": "2.10", "sbtVersion": "0.13"}),
    ),
    ("simple-default", "org/app/app-1.2.zip", ModuleInfo("org", "app", "1.2", ext="zip")),
    ("simple-default", "a/b/app/app-1.2-x.tar.gz", ModuleInfo("a.b", "app", "1.2-x", ext="tar.gz")),
    (
        "conan-default",
        "user/lib/1.0/stable/0/package/abc/1/conan.tgz",
        ModuleInfo(
            "user", "lib", "1.0", "0", "1", custom={"channel": "stable", "package_id": "abc", "remainder": "conan.tgz"}
        ),
    ),
    (
        "conan-default",
        "user/lib/1.0/stable/0/export/conanfile.py",
        ModuleInfo(
            "user",
            "lib",
            "1.0",
            "0",
            custom={"channel": "stable", "package_id": "", "remainder": "export/conanfile.py"},
        ),
    ),
    ("puppet-default", "a/b/a-b-1.0.tar.gz", ModuleInfo("a", "b", "1.0")),
]


@pytest.mark.parametrize(("layout", "path", "module"), [pytest.param(*row, id=row[1]) for row in PATHS])
def test_path_says_what_it_is(layout, path, module):
    """Each default layout reads its paths."""
    found = LAYOUTS[layout].parse(path)
    assert found is not None
    assert {**found.tokens(), "type": found.type} == {**module.tokens(), "type": module.type}
    assert found.is_integration == module.is_integration


@pytest.mark.parametrize(("layout", "path", "module"), [pytest.param(*row, id=row[1]) for row in PATHS])
def test_module_says_its_path(layout, path, module):
    """Each default layout writes the paths it reads."""
    assert LAYOUTS[layout].render(module) == path


@pytest.mark.parametrize(
    ("layout", "path"),
    [
        ("maven-2-default", "app.jar"),
        ("maven-2-default", "org/app/1.0/app-2.0.jar"),
        ("maven-2-default", "org/app/1.0/other-1.0.jar"),
        ("maven-2-default", "org/app/1.0/app-1.0"),
        ("maven-2-default", "org/app/maven-metadata.xml"),
        ("simple-default", "org/app/1.0/app-1.0.jar"),
        ("simple-default", "app/app-1.0.jar"),
        ("simple-default", "org/ /x- .jar"),
        ("vcs-default", "a/b/trunk/1.0/b-1.0.zip"),
        ("go-default", "a/b/@v/v1.0.zip"),
        ("build-default", "a/b.jar"),
    ],
)
def test_path_that_is_no_module(layout, path):
    """What does not match, or names no organization, module or base revision, is nothing."""
    assert LAYOUTS[layout].parse(path) is None


@pytest.mark.parametrize(
    ("layout", "path", "version", "integration"),
    [
        ("maven-2-default", "o/a/1.0/a-1.0.jar", "1.0", False),
        ("maven-2-default", "o/a/1.0-SNAPSHOT/a-1.0-SNAPSHOT.jar", "1.0-SNAPSHOT", True),
        ("maven-2-default", "o/a/1.0-SNAPSHOT/a-1.0-20240305.101231-2.jar", "1.0-20240305.101231-2", True),
        ("npm-default", "o/a/a-1.0.0-rc.1.tgz", "1.0.0-rc.1", True),
        ("npm-default", "o/a/a-1.0.0.tgz", "1.0.0", False),
        ("simple-default", "o/a/a-1.0-SNAPSHOT.zip", "1.0-SNAPSHOT", False),
        ("sbt-default", "o/m/scala_2/sbt_1/1.0/jars/m.jar", "1.0", False),
    ],
)
def test_version_of_a_path(layout, path, version, integration):
    """The version runs from the base revision to the file's integration revision; the layout knows integrations."""
    found = LAYOUTS[layout].parse(path)
    assert (LAYOUTS[layout].version(found), found.is_integration) == (version, integration)


@pytest.mark.parametrize(
    ("layout", "known", "expected"),
    [
        ("maven-2-default", {"orgPath": "org/acme", "module": "app"}, "org/acme/app/*/app-*.*"),
        ("maven-2-default", {"module": "app", "classifier": "src"}, "*/app/*/app-*-src.*"),
        ("simple-default", {"orgPath": "o?", "module": "a*"}, "o?/a*/a*-*.*"),
        ("maven-2-default", {}, "*/*/*/*-*.*"),
    ],
)
def test_glob_of_what_is_known(layout, known, expected):
    """What is not known may be anything."""
    assert LAYOUTS[layout].glob(known) == expected


def test_path_of_an_incomplete_module():
    """A token without a value is reported by name, but the type falls back to the extension."""
    with pytest.raises(ValueError, match=r"layout simple-default needs a value for \[ext\]"):
        LAYOUTS["simple-default"].render(ModuleInfo("o", "m", "1"))
    assert LAYOUTS["maven-1-default"].render(ModuleInfo("o", "m", "1", ext="jar")) == "o/jars/m-1.jar"


def test_layout_of_ones_own():
    """Custom tokens without an expression stay inside a segment."""
    layout = Layout("own", "[org]/[arch]/[module]-[baseRev].[ext]")
    assert layout.parse("o/x64/m-1.zip").custom == {"arch": "x64"}
    assert layout.parse("o/x/64/m-1.zip") is None


@given(
    st.lists(NAMES, min_size=1, max_size=3).map(".".join),
    NAMES,
    REVISIONS,
    st.sampled_from(["", "SNAPSHOT", "20240305.101231-2"]),
    NAMES | st.just(""),
)
def test_maven_paths_round_trip(organization, module, revision, integration, classifier):
    """Any module is read back from the path it is written to."""
    folder = "SNAPSHOT" if integration else ""
    written = ModuleInfo(organization, module, revision, folder, integration, classifier, "jar")
    assert LAYOUTS["maven-2-default"].parse(LAYOUTS["maven-2-default"].render(written)) == written


@given(st.sampled_from(sorted(LAYOUTS)), st.text("ab1.-/", max_size=30))
def test_paths_that_are_read_are_written_the_same(layout, path):
    """Whatever text is a module of a layout is the path of that module, unless its folders have dots."""
    found = LAYOUTS[layout].parse(path)
    if found and not ("[orgPath]" in LAYOUTS[layout].pattern and "." in path.rpartition("/")[0]):
        assert LAYOUTS[layout].render(found) == path
