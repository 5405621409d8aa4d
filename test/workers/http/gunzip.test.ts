/**
 * Decompression of a body: a bomb costs no more than the bound, however large it would become.
 */
import { expect, test } from 'vitest';
import { GZIP_PIECE_BYTES } from '../../../shared/limits.ts';
import { readText } from '../../../workers/http/body.ts';
import { GunzipReader } from '../../../workers/http/gunzip.ts';

const MIB = 1_048_576;

async function gzip(pieces: number): Promise<Uint8Array<ArrayBuffer>> {
  const zeros = new Uint8Array(MIB);
  let left = pieces;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(zeros);
      else controller.close();
    },
  });
  const stream = source.pipeThrough(new CompressionStream('gzip') as ReadableWritablePair<Uint8Array>);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A body that counts the bytes that are read of it. */
function counted(bytes: Uint8Array): { body: ReadableStream<Uint8Array>; read: () => number } {
  let at = 0;
  const source: UnderlyingByteSource = {
    type: 'bytes',
    pull(controller: ReadableByteStreamController) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + 256));
      at += 256;
    },
  };
  return { body: new ReadableStream(source, { highWaterMark: 0 }), read: () => at };
}

test('reads no more of a bomb than reaches the bound', async () => {
  const bomb = await gzip(64);
  const { body, read } = counted(bomb);
  const request = new Request('https://numgate.test/', {
    method: 'POST',
    body,
    headers: { 'content-encoding': 'gzip' },
  });
  expect(await readText(request, 4 * MIB, true)).toMatchObject({ ok: false, code: 'BODY_TOO_LARGE' });
  // Of its 16 pieces, two decompress to more than the bound.
  expect(bomb.length).toBeGreaterThan(15 * GZIP_PIECE_BYTES);
  expect(read()).toBeLessThanOrEqual(3 * GZIP_PIECE_BYTES);
});

test('takes another piece only once the previous one was read', async () => {
  const bomb = await gzip(64);
  const { body, read } = counted(bomb);
  const reader = new GunzipReader(body);
  const { value } = await reader.read(new Uint8Array(65_536));
  expect(value!.length).toBeGreaterThan(0);
  expect(read()).toBeLessThanOrEqual(2 * GZIP_PIECE_BYTES);
  await reader.cancel();
});
