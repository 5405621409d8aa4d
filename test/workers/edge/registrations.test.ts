/**
 * Registered senders at the edge. Their values are loaded and counted like those of lists, changes in the head apply at once,
 * and nothing is guessed while either is missing.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sha256Hex, toBase64 } from '../../../shared/bytes.ts';
import { numberKey } from '../../../shared/live/entry.ts';
import { encodeSegment } from '../../../shared/live/segment.ts';
import type { HeadRegistrations, NamedValue } from '../../../shared/release/head.ts';
import { registrationsKey } from '../../../shared/release/kv-keys.ts';
import { ShardMemory } from '../../../shared/release/shard-memory.ts';
import {
  encodeRegistrationSegment,
  type RegistrationOp,
  type RegistrationRow,
} from '../../../shared/senders/registration-segment.ts';
import { seal } from '../../../shared/set/seal.ts';
import { resetIsolate } from '../../../workers/edge/isolate.ts';
import { liveEntry } from '../../shared/support/live.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { CLIENTS, client, publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { KvWatch, missing } from '../support/kv.ts';
import { fetchHere, request, send, sendAndSettle } from '../support/send.ts';
import { build, LISTED, NEXT_POLL_MS, NOW, publish, putHead, smallLists } from '../support/world.ts';

coldIsolate();

const NAME = 'default/sender';
const REGISTERED = 821_020_000_000;
const OTHER = '+821099998888';
const PAIRS = Array.from({ length: 500 }, (_, index) => ({
  ...{ client: index % 2 === 0 ? NAME : 'default/other', own: index % 4 < 2 },
  ...{ from: REGISTERED + index, to: REGISTERED + index },
}));
const built = await build(smallLists(), 1, PAIRS);
const { registrations } = built.manifest;
const from = `+${REGISTERED}`;
const UNREGISTERED = 'block SENDER_NOT_REGISTERED';

const rowsOf = (...changes: readonly [string, RegistrationOp, number][]): RegistrationRow[] =>
  changes.map(([number, op, version]) => {
    const n = Number(number);
    return { client: NAME, from: n, to: n, op, version };
  });

async function segment(rows: readonly RegistrationRow[], keys = testKeys): Promise<NamedValue> {
  const bytes = await seal(encodeRegistrationSegment(rows), keys);
  const sha256 = await sha256Hex(bytes);
  await env.LISTS.put(registrationsKey(sha256), bytes);
  return { key: registrationsKey(sha256), sha256 };
}

function inHead(
  rows: readonly RegistrationRow[],
  some: Partial<HeadRegistrations> = {},
): { registrations: HeadRegistrations } {
  const unsealed = toBase64(encodeRegistrationSegment(rows));
  return { registrations: { version: 9, droppedVersion: 0, segments: [], unsealed, ...some } };
}

async function verdict(body: Record<string, string>, name = 'sender'): Promise<string> {
  const response = await sendAndSettle({ body, client: name });
  const { verdict: found, reasons = [] } = response.body;
  return [found, ...reasons.slice(0, 1).map(({ code }) => code)].join(' ');
}

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await publish(built);
  await publishClients([
    ...CLIENTS,
    await client('sender', { requireRegistration: 'enforce' }),
    await client('other', {}),
    await client('mock', { requireRegistration: 'enforce', mock: true }),
  ]);
});

describe('a client that requires registration', () => {
  test('may send from its registered numbers alone, in checks, batches and streams', async () => {
    expect(await verdict({ from })).toBe('allow');
    expect(await verdict({ from: OTHER })).toBe(UNREGISTERED);
    expect(await verdict({ from: OTHER }, 'open')).toBe('allow');
    const items = [{ from }, { from: OTHER }, { from, to: LISTED }];
    const batch = await send({ path: '/v1/check/batch', body: { items }, client: 'sender' });
    expect(batch.body.results!.map((item) => item.verdict)).toEqual(['allow', 'block', 'block']);
    const streamed = await fetchHere(
      request({
        ...{ path: '/v1/check/stream?subject=from', client: 'sender', body: `${from}\n${OTHER}\n` },
        headers: { 'content-type': 'text/plain' },
      }),
    );
    expect(await streamed.text()).toBe(`${from},allow,\n${OTHER},block,SENDER_NOT_REGISTERED\n`);
  });

  test('gets "indeterminate" while the table or the pairs of its number cannot be loaded', async () => {
    for (const key of [registrations!.table.key, registrations!.shards[0]!.key]) {
      resetIsolate();
      const kv = new KvWatch();
      kv.override(key, missing);
      expect(await verdict({ from })).toBe('indeterminate LIST_UNAVAILABLE');
      expect(await verdict({ from: OTHER }, 'open')).toBe('allow');
      const health = await sendAndSettle({ path: '/healthz' });
      expect(health.body).toMatchObject({ status: 'degraded', missing: [key] });
      vi.restoreAllMocks();
      vi.spyOn(console, 'warn').mockReturnValue(undefined);
    }
  });

  test('is answered from the values that its number needs, read together', async () => {
    const kv = new KvWatch();
    await verdict({ from });
    const own = [registrations!.table.key, ...registrations!.shards.map(({ key }) => key)];
    expect(kv.gets.filter((key) => own.includes(key)).sort()).toEqual(own.sort());
  });
});

test('a live opt-out is decided from the pairs of its number, also before the release is loaded', async () => {
  const code = 'SENDER_IDENTITY_OPTOUT' as const;
  const entries = [REGISTERED + 1, REGISTERED + 3].map((n) => liveEntry(numberKey(n), { code }));
  await putHead({ tail: toBase64(encodeSegment(entries)) });
  for (const path of ['/v1/check', '/v1/check/batch']) {
    const verdicts = await Promise.all(
      [REGISTERED + 1, REGISTERED + 3].map(async (n) => {
        resetIsolate();
        const sender = `+${n}`;
        const body = path === '/v1/check' ? { from: sender } : { items: [{ from: sender }] };
        const response = await sendAndSettle({ path, body, client: 'other' });
        const { verdict: found } = path === '/v1/check' ? response.body : response.body.results![0]!;
        return found;
      }),
    );
    expect([path, ...verdicts]).toEqual([path, 'allow', 'block']);
  }
});

describe('changes to registered senders', () => {
  test('in the head apply before the next release, and end a registration too', async () => {
    await putHead(inHead(rowsOf([OTHER, 'add', 2], [from, 'remove', 3])));
    expect(await verdict({ from: OTHER })).toBe('allow');
    expect(await verdict({ from })).toBe(UNREGISTERED);
    expect(await verdict({ from: `+${REGISTERED + 2}` })).toBe('allow');
  });

  test('in sealed segments apply too; a newer one in the head wins', async () => {
    const segments = [await segment(rowsOf([OTHER, 'add', 2])), await segment(rowsOf([from, 'remove', 3]))];
    await putHead(inHead(rowsOf([from, 'add', 4]), { segments }));
    expect(await verdict({ from: OTHER })).toBe('allow');
    expect(await verdict({ from })).toBe('allow');
  });

  test('that the release contains are ignored', async () => {
    await putHead(inHead(rowsOf([from, 'remove', 1])));
    expect(await verdict({ from })).toBe('allow');
  });

  test('that were dropped before any release contained them leave the client undecided', async () => {
    await putHead(inHead(rowsOf([OTHER, 'add', 9]), { droppedVersion: 5 }));
    expect(await verdict({ from })).toBe('indeterminate LIST_UNAVAILABLE');
    expect(await verdict({ from: OTHER }, 'open')).toBe('allow');
  });

  test('are refused if they are damaged, and the previous head stays in use', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    expect(await verdict({ from })).toBe('allow');
    const removed = rowsOf([from, 'remove', 2]);
    await putHead({ ...inHead(removed, { unsealed: 'AAAA' }), seq: 2 });
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    for (let sent = 0; sent < 2; sent++) expect(await verdict({ from })).toBe('allow');
    await putHead({ ...inHead(removed), seq: 3 });
    vi.setSystemTime(NOW + 2 * NEXT_POLL_MS);
    await verdict({ from });
    expect(await verdict({ from })).toBe(UNREGISTERED);
  });

  test('leave less room for shards', async () => {
    const reserve = vi.spyOn(ShardMemory.prototype, 'reserve');
    await putHead(inHead(rowsOf([OTHER, 'add', 2], [from, 'remove', 3])));
    await verdict({ from });
    expect(reserve.mock.calls).toEqual([[82]]);
  });
});

describe('POST /v1/senders/check', () => {
  const checkSender = (body: object, name = 'sender') =>
    sendAndSettle({ path: '/v1/senders/check', body, client: name });

  test('says what would happen to a sender, also for a client that requires no registration', async () => {
    expect((await checkSender({ from: OTHER })).body).toMatchObject({
      ...{ verdict: 'block', registration: 'none', requireRegistration: 'enforce' },
      reasons: [{ code: 'SENDER_NOT_REGISTERED' }],
    });
    expect((await checkSender({ from })).body).toMatchObject({ verdict: 'allow', registration: 'own' });
    expect((await checkSender({ from: `+${REGISTERED + 2}` })).body).toMatchObject({
      registration: 'registered',
    });
    expect((await checkSender({ from }, 'open')).body).toMatchObject({
      ...{ verdict: 'allow', registration: 'none', requireRegistration: 'off' },
    });
  });

  test('needs a sender', async () => {
    const response = await checkSender({ to: OTHER });
    expect([response.status, response.body.code]).toEqual([400, 'FIELD_MISSING']);
  });

  test('marks responses to a mock client, and only those', async () => {
    expect((await checkSender({ from }, 'mock')).body).toMatchObject({ mock: true });
    expect((await checkSender({ from })).body).not.toHaveProperty('mock');
    const single = await send({ body: { from }, client: 'mock' });
    const batch = await send({ path: '/v1/check/batch', body: { items: [{ from }] }, client: 'mock' });
    expect([single.body, batch.body]).toMatchObject([{ mock: true }, { mock: true }]);
  });
});
