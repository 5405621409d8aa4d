/** A stream over the quota waits for the next window, and reaches its end. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { QUOTA_WINDOW_SECONDS, STREAM_BYTES_PER_NUMBER } from '../../../shared/limits/requests.ts';
import { publishClients, SMALL_QUOTA_NUMBERS } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { OpenStream } from '../support/open-stream.ts';
import { orTimer, untilTimer } from '../support/timer.ts';
import { build, LISTED, publish, smallLists } from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const WINDOW_MS = QUOTA_WINDOW_SECONDS * 1000;
const BEGIN = 29_924_833 * WINDOW_MS;
const ANSWER = `${LISTED},block,NUMBER_SUSPENDED`;
const answers = (count: number): string => Array(count).fill(ANSWER).join('\n');

/** Returns 'waiting' if the stream returns nothing before it sets a timer for the next window. */
async function readOrWait(stream: OpenStream): Promise<string> {
  return orTimer(stream.read(), 'waiting');
}

beforeEach(async () => {
  await publish(built);
  await publishClients();
});

describe('a stream of a client with a small quota', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: BEGIN });
  });

  test('answers immediately within the quota, to the last item', async () => {
    const stream = await OpenStream.start('small');
    stream.send(...Array<string>(SMALL_QUOTA_NUMBERS).fill(LISTED));
    expect(await readOrWait(stream)).toBe(answers(SMALL_QUOTA_NUMBERS));
  });

  test('waits for the next window, and continues with it', async () => {
    const stream = await OpenStream.start('small');
    stream.send(...Array<string>(SMALL_QUOTA_NUMBERS - 1).fill(LISTED));
    expect(await stream.read()).toBe(answers(SMALL_QUOTA_NUMBERS - 1));
    stream.send(LISTED, LISTED);
    expect(await stream.read()).toBe(answers(1));
    const next = stream.read();
    await untilTimer();
    await vi.advanceTimersByTimeAsync(WINDOW_MS);
    expect(await next).toBe(answers(1));
    expect(Date.now()).toBeGreaterThanOrEqual(BEGIN + WINDOW_MS);
    await stream.close();
  });

  test('counts both numbers of a JSON line, and waits when only one of them fits', async () => {
    const line = JSON.stringify({ from: LISTED, to: LISTED });
    const stream = await OpenStream.start('small', {}, 'application/x-ndjson');
    stream.send(line, line, line);
    const fits = Math.floor(SMALL_QUOTA_NUMBERS / 2);
    expect((await stream.read()).split('\n')).toHaveLength(fits);
    const next = stream.read();
    await untilTimer();
    await vi.advanceTimersByTimeAsync(WINDOW_MS);
    expect((await next).split('\n')).toHaveLength(3 - fits);
    await stream.close();
  });

  test('counts the bytes of a line that is too long', async () => {
    const stream = await OpenStream.start('small');
    stream.send('1'.repeat((SMALL_QUOTA_NUMBERS + 1) * STREAM_BYTES_PER_NUMBER));
    const next = stream.read();
    await untilTimer();
    await vi.advanceTimersByTimeAsync(WINDOW_MS);
    expect(await next).toBe(',error,NUMBER_TOO_LONG');
    expect(Date.now()).toBeGreaterThanOrEqual(BEGIN + WINDOW_MS);
    await stream.close();
  });

  test('reaches its end when one chunk holds more lines than the quota', async () => {
    const stream = await OpenStream.start('small');
    const lines = 2 * SMALL_QUOTA_NUMBERS + 1;
    stream.send(...Array<string>(lines).fill(LISTED));
    const got: string[] = [];
    let next = stream.read();
    for (let window = 0; window < 8 && got.join('\n').split('\n').length < lines; window++) {
      await vi.advanceTimersByTimeAsync(WINDOW_MS);
      const read = await orTimer(next, null);
      if (read === null) continue;
      got.push(read);
      next = stream.read();
    }
    expect(got.join('\n')).toBe(answers(lines));
  });
});
