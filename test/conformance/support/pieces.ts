/**
 * Bodies that are sent in pieces: chunked, so without Content-Length, and cut anywhere.
 */

/** Bytes sent in pieces of this size, without Content-Length. */
export function inPieces(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
    },
  });
}
