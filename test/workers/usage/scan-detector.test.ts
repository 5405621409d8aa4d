/**
 * The detection of enumeration in the objects. Sketches of many isolates and clients add up. A detection becomes one audit
 * record and restricts the clients that are set to it. One change lifts the restriction.
 */
import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { type Client, openDirectory } from '../../../shared/clients.ts';
import { scanKeyOf } from '../../../shared/enumeration/scan-key.ts';
import { ScanSketch } from '../../../shared/enumeration/scan-sketch.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import type { UsageFlush, UsageScan } from '../../../shared/usage/flush.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { asAdmin, client, coordinator, readHead, unwrap } from '../support/coordinator.ts';
import { ANY } from '../support/room.ts';

const ORGANISATION = 'relays';
const MOBILE = 82_10_2000_0000;
const key = scanKeyOf(testKeys.scanSeed);

function scanOf(numbers: Iterable<number>, keyId = testKeys.keyId): UsageScan {
  const sketch = new ScanSketch(key);
  for (const n of numbers) sketch.seeTo(n);
  return { organisation: ORGANISATION, keyId, sketch: sketch.data() };
}

/** Every second number of a block, beginning at 0 or 1. */
function half(start: number, block = 0): number[] {
  return Array.from({ length: 5_000 }, (_, at) => MOBILE + block * 10_000 + start + at * 2);
}

const detector = () => env.SCANS!.getByName(ORGANISATION);

async function records(): Promise<{ action: string; subject: string; reason: string; after: unknown }[]> {
  const all = await coordinator().audit(0, 1_000);
  return all.filter(({ actor }) => actor === 'numgate');
}

async function put(id: string, settings: Partial<Client> = {}): Promise<void> {
  unwrap(
    await coordinator().putClient(
      asAdmin(),
      id,
      { ...client(id), organisation: ORGANISATION, ...settings },
      ANY,
    ),
  );
}

/** The client's data at the edge. */
async function served(id: string): Promise<Client | undefined> {
  const { head } = (await readHead())!;
  const bytes = await coordinator().value(head.clients!.key);
  return (await openDirectory(new Uint8Array(bytes!), testKeys))!.clients.get(id);
}

beforeEach(async () => {
  const organisation = { ...bareOrganisation(ORGANISATION), declaredNumbers: 1_000 };
  unwrap(await coordinator().putOrganisation(asAdmin(), ORGANISATION, organisation, ANY));
});

test('what two clients check together is found, and recorded once a day', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  await detector().add(ORGANISATION, [scanOf(half(0).slice(0, 1_500))]);
  expect(await records()).toEqual([]);
  await detector().add(ORGANISATION, [scanOf(half(0).slice(1_500)), scanOf(half(1))]);
  const found = [
    { kind: 'fullBlocks', count: 1 },
    { kind: 'steps', count: 10_000 },
    { kind: 'volume', count: 10_000 },
  ];
  const day = new Date().toISOString().slice(0, 10);
  expect(await records()).toMatchObject([
    { action: 'enumeration.detected', subject: ORGANISATION, after: { day, found } },
  ]);
  expect(await coordinator().detections()).toMatchObject([{ organisation: ORGANISATION, day, found }]);
  const lines = warned.mock.calls.map(([line]) => JSON.parse(String(line)));
  expect(lines).toContainEqual({
    ...{ event: 'enumerationDetected', organisation: ORGANISATION },
    ...{ fullBlocks: 1, steps: 10_000, volume: 10_000 },
  });
  expect(JSON.stringify(lines)).not.toMatch(/\d{7}/);
  await detector().add(ORGANISATION, [scanOf([...half(0, 7), ...half(1, 7)])]);
  expect(await coordinator().enumerationDetected(ORGANISATION, Math.floor(Date.now() / 86_400_000), [])).toBe(
    false,
  );
  expect(await records()).toHaveLength(1);
});

test('clients are restricted as they are set to, and one change lifts it for the day', async () => {
  await put('reported');
  await put('slowed', { onEnumeration: 'throttle' });
  await put('ended', { onEnumeration: 'stop', restriction: 'throttled' });
  await put('foreign', { onEnumeration: 'stop', organisation: 'default' });
  await detector().add(ORGANISATION, [scanOf([...half(0), ...half(1)])]);
  expect((await served('reported'))!.restriction).toBeNull();
  expect((await served('slowed'))!.restriction).toBe('throttled');
  expect((await served('ended'))!.restriction).toBe('stopped');
  expect((await served('foreign'))!.restriction).toBeNull();
  const changed = (await records()).map(({ action, subject }) => `${action} ${subject}`);
  expect(changed).toEqual(['enumeration.detected relays', 'clients.put ended', 'clients.put slowed']);
  await put('ended', { onEnumeration: 'stop' });
  await detector().add(ORGANISATION, [scanOf([...half(0), ...half(1)])]);
  expect((await served('ended'))!.restriction).toBeNull();
});

test('a flush that is sent again adds its sketch once', async () => {
  const flush: UsageFlush = {
    ...{ client: 'shop', isolate: 'one', flush: 1, hour: 490_000, shard: 0, shards: 1 },
    counts: { totals: { numbers: 1_500 }, by: {} } as unknown as UsageFlush['counts'],
    scan: scanOf(half(0).slice(0, 1_500)),
  };
  const counter = env.USAGE!.getByName('shop');
  await counter.apply(flush);
  await counter.apply(flush);
  await detector().add(ORGANISATION, [scanOf(half(1).slice(0, 500))]);
  // Twice the 1,000 declared numbers are not exceeded, but 3,500 numbers would exceed them.
  expect(await records()).toEqual([]);
  await vi.waitFor(async () => {
    await detector().add(ORGANISATION, [scanOf(half(1).slice(500, 800))]);
    expect(await records()).toMatchObject([{ after: { found: [{ kind: 'volume', count: 2_300 }] } }]);
  }, HANG_MS);
});

test('sketches outlive the object, and those of another LIST_KEY are left out', async () => {
  await detector().add(ORGANISATION, [scanOf(half(0).slice(0, 2_000))]);
  const stub = detector() as unknown as DurableObjectStub;
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  await evictDurableObject(stub);
  await detector().add(ORGANISATION, [scanOf(half(1), '0000000000000000')]);
  expect(await records()).toEqual([]);
  await detector().add(ORGANISATION, [scanOf(half(1).slice(0, 1_000))]);
  expect(await records()).toMatchObject([{ after: { found: [{ kind: 'volume', count: 3_000 }] } }]);
});

test('an organisation that is gone is not recorded, and its object does not fail', async () => {
  unwrap(await coordinator().putOrganisation(asAdmin(), ORGANISATION, null, ANY));
  await detector().add(ORGANISATION, [scanOf([...half(0), ...half(1)])]);
  expect(await coordinator().detections()).toEqual([]);
});

test('three different canary numbers are found, and are never in the log in clear', async () => {
  const sketch = new ScanSketch(key);
  const canaries = [1, 2, 3].map((at) => MOBILE + at);
  for (const n of [...canaries, ...canaries]) sketch.seeTo(n);
  for (const n of [...canaries, ...canaries]) sketch.seeCanary(n);
  unwrap(await coordinator().putCanaries(asAdmin(), canaries));
  await detector().add(ORGANISATION, [{ ...scanOf([]), sketch: sketch.data() }]);
  expect(await records()).toMatchObject([{ after: { found: [{ kind: 'canaries', count: 3 }] } }]);
  const log = JSON.stringify(await coordinator().audit(0, 1_000));
  for (const n of canaries) expect(log).not.toContain(String(n));
  expect(log).toContain('canaries.put');
});
