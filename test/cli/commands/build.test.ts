/**
 * `numgate build`: the files that it writes beside a release, when it stops, and that builds are reproducible.
 */
import '../support/workspace.ts';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { build, formatBuild } from '../../../cli/commands/build.ts';
import { newestBuild } from '../../../cli/publish/build-folder.ts';
import {
  LISTS_MAX,
  RANGES_PER_LIST_MAX,
  REJECTS_WRITTEN_MAX,
  RULE_LISTS_MAX,
  SOURCES_PER_LIST_MAX,
} from '../../../shared/limits/lists.ts';
import { blobsOf } from '../../../shared/release/manifest.ts';
import { ABROAD, buildOf, buildWithLive, HOME, inputsOf, pathOf } from '../support/builds.ts';
import { failureOf } from '../support/failing.ts';
import { BUILDS, catalogue, write } from '../support/workspace.ts';

/** A file of 100 lines, `bad` of which are invalid. */
function withBad(name: string, bad: number): string {
  const lines = HOME.slice(0, 100 - bad).concat(Array.from({ length: bad }, () => '112'));
  return inputsOf(name, lines, ABROAD);
}

describe('rejects', () => {
  it('are written beside the release with file, line and code, quoted', async () => {
    const file = 'rejects/a "b", c.csv';
    write(file, `number,reason\n${HOME[0]},\n112,\n"${HOME[1]},\n${HOME[2]},NO "SUCH"\n`);
    const path = catalogue('rejects.json', { inputs: [{ file, list: 'suspended' }] });
    const { folder, inputs } = await build({ catalogue: path, builds: BUILDS, maxRejects: 1, admin: null });
    expect(inputs).toMatchObject([{ rows: 4, accepted: 1, rejected: 3, expired: 0 }]);
    const quoted = `"${pathOf(file).replaceAll('"', '""')}"`;
    expect(readFileSync(join(folder.path, 'rejects.csv'), 'utf8').trimEnd().split('\n')).toEqual([
      'file,line,code,message',
      `${quoted},3,EMERGENCY_NUMBER,"emergency numbers cannot be listed, even after an area code"`,
      `${quoted},4,ROW_DAMAGED,"CSV: quotes do not match, or continue on the next line"`,
      `${quoted},5,ROW_DAMAGED,"CSV: quotes do not match, or continue on the next line"`,
    ]);
    expect(existsSync(join(BUILDS, 'rejects.csv'))).toBe(false);
  });

  it('above the limit stop the build, with file, figures and the option to accept them', async () => {
    const builds = join(BUILDS, 'stopped');
    const work = build({ catalogue: withBad('stopped', 3), builds, maxRejects: 0.02, admin: null });
    const { message, exitCode } = await failureOf(() => work);
    expect(exitCode).toBe(1);
    expect(message).toBe(
      `${pathOf('stopped/home.txt')}: 3 of 100 lines rejected (3 %), more than 2 %.\n` +
        `Check ${builds}/rejects.csv. To accept them, pass --max-rejects 0.03`,
    );
    expect(readdirSync(builds)).toEqual(['rejects.csv']);
    expect(readFileSync(join(builds, 'rejects.csv'), 'utf8').split('\n')).toHaveLength(5);
  });

  it('within the limit do not stop it, and the option in the message works', async () => {
    const settings = { catalogue: withBad('within', 7), builds: join(BUILDS, 'within') };
    const { message } = await failureOf(() => build({ ...settings, maxRejects: 0.069, admin: null }));
    const named = Number(/--max-rejects ([\d.]+)$/.exec(message)?.[1]);
    const { inputs } = await build({ ...settings, maxRejects: named, admin: null });
    expect(inputs[0]).toMatchObject({ rejected: 7, accepted: 93 });
  });

  it('are counted per file, so that a large file cannot hide a bad small one', async () => {
    const path = inputsOf('small', HOME, [...ABROAD, '112']);
    const failure = await failureOf(() =>
      build({ catalogue: path, builds: BUILDS, maxRejects: 0.01, admin: null }),
    );
    expect(failure.message).toContain(`abroad.txt: 1 of ${ABROAD.length + 1} lines`);
  });

  describe('above the limit of the file', () => {
    const MORE = 7;
    const text = [HOME[0], ...Array<string>(REJECTS_WRITTEN_MAX + MORE).fill('112')].join('\n');
    const settings = (name: string, maxRejects: number) => {
      const inputs = [{ file: write(`${name}.txt`, text), list: 'suspended' }];
      const path = catalogue(`${name}.json`, { inputs });
      return { catalogue: path, builds: join(BUILDS, name), maxRejects, admin: null };
    };
    const last = `"",,REJECTS_NOT_WRITTEN,"${MORE} more rejected lines are not in this file"`;

    it('are counted but not written, and the file and the report show how many are missing', async () => {
      const result = await build(settings('many', 1));
      expect(result.inputs).toMatchObject([{ accepted: 1, rejected: REJECTS_WRITTEN_MAX + MORE }]);
      const written = readFileSync(join(result.folder.path, 'rejects.csv'), 'utf8').trimEnd().split('\n');
      expect([written.length, written.at(-1)]).toEqual([REJECTS_WRITTEN_MAX + 2, last]);
      expect(result.folder.report.rejectsNotWritten).toBe(MORE);
      const [shown, json] = formatBuild(result);
      expect(shown).toContain(`rejects.csv, without the last ${MORE}`);
      expect(json).toMatchObject({ rejectsNotWritten: MORE });
    });

    it('stop the build, and the file ends in the same way', async () => {
      const stopping = settings('many-stopped', 0.01);
      const { message } = await failureOf(() => build(stopping));
      expect(message).toContain(`Check ${stopping.builds}/rejects.csv, without the last ${MORE}.`);
      const written = readFileSync(join(stopping.builds, 'rejects.csv'), 'utf8').trimEnd();
      expect(written.endsWith(last)).toBe(true);
    });
  });

  it('do not include expired lines', async () => {
    const text = `number,until\n${HOME[0]},2020-01-01\n${HOME[1]},2020-01-01\n${HOME[2]},\n`;
    const inputs = [{ file: write('ended.csv', text), list: 'suspended' }];
    const result = await build({
      catalogue: catalogue('e.json', { inputs }),
      builds: BUILDS,
      maxRejects: 0,
      admin: null,
    });
    expect(result.inputs).toMatchObject([{ rows: 3, accepted: 1, expired: 2, rejected: 0 }]);
  });
});

describe('a file without entries', () => {
  const header = 'number,until\n';
  const fileOf = (text: string): string => (text.startsWith(header) ? 'empty.csv' : 'empty.txt');
  const withFile = (text: string, allowEmpty?: boolean): ReturnType<typeof build> => {
    const inputs = [
      { file: write('filled.txt', HOME.join('\n')), list: 'suspended' },
      { file: write(fileOf(text), text), list: 'overseas' },
    ];
    const settings = {
      catalogue: catalogue('empty.json', { inputs }),
      builds: BUILDS,
      maxRejects: 1,
      admin: null,
    };
    return build(allowEmpty === undefined ? settings : { ...settings, allowEmpty });
  };

  it.each([
    ['has a header and no rows', header],
    ['has only comments', '# none today\n'],
    ['has only rejects', `${header}112,\n`],
  ])('stops the build if it %s, with its name and the option to accept it', async (_, text) => {
    const failure = await failureOf(() => withFile(text));
    expect(failure.exitCode).toBe(1);
    expect(failure.message).toBe(`${pathOf(fileOf(text))} has no entries. To accept it, pass --allow-empty`);
    await expect(withFile(text, false)).rejects.toThrow(failure.message);
  });

  it('is accepted with the option', async () => {
    const { manifest, inputs } = await withFile(header, true);
    expect(inputs[1]).toMatchObject({ rows: 0, accepted: 0 });
    expect(manifest.lists[1]).toMatchObject({ name: 'overseas', numbers: 0, dated: 0, ranges: 0 });
  });

  it('does not include a file whose entries have expired', async () => {
    const { inputs } = await withFile(`${header}${HOME[0]},2020-01-01\n`);
    expect(inputs[1]).toMatchObject({ rows: 1, accepted: 0, expired: 1 });
  });
});

describe('a build with live entries', () => {
  it('stops if they need more lists than a release may have', async () => {
    const entries = Array.from({ length: LISTS_MAX }, (_, index) => ({
      number: `+8210${20_000_000 + index}`,
      authority: `a${index}`,
    }));
    const { message } = await failureOf(() => buildWithLive(entries));
    expect(message).toMatch(
      /^the live entries need 32 lists in addition to the 2 of the catalogue .*at most 32/,
    );
    expect((await buildWithLive(entries.slice(2))).manifest.lists).toHaveLength(LISTS_MAX);
  });

  it('never stops because of rules alone: they share the lists that are left', async () => {
    const ofRules = Array.from({ length: RULE_LISTS_MAX + 4 }, (_, index) => ({
      ...{ number: `+821030000${100 + index}`, authority: 'numgate', subjects: ['from'] },
      ...{ rule: `r-${index}@1`, stage: 'confirmed' as const },
    }));
    const marks = async (people: number): Promise<(string | undefined)[]> => {
      const others = Array.from({ length: people }, (_, index) => ({
        number: `+8210${20_000_000 + index}`,
        authority: `a${index}`,
      }));
      const { lists } = (await buildWithLive([...others, ...ofRules])).manifest;
      expect(lists.length).toBeLessThanOrEqual(LISTS_MAX);
      return lists.filter(({ authority }) => authority === 'numgate').map(({ rule }) => rule);
    };
    expect(await marks(0)).toEqual([
      undefined,
      ...['r-0@1', 'r-1@1', 'r-10@1', 'r-11@1', 'r-2@1', 'r-3@1', 'r-4@1'],
    ]);
    expect(await marks(LISTS_MAX - 3)).toEqual([undefined]);
  });
});

describe('a build', () => {
  it('counts each entry once, however often and in whatever form it is written', async () => {
    const twice = [...HOME, ...HOME.map((number) => number.replace('+82', '0'))];
    const { manifest } = await buildOf('twice', twice, [...ABROAD, 'parcel-kr', ' KR-GOV ']);
    expect(manifest.lists).toMatchObject([
      { name: 'suspended', numbers: HOME.length, dated: 0, ranges: 0, sources: 0 },
      { name: 'overseas', numbers: 2, dated: 0, ranges: 12, sources: 2, subjects: ['from'] },
    ]);
  });

  it('of the same input has the same KV keys, in any order of lines', async () => {
    const first = await buildOf('first');
    const second = await buildOf('second', HOME.toReversed(), ABROAD.toReversed());
    const keys = blobsOf(first.manifest).map(({ key }) => key);
    expect(keys.length).toBeGreaterThan(2);
    expect(blobsOf(second.manifest).map(({ key }) => key)).toEqual(keys);
    for (const key of keys) expect(second.folder.value(key)).toEqual(first.folder.value(key));
  });

  it('without entries is an empty release', async () => {
    const { manifest, bytes } = await buildOf('nothing', [], [], true);
    expect([blobsOf(manifest), bytes]).toEqual([[], 0]);
  });

  it('is the newest one by its time if none is named', async () => {
    const { folder } = await buildOf('newest');
    expect(newestBuild(join(BUILDS, 'newest')).path).toBe(folder.path);
    const empty = pathOf('no-builds');
    expect((await failureOf(() => newestBuild(empty))).message).toContain('run npx numgate build');
  });

  it.each([
    [
      'ranges',
      RANGES_PER_LIST_MAX,
      (index: number) => `+4420${79_460_000 + index * 2}..+4420${79_460_000 + index * 2}`,
    ],
    ['sources', SOURCES_PER_LIST_MAX, (index: number) => `SENDER-${index}`],
  ])('with too many %s stops with the list and the limit', async (what, most, line) => {
    const lines = Array.from({ length: most + 1 }, (_, index) => line(index));
    const { message } = await failureOf(() => buildOf(`many-${what}`, HOME, lines));
    expect(message).toBe(`overseas: ${most + 1} ${what}, at most ${most}`);
    expect(readdirSync(join(BUILDS, `many-${what}`))).toEqual(['rejects.csv']);
    const { manifest } = await buildOf(`many-${what}`, HOME, lines.slice(1));
    expect(manifest.lists[1]).toMatchObject({ [what]: most });
  });

  it('of nested ranges stops before they are cut into too many pieces', async () => {
    const rows = Array.from({ length: 3_000 }, (_, at) => {
      const until = new Date(Date.UTC(2050, 0, 1 + at)).toISOString().slice(0, 10);
      return `+4420${70_000_000 + at}..+4420${79_000_000 - at},${until}`;
    });
    const inputs = [{ file: write('nested.csv', `number,until\n${rows.join('\n')}\n`), list: 'overseas' }];
    const path = catalogue('nested.json', { inputs });
    const { message } = await failureOf(() =>
      build({ catalogue: path, builds: BUILDS, maxRejects: 0, admin: null }),
    );
    expect(message).toMatch(new RegExp(`^overseas: \\d+ ranges, at most ${RANGES_PER_LIST_MAX}$`));
  });

  it('reports an input that does not exist or has no known format', async () => {
    const stop = (file: string): Promise<{ message: string }> =>
      failureOf(() =>
        build({
          catalogue: catalogue('i.json', { inputs: [{ file }] }),
          builds: BUILDS,
          maxRejects: 0,
          admin: null,
        }),
      );
    expect((await stop('not-there.csv')).message).toMatch(/not-there\.csv: does not exist$/);
    write('a.dat', '');
    expect((await stop('a.dat')).message).toContain('a.dat: the name does not show the format');
  });
});
