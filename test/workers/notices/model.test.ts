/**
 * Deliveries compared with a plain model: random batches, receivers that accept, fail or hang, passing time, and objects that
 * die between any two steps, even in the middle of a request. No notice is lost or overtakes another one, and a receiver that
 * drops repeated IDs has each notice once.
 */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { NOTICE_FACTS_FRESH_MS } from '../../../shared/limits/notices.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  addWebhook,
  deliver,
  kill,
  notice,
  ORGANISATION,
  putOrganisation,
  Receiver,
  request,
  START,
  store,
} from '../support/notices.ts';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const PATHS = ['all', 'blocked'] as const;
const TYPES = ['sender.blocked', 'sender.unblocked'] as const;

/** The behaviour of a receiver for its next requests. With `takes`, it keeps the notice but still fails. */
const MODES = ['accepts', 'accepts', 'fails', 'takes', 'redirects', 'hangs'] as const;
type Mode = (typeof MODES)[number];

const step = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      types: fc.array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 4 }),
      repeats: fc.nat(2),
      dies: fc.boolean(),
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('mode' as const),
      path: fc.constantFrom(...PATHS),
      mode: fc.constantFrom(...MODES),
    }),
    weight: 5,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(SECOND, 6 * SECOND, MINUTE, 6 * MINUTE, HOUR),
      dies: fc.boolean(),
    }),
    weight: 10,
  },
  {
    arbitrary: fc.record({ kind: fc.constant('replay' as const), path: fc.constantFrom(...PATHS) }),
    weight: 1,
  },
  { arbitrary: fc.record({ kind: fc.constant('kill' as const) }), weight: 2 },
);

test('every notice arrives in order, whatever dies, and whatever a receiver does', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  await putOrganisation();
  const receiver = new Receiver();
  const ids = {
    all: (await addWebhook('all')).webhook.id,
    blocked: (await addWebhook('blocked', ['sender.blocked'])).webhook.id,
  };
  const modes: Record<string, Mode> = { all: 'accepts', blocked: 'accepts' };
  /** The IDs that each receiver keeps, in the order of their first arrival. */
  const inbox: Record<string, number[]> = { all: [], blocked: [] };
  const bodies = new Map<string, string>();
  let requests = 0;
  receiver.answer = ({ path, id, version, body }) => {
    requests++;
    const mode = modes[path]!;
    // Under one ID, retries and webhooks have the same content.
    expect(bodies.get(id) ?? body).toBe(body);
    bodies.set(id, body);
    const isKept = mode === 'accepts' || mode === 'takes';
    if (isKept && !inbox[path]!.includes(version)) inbox[path]!.push(version);
    if (mode === 'hangs') return 'hang';
    return mode === 'redirects' ? 307 : mode === 'accepts' ? 200 : 500;
  };
  const keys: { readonly type: string }[] = [];
  let batch = 0;
  let kills = 0;

  const sendBatch = async (types: readonly (typeof TYPES)[number][], repeats: number, dies: boolean) => {
    batch++;
    const notices = types.map((type, index) => notice(`${batch}.${index}`, { type }));
    // A key that was already sent is dropped.
    const known = keys.length === 0 ? [] : [notice('1.0')];
    const send = () => store().add(ORGANISATION, 'router', batch, [...notices, ...known]);
    if (dies) {
      const sent = send().catch(() => null);
      await kill();
      kills++;
      await sent;
    }
    // Like its sender: until it is answered, and sometimes once more.
    for (let time = 0; time <= repeats; time++) expect(await send()).toEqual({ last: batch, isFull: false });
    keys.push(...notices);
  };

  const passTime = async (ms: number, dies: boolean): Promise<void> => {
    vi.setSystemTime(Date.now() + ms);
    const before = requests;
    const running = deliver().catch(() => undefined);
    const isHanging = Object.values(modes).includes('hangs');
    if (dies || isHanging) {
      let isOver = false;
      void running.then(() => {
        isOver = true;
      });
      await vi.waitUntil(() => isOver || requests > before, { interval: 1, timeout: HANG_MS });
    }
    if (dies) {
      await kill();
      kills++;
    }
    receiver.release();
    // Further requests may hang after the first one.
    if (isHanging) {
      const timer = setInterval(() => receiver.release(), 5);
      await running.finally(() => clearInterval(timer));
    } else await running;
  };

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 60, size: 'max' }), async (steps) => {
      for (const each of steps) {
        if (each.kind === 'add') await sendBatch(each.types, each.repeats, each.dies);
        else if (each.kind === 'mode') modes[each.path] = each.mode;
        else if (each.kind === 'pass') await passTime(each.ms, each.dies);
        else if (each.kind === 'kill') {
          await kill();
          kills++;
        } else {
          const since = new Date(START).toISOString();
          await store().replay(request(), ids[each.path], { version: undefined, since });
        }
      }
      modes.all = 'accepts';
      modes.blocked = 'accepts';
      for (let tries = 0; tries < 6; tries++) await passTime(24 * HOUR + NOTICE_FACTS_FRESH_MS, false);
      const versions = keys.map((_, index) => index + 1);
      expect(inbox.all).toEqual(versions);
      expect(inbox.blocked).toEqual(
        versions.filter((version) => keys[version - 1]!.type === 'sender.blocked'),
      );
      const status = await store().status();
      expect(status).toMatchObject({ pending: 0, notices: keys.length, webhooks: { enabled: 2 } });
    }),
    { numRuns: 4, endOnFailure: true },
  );
  expect(kills).toBeGreaterThan(20);
  expect(requests).toBeGreaterThan(keys.length);
});
