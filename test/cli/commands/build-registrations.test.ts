/** Registered senders in `numgate build`, `prove`, `plan` and `push`: what enters a release, and what is refused. */
import '../support/workspace.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BuildResult, build, formatBuild } from '../../../cli/commands/build.ts';
import { registeredSenders } from '../../../cli/commands/build-registrations.ts';
import { formatPlan, plan, summarizePlan } from '../../../cli/commands/plan.ts';
import { formatProof, prove } from '../../../cli/commands/prove.ts';
import { fromBase64 } from '../../../shared/bytes.ts';
import { deriveListKeys } from '../../../shared/set/keys.ts';
import { ABROAD, buildOf, HOME, inputsOf } from '../support/builds.ts';
import { failureOf } from '../support/failing.ts';
import { buildAs, buildOwn, catalogueOf, HOLDERS, pushAs, root } from '../support/organisations.ts';
import { BUILDS, SECRETS, write } from '../support/workspace.ts';

/** A proof looks up every listed number, and so few others that it takes a second. */
const STEP = 5_000;
const CLIENTS = ['acme/main', 'acme/second', 'beta/main'];

/** Numbers of 010 and of 1588, and ranges below and above the length up to which ranges are written out. */
const LINES: readonly object[] = [
  ...Array.from({ length: 600 }, (_, index) => ({
    ...{ client: CLIENTS[index % 3], from: `+8210${20_000_000 + index * 7_919}`, own: index % 2 === 0 },
  })),
  ...[1, 64, 65, 10_000].map((length, index) => ({
    client: CLIENTS[0],
    ...{
      from: `+${8_215_000_000 + index * 100_000}`,
      to: `+${8_215_000_000 + index * 100_000 + length - 1}`,
    },
  })),
];

function fileOf(name: string, lines: readonly object[] = LINES, version = 12): string {
  return write(name, [{ version }, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

function buildWith(name: string, registrations: string): Promise<BuildResult> {
  const catalogue = inputsOf(name, HOME.slice(0, 50), ABROAD);
  return build({ catalogue, builds: join(BUILDS, name), maxRejects: 0, admin: null, registrations });
}

describe('a build with a file of registered senders', () => {
  let built: BuildResult;

  beforeAll(async () => {
    built = await buildWith('registered', fileOf('registered.ndjson'));
  });

  it('that an older version of numgate built cannot be kept', async () => {
    const { layout: _, ...registrations } = built.manifest.registrations!;
    const current = {
      manifest: { ...built.manifest, registrations },
      load: () => Promise.reject(new Error('no value is needed')),
    };
    const keys = await deriveListKeys(fromBase64(SECRETS.LIST_KEY)!);
    const keep = () => registeredSenders(false, { admin: null, current }, join(BUILDS, 'kept'), keys);
    expect((await failureOf(keep)).message).toContain('build without --no-registrations');
  });

  it('has them as of the version of the file', () => {
    expect(built.manifest.registrations).toMatchObject({
      version: 12,
      clients: 3,
      pairs: 665,
      own: 300,
      ranges: 2,
    });
    const [text, value] = formatBuild(built);
    expect(text).toContain('registered senders: 665 numbers (300 own) and 2 ranges of 3 clients');
    expect(value).toMatchObject({ registrations: { version: 12, pairs: 665 } });
  });

  it('has the same values with a gzipped file', async () => {
    const path = fileOf('zipped.ndjson');
    writeFileSync(path, gzipSync(readFileSync(path)));
    const { registrations } = (await buildWith('zipped', path)).manifest;
    expect(registrations).toEqual(built.manifest.registrations);
  });

  it('is proven: every registered number, and as many others', async () => {
    const without = await prove((await buildOf('no-senders', HOME.slice(0, 50))).folder, STEP);
    const result = await prove(built.folder, STEP);
    expect(result.wrong).toBe(0);
    expect(result.lookups - without.lookups).toBe(669 + 2 * LINES.length);
    expect(formatProof(result)[0]).toContain('with all registered senders: 665 numbers');
  });

  it.each<[string, (lines: string[]) => string[]]>([
    ['lacks a number', (lines) => [...lines, '{"client":"acme/main","from":"+821077770000"}']],
    ['has one number more', (lines) => lines.toSpliced(10, 1)],
    ['takes an own number for another', (lines) => lines.map((line) => line.replace(',"own":true', ''))],
    [
      'has a shorter range',
      (lines) => lines.map((line) => line.replace('"to":"+8215200064"', '"to":"+8215200065"')),
    ],
    [
      'has a number for another client',
      (lines) => lines.with(1, lines[1]!.replace('acme/main', 'beta/main')),
    ],
  ])('that %s is not', async (name, change) => {
    const { folder } = await buildWith(`wrong-${name.replaceAll(' ', '-')}`, fileOf('wrong.ndjson'));
    const path = folder.registrations!;
    const lines = gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n');
    const changed = change(lines);
    expect(changed).not.toEqual(lines);
    writeFileSync(path, gzipSync(`${changed.join('\n')}\n`));
    expect((await prove(folder, STEP)).wrong).toBeGreaterThan(0);
  });
});

describe('a file of registered senders', () => {
  const line = { client: 'acme/main', from: '+8215881234' };
  it.each<[object, string]>([
    [{ ...line, client: 'acme' }, '"client" must be <organisation>/<client>'],
    [{ ...line, from: '1588-1234' }, '"from" must be a number with + and its country code'],
    [{ ...line, to: '+8215881233' }, '"to" must not be below "from"'],
    [{ ...line, to: '+8215891234' }, '"to" must be at most 10000 numbers from "from"'],
    [{ ...line, own: 1 }, '"own" Invalid type'],
    [{ ...line, more: 1 }, '"more" Invalid key'],
  ])('is refused with line and field: %j', async (wrong, message) => {
    const path = fileOf('bad.ndjson', [line, wrong]);
    const failure = await failureOf(() => buildWith('bad', path));
    expect(failure.message).toContain(`${path}: line 3: ${message}`);
    expect(failure.message.replace(/The first line must be.*$/, '')).not.toContain('8215');
  });

  it('must begin with the version, and be JSON', async () => {
    const bare = write('bare.ndjson', JSON.stringify(line));
    expect((await failureOf(() => buildWith('bad', bare))).message).toContain(
      'line 1: "version" Invalid key',
    );
    const text = write('text.ndjson', '{"version":1}\nacme,+8215881234\n');
    expect((await failureOf(() => buildWith('bad', text))).message).toContain('line 2: is not JSON');
    const { message } = await failureOf(() => buildWith('bad', '/nowhere/senders.ndjson'));
    expect(message).toContain('/nowhere/senders.ndjson: ');
  });
});

describe('the registered senders of a current release', () => {
  let first: BuildResult;

  beforeAll(async () => {
    first = await buildAs(null, catalogueOf(HOLDERS, 3_000), undefined, fileOf('first.ndjson', LINES, 0));
    await pushAs(root, first);
  });

  it('stay as they are in a build for one authority', async () => {
    const built = await buildOwn('ktoa', 3_010);
    const { registrations } = built.manifest;
    expect(registrations).toEqual(first.manifest.registrations);
    for (const { key } of [registrations!.table, ...registrations!.shards])
      expect(built.folder.value(key)).toEqual(first.folder.value(key));
    expect(await prove(built.folder, STEP)).toMatchObject({ wrong: 0 });
  });

  it('cannot be changed with the key of an organisation', async () => {
    const path = fileOf('second.ndjson', LINES.slice(1), 0);
    const built = await buildAs('ktoa', catalogueOf(HOLDERS, 3_000), undefined, path);
    const { message } = await failureOf(() => pushAs(root, built));
    expect(message).toContain('"root" (registered senders), but the key that signed it may change only');
  });

  it('show in the plan, before and after', async () => {
    const path = fileOf('third.ndjson', LINES.slice(1), 0);
    const built = await buildAs(null, catalogueOf(HOLDERS, 3_000), undefined, path);
    const [text, value] = formatPlan(await plan(built.folder, root));
    expect(stripVTControlCharacters(text)).toContain(
      'registered senders: 665 numbers (300 own) and 2 ranges of 3 clients → ' +
        '664 numbers (299 own) and 2 ranges of 3 clients',
    );
    expect(value).toMatchObject({ registrations: { before: { pairs: 665 }, after: { pairs: 664 } } });
    expect(stripVTControlCharacters(summarizePlan(await plan(built.folder, root)))).toMatch(
      /: \+ 0 {2}- 0 in 0 lists\n {2}registered senders: 665 numbers .* → 664 numbers .*\n$/,
    );
  });
});
