/** `numgate prove`: a correct release has 0 wrong answers, and every kind of wrong release is detected. */
import '../support/workspace.ts';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../../cli/commands/build.ts';
import { prove, QUICK_STEP } from '../../../cli/commands/prove.ts';
import type { BuildFolder } from '../../../cli/publish/build-folder.ts';
import { listKeys } from '../../../cli/secrets.ts';
import { suffixOf } from '../../../shared/numbers/number.ts';
import { ABROAD, buildOf, buildWithLive, HOME, inputsOf } from '../support/builds.ts';
import { failureOf } from '../support/failing.ts';
import { tamper } from '../support/tamper.ts';
import { BUILDS, catalogue, OVERSEAS, SUSPENDED, write } from '../support/workspace.ts';

/** A proof looks up every listed number, and so few others that it takes a second. */
const STEP = 1_000;
const quick = (folder: BuildFolder): ReturnType<typeof prove> => prove(folder, STEP);

describe('a correct release', () => {
  it('has 0 wrong answers, and the proof records the number of lookups', async () => {
    const { folder, manifest } = await buildOf('right');
    const result = await prove(folder, QUICK_STEP);
    expect(result).toMatchObject({ release: manifest.release, wrong: 0, complete: false });
    const { permutation } = await listKeys();
    const imageOf = (number: string): number => permutation.permute(suffixOf(Number(number)));
    const listedOutsideStep = HOME.filter((number) => imageOf(number) % QUICK_STEP !== 0).length;
    expect(result.universe).toBe(100_000_000 / QUICK_STEP + listedOutsideStep);
    const { release, lookups, wrong, complete } = result;
    expect(folder.proof).toEqual({ release, lookups, wrong, complete });
  });

  it('over many calling codes is proven with lookups in proportion to its numbers', async () => {
    const leading = '14155 447700 639171 819012 8613812 919812 33612 4915112 34612 66812'.split(' ');
    const abroad = leading.flatMap((digits) =>
      Array.from({ length: 300 }, (_, index) => `+${digits}${200_000 + index * 541}`),
    );
    const home = HOME.slice(0, 500);
    const { folder, manifest } = await buildOf('sparse', home, abroad);
    const listed = manifest.lists.reduce((sum, { numbers }) => sum + numbers, 0);
    expect(listed).toBeGreaterThan(3_000);
    const { lookups, wrong, complete, universe } = await prove(folder, 1);
    expect({ wrong, complete, universe }).toEqual({ wrong: 0, complete: true, universe: 100_000_000 });
    expect(lookups).toBeGreaterThan(4 * listed);
    expect(lookups).toBeLessThan(6 * listed);
  });

  it('may have numbers, ranges and senders with past, current and future dates', async () => {
    const dates = ['2020-01-01,2040-01-01', '2039-01-01,2040-01-01', '2039-01-01,', ',2040-01-01', ','];
    const parties = [
      HOME[0],
      HOME[1],
      '+63917*',
      '+14155550100',
      'PARCEL-KR',
      'kr gov',
      '010-2345-0000..010-2345-0009',
    ];
    const rows = parties.flatMap((party, index) =>
      dates.slice(0, dates.length - (index % 2)).map((when) => `${party},${when}`),
    );
    const inputs = [{ file: write('dates.csv', `number,since,until\n${rows.join('\n')}`), list: 'overseas' }];
    const path = catalogue('dates.json', { inputs });
    const { folder } = await build({ catalogue: path, builds: BUILDS, maxRejects: 0, admin: null });
    expect((await quick(folder)).wrong).toBe(0);
  });

  it('may fold live entries in, and is compared with them', async () => {
    const { folder, manifest } = await buildWithLive([
      { number: HOME[7]!, op: 'unblock', until: '2040-01-01T00:00:00.000Z' },
      { number: '+821099991234' },
      { number: '+14155550199', subjects: ['to'] },
      { number: null, source: 'KR-POST' },
      {
        ...{ number: '+821099995678', authority: 'numgate', subjects: ['from'], rule: 'kr-50@3' },
        ...{ stage: 'provisional', until: '2040-01-02T00:00:00.000Z' },
      },
    ]);
    expect(
      manifest.lists.slice(2).map(({ name, numbers, dated, sources }) => [name, numbers, dated, sources]),
    ).toEqual([
      ['live-allow-kisa', 0, 1, 0],
      ['live-from-sender-reported-numgate-kr-50-3-provisional', 0, 1, 0],
      ['live-sender-reported-kisa', 1, 0, 1],
      ['live-to-sender-reported-kisa', 1, 0, 0],
    ]);
    expect(manifest).toMatchObject({ base: null, foldedSeq: 40 });
    expect((await quick(folder)).wrong).toBe(0);
    const path = join(folder.path, 'folded.json');
    const folded = readFileSync(path, 'utf8');
    for (const [listed, other] of [
      ['821099991234', '821099991235'],
      ['14155550199', '14155550198'],
      [/"hex":"./, '"hex":"0'],
      [/"until":2\d+/, '"until":2208988801'],
    ] as const) {
      expect(folded).toMatch(listed);
      writeFileSync(path, folded.replace(listed, other));
      expect((await quick(folder)).wrong).toBeGreaterThan(0);
    }
    for (const [word, other] of [
      ['live-allow-kisa', 'live-allow'],
      ['kr-50@3', 'kr-50@4'],
      ['provisional"', 'confirmed"'],
    ] as const) {
      writeFileSync(path, folded.replace(word, other));
      expect((await failureOf(() => quick(folder))).message).toMatch(
        /does not name the lists of the release/,
      );
    }
  });

  it('may be empty', async () => {
    const { folder } = await buildOf('empty', [], [], true);
    expect((await quick(folder)).wrong).toBe(0);
  });
});

describe('a wrong release', () => {
  const OTHER = '+821098765431';
  it.concurrent.each([
    ['a missing number of 010', HOME.slice(1), ABROAD],
    ['an extra number of 010', [...HOME, OTHER], ABROAD],
    ['another number of 010', [...HOME.slice(1), OTHER], ABROAD],
    ['a missing number abroad', HOME, ABROAD.slice(1)],
    ['an extra number abroad', HOME, ['+8613812345678', ...ABROAD]],
    ['another number abroad', HOME, ['+8613812345678', ...ABROAD.slice(1)]],
    ['a wider range', HOME, ABROAD.map((line) => line.replace('460999', '461000'))],
    ['a missing range', HOME, ABROAD.toSpliced(2, 1)],
    [
      'a gap of one number in a range',
      HOME,
      [...ABROAD, '+442079460000..+442079460122', '+442079460124..+442079460999'].toSpliced(2, 1),
    ],
    ['a missing sender', HOME, ABROAD.slice(0, -1)],
    ['an extra sender', HOME, [...ABROAD, 'SEOUL']],
    ['all entries on the other list', ABROAD.slice(0, 4), HOME],
  ])('with %s is found', async (what, home, abroad) => {
    const name = what.replaceAll(' ', '-');
    const right = await buildOf(name);
    const wrong = await buildOf(`${name}-wrong`, home, abroad);
    for (const part of ['manifest.json', 'values']) {
      rmSync(join(right.folder.path, part), { recursive: true });
      cpSync(join(wrong.folder.path, part), join(right.folder.path, part), { recursive: true });
    }
    const result = await quick(right.folder);
    expect(result.wrong).toBeGreaterThan(0);
    expect(right.folder.proof?.wrong).toBe(result.wrong);
  });

  it('with shards that were altered and signed again is found', async () => {
    const { folder } = await buildOf('tampered');
    await tamper(folder);
    expect((await quick(folder)).wrong).toBeGreaterThan(0);
  });
});

describe('prove refuses', () => {
  let folder: BuildFolder;
  beforeAll(async () => {
    ({ folder } = await buildOf('refused'));
  });
  const refusal = async (): Promise<string> => (await failureOf(() => quick(folder))).message;

  it('inputs that have changed since the build', async () => {
    inputsOf('refused', HOME.slice(1), ABROAD);
    expect(await refusal()).toMatch(/home\.txt has changed since the build: build again/);
    rmSync(join(BUILDS, '../refused/home.txt'));
    expect(await refusal()).toMatch(/home\.txt: does not exist$/);
    inputsOf('refused', HOME, ABROAD);
  });

  it('a catalogue whose lists or inputs have changed', async () => {
    const path = 'refused/lists.json';
    catalogue(path, { lists: [{ ...SUSPENDED, effect: 'label' }, OVERSEAS] });
    expect(await refusal()).toMatch(/does not name the lists of the release/);
    catalogue(path, { inputs: [{ file: 'home.txt', list: 'suspended' }] });
    expect(await refusal()).toMatch(/the inputs have changed/);
    inputsOf('refused', HOME, ABROAD);
    expect((await quick(folder)).wrong).toBe(0);
  });

  it('a manifest that was not signed by a trusted key, or was altered', async () => {
    const path = join(folder.path, 'manifest.json');
    const kept = readFileSync(path, 'utf8');
    writeFileSync(path, kept.replace('NUMBER_SUSPENDED', 'NUMBER_TERMINATED'));
    expect(await refusal()).toMatch(/not signed by a key that this service trusts/);
    writeFileSync(path, '{');
    expect(await refusal()).toMatch(/manifest\.json is damaged: build again/);
    writeFileSync(path, kept);
  });

  it('values that are damaged or missing', async () => {
    const [{ key } = { key: '' }] = JSON.parse(folder.manifest.signed).shards as { key: string }[];
    const path = join(folder.path, 'values', `${key.replace('/', '-')}.bin`);
    const kept = readFileSync(path);
    writeFileSync(path, kept.subarray(1));
    expect(await refusal()).toMatch(/size or checksum differs from the manifest/);
    rmSync(path);
    expect(await refusal()).toMatch(/does not exist: build again/);
    writeFileSync(path, kept);
  });

  it('a folder that is not a build', async () => {
    const { BuildFolder } = await import('../../../cli/publish/build-folder.ts');
    const failure = await failureOf(() => quick(new BuildFolder(BUILDS)));
    expect(failure.message).toMatch(
      /manifest\.json does not exist: check that this is the folder of a build/,
    );
  });
});
