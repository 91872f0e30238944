"""Maven's metadata as values and documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.layouts.maven_metadata import (
    Build,
    Metadata,
    SnapshotFile,
    document,
    merged,
    of_snapshot,
    of_versions,
    parse,
)

NOW = "20240305081231"
FOLDER = "org/acme/app/1.0-SNAPSHOT"
FILES = [
    f"{FOLDER}/app-1.0-20240301.101500-1.pom",
    f"{FOLDER}/app-1.0-20240301.101500-1.jar",
    f"{FOLDER}/app-1.0-20240301.101500-1-sources.jar",
    f"{FOLDER}/app-1.0-20240302.101500-10.pom",
    f"{FOLDER}/app-1.0-20240302.101500-10.jar",
    f"{FOLDER}/app-1.0-20240303.101500-9.jar",
    f"{FOLDER}/readme.txt",
    f"{FOLDER}/maven-metadata.xml",
]
VERSIONS = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<metadata>
  <groupId>org.acme</groupId>
  <artifactId>app</artifactId>
  <version>1.11-SNAPSHOT</version>
  <versioning>
    <latest>1.11-SNAPSHOT</latest>
    <release>1.10</release>
    <versions>
      <version>1.9</version>
      <version>1.10</version>
      <version>1.11-SNAPSHOT</version>
    </versions>
    <lastUpdated>20240305081231</lastUpdated>
  </versioning>
</metadata>
"""
SNAPSHOT = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<metadata>
  <groupId>org.acme</groupId>
  <artifactId>app</artifactId>
  <version>1.0-SNAPSHOT</version>
  <versioning>
    <snapshot>
      <timestamp>20240302.101500</timestamp>
      <buildNumber>10</buildNumber>
    </snapshot>
    <lastUpdated>20240305081231</lastUpdated>
    <snapshotVersions>
      <snapshotVersion>
        <extension>jar</extension>
        <value>1.0-20240302.101500-10</value>
        <updated>20240302101500</updated>
      </snapshotVersion>
      <snapshotVersion>
        <extension>pom</extension>
        <value>1.0-20240302.101500-10</value>
        <updated>20240302101500</updated>
      </snapshotVersion>
      <snapshotVersion>
        <classifier>sources</classifier>
        <extension>jar</extension>
        <value>1.0-20240301.101500-1</value>
        <updated>20240301101500</updated>
      </snapshotVersion>
    </snapshotVersions>
  </versioning>
</metadata>
"""


def test_versions():
    """They stand in Maven's order; the release is the last that is no snapshot, the latest the last of all."""
    metadata = of_versions("org/acme/app", ["1.10", "1.11-SNAPSHOT", "1.9", "1.9"], NOW)
    assert document(metadata) == VERSIONS


@pytest.mark.parametrize(("folder", "versions"), [("org/acme/app", []), ("app", ["1.0"])])
def test_no_versions(folder, versions):
    """Nothing is said of a folder without versions, nor of one without a group."""
    assert of_versions(folder, versions, NOW) is None


def test_snapshots_alone_have_no_release():
    """There is a latest version only."""
    metadata = of_versions("org/acme/app", ["1.0-SNAPSHOT"], NOW)
    assert (metadata.latest, metadata.release) == ("1.0-SNAPSHOT", "")


def test_unique_snapshot():
    """The build is the highest that has a pom; of each kind of file the newest is named, by number, not by date."""
    assert document(of_snapshot(FOLDER, FILES, NOW, is_unique=True)) == SNAPSHOT


def test_snapshot_without_timestamps():
    """Where builds take each other's place there is always one, and no file has a name of its own."""
    metadata = of_snapshot(FOLDER, [f"{FOLDER}/app-1.0-SNAPSHOT.pom"], NOW, is_unique=False)
    assert (metadata.build, metadata.files) == (Build(1), ())
    assert b"<snapshot>\n      <buildNumber>1</buildNumber>\n    </snapshot>" in document(metadata)


def test_qualified_snapshot():
    """The version is that of the folder, and the files' keep their qualifier."""
    folder = "org/acme/app/2.0-rc-1-SNAPSHOT"
    metadata = of_snapshot(folder, [f"{folder}/app-2.0-rc-1-20240301.101500-1.pom"], NOW, is_unique=True)
    assert metadata.version == "2.0-rc-1-SNAPSHOT"
    assert [file.version for file in metadata.files] == ["2.0-rc-1-20240301.101500-1"]


def test_snapshot_without_pom():
    """Nothing is said of it."""
    assert of_snapshot(FOLDER, [f"{FOLDER}/app-1.0-20240301.101500-1.jar"], NOW, is_unique=True) is None


def test_merged_versions():
    """All versions, sorted anew; whatever says so, latest and release are the last ones."""
    one = Metadata("org.acme", "app", "1.0", "1.0", "1.0", ("1.0",), updated="20240101000000")
    other = Metadata("org.acme", "app", "0.9", "0.9", "0.9", ("0.8", "0.9"), updated="20240201000000")
    assert merged([one, other]) == Metadata(
        "org.acme", "app", "1.0", "1.0", "1.0", ("0.8", "0.9", "1.0"), updated="20240201000000"
    )


def snapshot(build, updated, *files):
    return Metadata("org.acme", "app", "1.0-SNAPSHOT", build=build, updated=updated, files=files)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param((Build(2, "b"), "2"), (Build(3, "a"), "1"), Build(3, "a"), id="higher-number"),
        pytest.param((Build(3, "a"), "1"), (Build(2, "b"), "2"), Build(2, "b"), id="later-change"),
        pytest.param((None, "1"), (Build(1), "0"), Build(1), id="only-one"),
        pytest.param((Build(1), "2"), (None, "3"), Build(1), id="only-the-other"),
    ],
)
def test_merged_builds(one, other, expected):
    """The document that changed last decides, unless the other one knows a higher number."""
    assert merged([snapshot(*one), snapshot(*other)]).build == expected


def test_merged_files_of_a_snapshot():
    """Each kind of the first in its newest version; kinds that only the second has are left out."""
    old, new = (SnapshotFile("", "jar", f"1.0-20240301.101500-{number}", "20240301101500") for number in (9, 10))
    pom = SnapshotFile("", "pom", "1.0-20240301.101500-9", "20240301101500")
    sources = SnapshotFile("sources", "jar", "1.0-20240301.101500-10", "20240301101500")
    one, other = snapshot(Build(9), "1", old, pom), snapshot(Build(10), "2", new, sources)
    assert merged([one, other]).files == (new, pom)
    assert merged([other, one]).files == (new, sources)
    assert merged([snapshot(Build(9), "1"), other]).files == (new, sources)


def test_merged_plugins():
    """Plugins of a group are put together; the first with a prefix wins."""
    one = Metadata("", "", plugins=(("A", "a", "a-maven-plugin"),))
    other = Metadata("", "", plugins=(("Other A", "a", "other"), ("B", "b", "b-maven-plugin")))
    assert merged([one, other]).plugins == (one.plugins[0], other.plugins[1])
    assert parse(document(merged([one, other]))) == merged([one, other])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"text", id="text"),
        pytest.param(b"<metadata>", id="cut"),
        pytest.param(b"<project/>", id="another-document"),
        pytest.param(b'<?xml version="1.0" encoding="nothing"?><metadata/>', id="unknown-encoding"),
        pytest.param(b'<!DOCTYPE m [<!ENTITY a "x">]><metadata><version>&b;</version></metadata>', id="unknown-entity"),
    ],
)
def test_no_metadata(data):
    """What is none is not understood."""
    assert parse(data) is None


words = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=5)
numbers = st.integers(min_value=1, max_value=10**6)
documents = st.builds(
    Metadata,
    words,
    words,
    words,
    words,
    words,
    st.lists(words.filter(bool)).map(tuple),
    st.none() | st.builds(Build, numbers, words),
    words,
    st.lists(st.builds(SnapshotFile, words, words, words, words)).map(tuple),
    st.lists(st.tuples(words, words, words)).map(tuple),
)


@given(documents)
def test_documents_are_read_as_written(metadata):
    """Reading undoes writing."""
    assert parse(document(metadata)) == metadata


@given(documents)
def test_merging_with_itself_changes_nothing_but_the_order(metadata):
    """A repository that is a member twice adds nothing."""
    once = merged([metadata, metadata])
    assert merged([once, metadata]) == once
