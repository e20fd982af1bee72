// The document that was open, and what a model has read of it: both are there again when the page is
// loaded again. In the browser's Cache API, which takes files of any size; they leave it with the button
// beside the document's name, with that in the panel "Engine", or with the next document.

export const DOCUMENT_CACHE = 'document';

const [DOCUMENT, READING] = ['kept/document', 'kept/reading'].map((name) => new URL(name, location.href).href) as [string, string];

/** A page that is not served securely has no cache, and a full disk no room: what is not kept is opened again by hand. */
const unlessRefused = <Result>(work: Promise<Result>): Promise<Result | null> => work.catch(() => null);

/** In the place of the one before. */
export async function keepDocument(file: File): Promise<void> {
  await unlessRefused((async () => {
    await caches.delete(DOCUMENT_CACHE);
    await put(await caches.open(DOCUMENT_CACHE), DOCUMENT, file, file.name);
  })());
}

export async function forgetKept(): Promise<void> {
  await unlessRefused((async () => caches.delete(DOCUMENT_CACHE))());
}

export async function keptDocument(): Promise<File | null> {
  const kept = await unlessRefused(match(DOCUMENT));
  return kept && new File([kept.blob], kept.name, { type: kept.blob.type });
}

/** What the model of that name has read: a search index. It has the text in it, so a document that was cleared stays so. */
export async function keepReading(model: string, reading: Blob): Promise<void> {
  await unlessRefused((async () => {
    const cache = await caches.open(DOCUMENT_CACHE); // if it is deleted from now on, what is put here is too
    if (await cache.match(DOCUMENT) !== undefined) await put(cache, READING, reading, model);
  })());
}

export async function keptReading(model: string): Promise<Blob | null> {
  const kept = await unlessRefused(match(READING));
  return kept?.name === model ? kept.blob : null;
}

async function put(cache: Cache, url: string, blob: Blob, name: string): Promise<void> {
  const headers = { 'content-type': blob.type, 'content-length': String(blob.size), 'x-name': encodeURIComponent(name) };
  await cache.put(url, new Response(blob, { headers }));
}

async function match(url: string): Promise<{ blob: Blob; name: string } | null> {
  const response = await (await caches.open(DOCUMENT_CACHE)).match(url);
  return response === undefined ? null : { blob: await response.blob(), name: decodeURIComponent(response.headers.get('x-name')!) };
}
