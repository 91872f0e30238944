// The program under test: downloads a file, and tries again while the server is unavailable.

export async function download(url, authorization, attempts = 3) {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url, { headers: { Authorization: authorization } });
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    await response.body?.cancel();
    if (response.status !== 503 || attempt === attempts) throw new Error(`${url}: ${response.status}`);
  }
}
