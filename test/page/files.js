// What tests take of node:fs, node:fs/promises and node:url, in a page: files come from the server.

export async function readFile(url, encoding) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return encoding === undefined ? new Uint8Array(await response.arrayBuffer()) : response.text();
}

export const openAsBlob = async (url) => new Blob([await readFile(url)]);

export const fileURLToPath = (url) => String(url);
