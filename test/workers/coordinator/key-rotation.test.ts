/**
 * A rotation of LIST_KEY, step by step. The coordinator re-keys its stored data in one transaction, and edges with one key or
 * both give the same verdicts throughout.
 */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import type { EntryChange } from '../../../shared/admin/entries.ts';
import { keyedNumber } from '../../../shared/audit.ts';
import { buildRelease } from '../../../shared/build/release.ts';
import { openDirectory } from '../../../shared/clients.ts';
import { UNSEALED_ENTRIES_MAX } from '../../../shared/limits/control.ts';
import { openHead } from '../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import { signManifest } from '../../../shared/release/manifest.ts';
import { unseal } from '../../../shared/set/seal.ts';
import type { Coordinator } from '../../../workers/coordinator/coordinator.ts';
import { otherKeys as keysB } from '../../shared/support/other-keys.ts';
import { listSource } from '../../shared/support/plain-model.ts';
import { testKeys as keysA } from '../../shared/support/test-keys.ts';
import { ALL_GUARDS, asAdmin, client, codeOf, unwrap } from '../support/coordinator.ts';
import { ALICE, BOB, by, settle, waiting } from '../support/people.ts';
import { A, B, type Question, RotatingEdge, restarted } from '../support/rotating.ts';
import { ruleChange } from '../support/rule-entries.ts';
import { RELEASE_PRIVATE_KEY } from '../support/secrets.ts';
import { LISTED, NOW, NOWHERE, privateKey, publishValues, SOURCE, smallLists } from '../support/world.ts';

const CHANGE = { op: 'block' as const, code: 'SENDER_REPORTED' as const, until: null, reason: 'test' };
const SENDER = 'PARCEL-KR';
const BOTH = ['from' as const, 'to' as const];
/** With look-alike letters, so it has one fingerprint for its spelling and one for its skeleton. */
const LOOKALIKE = 'PAYP\u0410L';
/** A sender ID that a rule blocks. */
const OF_RULE = 'win-prize';
const ROTATE = { keyId: keysB.keyId, dropUnknownSources: false, reason: 'yearly' };

const QUESTIONS: readonly (readonly [Question, string])[] = [
  [{ to: LISTED }, 'block NUMBER_SUSPENDED'],
  [{ from: SOURCE }, 'block OVERSEAS_SOURCE_LISTED'],
  [{ to: NOWHERE }, 'block SENDER_REPORTED'],
  [{ from: SENDER }, 'block SENDER_REPORTED'],
  [{ from: LOOKALIKE }, 'block SENDER_REPORTED'],
  [{ from: OF_RULE }, 'block SENDER_REPORTED'],
  [{ to: '+821077778888' }, 'allow'],
  [{ from: 'NOBODY' }, 'allow'],
];
const expected = QUESTIONS.map(([, verdict]) => verdict);

/** Throws unless each edge gives the right verdicts. @param polls whether each edge polls first */
async function check(edges: readonly RotatingEdge[], polls = true): Promise<void> {
  vi.setSystemTime(Date.now() + 10_000);
  for (const edge of edges) {
    if (polls) await edge.poll();
    expect(await edge.verdicts(QUESTIONS.map(([question]) => question))).toEqual(expected);
  }
}

async function publish(coordinator: Coordinator, keys: typeof keysA, minute: number, base: string | null) {
  const createdAt = new Date(Date.UTC(2026, 10, 24, 3, minute));
  const sources = smallLists().map((list) => listSource(list, keys));
  const built = await buildRelease(sources, keys, { base, createdAt, foldedSeq: 0 });
  if (!built.ok) throw new Error(built.message);
  const { manifest } = built.value;
  await publishValues(built.value);
  const signed = await signManifest(manifest, await privateKey(RELEASE_PRIVATE_KEY));
  unwrap(await coordinator.stage(asAdmin(), signed));
  return coordinator.promote(asAdmin(), manifest.release, {
    ...{ base, share: 1, reason: 'test', overrides: base === null ? ALL_GUARDS : [] },
  } as never);
}

let first: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await restarted(A, async (coordinator) => {
    const release = unwrap(await publish(coordinator, keysA, 0, null));
    first = release.release;
    // Enough for a segment.
    const filler = Array.from({ length: UNSEALED_ENTRIES_MAX }, (_, index) => ({
      number: `+8210${40_000_000 + index}`,
    }));
    const block = (items: readonly object[], subjects: readonly string[]) =>
      coordinator.changeEntries(asAdmin(), { ...CHANGE, items, subjects } as never);
    unwrap(await block([{ source: SENDER }, { source: LOOKALIKE }], ['from']));
    unwrap(await block([{ number: NOWHERE }, ...filler], BOTH));
    await coordinator.applyRuleEntries(1, [
      ruleChange('block', 0, { subject: { kind: 'source', text: OF_RULE } }),
    ]);
    unwrap(await coordinator.putClient(asAdmin(), 'a', client('a'), { match: null, absent: false }));
    await coordinator.alarm();
    expect((await coordinator.status()).live.segments).toBe(1);
  });
});

test('every edge gives the same verdicts in every step, and the old key opens nothing afterwards', async () => {
  let coordinatorKey = A;
  const edge = (listKey: string): RotatingEdge => new RotatingEdge(listKey, () => coordinatorKey);
  const [old, both] = [edge(A), edge(`${A},${B}`)];
  await check([old, both]);
  coordinatorKey = `${A},${B}`;
  await check([old, both]);
  coordinatorKey = `${B},${A}`;
  const after = edge(`${B},${A}`);
  await check([old, both, after]);
  const rotated = unwrap(await restarted(coordinatorKey, (each) => each.rotateListKey(asAdmin(), ROTATE)));
  // At least the spelling and the skeleton of the look-alike.
  expect(rotated).toMatchObject({ from: keysA.keyId, to: keysB.keyId, dropped: 0 });
  expect(rotated.sources).toBeGreaterThanOrEqual(2);
  // The release has key A, and the live layer has key B. An isolate without key B keeps its data.
  await check([both, after, edge(`${B},${A}`)]);
  await check([old], false);
  const promoted = await restarted(coordinatorKey, (each) => publish(each, keysB, 1, first));
  expect(codeOf(promoted)).toBe('ok');
  await check([both, after, edge(`${B},${A}`)]);
  coordinatorKey = B;
  await check([edge(B), after]);
  const head = new Uint8Array((await env.LISTS.get(HEAD_KEY, 'arrayBuffer'))!);
  expect((await openHead(head, keysA)).ok).toBe(false);
  const opened = await openHead(head, keysB);
  if (!opened.ok) throw new Error(opened.message);
  for (const { key } of opened.value.head.segments) {
    const bytes = new Uint8Array((await env.LISTS.get(key, 'arrayBuffer'))!);
    expect([await unseal(bytes, keysA), (await unseal(bytes, keysB)) === null]).toEqual([null, false]);
  }
  const directory = new Uint8Array((await env.LISTS.get(opened.value.head.clients!.key, 'arrayBuffer'))!);
  expect([...(await openDirectory(directory, keysB))!.clients.keys()]).toEqual(['a']);
  expect(await openDirectory(directory, keysA)).toBeNull();
});

test('the log shows from which record on numbers have the new key', async () => {
  const block = { ...CHANGE, items: [{ number: '+821033334444' }], subjects: BOTH };
  const records = await restarted(`${B},${A}`, async (coordinator) => {
    unwrap(await coordinator.changeEntries(asAdmin(), block));
    unwrap(await coordinator.rotateListKey(asAdmin('yearly'), ROTATE));
    unwrap(await coordinator.changeEntries(asAdmin(), { ...block, op: 'unblock' }));
    return (await coordinator.audit(0, 1_000)).slice(-3);
  });
  expect(records.map(({ action, subject }) => [action, subject])).toEqual([
    ['entries.block', keyedNumber(821_033_334_444, keysA)],
    ['keys.rotate', 'LIST_KEY'],
    ['entries.unblock', keyedNumber(821_033_334_444, keysB)],
  ]);
  expect(records[1]).toMatchObject({
    ...{ reason: 'yearly', before: { keyId: keysA.keyId }, after: { keyId: keysB.keyId } },
  });
});

test('is refused for a key that does not write, or that an edge does not know, and repeating it changes nothing', async () => {
  const rotate = (listKey: string, options = ROTATE) =>
    restarted(listKey, (each) => each.rotateListKey(asAdmin(), options));
  expect(await rotate(A)).toMatchObject({ code: 'FIELD_VALUE', field: 'keyId' });
  expect(await rotate(`${A},${B}`)).toMatchObject({ code: 'FIELD_VALUE', field: 'keyId' });
  const behind = await restarted(`${B},${A}`, async (each) => {
    await each.head({ seq: 0, dataCentre: 'ICN', keyIds: [keysA.keyId] });
    await each.head({ seq: 0, dataCentre: 'NRT' });
    await each.head({ seq: 0, dataCentre: 'LAX', keyIds: [keysA.keyId, keysB.keyId] });
    return each.rotateListKey(asAdmin(), ROTATE);
  });
  expect(behind).toMatchObject({
    code: 'LIST_KEY_STATE',
    message: expect.stringContaining('ICN, NRT do not'),
  });
  const { seq } = unwrap(await rotate(`${B},${A}`));
  expect(unwrap(await rotate(`${B},${A}`))).toMatchObject({ seq, sources: 0, from: keysB.keyId });
});

test('until it is done, nothing has changed, and a coordinator without the key of its tables does not start', async () => {
  const put = env.LISTS.put.bind(env.LISTS) as (...values: unknown[]) => Promise<void>;
  const during: (string | undefined)[] = [];
  await restarted(`${B},${A}`, async (coordinator, { storage }) => {
    vi.spyOn(env.LISTS, 'put').mockImplementation((async (...values: unknown[]) => {
      during.push((await coordinator.status()).listKeys?.current);
      return put(...values);
    }) as never);
    expect(storage.sql.exec('SELECT COUNT(*) AS n FROM live WHERE kind = 1').one().n).toBeGreaterThan(0);
    unwrap(await coordinator.rotateListKey(asAdmin(), ROTATE));
    expect((await coordinator.status()).listKeys).toMatchObject({ current: keysB.keyId });
  });
  vi.restoreAllMocks();
  // The segment and the directory were written before the switch.
  expect(during.slice(0, 2)).toEqual([keysA.keyId, keysA.keyId]);
  const started = await restarted(A, (each) => each.token('root'));
  expect(started).toMatchObject({
    ok: false,
    message: expect.stringContaining(`need LIST_KEY ${keysB.keyId}`),
  });
});

test('a source that has lost its name is named, and dropped only on request', async () => {
  await restarted(`${B},${A}`, async (coordinator, { storage }) => {
    storage.sql.exec("UPDATE live SET source = 'fingerprint lost' WHERE source = ?", SENDER);
    const refused = await coordinator.rotateListKey(asAdmin(), ROTATE);
    expect(refused).toMatchObject({
      code: 'LIST_KEY_STATE',
      message: expect.stringMatching(/ [0-9a-f]{16}[,;]/),
    });
    expect((await coordinator.status()).listKeys?.current).toBe(keysA.keyId);
    const entries = (await coordinator.status()).live.entries;
    const done = unwrap(await coordinator.rotateListKey(asAdmin(), { ...ROTATE, dropUnknownSources: true }));
    expect(done.dropped).toBeGreaterThan(0);
    expect((await coordinator.status()).live.entries).toBe(entries - done.dropped);
  });
});

test('a page of entries continues after a rotation', async () => {
  const pages = await restarted(`${B},${A}`, async (coordinator) => {
    const whole = (await coordinator.entries('', null, 1_000)).entries;
    const begun = await coordinator.entries('', null, 10);
    unwrap(await coordinator.rotateListKey(asAdmin(), ROTATE));
    const rest = await coordinator.entries(begun.next!, begun.upTo, 1_000);
    return { whole, shown: [...begun.entries, ...rest.entries] };
  });
  expect(pages.shown.map(({ number, source }) => number ?? source)).toEqual(
    pages.whole.map(({ number, source }) => number ?? source),
  );
});

test('an operation on a source can be undone after a rotation', async () => {
  const one = { ...CHANGE, items: [{ source: LOOKALIKE }], subjects: ['from'] };
  const found = await restarted(`${B},${A}`, async (coordinator) => {
    const { operation } = unwrap(
      await coordinator.changeEntries(asAdmin(), { ...one, op: 'clear' } as never),
    );
    unwrap(await coordinator.rotateListKey(asAdmin(), ROTATE));
    expect(unwrap(await coordinator.undoOperation(asAdmin(), operation!, {}))).toMatchObject({ skipped: 0 });
    return coordinator.findEntries({ source: LOOKALIKE });
  });
  expect(unwrap(found).map(({ op, source }) => [op, source])).toEqual([
    ['block', LOOKALIKE],
    ['block', LOOKALIKE],
  ]);
});

test('what waited for a second person is outdated by a rotation, and a break-glass change still reverts', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await settle(['guardOverride']);
  const overriding = (number: string): EntryChange => ({
    ...{ ...CHANGE, items: [{ number }], subjects: BOTH },
    overrides: ['large-operation'],
  });
  await restarted(`${B},${A}`, async (coordinator) => {
    const waits = waiting(await coordinator.changeEntries(by(ALICE), overriding('+821033335555')));
    const breaking = by(ALICE, { breakGlass: true });
    unwrap(await coordinator.changeEntries(breaking, overriding('+821033336666')));
    const { id } = (await coordinator.proposals(10)).find(({ state }) => state === 'unreviewed')!;
    unwrap(await coordinator.rotateListKey(asAdmin(), ROTATE));
    expect(codeOf(await coordinator.approve(by(BOB), waits.id, waits.sha256))).toBe('PROPOSAL_OUTDATED');
    expect(unwrap(await coordinator.reject(by(BOB), id))).toMatchObject({ state: 'reverted' });
    expect(unwrap(await coordinator.findEntries({ number: '+821033335555' }))).toEqual([]);
    expect(unwrap(await coordinator.findEntries({ number: '+821033336666' }))).toMatchObject([
      { op: 'undo' },
    ]);
  });
});
