/** A long stream keeps the head of its start, but not the time of its start. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { HEAD_FRESH_MS } from '../../../shared/limits/edge.ts';
import { CLIENTS, publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { OpenStream } from '../support/open-stream.ts';
import { sendAndSettle } from '../support/send.ts';
import {
  build,
  LAPSES_AT,
  LAPSING,
  LISTED,
  NEXT_POLL_MS,
  NOW,
  NOWHERE,
  publish,
  publishHead,
  publishLive,
  publishValues,
  putHead,
  smallLists,
} from '../support/world.ts';

coldIsolate();

/** The default for a client's maxStaleSeconds, in ms. */
const TOO_OLD_MS = 3_600_000;

describe('a long stream', () => {
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    await publish(await build(smallLists()), 1);
    await publishClients();
  });

  test('lets an entry end on time', async () => {
    const stream = await OpenStream.start();
    vi.setSystemTime(LAPSES_AT * 1000 - 1);
    expect(await stream.check(LAPSING)).toBe(`${LAPSING},block,NUMBER_SUSPENDED`);
    vi.setSystemTime(LAPSES_AT * 1000);
    expect(await stream.check(LAPSING)).toBe(`${LAPSING},allow,`);
    await stream.close();
  });

  test('is as fresh as the head while the head is that of its start', async () => {
    const stream = await OpenStream.start();
    vi.setSystemTime(NOW + 2 * TOO_OLD_MS);
    await putHead();
    await stream.check(NOWHERE);
    expect(await stream.check(NOWHERE)).toBe(`${NOWHERE},allow,`);
    await stream.close();
  });

  test('keeps its lists when the head changes, and reports them once they are too old', async () => {
    const stream = await OpenStream.start();
    await publish(await build(smallLists([]), 1), 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle({ body: { to: LISTED } });
    expect((await sendAndSettle({ body: { to: LISTED } })).body.verdict).toBe('allow');
    expect(await stream.check(LISTED)).toBe(`${LISTED},block,NUMBER_SUSPENDED`);
    vi.setSystemTime(NOW + TOO_OLD_MS + HEAD_FRESH_MS);
    expect(await stream.check(NOWHERE)).toBe(`${NOWHERE},indeterminate,LIST_STALE`);
    await stream.close();
  });

  test('is not as fresh as a head that was loaded after its start', async () => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    await sendAndSettle({ body: { to: LISTED } });
    const next = await build(smallLists([]), 1);
    await publishHead(next.manifest, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle({ body: { to: LISTED } });
    const stream = await OpenStream.start();
    expect(stream.response.headers.get('numgate-seq')).toBe('2');
    await publishValues(next);
    for (let poll = 2; poll < 4; poll++) {
      vi.setSystemTime(NOW + poll * NEXT_POLL_MS);
      await sendAndSettle({ body: { to: LISTED } });
    }
    expect((await sendAndSettle({ body: { to: LISTED } })).body).toMatchObject({ seq: 2, verdict: 'allow' });
    vi.setSystemTime(NOW + 2 * TOO_OLD_MS);
    await putHead();
    await sendAndSettle({ body: { to: LISTED } });
    expect(await stream.check(LISTED)).toBe(`${LISTED},block,NUMBER_SUSPENDED`);
    expect(await stream.check(NOWHERE)).toBe(`${NOWHERE},indeterminate,LIST_STALE`);
    await stream.close();
  });

  test('ends when its key does', async () => {
    const stream = await OpenStream.start('two');
    expect(await stream.check(NOWHERE)).toBe(`${NOWHERE},allow,`);
    await publishClients(CLIENTS.filter((client) => !JSON.stringify(client).includes('"two"')));
    await publishLive([]);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await sendAndSettle({ body: { to: LISTED } });
    expect((await sendAndSettle({ client: 'two', body: { to: LISTED } })).status).toBe(401);
    await expect(stream.check(NOWHERE)).rejects.toThrow();
  });

  test('never echoes characters that a reader could take for the end of a line', async () => {
    const stream = await OpenStream.start();
    expect(await stream.check('EVIL SENDER\r01020000001,allow,')).toBe(
      'EVIL SENDER 01020000001,allow,,error,NUMBER_CHARACTER',
    );
    expect(await stream.check('010\u202820000001')).toBe('010 20000001,allow,');
    await stream.close();
  });
});
