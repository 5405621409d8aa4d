/** The three layers together: which list decides on a host, when a campaign counts, and bands and reasons. */
import { describe, expect, it } from 'vitest';
import { analyseText, type TextAnalysis } from '../../../shared/text/analyse-text.ts';
import { CampaignTable, encodeCampaigns } from '../../../shared/text/campaign-table.ts';
import { deriveFingerprintKey, fingerprintOf } from '../../../shared/text/fingerprint.ts';
import { encodeHosts, HostTable } from '../../../shared/text/host-table.ts';
import { encodeModel, TextModel } from '../../../shared/text/model.ts';
import { NO_TEXT, type PublishedText } from '../../../shared/text/published.ts';
import { readText } from '../../../shared/text/text.ts';
import type { HostListInfo, ModelInfo } from '../../../shared/text/text-manifest.ts';

const NOW = Date.UTC(2026, 10, 27);
const SPAM =
  '[국제발신] 고객님의 택배가 주소 불명으로 반송되었습니다. 아래 주소에서 다시 입력해 주시기 바랍니다.';
const key = await deriveFingerprintKey(Uint8Array.from({ length: 32 }, (_, at) => at));

const listOf = (name: string, effect: HostListInfo['effect']): HostListInfo => ({
  ...{ name, effect, authority: 'kisa', asOf: '2026-11-27T00:00:00Z', hosts: 1 },
});
const lists = [
  listOf('allowed', 'allow'),
  listOf('blocked', 'block'),
  listOf('labelled', 'label'),
  listOf('shadowed', 'shadow'),
];
const rows = [
  { host: 'bank.example', list: 0 },
  { host: 'evil.example', list: 1 },
  { host: 'evil.example', list: 2 },
  { host: 'good.evil.example', list: 0 },
  { host: 'odd.example', list: 3 },
  { host: 'odd.example', list: 2 },
  { host: 'kbstar.com', list: 0 },
  { host: 'both.example', list: 1 },
  { host: 'both.example', list: 0 },
];
const hosts = { lists, table: new HostTable(encodeHosts(rows), lists.length) };
const campaigns = new CampaignTable(
  encodeCampaigns([
    { id: 17, fingerprint: fingerprintOf(readText(SPAM), key)!, until: NOW / 1000 + 60, authority: 'kisa' },
  ]),
);

/** A model whose score is the same for every text. */
function modelOf(bias: number, thresholds = { review: 0.5, suspicious: 0.9 }): PublishedText['model'] {
  const info = { name: 'm1', thresholds } as ModelInfo;
  return {
    info,
    model: new TextModel(encodeModel({ bits: 12, bias, scale: 1e-9 }, new Int8Array(4096).fill(1))),
  };
}

const analyse = (text: string, published: Partial<PublishedText>, now = NOW): TextAnalysis =>
  analyseText(text, { ...NO_TEXT, ...published }, now);
const listsIn = (text: string): string[] => analyse(text, { hosts }).hosts.map(({ name }) => name);

describe('hosts of a text', () => {
  it.each([
    ['http://evil.example/a', ['blocked']],
    ['http://www.evil.example/a', ['blocked']],
    ['www.good.evil.example', ['allowed']],
    ['http://odd.example', ['labelled']],
    ['http://both.example', ['allowed']],
    ['http://notevil.example', []],
    ['evil.example, bank.example', ['blocked', 'allowed']],
    ['http://bank.example@evil.example/', ['blocked', 'allowed']],
  ])('are looked up on the longest listed parent, allow before block before label: %s', (text, expected) => {
    expect(listsIn(text)).toEqual(expected);
  });

  it.each([
    ['http://bank.example/login', true],
    ['http://bank.example www.bank.example/a', true],
    ['http://bank.example http://new.example', false],
    ['http://bank.example@new.example', false],
    ['http://evil.example', false],
    ['no host', false],
    ['바로가기kbstar.com', true],
    ['Thank you.Please see kbstar.com', true],
    ['kbstar.com에서', true],
    ['kbstar.com.Please', true],
    ['바로가기kbstar.com/login', true],
    ['새소식kbstar.com에서www.kbstar.com으로', true],
    ['http://kbstar.com@evil.com/', false],
    ['http://kbstar.com.evil.com/', false],
    ['http://바로가기kbstar.com/', false],
    ['http://kbstar.com에서', true],
    ['http://evil.com@kbstar.com/', false],
    ['kbstar.com evil.pw', false],
    ['kbstar.com에서evil.com으로', false],
    ['kbstar.com.dev', false],
    ['kbstar.com.Please.dev', false],
    ['kbstar.com.words/login', false],
    ['kbstar.com-login.xyz', false],
    ['kbstar.com http://[2001:db8::1]/', false],
    ['kbstar.com ann@evil.com', false],
    [`kbstar.com ${'好。我的 '.repeat(33)}пример.рф`, false],
    ['kbstar.com 192.0.2.7', false],
    ['kbstar.com odd.example', false],
  ])('are all allowed in %s: %s', (text, expected) => {
    expect(analyse(text, { hosts }).onlyAllowedHosts).toBe(expected);
  });
});

describe('a campaign', () => {
  it('is found in a text that resembles it, until it ends', () => {
    const found = { id: 17, until: NOW / 1000 + 60, authority: 'kisa' };
    expect(analyse(SPAM, { campaigns, key }).campaign).toEqual(found);
    expect(analyse(SPAM.replace('택배가', '소포가'), { campaigns, key }).campaign).toEqual(found);
    expect(
      analyse('오늘 저녁에 만나서 밥이나 먹을까 했는데 비가 와서 내일로 미루자고 하더라', { campaigns, key })
        .campaign,
    ).toBeNull();
    expect(analyse(SPAM, { campaigns, key }, NOW + 60_000).campaign).toBeNull();
  });

  it('is not found without the key', () => {
    expect(analyse(SPAM, { campaigns }).campaign).toBeNull();
  });
});

describe('a score', () => {
  it.each([
    [-5, 'ordinary', 0.007],
    [1, 'review', 0.731],
    [5, 'suspicious', 0.993],
  ])('of log-odds %s has the band %s', (bias, band, score) => {
    const found = analyse(SPAM, { model: modelOf(bias) });
    expect(found).toMatchObject({ band, score, model: 'm1' });
    expect(found.reasons).toEqual(band === 'ordinary' ? [] : ['wording', 'length']);
  });

  it('is compared before it is rounded', () => {
    const model = modelOf(Math.log(0.9004 / 0.0996), { review: 0.5, suspicious: 0.9003 });
    expect(analyse(SPAM, { model })).toMatchObject({ band: 'suspicious', score: 0.9 });
  });

  it('does not exist without a model', () => {
    expect(analyse(SPAM, { hosts, campaigns, key })).toMatchObject({
      score: null,
      band: null,
      reasons: [],
      model: null,
    });
  });
});

it('an analysis holds nothing of the text', () => {
  const text = `비밀번호 hunter2 ${SPAM} http://secret-host.example/path http://evil.example`;
  const found = JSON.stringify(analyse(text, { hosts, campaigns, key, model: modelOf(5) }));
  expect(found).not.toMatch(/hunter2|secret|택배|path|evil/);
});
