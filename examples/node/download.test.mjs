// Run it with `node --test`.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { startArtifactory } from "./artifactory.mjs";
import { download } from "./download.mjs";

let server;

before(async () => {
  server = await startArtifactory();
});
after(() => server?.stop());
beforeEach(() => server.control("POST", "reset"));

test("a file is downloaded again while the server is unavailable", async () => {
  await server.control("PUT", "items/generic-local/tool.bin", "content");
  await server.control("POST", "faults", { path: "**/tool.bin", times: 2, fault: { status: { status: 503 } } });
  const content = await download(`${server.url}/generic-local/tool.bin`, server.authorization);
  assert.equal(content.toString(), "content");
  const { requests } = await server.control("GET", "requests");
  assert.deepEqual(requests.map((each) => each.status), [503, 503, 200]);
});

test("a missing file is requested once", async () => {
  const url = `${server.url}/generic-local/tool.bin`;
  await assert.rejects(download(url, server.authorization), /404/);
  assert.equal((await server.control("GET", "counts")).total, 1);
});

test("a mistake is explained", async () => {
  const fault = server.control("POST", "faults", { fault: "boom" });
  await assert.rejects(fault, /400 no fault 'boom'/);
});
