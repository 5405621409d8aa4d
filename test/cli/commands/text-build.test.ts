/** `numgate text build` without a service: the content of a text release, refused lines, and deterministic builds. */
import '../support/workspace.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildText, type TextBuildSettings } from '../../../cli/commands/text-build.ts';
import { TEXT_DATA } from '../../../cli/paths.ts';
import { releaseInFolder } from '../../../cli/text/open-release.ts';
import { parseHostsOption } from '../../../cli/text/text-catalogue.ts';
import { newestTextBuild, TextFolder } from '../../../cli/text/text-folder.ts';
import { HOST_LISTS_MAX } from '../../../shared/limits/text.ts';
import { numgate } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { modelFolder, ORDINARY, SPAM } from '../support/texts.ts';
import { BUILDS, FOLDER, write } from '../support/workspace.ts';

const NOW = new Date('2026-11-27T05:00:00Z');
const hosts = (name: string, lines: readonly string[], effect = 'block') =>
  parseHostsOption(`${name}=${write(`hosts/${name}.txt`, lines.join('\n'))}:${effect}:kisa`)!;
const buildWith = (name: string, settings: Partial<TextBuildSettings>) =>
  buildText({ builds: join(BUILDS, 'text', name), admin: null, now: NOW, ...settings });

/** Every file of a folder with its bytes. */
function contentOf(path: string): [string, string][] {
  return readdirSync(path, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => [file.slice(path.length), readFileSync(file, 'base64')]);
}

describe('a text release', () => {
  it('has the model and the hosts of its inputs, each host once, in canonical form', async () => {
    const list = hosts('listed', [
      'Evil.example.com',
      '# a comment',
      '',
      'evil.example.com.  # twice',
      '0.0.0.0 은행.example.net',
    ]);
    const allowed = hosts('allowed', ['ok.evil.example.com'], 'allow');
    const { folder, manifest, hostLists, rejected, excused } = await buildWith('whole', {
      ...{ model: modelFolder('model'), hosts: [list, allowed] },
    });
    expect(manifest).toMatchObject({ base: null, createdAt: NOW.toISOString(), canaryTexts: null });
    expect(manifest.release).toMatch(/^text-20261127T0500Z-[0-9a-f]{8}$/);
    expect(manifest.hosts?.lists).toEqual([
      { name: 'listed', effect: 'block', authority: 'kisa', asOf: NOW.toISOString(), hosts: 2 },
      { name: 'allowed', effect: 'allow', authority: 'kisa', asOf: NOW.toISOString(), hosts: 1 },
    ]);
    expect([hostLists[0]?.duplicates, rejected, excused]).toEqual([1, 0, 0]);
    const { hosts: opened, model } = await releaseInFolder(folder);
    expect([...opened!.table.rows()]).toEqual([
      { host: 'evil.example.com', list: 0 },
      { host: 'ok.evil.example.com', list: 1 },
      { host: 'xn--zs5b84x.example.net', list: 0 },
    ]);
    expect(model?.info.name).toBe('tested');
  });

  it('has the same bytes for the same inputs and time, and another name for others', async () => {
    const settings = {
      model: modelFolder('same'),
      hosts: [hosts('same', ['b.example.com', 'a.example.com'])],
    };
    const [one, two] = [await buildWith('one', settings), await buildWith('two', settings)];
    expect(contentOf(one.folder.path)).toEqual(contentOf(two.folder.path));
    const other = await buildWith('one', { ...settings, hosts: [hosts('same', ['a.example.com'])] });
    expect(other.manifest.release).not.toBe(one.manifest.release);
    expect(newestTextBuild(join(BUILDS, 'text', 'one')).path).toMatch(/text-20261127T0500Z-/);
  });

  it('has the counts of canary texts, and names the lines that it would hit', async () => {
    const texts = [ORDINARY, '', SPAM, 'see https://x.evil.example.com/1', SPAM.toUpperCase()];
    const canaryTexts = write('canaries.txt', texts.join('\n'));
    const settings = { model: modelFolder('hit'), hosts: [hosts('hit', ['evil.example.com'])] };
    const { manifest, canaries, folder } = await buildWith('hit', { ...settings, canaryTexts });
    expect(manifest.canaryTexts).toEqual({ texts: 4, blocked: 1, suspicious: 2 });
    expect(canaries?.hitLines).toEqual([3, 4, 5]);
    expect(JSON.stringify(contentOf(folder.path))).not.toContain('prize');
    const ndjson = write('canaries.ndjson', `${JSON.stringify({ text: `${ORDINARY}\n둘째 줄` })}\n`);
    expect((await buildWith('none', { ...settings, canaryTexts: ndjson })).manifest.canaryTexts).toEqual({
      ...{ texts: 1, blocked: 0, suspicious: 0 },
    });
  });

  it('reads the list that ships, and says why it leaves lines out', async () => {
    const file = join(TEXT_DATA, 'polkadot-phishing-hosts.json');
    const list = parseHostsOption(`crypto=${file}:block:polkadot-js`)!;
    const { hostLists, folder, rejected } = await buildWith('polkadot', { hosts: [list], skipInvalid: true });
    expect(hostLists[0]!.hosts + hostLists[0]!.duplicates + rejected).toBe(54_863);
    expect(rejected).toBeLessThan(1_000);
    const rejects = readFileSync(join(folder.path, 'rejects.csv'), 'utf8').trimEnd().split('\n');
    expect(rejects.length).toBe(rejected + 1);
  });
});

describe('a build', () => {
  it('refuses public suffixes and shorteners, with their lines', async () => {
    const list = hosts('bad', [
      'evil.example.com',
      'co.kr',
      'github.io',
      'bit.ly',
      'https://evil.example.com/a',
    ]);
    const { message, extras } = await failureOf(() => buildWith('bad', { hosts: [list] }));
    expect(message.replaceAll(list.file, 'bad.txt')).toBe(
      [
        '4 lines cannot be on a host list:',
        '  bad.txt, line 2: "co.kr" is a public suffix: names of many owners end with it',
        '  bad.txt, line 3: "github.io" is a public suffix of a provider: a list with the effect "block" would decide for all its customers',
        '  bad.txt, line 4: "bit.ly" shortens links for everybody: a list with the effect "block" would decide for all of them',
        '  bad.txt, line 5: "https://evil.example.com/a" has a path, but a list decides about whole hosts: list the host if you mean all of it',
        'Correct them, or pass --skip-invalid to build without them',
      ].join('\n'),
    );
    expect(extras).toMatchObject({ code: 'HOSTS_INVALID', rejected: 4 });
    expect(readdirSync(join(BUILDS, 'text'))).not.toContain('bad');
  });

  it.each([
    [
      'no file',
      { hosts: [{ ...hosts('gone', ['a.example.com']), file: '/nowhere/hosts.txt' }] },
      /nowhere\/hosts\.txt: does not exist/,
    ],
    ['an empty list', { hosts: [hosts('empty', ['# nothing'])] }, /has no host: remove the list empty/],
    ['no model', { model: '/nowhere' }, /\/nowhere\/model\.json: does not exist/],
    [
      'too many lists',
      {
        hosts: Array.from({ length: HOST_LISTS_MAX + 1 }, (_, index) => ({
          ...hosts('many', ['a.example.com']),
          name: `list-${index}`,
        })),
      },
      /17 host lists; a text release has at most 16/,
    ],
    [
      'an unknown form of JSON',
      { hosts: [{ ...hosts('json', []), file: write('hosts/odd.json', '{"urls":[]}') }] },
      /odd\.json: has an unknown format/,
    ],
    [
      'canary texts in another encoding',
      {
        hosts: [hosts('fine', ['a.example.com'])],
        canaryTexts: write('cp949.txt', Uint8Array.from([0xb0, 0xa1, 0x0a])),
      },
      /cp949\.txt: is not UTF-8: convert it first/,
    ],
    [
      'a canary text that is too long',
      {
        hosts: [hosts('fine', ['a.example.com'])],
        canaryTexts: write('long.txt', `ok\n${'가'.repeat(2_001)}`),
      },
      /long\.txt, line 2: the text has 2,001 characters; a check takes at most 2,000/,
    ],
    [
      'canary lines without a text',
      {
        hosts: [hosts('fine', ['a.example.com'])],
        canaryTexts: write('odd.ndjson', '{"text":"ok"}\n{"txt":"no"}'),
      },
      /odd\.ndjson, line 2: is not a JSON object with "text"/,
    ],
    ['nothing to keep', { keepModel: true }, /no text release is in force, so there is nothing to keep/],
  ] as const)('fails with %s', async (_what, settings, message) => {
    expect((await failureOf(() => buildWith('failing', settings))).message).toMatch(message);
  });

  it('refuses a model whose files do not belong together, or are cut', async () => {
    const path = modelFolder('broken');
    write(
      'broken/model.json',
      JSON.stringify({ ...JSON.parse(readFileSync(join(path, 'model.json'), 'utf8')), bits: 14 }),
    );
    expect((await failureOf(() => buildWith('failing', { model: path }))).message).toMatch(
      /"bits" is 14, but model\.bin has 12: train the model again/,
    );
    modelFolder('broken');
    const bytes = readFileSync(join(path, 'model.bin'));
    write('broken/model.bin', bytes.subarray(0, bytes.length - 8));
    expect((await failureOf(() => buildWith('failing', { model: path }))).message).toMatch(
      /model\.bin: model: truncated: train the model again/,
    );
  });

  it('runs from the command line, offline', async () => {
    const out = join(FOLDER, 'built');
    const list = hosts('line', ['a.example.com', 'com']);
    const option = `line=${list.file}:block:kisa`;
    const args = ['text', 'build', '--offline', '--out', out, '--hosts', option];
    const refused = await numgate(...args);
    expect([refused.code, refused.errors]).toEqual([
      1,
      expect.stringMatching(/line\.txt, line 2: "com" is a public suffix/),
    ]);
    const { code, out: text } = await numgate(...args, '--skip-invalid');
    expect([code, text]).toEqual([
      0,
      expect.stringMatching(/^text-\d{8}T\d{4}Z-[0-9a-f]{8} in .*, without a base\n/),
    ]);
    expect(text).toContain('1 line left out');
    const wrong = await numgate('text', 'build', '--offline', '--hosts', 'a=b');
    expect([wrong.code, wrong.errors]).toEqual([
      2,
      expect.stringContaining('must be name=FILE:effect:authority'),
    ]);
    for (const [given, message] of [
      ['own=f:blok:acme', /the effect must be one of allow, block, label, shadow/],
      ['Own=f:block:acme', /the name must have only lower case letters, digits and dashes, at most 63/],
      ['own=f:block:', /the authority must have only lower case/],
    ] as const) {
      const { code: exit, errors } = await numgate('text', 'build', '--offline', '--hosts', given);
      expect([exit, errors]).toEqual([2, expect.stringMatching(message)]);
    }
    for (const command of ['build', 'train', 'push']) {
      const help = (await numgate('text', command, '--help')).out;
      expect(help).toContain(`numgate text ${command}`);
      expect(help).not.toMatch(/default: (?:false|\{\})/);
    }
    const broken = await numgate('text', 'build', '--offline', write('broken.json', '{hosts:'));
    expect(broken.errors).toContain('broken.json: is not JSON: ');
    expect((await numgate('text', 'build', '--offline')).code).toBe(2);
  });
});

describe('the folder of a text release', () => {
  it('is refused if a value or the manifest was altered since the build', async () => {
    const { folder, manifest } = await buildWith('altered', { hosts: [hosts('altered', ['a.example.com'])] });
    const values = join(folder.path, 'values');
    const [name] = readdirSync(values) as [string];
    const bytes = readFileSync(join(values, name));
    bytes[20]! ^= 1;
    write(join(values, name).slice(FOLDER.length + 1), bytes);
    const altered = new TextFolder(folder.path);
    expect((await failureOf(() => altered.values(manifest))).message).toMatch(/was altered since the build/);
    const signed = JSON.parse(readFileSync(join(folder.path, 'manifest.json'), 'utf8'));
    const other = { ...signed, signed: signed.signed.replace('"kisa"', '"kiss"') };
    write(join(folder.path, 'manifest.json').slice(FOLDER.length + 1), JSON.stringify(other));
    expect((await failureOf(() => altered.open())).message).toMatch(
      /not signed by a key that this service trusts/,
    );
  });
});
