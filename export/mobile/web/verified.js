// The files of an exported set, checked against the manifest that the export wrote beside them.
//
// This finds a damaged file, and one that is not of the set. It is no proof of where the set is
// from: whoever can replace the file can replace the manifest. The page's own server vouches for that.

async function fetched(url) {
  const response = await fetch(url, { cache: "no-store" });
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  return response;
}

async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) {
    throw new Error("no SHA-256 here: open the page by https, or on localhost");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// url: of a file in an export folder, which holds the set's manifest.json
// -> { bytes: Uint8Array, set: { name, version, file, hash } }; throws on any difference.
export async function verified(url) {
  const place = new URL(url, document.baseURI);
  const file = decodeURIComponent(place.pathname.split("/").pop());
  const manifest = await (await fetched(new URL("manifest.json", place))).json();
  if (manifest.schema !== 1) {
    throw new Error(`manifest.json has schema ${manifest.schema}; this page reads 1`);
  }
  const expected = Object.hasOwn(manifest.files, file) ? manifest.files[file] : null;
  const set = `${manifest.name}, version ${manifest.version}`;
  if (!expected) throw new Error(`${file} is not in the manifest of ${set}: export it again`);
  const bytes = new Uint8Array(await (await fetched(place)).arrayBuffer());
  const hash = await sha256(bytes);
  if (hash !== expected) {
    throw new Error(
      `${file} has SHA-256 ${hash.slice(0, 12)}…, and the manifest of ${set} says ` +
        `${expected.slice(0, 12)}…: it is damaged or of another set, and was not loaded. ` +
        `Reload the page; if that does not help, copy the whole set again.`,
    );
  }
  return { bytes, set: { name: manifest.name, version: manifest.version, file, hash } };
}
