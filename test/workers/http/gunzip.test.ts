/** Decompression of a body. A bomb costs no more than the limit, however large it would become. */
import { expect, test } from 'vitest';
import { GZIP_EMPTY_BYTES_MAX, GZIP_PIECE_BYTES } from '../../../shared/limits/requests.ts';
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

/** A body that counts the bytes read from it. */
function counted(bytes: Uint8Array): { body: ReadableStream<Uint8Array>; read: () => number } {
  let at = 0;
  const source: UnderlyingByteSource = {
    type: 'bytes',
    pull(controller: ReadableByteStreamController) {
      if (at >= bytes.length) {
        controller.close();
        return controller.byobRequest?.respond(0);
      }
      controller.enqueue(bytes.slice(at, at + 256));
      at += 256;
    },
  };
  return { body: new ReadableStream(source, { highWaterMark: 0 }), read: () => at };
}

function requestOf(body: ReadableStream): Request {
  const headers = { 'content-encoding': 'gzip' };
  return new Request('https://numgate.test/', { method: 'POST', body, headers });
}

test('reads no more of a bomb than reaches the bound', async () => {
  const bomb = await gzip(64);
  const { body, read } = counted(bomb);
  const request = requestOf(body);
  expect(await readText(request, 4 * MIB, { mayBeGzip: true })).toMatchObject({
    ok: false,
    code: 'BODY_TOO_LARGE',
  });
  // The bomb has 16 pieces, and two of them decompress to more than the limit.
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

test.each([1, 2, 3])('reads a body of many reads after the last piece (%s MiB)', async (pieces) => {
  const { body } = counted(await gzip(pieces));
  const request = requestOf(body);
  const text = await readText(request, 4 * MIB, { mayBeGzip: true });
  expect(text.ok && text.value.length).toBe(pieces * MIB);
});

test('refuses a body that is cut anywhere, also after its content', async () => {
  const whole = await gzip(1);
  for (const end of [1, 9, 10, 600, whole.length - 9, whole.length - 8, whole.length - 1]) {
    const { body } = counted(whole.slice(0, end));
    const request = requestOf(body);
    expect(await readText(request, 4 * MIB, { mayBeGzip: true })).toMatchObject({
      ok: false,
      code: 'BODY_UNREADABLE',
    });
  }
});

test('does not read blocks without content to their end', async () => {
  const header = [31, 139, 8, 0, 0, 0, 0, 0, 0, 255];
  const emptyBlock = [0, 0, 0, 255, 255];
  const bytes = Uint8Array.from([...header, ...Array.from({ length: 200_000 }, () => emptyBlock).flat()]);
  const { body, read } = counted(bytes);
  const request = requestOf(body);
  expect(await readText(request, 4 * MIB, { mayBeGzip: true })).toMatchObject({
    ok: false,
    code: 'BODY_UNREADABLE',
  });
  expect(read()).toBeLessThanOrEqual(GZIP_EMPTY_BYTES_MAX + 2 * GZIP_PIECE_BYTES);
});
