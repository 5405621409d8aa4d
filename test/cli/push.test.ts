/**
 * `lists push` with the real wrangler, into a local KV: what gets there, and how little of it twice.
 */
import './support/workspace.ts';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BuildOutcome, build } from '../../cli/commands/build.ts';
import { type PushOutcome, push } from '../../cli/commands/push.ts';
import { sample } from '../../cli/commands/sample.ts';
import { status } from '../../cli/commands/status.ts';
import { openHead, signHead } from '../../shared/release/head.ts';
import { HEAD_KEY, releaseKey } from '../../shared/release/kv-keys.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { ABROAD, pathOf, pretendProven } from './support/builds.ts';
import { lists } from './support/command.ts';
import { failureOf } from './support/failing.ts';
import { kvContent, putText, textOf } from './support/kv.ts';
import {
  BUILDS,
  catalogue,
  FOREIGN_KEY,
  OVERSEAS,
  PUBLIC_KEY,
  SECRETS,
  SIGNING_KEY,
  SUSPENDED,
  write,
} from './support/workspace.ts';

const target = { remote: false, env: '' };
/** So many that 010 has a shard of its own. */
const SAMPLE_SIZE = 250_000;

async function buildWith(abroad: readonly string[]): Promise<BuildOutcome> {
  write('abroad.txt', abroad.join('\n'));
  const home = { ...SUSPENDED, authority: 'sample' };
  const path = catalogue('lists.json', {
    lists: [home, { ...home, name: 'terminated', reason: 'NUMBER_TERMINATED' }, OVERSEAS],
    inputs: [{ file: 'home.csv.gz' }, { file: 'abroad.txt', list: 'overseas' }],
  });
  return build({ catalogue: path, builds: BUILDS, maxRejects: 0 });
}

function publish({ folder }: BuildOutcome): Promise<PushOutcome> {
  return push(folder, { target, unproven: true });
}

describe('push', () => {
  let first: BuildOutcome;
  beforeAll(async () => {
    await sample({ size: SAMPLE_SIZE, seed: 1, out: pathOf('home.csv.gz') });
    first = await buildWith(ABROAD);
  });

  it('refuses what is not proven whole, and for this release', async () => {
    const { folder, manifest } = first;
    const refusal = async (unproven = false): Promise<string> =>
      (await failureOf(() => push(folder, { target, unproven }))).message;
    const { release } = manifest;
    expect(await refusal()).toBe(`${release} is not proven: run npm run lists -- prove, or say --unproven`);
    folder.writeProof({ release, asked: 1, wrong: 0, complete: false });
    expect(await refusal()).toMatch(/is not proven/);
    folder.writeProof({ release: '20260101T0000Z-00000000', asked: 1, wrong: 0, complete: true });
    expect(await refusal()).toMatch(/is not proven/);
    folder.writeProof({ release, asked: 1, wrong: 3, complete: true });
    expect(await refusal()).toBe(`${release} gave 3 wrong answers when it was proven`);
    expect(await refusal(true)).toBe(`${release} gave 3 wrong answers when it was proven`);
  });

  it('puts values, manifest and head there, each as it was built', async () => {
    const { folder, manifest } = first;
    pretendProven(folder, manifest.release);
    const outcome = await push(folder, { target, unproven: false });
    const blobs = blobsOf(manifest);
    const { release } = manifest;
    expect(outcome).toMatchObject({ release, seq: 1, uploaded: blobs.length, values: blobs.length });
    const content = await kvContent();
    expect([...content.keys()].sort()).toEqual(
      [...blobs.map(({ key }) => key), releaseKey(release), HEAD_KEY].sort(),
    );
    for (const { key } of blobs) expect(content.get(key)).toEqual(folder.value(key));
    const signed = folder.manifest;
    expect(JSON.parse(textOf(content.get(releaseKey(release))))).toEqual(signed);
    expect(await openHead(textOf(content.get(HEAD_KEY)), [PUBLIC_KEY])).toMatchObject({
      ok: true,
      value: { seq: 1, manifest: signed },
    });
  });

  it('uploads nothing twice, and makes it current all the same', async () => {
    expect(await publish(first)).toMatchObject({ seq: 2, uploaded: 0, uploadedBytes: 0 });
  });

  it('uploads only what one changed list changed', async () => {
    const next = await buildWith([...ABROAD, '+14155550101']);
    const outcome = await publish(next);
    expect(outcome).toMatchObject({ seq: 3, uploaded: 1, values: blobsOf(first.manifest).length });
    expect(outcome.uploadedBytes).toBeLessThan(1_000);
    const content = await kvContent();
    for (const { key } of blobsOf(next.manifest)) expect(content.get(key)).toEqual(next.folder.value(key));
  });

  it('uploads nothing that differs from the manifest, and leaves the head alone', async () => {
    const { folder, manifest } = await buildWith([...ABROAD, '+14155550102']);
    const { key } = manifest.shards[0]!;
    const path = join(folder.path, 'values', `${key.replace('/', '-')}.bin`);
    cpSync(path, `${path}.kept`);
    writeFileSync(path, folder.value(key).with(40, 7));
    expect((await failureOf(() => push(folder, { target, unproven: true }))).message).toMatch(
      new RegExp(`^${key} in .* is not what the manifest says: build again$`),
    );
    expect((await status(target)).head?.seq).toBe(3);
  });

  it('with other secrets than the build is refused', async () => {
    process.env.LIST_KEY = btoa('x'.repeat(32));
    const failure = await failureOf(() => publish(first));
    process.env.LIST_KEY = SECRETS.LIST_KEY;
    expect(failure.message).toMatch(/the release was made with LIST_KEY [0-9a-f]{16}, not/);
  });

  it('uploads what KV has lost where --all is said', async () => {
    const { folder, manifest } = first;
    const { key } = manifest.shards[0]!;
    await publish(first);
    await putText(key, 'damaged');
    expect(await publish(first)).toMatchObject({ uploaded: 0 });
    expect(textOf((await kvContent()).get(key))).toBe('damaged');
    const { code, out } = await lists('push', folder.path, '--unproven', '--all', '--json');
    expect(code).toBe(0);
    const values = blobsOf(manifest).length;
    expect(JSON.parse(out)).toMatchObject({ seq: 6, uploaded: values, values });
    const content = await kvContent();
    for (const blob of blobsOf(manifest)) expect(content.get(blob.key)).toEqual(folder.value(blob.key));
  });
});

describe('push over a head that is not ours', () => {
  const promotedAt = '2026-11-24T03:12:09.000Z';
  let built: BuildOutcome;
  beforeAll(async () => {
    built = await buildWith(ABROAD);
  });
  const stored = async (): Promise<string> => textOf((await kvContent()).get(HEAD_KEY));

  /** Heads that are refused, and why. */
  async function bad(): Promise<[string, string][]> {
    const { manifest } = built.folder;
    const other = {
      ...manifest,
      signature: manifest.signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
    };
    const { statement } = await signHead({ seq: 9, promotedAt, manifest: other }, SIGNING_KEY);
    return [
      ['{"format":1,"seq":', 'the head in KV is not one'],
      [JSON.stringify({ format: 1, seq: 9, promotedAt, manifest }), 'the head in KV is not one'],
      [
        JSON.stringify(await signHead({ seq: 9, promotedAt, manifest }, FOREIGN_KEY)),
        'the head is not signed by a key this service trusts',
      ],
      [JSON.stringify({ statement, manifest }), 'the head states another manifest than it holds'],
    ];
  }

  it('stops, says why and what to do, and leaves it as it is', async () => {
    for (const [head, why] of await bad()) {
      await putText(HEAD_KEY, head);
      const { message } = await failureOf(() => publish(built));
      expect(message).toBe(`${why}; lists push --replace-head writes a new one over it`);
      expect(await stored()).toBe(head);
    }
  });

  it('writes a new one with --replace-head, above every seq that there can have been', async () => {
    const now = Math.floor(Date.now() / 1000);
    const { code, out } = await lists('push', built.folder.path, '--unproven', '--replace-head', '--json');
    expect(code).toBe(0);
    const { seq, uploaded, values } = JSON.parse(out) as PushOutcome;
    expect(seq).toBeGreaterThanOrEqual(now);
    expect(seq).toBeLessThan(now + 600);
    // What such a head says to be there is not believed.
    expect(uploaded).toBe(values);
    expect(await openHead(await stored(), [PUBLIC_KEY])).toMatchObject({ ok: true, value: { seq } });
    expect(await publish(built)).toMatchObject({ seq: seq + 1, uploaded: 0 });
  });
});
