/** `numgate text explain` and `numgate text sample`, without a service. */
import '../support/workspace.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { explainText, formatExplanation } from '../../../cli/commands/text-explain.ts';
import { readModelFolder } from '../../../cli/text/model-folder.ts';
import { openedRelease } from '../../../cli/text/open-release.ts';
import type { CampaignMatch } from '../../../shared/admin/campaigns.ts';
import { encodeHostLists } from '../../../shared/build/text-release.ts';
import type { Effect } from '../../../shared/verdict.ts';
import { numgate, start } from '../support/command.ts';
import { fakeService } from '../support/fake-service.ts';
import { modelFolder, ORDINARY, SPAM } from '../support/texts.ts';
import { FOLDER, write } from '../support/workspace.ts';

const list = (name: string, effect: Effect, hosts: readonly string[]) => ({
  info: { name, effect, authority: 'kisa', asOf: '2026-11-27T00:00:00Z' },
  hosts,
});
const lists = encodeHostLists([
  list('bad', 'block', ['evil.example']),
  list('good', 'allow', ['shop.evil.example']),
  list('odd', 'label', ['odd.example']),
]);
const published = openedRelease(readModelFolder(modelFolder('model')), lists.ok ? lists.value : null);
const shown = (text: string, campaign?: CampaignMatch): string =>
  formatExplanation(explainText(text, published, campaign))[0];

describe('an explanation', () => {
  it.each([
    [
      SPAM,
      'return label, TEXT_SUSPICIOUS, for clients with "onSuspiciousText": "label"; no effect for other clients',
    ],
    [ORDINARY, 'find nothing against the text'],
    [`${ORDINARY} https://a.evil.example/x`, 'return block, TEXT_HOST_LISTED'],
    [`${ORDINARY} https://a.shop.evil.example/x`, 'find nothing against the text'],
    [`${ORDINARY} https://odd.example/`, 'return label, TEXT_HOST_LISTED'],
    [`${SPAM} https://odd.example/ https://evil.example/`, 'return block, TEXT_HOST_LISTED'],
  ])('of %j says what a check would do', (text, effect) => {
    expect(shown(text)).toContain(`a check would ${effect}\n`);
    expect(shown(text)).toContain('the text was not sent anywhere');
  });

  it('has thresholds to three places', () => {
    const odd = readModelFolder(
      modelFolder('odd', { thresholds: { review: 0.123456, suspicious: 0.998765 } }),
    );
    const [text] = formatExplanation(explainText(ORDINARY, openedRelease(odd, null)));
    expect(text).toContain('review from 0.123, suspicious from 0.999\n');
  });

  it('names each host with the list that decides', () => {
    const text = shown('http://x.evil.example/ http://shop.evil.example/ http://other.example/');
    expect(text).toContain('host x.evil.example: block by list bad of kisa, which lists evil.example\n');
    expect(text).toContain('host shop.evil.example: allow by list good of kisa\n');
    expect(text).toContain('host other.example: on no list\n');
  });

  it('has the check, the list with its authority, and the entry for programs', () => {
    const text = `${SPAM} http://x.evil.example/ http://other.example/`;
    expect(formatExplanation(explainText(text, published))[1]).toMatchObject({
      check: { verdict: 'block', code: 'TEXT_HOST_LISTED' },
      hostListsLookedUp: true,
      hosts: [
        { host: 'x.evil.example', list: 'bad', effect: 'block', authority: 'kisa', entry: 'evil.example' },
        { host: 'other.example', list: null, effect: null, authority: null, entry: null },
      ],
      ...{ campaign: null, campaignState: 'notLookedUp' },
    });
    const none = { campaign: null, blocks: false, hasFingerprint: true };
    expect(formatExplanation(explainText(ORDINARY, published, none))[1]).toMatchObject({
      ...{ check: { verdict: 'allow', code: null }, campaign: null, campaignState: 'none' },
    });
  });

  it('of a model alone says that no list was looked at', () => {
    const model = openedRelease(readModelFolder(join(FOLDER, 'model')), null);
    const [text, value] = formatExplanation(explainText(`${ORDINARY} https://evil.example/`, model));
    expect(text).toContain('host evil.example\nno host list was looked up\n');
    expect(text).toContain('a check would find nothing against the text in what was looked up\n');
    expect(value).toMatchObject({ hostListsLookedUp: false });
  });

  it('has a campaign only if the service was asked, and says that the text was sent', () => {
    const found = { campaign: 'c-17', blocks: true, hasFingerprint: true };
    expect(shown(ORDINARY, found)).toMatch(
      /campaign: c-17, which blocks now\na check would return block, TEXT_CAMPAIGN\nthe text was sent to the service/,
    );
    expect(shown(ORDINARY, { ...found, blocks: false })).toContain(
      'c-17, which does not block\na check would find nothing',
    );
    expect(shown(ORDINARY, { ...found, campaign: null, blocks: false })).toContain('campaign: none\n');
    expect(shown('hi', { campaign: null, blocks: false, hasFingerprint: false })).toContain('too short');
    expect(shown('http://shop.evil.example/', found)).toContain(
      'a check would find nothing against the text',
    );
  });

  it('comes from a model before it is built, and contacts nobody', async () => {
    const { url, requests } = await fakeService(() => ({}));
    process.env.NUMGATE_URL = url;
    const file = write('text.txt', `${SPAM}\r\n`);
    const { code, out } = await numgate(
      'text',
      'explain',
      '--model',
      join(FOLDER, 'model'),
      '--file',
      file,
      '--json',
    );
    const { score, band, reasons, model, release, sent } = JSON.parse(out);
    expect([code, band, model, release, sent, reasons[0]]).toEqual([
      0,
      'suspicious',
      'tested',
      null,
      false,
      'wording',
    ]);
    expect(score).toBeGreaterThan(0.9);
    expect(requests).toEqual([]);
  });

  it('never repeats an argument that may be the text', async () => {
    const { code, errors } = await numgate('text', 'explain', 'You have won');
    expect([code, errors]).toEqual([2, expect.stringMatching(/is read from standard input or --file/)]);
    expect(errors).not.toContain('won');
  });

  it('reads standard input', async () => {
    const { child, result } = start(['text', 'explain', '--model', join(FOLDER, 'model')], 'pipe');
    child.stdin!.end(`${SPAM}\n`);
    const { code, out } = await result;
    expect([code, out]).toEqual([0, expect.stringContaining('band suspicious')]);
  });

  it.each([
    ['', 2, /the text is empty/],
    ['가'.repeat(2_001), 1, /the text has 2,001 characters; a check takes at most 2,000/],
    [
      Uint8Array.from([0xbe, 0xc8]),
      1,
      /is not UTF-8: convert it first, as in iconv -f cp949 -t utf-8 \S*wrong\.txt > utf8\.txt/,
    ],
  ])('of a text that no check accepts is refused', async (content, exitCode, message) => {
    const file = write('wrong.txt', content);
    const { code, errors } = await numgate(
      'text',
      'explain',
      '--model',
      join(FOLDER, 'model'),
      '--file',
      file,
    );
    expect([code, errors]).toEqual([exitCode, expect.stringMatching(message)]);
  });
});

describe('numgate text sample', () => {
  it('writes the texts that ship as one training file', async () => {
    const out = join(FOLDER, 'sample.csv');
    const { code } = await numgate('text', 'sample', '--limit', '300', '--out', out);
    const rows = parse(readFileSync(out), { columns: true }) as Record<string, string>[];
    const domains = rows.map(({ domain }) => domain);
    expect([code, rows.length, new Set(domains)]).toEqual([
      ...[0, 900],
      new Set(['english-messages', 'korean-comments', 'korean-reviews']),
    ]);
    expect(
      rows.filter(({ label }) => label === 'spam').every(({ domain }) => domain === 'english-messages'),
    ).toBe(true);
    expect(new Set(rows.map(({ text }) => text)).size).toBeGreaterThan(850);
    const again = await numgate('text', 'sample', '--out', out);
    expect([again.code, again.errors]).toEqual([
      1,
      expect.stringContaining('sample.csv already exists: name a new file with --out, or remove it'),
    ]);
    const every = join(FOLDER, 'every.csv');
    const all = await numgate('text', 'sample', '--out', every, '--json');
    expect(JSON.parse(all.out)).toEqual({ out: every, spam: 747, legitimate: 4_827 + 10_000 + 54_411 });
  });
});
