"""
jfrog-client-js, JFrog's client for Node: what it does with Artifactory.

It is fetched from npm's registry, so it needs Node, npm and that registry.
"""

import json
import shutil
import subprocess

import pytest

RELEASE = "2.9.0"
PROGRAM = """
const { JfrogClient } = require('jfrog-client-js');
const silent = { log() {}, debug() {}, error() {}, warn() {} };

async function main(url, username, password, file) {
  const client = new JfrogClient({ platformUrl: url, artifactoryUrl: url, username, password, logger: silent });
  const artifactory = client.artifactory();
  const path = 'generic-local/a/tool.bin';
  const query = 'items.find({"name":"tool.bin"}).include("name","repo","path","size")';
  const found = {
    ping: await artifactory.system().ping(),
    version: (await artifactory.system().version()).version,
    usage: await artifactory.system().reportUsage('agent/1', [{ featureId: 'test' }]),
    content: await artifactory.download().downloadArtifact(path),
    checksums: await artifactory.download().getArtifactChecksum(path),
    rows: (await artifactory.search().aqlSearch(query)).results,
  };
  await artifactory.download().downloadArtifactToFile(path, file);
  try {
    await artifactory.download().downloadArtifact('generic-local/missing');
  } catch (error) {
    found.missing = error.response.status;
  }
  console.log(JSON.stringify(found));
}

main(...process.argv.slice(2)).catch((error) => { console.error(error); process.exit(1); });
"""

pytestmark = [
    pytest.mark.skipif(not shutil.which("node") or not shutil.which("npm"), reason="Node or npm is not installed"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """A program with the client installed beside it; skips where npm cannot fetch it."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true}', "utf-8")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"jfrog-client-js@{RELEASE}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot fetch jfrog-client-js: {done.stderr.strip()[-200:]}")
    program = folder / "program.js"
    program.write_text(PROGRAM, "utf-8")
    return program


def test_all_of_artifactory(artifactory, program, tmp_path):
    """Ping, version, usage, downloads, checksums, AQL; its ping has no credentials, which 6.20 wants."""
    artifactory.put("generic-local/a/tool.bin", b"content")
    file = tmp_path / "tool.bin"
    command = ["node", str(program), artifactory.url, artifactory.username, artifactory.password, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=program.parent)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found.pop("version"), found.pop("ping")) in (("6.20.0", False), ("7.90.8", "OK"))
    assert found == {
        "usage": "",
        "content": "content",
        "checksums": artifactory.checksums("generic-local/a/tool.bin"),
        "rows": [{"repo": "generic-local", "path": "a", "name": "tool.bin", "size": 7}],
        "missing": 404,
    }
    assert file.read_bytes() == b"content"
    assert artifactory.unknown_endpoints == []
