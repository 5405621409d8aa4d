/** The desk: rule blocks from the decision to their end, with the real coordinator, and the key of reports. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { AuditVerifier } from '../../../shared/audit.ts';
import { toBase64, toHex } from '../../../shared/bytes.ts';
import { openKeyRing } from '../../../shared/set/key-ring.ts';
import { ReportKey } from '../../../workers/response/report-key.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { coordinator } from '../support/coordinator.ts';
import {
  asPerson,
  blockOf,
  blocksOf,
  decide,
  decision,
  desk,
  deskStub,
  entriesOf,
  putPartner,
  putRule,
  rowsOf,
  settled,
} from '../support/desk.ts';
import { DAY, HOUR, NOON } from '../support/room.ts';
import { A, B } from '../support/rotating.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

/** The expected entry of the live layer for the newest block of a number. */
async function wantedOf(index: number): Promise<unknown> {
  const { id } = await blockOf(index);
  return runInDurableObject(deskStub(), (_, { storage }) =>
    JSON.parse(storage.sql.exec<{ entry: string }>('SELECT entry FROM blocks WHERE id = ?', id).one().entry),
  );
}

test('a decision becomes a provisional block at the edge, which ends unless it is confirmed', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  await decide(await decision(1));
  const until = new Date(NOON + 72 * HOUR).toISOString();
  const block = await blockOf(1);
  expect(block).toMatchObject({ state: 'provisional', cause: null, until, number: '+821030000001' });
  expect(await entriesOf(1)).toMatchObject([
    { op: 'block', authority: 'numgate', stage: 'provisional', rule: block.rule, until, seq: block.seq },
  ]);
  vi.setSystemTime(NOON + 72 * HOUR);
  await runDurableObjectAlarm(deskStub());
  expect(await blockOf(1)).toMatchObject({ state: 'ended', until: null });
  expect(await entriesOf(1)).toEqual([]);
});

test('an independent kind of partner confirms a block, for its longer time', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  await decide(await decision(1));
  await decide(await decision(1, { event: 'confirmed', kinds: ['police'], byPartner: { police: 1 } }));
  const until = new Date(NOON + 90 * DAY).toISOString();
  expect(await blockOf(1)).toMatchObject({ state: 'confirmed', until, kinds: ['subscriber', 'police'] });
  expect(await entriesOf(1)).toMatchObject([{ stage: 'confirmed', until }]);
});

test('a block falls with the reports that it rests on, unless a person confirmed it', async () => {
  await decide(await decision(1), await decision(2));
  const { id } = await blockOf(2);
  expect(await desk().act(asPerson(), Number(id), 'confirm')).toMatchObject({ ok: true });
  await decide(await decision(1, { event: 'unsupported' }), await decision(2, { event: 'unsupported' }));
  expect(await blockOf(1)).toMatchObject({ state: 'lifted', cause: 'withdrawn' });
  expect(await entriesOf(1)).toEqual([]);
  expect(await blockOf(2)).toMatchObject({ state: 'confirmed', confirmedBy: 'token:ktoa' });
  expect(await entriesOf(2)).toMatchObject([{ stage: 'confirmed' }]);
});

test('a lost confirmation takes a block back to its first stage, or ends it after that', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  await decide(await decision(1), await decision(1, { event: 'confirmed' }));
  await decide(await decision(2), await decision(2, { event: 'confirmed' }));
  await decide(await decision(1, { event: 'unconfirmed' }));
  const until = new Date(NOON + 72 * HOUR).toISOString();
  expect(await entriesOf(1)).toMatchObject([{ stage: 'provisional', until }]);
  // Releases may contain the longer entry.
  expect(await wantedOf(1)).toMatchObject({ op: 'block', replacedUntil: NOON + 90 * DAY });
  await desk().act(asPerson(), Number((await blockOf(1)).id), 'lift');
  expect(await wantedOf(1)).toMatchObject({ op: 'lift', until: NOON + 90 * DAY });
  vi.setSystemTime(NOON + 73 * HOUR);
  await decide(await decision(2, { event: 'unconfirmed' }));
  expect(await blockOf(2)).toMatchObject({ state: 'lifted', cause: 'withdrawn' });
  expect(await entriesOf(2)).toEqual([]);
});

test('a block that two rules support stays as long as one of them does', async () => {
  await putRule('burst', { distinct: 30, window: '10m' });
  await decide(await decision(1), await decision(1, { id: 'burst' }));
  await decide(await decision(1, { event: 'unsupported' }));
  expect(await blockOf(1)).toMatchObject({ state: 'provisional', rule: 'burst@1' });
  expect(await entriesOf(1)).toMatchObject([{ op: 'block', rule: 'burst@1' }]);
  await decide(await decision(1, { id: 'burst', event: 'unsupported' }));
  expect(await blockOf(1)).toMatchObject({ state: 'lifted' });
  expect(await blocksOf(1)).toHaveLength(1);
});

test('a person lifts a block at once, and its reports no longer count', async () => {
  await decide(await decision(1));
  const { id } = await blockOf(1);
  const done = await desk().act(asPerson(), Number(id), 'lift');
  expect(done).toMatchObject({ ok: true, value: { state: 'lifted', pending: false } });
  expect(await entriesOf(1)).toEqual([]);
  // The counts have the reset, or the desk still keeps it.
  await vi.waitUntil(async () => (await rowsOf('resets')) === 0, { timeout: HANG_MS });
  const action = { action: 'lift', by: 'token:ktoa', at: expect.any(String), reason: 'test' };
  expect((await blockOf(1)).actions).toEqual([action]);
  expect(await desk().act(asPerson(), Number(id), 'lift')).toMatchObject({
    ...{ ok: false, code: 'RULE_BLOCK_STATE', extras: { state: 'lifted', possible: [] } },
    message: expect.stringContaining('can no longer be changed'),
  });
  expect(await desk().act(asPerson(), 99, 'lift')).toMatchObject({ code: 'RULE_BLOCK_UNKNOWN' });
});

test('what was decided before a lift does not block again', async () => {
  await putRule('other', {});
  await decide(await decision(1));
  const late = await decision(1, { id: 'other', resetAt: 0 });
  await desk().act(asPerson(), Number((await blockOf(1)).id), 'lift');
  await decide(late);
  expect((await blocksOf(1)).map(({ state }) => state)).toEqual(['lifted']);
  await decide(await decision(1, { id: 'other' }));
  expect((await blocksOf(1)).map(({ state }) => state)).toEqual(['provisional', 'lifted']);
});

test('what was decided so long ago that its block would have ended makes none', async () => {
  await decide(await decision(1, { decidedAt: Date.now() - 72 * HOUR }));
  expect(await rowsOf('blocks')).toBe(0);
});

test('a rule that fires again on other reports keeps its place, and its confirmation', async () => {
  await putRule('other', {});
  await decide(await decision(1), await decision(1, { event: 'confirmed' }));
  await decide(
    await decision(1, { id: 'other' }),
    await decision(1, { distinct: 60, byPartner: { kt: 60 } }),
  );
  const [first, second] = (await blockOf(1)).grounds;
  expect(first).toMatchObject({ distinct: 60, partners: { kt: 60 }, confirmed: true });
  expect(second).toMatchObject({ confirmed: false });
});

test('who alone reported a number cannot also confirm it', async () => {
  await decide(await decision(1, { byPartner: { police: 50 }, kinds: ['police'] }));
  const { id } = await blockOf(1);
  expect(await desk().act(asPerson('police'), Number(id), 'confirm')).toMatchObject({
    code: 'RULE_BLOCK_OWN',
  });
  expect(await desk().act(asPerson('ktoa'), Number(id), 'confirm')).toMatchObject({ ok: true });
});

test('a rule in shadow records what it would block, and a mock partner blocks nothing', async () => {
  await putRule('kr-50', { state: 'shadow' });
  await putRule('other', {});
  await decide(await decision(1));
  expect(await blockOf(1)).toMatchObject({ state: 'shadow', seq: null });
  const shadow = await desk().act(asPerson(), Number((await blockOf(1)).id), 'confirm');
  expect(shadow).toMatchObject({
    code: 'RULE_BLOCK_STATE',
    message: expect.stringContaining('only records'),
  });
  await decide(await decision(1, { id: 'other' }));
  expect((await blocksOf(1)).map(({ state }) => state)).toEqual(['provisional', 'shadow']);
  // The rule has left its shadow since this decision.
  await decide(await decision(2, { id: 'other', shadow: true }));
  expect(await blockOf(2)).toMatchObject({ state: 'shadow', seq: null });
  const test = { kind: 'number', n: 82_10_0000_0001 } as const;
  await decide(await decision(test, { id: 'other', mock: true, byPartner: { lab: 50 } }));
  expect(await blocksOf(test, true)).toMatchObject([{ state: 'provisional', mock: true, seq: null }]);
  expect(await desk().status()).toMatchObject({ provisional: 1, shadow: 2 });
});

test('a rule that is off or gone decides nothing any more', async () => {
  const [old, gone] = [await decision(1), await decision(2, { id: 'gone' })];
  await putRule('kr-50', { state: 'off' });
  await decide(old, gone);
  expect(await rowsOf('blocks')).toBe(0);
});

test('decisions are taken once, whatever is sent again', async () => {
  const fired = await decision(1);
  expect(await desk().decide('7', 5, [fired])).toEqual({ last: 5 });
  await settled();
  const { id } = await blockOf(1);
  await desk().act(asPerson(), Number(id), 'lift');
  expect(await desk().decide('7', 5, [fired])).toEqual({ last: 5 });
  expect(await desk().decide('7', 3, [fired])).toEqual({ last: 5 });
  await settled();
  expect((await blocksOf(1)).map(({ state }) => state)).toEqual(['lifted']);
  // Another shard numbers its own batches.
  expect(await desk().decide('8', 1, [await decision(2)])).toEqual({ last: 1 });
});

test('every change is in the audit chain, without the number, and its end is in the audit log', async () => {
  await putPartner('kt', { kind: 'subscriber' });
  await decide(await decision(1), await decision(1, { event: 'confirmed' }));
  const records = await desk().audit(0, 100);
  expect(records.map(({ action }) => action)).toEqual([
    ...['ruleBlocks.block', 'ruleBlocks.confirm', 'partners.record', 'partners.record', 'partners.record'],
  ]);
  const verifier = new AuditVerifier(0);
  for (const record of records) expect(verifier.next(record)).toBeNull();
  expect(JSON.stringify(records)).not.toContain('1030000001');
  await runDurableObjectAlarm(deskStub());
  const log = await coordinator().audit(0, 1_000);
  expect(log.filter(({ action }) => action === 'response.anchor')).toMatchObject([
    { after: { n: records.length, hash: records.at(-1)!.hash } },
  ]);
});

/** Opens the key with this LIST_KEY. @returns the key in hex, or the code of the failure, and the IDs of the sealing keys */
function openedWith(listKey: string): Promise<{ readonly key: string; readonly keyIds: readonly string[] }> {
  return runInDurableObject(deskStub(), async (_, { storage }) => {
    const ring = await openKeyRing(listKey);
    if (!ring.ok) throw new Error(ring.message);
    const key = new ReportKey(storage.sql);
    const opened = await key.open(ring.value);
    return { key: opened.ok ? toHex(opened.value) : opened.code, keyIds: key.keyIds };
  });
}

async function idOf(listKey: string): Promise<string> {
  const ring = await openKeyRing(listKey);
  return ring.ok ? ring.value.writer.keyId : '';
}

test('it survives a rotation of LIST_KEY in both directions', async () => {
  const key = toHex(new Uint8Array(await desk().reportKey()));
  await evictDurableObject(deskStub());
  expect(toHex(new Uint8Array(await desk().reportKey()))).toBe(key);
  const [a, b] = [await idOf(A), await idOf(B)];
  expect((await desk().status()).keyIds).toEqual([a]);
  // The old key stays valid until only the new one is left.
  for (const listKey of [`${A},${B}`, `${B},${A}`])
    expect(await openedWith(listKey)).toEqual({ key, keyIds: [a, b].sort() });
  expect(await openedWith(A)).toEqual({ key, keyIds: [a] });
  expect(await openedWith(`${B},${A}`)).toEqual({ key, keyIds: [a, b].sort() });
  expect(await openedWith(B)).toEqual({ key, keyIds: [b] });
});

test('a key that no key of LIST_KEY opens is lost by name, and is never replaced', async () => {
  const key = toHex(new Uint8Array(await desk().reportKey()));
  const other = toBase64(new Uint8Array(32).fill(7));
  expect(await openedWith(other)).toEqual({ key: 'REPORT_KEY_LOST', keyIds: [await idOf(A)] });
  expect(await openedWith(A)).toMatchObject({ key });
});

test('it is stored only sealed', async () => {
  const key = toHex(new Uint8Array(await desk().reportKey()));
  const stored = await runInDurableObject(deskStub(), (_, { storage }) =>
    storage.sql
      .exec<{ sealed: ArrayBuffer }>('SELECT sealed FROM report_key')
      .toArray()
      .map(({ sealed }) => toHex(new Uint8Array(sealed))),
  );
  expect(stored).toHaveLength(1);
  expect(stored[0]).not.toContain(key);
});
