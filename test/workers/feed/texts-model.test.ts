/**
 * Campaigns and hosts in the feed, compared with a plain model of the text store: any changes, releases, restores, failures and
 * stops. fast-check prints the seed when a sequence fails.
 */
import { evictDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import type { TextEntry } from '../../../shared/feed/entry.ts';
import { FEED_CHANGES_MAX, FEED_RETRY_MS_MAX } from '../../../shared/limits/feed.ts';
import { textLimits } from '../../../workers/feed/text-rows.ts';
import type { SharedCampaign } from '../../../workers/storage/text-port.ts';
import { campaignOf, FakeText, sorted } from '../support/fake-text.ts';
import { drained, type Entries, eventsAfter, feedStub, ran, replayed, snapshotOf } from '../support/feed.ts';
import { emptyStores } from '../support/fresh.ts';
import { NOON } from '../support/room.ts';

afterEach(() => {
  textLimits.page = FEED_CHANGES_MAX;
});

class World {
  readonly text = new FakeText();
  releases = 0;
  steps = 0;
  readonly snapshots = new Map<string, Entries>();
}
type Step = (world: World) => Promise<void>;

function step(words: string, run: Step): Step {
  return Object.assign(run, { [fc.toStringMethod]: () => words });
}

const campaignStep = fc
  .record({
    id: fc.integer({ min: 1, max: 9 }),
    state: fc.constantFrom('confirmed' as const, 'confirmed' as const, 'revoked' as const, 'ended' as const),
    reporters: fc.nat(3),
    stage: fc.constantFrom(null, 'provisional' as const, 'confirmed' as const),
  })
  .map(({ id, state, reporters, stage }) =>
    step(`campaign ${id} ${state} ${reporters}`, async ({ text }) => {
      const rule = stage === null ? null : 'loan-texts@1';
      const until = state === 'confirmed' ? 2_300_000_000 : null;
      const made: SharedCampaign = campaignOf(id, { state, until, reporters, rule, stage });
      text.put(made);
    }),
  );

const HOSTS = Array.from({ length: 12 }, (_, index) => `h${index}.example`);
const hostList = fc.record({
  name: fc.constantFrom('one', 'two', 'three'),
  effect: fc.constantFrom('block' as const, 'label' as const, 'allow' as const, 'shadow' as const),
  authority: fc.constantFrom('kisa', 'ktoa'),
  hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 8 }),
  fromFeed: fc.constantFrom(false, false, true),
});

const promoteStep = fc.uniqueArray(hostList, { maxLength: 3, selector: ({ name }) => name }).map((lists) =>
  step(`promote ${JSON.stringify(lists)}`, async (world) => {
    await world.text.promote(`text-${world.releases++}`, lists);
  }),
);

const restoreStep = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }).map((lost) =>
  step(`restore without ${lost.join()}`, async ({ text }) => {
    text.generation += '+';
    for (const id of lost) text.campaigns.delete(id);
  }),
);

const failStep = fc.constantFrom('before' as const, 'after' as const).map((fault) =>
  step(`fail ${fault}`, async ({ text }) => {
    text.fault = () => fault;
    await ran();
    text.fault = () => null;
    vi.setSystemTime(Date.now() + FEED_RETRY_MS_MAX);
  }),
);

const runStep = fc.constant(step('run', async () => ran()));
/** The object may not be in memory. */
const evictStep = fc.constant(
  step('stop', async () => evictDurableObject(feedStub()).catch(() => undefined)),
);
const drainStep = fc.constant(step('drain', (world) => compare(world)));

async function compare({ text, snapshots }: World): Promise<void> {
  await drained();
  const { entries, cursor } = await snapshotOf(3);
  expect(sorted(entries.values())).toEqual(sorted(text.entries() satisfies TextEntry[]));
  snapshots.set(cursor, entries);
}

test('the feed has what the text store says, and its log gives the snapshot from any cursor', async () => {
  const anyStep = fc.oneof(
    { weight: 8, arbitrary: campaignStep },
    { weight: 3, arbitrary: promoteStep },
    { weight: 1, arbitrary: restoreStep },
    { weight: 2, arbitrary: failStep },
    { weight: 3, arbitrary: runStep },
    { weight: 2, arbitrary: evictStep },
    { weight: 2, arbitrary: drainStep },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 35, size: 'max' }), async (steps) => {
      await emptyStores();
      vi.restoreAllMocks();
      vi.spyOn(console, 'warn').mockReturnValue(undefined);
      vi.useFakeTimers({ toFake: ['Date'], now: NOON });
      textLimits.page = 3;
      const world = new World();
      for (const run of steps) {
        vi.setSystemTime(Date.now() + 1_000);
        await run(world);
      }
      await compare(world);
      const { entries } = await snapshotOf();
      expect(replayed(new Map(), await eventsAfter(null))).toEqual(entries);
      for (const [cursor, then] of world.snapshots)
        expect(replayed(then, await eventsAfter(cursor))).toEqual(entries);
    }),
    { numRuns: 15 },
  );
});
