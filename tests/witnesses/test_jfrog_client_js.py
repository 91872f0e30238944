"""
jfrog-client-js, JFrog's own client for Node: it finds the files of a build by AQL, and downloads them.

It is fetched from the registry of npm, so it needs Node and that registry.
"""

import json
import shutil
import subprocess

import pytest
import requests

PACKAGE = "jfrog-client-js@2.9.0"
FILE = "generic-local/app/app.bin"
PROGRAM = """
const { JfrogClient } = require("jfrog-client-js");
const [artifactoryUrl, username, password, ...queries] = process.argv.slice(2);
const logger = { debug() {}, error() {}, warn() {} };
const artifactory = new JfrogClient({ artifactoryUrl, username, password, logger, retries: 0 }).artifactory();
(async () => {
  const found = [];
  for (const query of queries) found.push((await artifactory.search().aqlSearch(query)).results);
  const [{ repo, path, name }] = found[0];
  const address = `${repo}/${path}/${name}`;
  const content = await artifactory.download().downloadArtifact(address);
  const { sha256 } = await artifactory.download().getArtifactChecksum(address);
  console.log(JSON.stringify({ found, content, sha256 }));
})().catch((error) => { console.error(error.message); process.exit(1); });
"""

pytestmark = [
    pytest.mark.skipif(not shutil.which("npm"), reason="Node and npm are not installed"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with the client; skips where it cannot be fetched."""
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        pytest.skip(f"{PACKAGE} cannot be fetched from the registry of npm")
    (folder / "program.js").write_text(PROGRAM, "utf-8")
    return folder


def test_files_of_a_build(artifactory, folder):
    """By the build that produced them; the build, with its artifacts, in the form that its fields have."""
    artifactory.put(FILE, b"content")
    checksums = artifactory.checksums(FILE)
    module = {"id": "app", "artifacts": [{"name": "app.bin", "type": "bin", "sha1": checksums["sha1"]}]}
    document = {"name": "app", "number": "1", "started": "2024-06-01T12:00:00.000+0200", "modules": [module]}
    auth = (artifactory.username, artifactory.password)
    requests.put(f"{artifactory.url}/api/build", json=document, auth=auth, timeout=10).raise_for_status()
    queries = [
        'items.find({"artifact.module.build.name": "app", "artifact.module.build.number": "1"})',
        'builds.find({"name": "app"}).include("name", "number", "module.artifact.name")',
    ]
    command = ["node", "program.js", artifactory.url, *auth, *queries]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=60)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["content"], printed["sha256"]) == ("content", checksums["sha256"])
    modules = [{"artifacts": [{"artifact.name": "app.bin"}]}]
    assert printed["found"][1] == [{"build.name": "app", "build.number": "1", "modules": modules}]
