/** A store that has lost its tables, and changes that arrive before it has given the head anything. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { DAY_MS } from '../../../shared/time.ts';
import type { TextStore } from '../../../workers/text/text-store.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAuthority, observe, reported, SOURCE, shared } from '../support/campaigns.ts';
import { bindings } from '../support/desk.ts';
import {
  asText,
  done,
  headText,
  loseTables,
  namesIn,
  promoted,
  promoting,
  pushed,
  readIndex,
  textRelease,
  textStub,
} from '../support/text-store.ts';
import { SPAM, taken, textStore } from '../support/texts.ts';

let warned: string[];
beforeEach(() => {
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line));
});

const numberIn = (id: string): number => Number(id.slice(2));
const until = (): number => Date.now() + DAY_MS;

test.each(['report', 'enrolment', 'import'])(
  'the first campaign after a loss, of a %s, has an ID that no other had',
  async (first) => {
    const [one = 0, two = 0] = await observe(SPAM[0]!, SPAM[1]!);
    taken(await textStore().confirmCampaign(asAuthority(), one, until()));
    await textStore().refresh();
    await loseTables();
    const given = await shared(SPAM[5]!);
    const ids = {
      report: async () => (await observe(SPAM[5]!))[0]!,
      enrolment: async () =>
        numberIn(taken(await textStore().enrolCampaigns(asAuthority(), given, until()))[0]!.id),
      import: async () => {
        const campaigns = given.map((each) => ({
          ...each,
          ...{ state: 'confirmed' as const, until: new Date(until()).toISOString() },
        }));
        return numberIn(
          taken(await textStore().importCampaigns(asAuthority(), campaigns)).results[0]!.campaign!,
        );
      },
    };
    const id = await ids[first as keyof typeof ids]();
    expect(id).toBeGreaterThan(Math.max(one, two));
    expect(await textStore().campaign(one)).toBeNull();
    expect(warned.join()).toContain('"textRestored"');
  },
);

test('without the coordinator a new store gives no ID; one that has begun goes on', async () => {
  const { COORDINATOR } = bindings();
  const texts = await reported(SPAM[0]!);
  const silent = vi.spyOn(COORDINATOR, 'getByName').mockImplementation(() => {
    throw new Error('gone');
  });
  // Not over RPC, where the error would count as unhandled.
  const failed = await runInDurableObject(textStub(), (instance) =>
    (instance as unknown as TextStore).campaignsOf({ ...SOURCE, n: 9_001 }, texts).catch(String),
  );
  expect(failed).toBe('Error: gone');
  silent.mockRestore();
  expect(await textStore().campaignsOf({ ...SOURCE, n: 9_001 }, texts)).toEqual({ last: 9_001, ids: [1] });
  await evictDurableObject(textStub());
  const again = vi.spyOn(COORDINATOR, 'getByName').mockImplementation(() => {
    throw new Error('gone');
  });
  const others = await reported(SPAM[1]!);
  expect(await textStore().campaignsOf({ ...SOURCE, n: 9_002 }, others)).toEqual({ last: 9_002, ids: [2] });
  again.mockRestore();
});

test('a change before the first publication drops no release of the head', async () => {
  const first = await pushed();
  await promoted(first.release);
  const second = await pushed({ base: first.release, minute: 1, weight: 2 });
  await promoted(second.release, first.release, { share: 0.3 });
  await loseTables();
  // The state after a change whose publication failed.
  await runInDurableObject(textStub(), (_, { storage }) => {
    storage.sql.exec("INSERT OR REPLACE INTO meta VALUES ('version', '1')");
  });
  await evictDurableObject(textStub());
  await textStore().refresh();
  expect(namesIn(await readIndex())).toEqual([first.release, second.release]);
});

test('a release that somebody has pushed again after the loss is in force again, and so is the candidate', async () => {
  const first = await pushed();
  await promoted(first.release);
  const second = await pushed({ base: first.release, minute: 1, weight: 2 });
  await promoted(second.release, first.release, { share: 0.3 });
  const { version } = (await headText())!;
  await loseTables();
  done(await textStore().pushRelease(asText(), first.put));
  const given = await shared(SPAM[0]!);
  taken(await textStore().enrolCampaigns(asAuthority(), given, until()));
  const index = await readIndex();
  expect(namesIn(index)).toEqual([first.release, second.release]);
  expect(index.campaigns).not.toBeNull();
  expect(index.version).toBeGreaterThan(version);
});

test('a release that is promoted during the restoration stays the only one in force', async () => {
  const first = await pushed();
  await promoted(first.release);
  const other = await textRelease({ minute: 3, weight: 5 });
  await loseTables();
  const { LISTS } = bindings();
  const get = LISTS.get.bind(LISTS) as (...args: unknown[]) => Promise<unknown>;
  await runInDurableObject(textStub(), async (instance) => {
    const store = instance as unknown as TextStore;
    const promote = async (): Promise<unknown> => {
      done(await store.pushRelease(asText(), other.put));
      return store.promote(asText(), other.release, promoting(null));
    };
    let promotion: Promise<unknown> | null = null;
    const reads = vi.spyOn(LISTS, 'get').mockImplementation((async (...args: unknown[]) => {
      promotion ??= promote();
      await vi.waitFor(async () => expect((await store.status()).current).toBe(other.release), HANG_MS);
      return get(...args);
    }) as never);
    await store.refresh();
    expect(await promotion).toMatchObject({ ok: true });
    reads.mockRestore();
    const states = (await store.releases()).map(({ release, state }) => [release, state]);
    expect(states).toEqual([[other.release, 'current']]);
  });
  expect(namesIn(await readIndex())).toEqual([other.release, null]);
});
