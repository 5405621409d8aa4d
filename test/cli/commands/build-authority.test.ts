/** `numgate build --authority`: what it carries over from the base, its proof, and what it refuses. */
import '../support/workspace.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BuildResult, formatBuild } from '../../../cli/commands/build.ts';
import { prove } from '../../../cli/commands/prove.ts';
import { originsFor } from '../../../cli/import/carried-lists.ts';
import { foldedIn, readLists } from '../../../cli/import/release-lists.ts';
import { fileOfKey } from '../../../cli/publish/build-folder.ts';
import { listKeys } from '../../../cli/secrets.ts';
import { blobsOf, type Manifest, signManifest } from '../../../shared/release/manifest.ts';
import { failureOf } from '../support/failing.ts';
import {
  buildAs,
  buildOwn,
  catalogueOf,
  HOLDERS,
  linesOf,
  listOf,
  pushFirst,
  root,
} from '../support/organisations.ts';
import { catalogue, SIGNING_KEY } from '../support/workspace.ts';

/** A proof looks up every listed number, and so few others that it takes a second. */
const STEP = 5_000;

/** Every entry of the wanted lists of a release, by list. */
async function entriesOf({ folder, manifest }: BuildResult, isWanted: (authority: string) => boolean) {
  const wanted = [...manifest.lists.entries()].filter(([, { authority }]) => isWanted(authority));
  const entries = new Map(wanted.map(([list]) => [list, [] as string[]]));
  const sinks = [...entries].map(([list, found]) => {
    const add = (...parts: readonly unknown[]): void =>
      void found.push(
        parts
          .map((part) => JSON.stringify(part, (_, each) => (typeof each === 'bigint' ? String(each) : each)))
          .join(' '),
      );
    return [list, { addNumber: add, addRange: add, addSource: add }] as const;
  });
  await readLists({ manifest, load: async ({ key }) => folder.value(key) }, new Map(sinks), await listKeys());
  return wanted.map(([list, info]) => ({ info, entries: entries.get(list)!.sort() }));
}

describe('a build for one authority', () => {
  let first: BuildResult;

  beforeAll(async () => {
    first = await pushFirst();
  });

  it('replaces its own lists, and carries all others over with every entry', async () => {
    const built = await buildOwn('ktoa', 3_100);
    const { manifest } = built;
    expect(manifest.lists.map(({ name, numbers }) => [name, numbers])).toEqual([
      ['ktoa-list', 3_101],
      ['acme-list', 3_001],
      ['live-sender-reported-acme', 1],
      ['live-sender-reported-ktoa', 1],
    ]);
    const { release, foldedSeq } = first.manifest;
    expect(manifest).toMatchObject({ base: release, foldedSeq });
    const ofAcme = (authority: string): boolean => authority === 'acme';
    expect(await entriesOf(built, ofAcme)).toEqual(await entriesOf(first, ofAcme));
    const [before, after] = [first, built].map(async ({ folder, manifest: its }) =>
      foldedIn({ manifest: its, load: async ({ key }) => folder.value(key) }, await listKeys()),
    );
    expect(await after).toEqual(await before);
    const [text, value] = formatBuild(built);
    expect(text).toContain(`3 of these lists are as in ${release}; live entries were not folded in`);
    expect(value).toMatchObject({ carried: 3 });
  });

  it('with the same input as its base changes nothing in the shards', async () => {
    const built = await buildOwn('ktoa', 3_000);
    expect(built.manifest.shards).toEqual(first.manifest.shards);
  });

  it('is proven against its inputs and against its base', async () => {
    const built = await buildOwn('ktoa', 3_050);
    const offline = (): never => {
      throw new Error('the service was read');
    };
    expect(await prove(built.folder, STEP, offline)).toMatchObject({ wrong: 0, complete: false });
  });

  it('with other numbers in a carried list is wrong', async () => {
    const built = await buildOwn('ktoa', 3_070);
    const { folder, manifest } = built;
    // The base has as many numbers of acme, but one of them differs.
    const path = catalogueOf(HOLDERS, 3_070, {
      acme: linesOf('acme', 3_000).replace('+821020000000,', '+821020000001,'),
    });
    const other = await buildAs(null, path);
    for (const { key } of blobsOf(other.manifest))
      writeFileSync(join(folder.path, 'values', fileOfKey(key)), other.folder.value(key));
    const { shards, ranges, sources } = other.manifest;
    const signed = await signManifest({ ...manifest, shards, ranges, sources }, SIGNING_KEY);
    writeFileSync(join(folder.path, 'manifest.json'), JSON.stringify(signed));
    expect((await prove(folder, STEP, () => root)).wrong).toBeGreaterThan(0);
  });

  it('whose carried lists differ from the base is not proven', async () => {
    const built = await buildOwn('ktoa', 3_060);
    // The lists of acme differ in this other base.
    const other = await buildAs(null, catalogueOf(HOLDERS, 2_000));
    const at = (name: string): string => join(built.folder.path, name);
    writeFileSync(at('base.json'), readFileSync(join(other.folder.path, 'manifest.json')));
    const { message } = await failureOf(() => prove(built.folder, STEP, () => root));
    expect(message).toBe(`base.json is not the base of ${built.manifest.release}: build again`);
  });

  it('keeps the order of all other lists', () => {
    const base = (...names: readonly string[]) =>
      ({
        lists: names.map((name) => ({ name, authority: name.replace(/^live-|\d$/g, '') })),
      }) as unknown as Manifest;
    const own = { lists: [{}, {}], inputs: [] } as unknown as Parameters<typeof originsFor>[1];
    const orderIn = (...names: readonly string[]): string[] =>
      originsFor('b', own, base(...names)).map(({ from, index }) =>
        from === 'base' ? names[index]! : `new${index}`,
      );
    expect(orderIn('a1', 'b1', 'c1', 'b2', 'live-a', 'live-b')).toEqual([
      'a1',
      'new0',
      'new1',
      'c1',
      'live-a',
      'live-b',
    ]);
    expect(orderIn('a1', 'live-a', 'live-b')).toEqual(['a1', 'new0', 'new1', 'live-a', 'live-b']);
    expect(orderIn('a1')).toEqual(['a1', 'new0', 'new1']);
    expect(orderIn()).toEqual(['new0', 'new1']);
  });
});

describe('build --authority refuses', () => {
  it('an authority that no organisation has', async () => {
    const { message } = await failureOf(() => buildAs('ktoa', catalogueOf(['ktoa'], 10), 'ktao'));
    expect(message).toContain('--authority: no organisation has the authority ktao; there are acme, ');
    expect(message).toContain('See npx numgate organisations list');
  });

  it('a catalogue with lists of another authority', async () => {
    const path = catalogueOf(HOLDERS, 10);
    const { message } = await failureOf(() => buildAs('ktoa', path, 'ktoa'));
    expect(message).toBe(
      `${path}: lists of other authorities than ktoa: acme-list (acme). Remove them from the catalogue: ` +
        'a build with --authority takes the lists of other authorities from the current release',
    );
  });

  it('a list with the name of another authority’s list', async () => {
    const path = catalogue('named.json', { lists: [{ ...listOf('ktoa'), name: 'acme-list' }] });
    const { message } = await failureOf(() => buildAs('ktoa', path, 'ktoa'));
    expect(message).toMatch(/list acme-list: \S+ has a list of acme with this name\. Choose another name$/);
  });
});
