// Starts the server for tests, and controls it; needs nothing but Node 20 or newer.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export async function startArtifactory(...options) {
  const words = ["serve", "--port", "0", "--control", "--format", "json", ...options];
  const process = spawn("aioartifact", words, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: process.stdout });
  const [line] = await Promise.race([
    once(lines, "line"),
    once(process, "exit").then(([code]) => Promise.reject(new Error(`aioartifact serve ended with ${code}`))),
  ]);
  return new Artifactory(process, JSON.parse(line));
}

class Artifactory {
  constructor(process, settings) {
    this.process = process;
    Object.assign(this, settings); // url, username, password, api_key, control_url, control_token, pid
  }

  get authorization() {
    return "Basic " + Buffer.from(`${this.username}:${this.password}`).toString("base64");
  }

  // control("POST", "faults", { path: "**/tool.bin", fault: { status: { status: 503 } } })
  async control(method, call, body) {
    const isJson = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
    const response = await fetch(`${this.control_url}/${call}`, {
      method,
      headers: { Authorization: `Bearer ${this.control_token}` },
      body: isJson ? JSON.stringify(body) : body,
    });
    const answer = response.status === 204 ? undefined : await response.json();
    if (!response.ok) throw new Error(`${method} ${call}: ${response.status} ${answer.error}`);
    return answer;
  }

  async stop() {
    if (this.process.exitCode !== null) return;
    this.process.kill("SIGTERM");
    await once(this.process, "exit");
  }
}
