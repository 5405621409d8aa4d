/** Guards of text releases: each guard on both sides of its bound, and the content of its message. */
import { describe, expect, it } from 'vitest';
import {
  TEXT_DOMAIN_RATE_MAX,
  TEXT_HOSTS_COUNTED_MIN,
  TEXT_HOSTS_REMOVED_SHARE,
  TEXT_LABEL_RATE_FACTOR,
  TEXT_LABELS_EXPECTED_MIN,
} from '../../../shared/limits/text.ts';
import { remainingGuards } from '../../../shared/release/guard-settings.ts';
import { TEXT_GUARDS, textGuardsOf } from '../../../shared/text/text-guards.ts';
import type { TextManifest } from '../../../shared/text/text-manifest.ts';
import { hostList, hostsOf, modelInfo, textManifest } from '../support/text-manifests.ts';

const domain = (name: string, texts: number, suspicious: number) => ({
  ...{ domain: name, texts, review: suspicious, suspicious },
});
const evaluated = (...domains: ReturnType<typeof domain>[]): TextManifest =>
  textManifest({ model: modelInfo({ domains }) });
const hitsOf = (base: TextManifest | null, next: TextManifest): string[] =>
  textGuardsOf(base, { ...next, base: base?.release ?? null }).map(({ guard }) => guard);

describe('domain-rate', () => {
  const most = TEXT_DOMAIN_RATE_MAX * 10_000;

  it('bounds the share of the legitimate texts of each domain that are suspicious', () => {
    expect(hitsOf(null, evaluated(domain('delivery', 10_000, most)))).toEqual([]);
    const [hit] = textGuardsOf(null, evaluated(domain('bank', 10, 0), domain('delivery', 10_000, most + 1)));
    expect(hit).toEqual({
      ...{ guard: 'domain-rate', override: 'domain-rate', list: null },
      figures: { suspicious: most + 1, texts: 10_000, share: TEXT_DOMAIN_RATE_MAX },
      message: 'the model calls 51 of 10,000 legitimate texts of "delivery" suspicious, more than 0.5 %',
    });
  });

  it('is hit by a model that was evaluated on no domain, on no text of one, or not on one of the model in force', () => {
    expect(hitsOf(null, evaluated())).toEqual(['domain-rate']);
    expect(hitsOf(null, evaluated(domain('delivery', 0, 0)))).toEqual(['domain-rate']);
    const base = evaluated(domain('bank', 2_000, 0), domain('delivery', 10_000, 0));
    const [hit, ...others] = textGuardsOf(base, {
      ...evaluated(domain('delivery', 10_000, 0)),
      base: base.release,
    });
    expect([hit!.message, others]).toEqual([
      'the model in force was evaluated on 2,000 texts of "bank", but this model on none',
      [],
    ]);
  });

  it('says nothing about a release without a model', () => {
    expect(hitsOf(evaluated(domain('bank', 2_000, 0)), textManifest({ model: null }))).toEqual([]);
  });
});

describe('canary-text', () => {
  const tried = (texts: number, blocked = 0, suspicious = 0): TextManifest =>
    textManifest({ canaryTexts: { texts, blocked, suspicious } });

  it('is hit by each text that would be blocked or suspicious', () => {
    expect(hitsOf(null, tried(100))).toEqual([]);
    expect(hitsOf(null, tried(100, 1))).toEqual(['canary-text']);
    expect(textGuardsOf(null, tried(1_000, 1, 2))[0]!.message).toBe(
      'of 1,000 canary texts, it would block 1 and call 2 suspicious',
    );
  });

  it('is hit if nobody tried the release on any, although the one in force was', () => {
    expect(hitsOf(tried(100), textManifest())).toEqual(['canary-text']);
    expect(hitsOf(tried(100), tried(0))).toEqual(['canary-text']);
    expect(hitsOf(tried(100), tried(20))).toEqual([]);
    expect(hitsOf(textManifest(), textManifest())).toEqual([]);
  });
});

describe('label-rate', () => {
  it('compares the rates in the domains that both models were evaluated on', () => {
    const base = evaluated(domain('delivery', 10_000, 10), domain('old', 10, 9));
    // The rate of the model in force gives 20 of 20,000.
    const most = TEXT_LABEL_RATE_FACTOR * 20;
    const next = (suspicious: number): TextManifest =>
      evaluated(domain('delivery', 20_000, suspicious), domain('new', 100_000, 400), domain('old', 0, 0));
    expect(hitsOf(base, next(most))).not.toContain('label-rate');
    expect(hitsOf(base, next(most + 1))).toContain('label-rate');
    const hit = textGuardsOf(base, next(most + 1)).find(({ guard }) => guard === 'label-rate');
    expect(hit!.message).toBe(
      'the model calls 41 of 20,000 legitimate texts suspicious; at the rates of the model in force it would be 20',
    );
  });

  it('takes a few texts for none', () => {
    const base = evaluated(domain('delivery', 10_000, 0));
    const most = TEXT_LABEL_RATE_FACTOR * TEXT_LABELS_EXPECTED_MIN;
    expect(hitsOf(base, evaluated(domain('delivery', 10_000, most)))).toEqual([]);
    expect(hitsOf(base, evaluated(domain('delivery', 10_000, most + 1)))).toEqual(['label-rate']);
  });

  it('needs a model in force', () => {
    expect(hitsOf(textManifest({ model: null }), evaluated(domain('delivery', 10_000, 40)))).toEqual([]);
  });
});

describe('older-base', () => {
  it('is hit by a release that was not built from the one in force', () => {
    const base = textManifest();
    const next = textManifest({
      release: 'text-20261125T0312Z-00000002',
      base: 'text-20261123T0312Z-00000000',
    });
    expect(textGuardsOf(base, next).map(({ message }) => message)).toEqual([
      'the release was built from text-20261123T0312Z-00000000, but text-20261124T0312Z-00000001 is in force',
    ]);
    expect(textGuardsOf(null, next).map(({ guard }) => guard)).toEqual(['older-base']);
    expect(textGuardsOf(base, { ...next, base: base.release })).toEqual([]);
    expect(textGuardsOf(null, base)).toEqual([]);
  });
});

describe('fewer-hosts', () => {
  const listed = (...lists: ReturnType<typeof hostList>[]): TextManifest =>
    textManifest({ hosts: lists.length === 0 ? null : hostsOf(...lists) });

  it('bounds the share of the hosts that a list loses, of any effect', () => {
    const base = listed(hostList('phishing', 1_000), hostList('own', 1_000, { effect: 'allow' }));
    const most = TEXT_HOSTS_REMOVED_SHARE * 1_000;
    expect(hitsOf(base, listed(hostList('phishing', 1_000 - most), hostList('own', 2_000)))).toEqual([]);
    const [hit] = textGuardsOf(base, {
      ...listed(hostList('phishing', 1_000), hostList('own', 999 - most)),
      base: base.release,
    });
    expect(hit).toMatchObject({
      ...{ guard: 'fewer-hosts', list: 'own' },
      message: 'own: would have 799 hosts instead of 1,000',
    });
  });

  it('is hit by a list that is gone or empty, however small, and not by a small change of a small list', () => {
    const base = listed(hostList('phishing', 3));
    expect(hitsOf(base, listed())).toEqual(['fewer-hosts']);
    expect(hitsOf(base, listed(hostList('phishing', 0)))).toEqual(['fewer-hosts']);
    expect(hitsOf(base, listed(hostList('phishing', 1)))).toEqual([]);
    const small = TEXT_HOSTS_REMOVED_SHARE * TEXT_HOSTS_COUNTED_MIN;
    expect(hitsOf(listed(hostList('a', small + 1)), listed(hostList('a', 1)))).toEqual([]);
    expect(hitsOf(listed(hostList('a', small + 2)), listed(hostList('a', 1)))).toEqual(['fewer-hosts']);
  });
});

it('all hits come in the order of the guards, and each is overridden by its name alone', () => {
  const base = textManifest({
    canaryTexts: { texts: 5, blocked: 0, suspicious: 0 },
    hosts: hostsOf(hostList('phishing', 100)),
  });
  const next = evaluated(domain('delivery', 10_000, 100));
  const guards = textGuardsOf(base, next);
  expect([...new Set(guards.map(({ guard }) => guard))]).toEqual(TEXT_GUARDS);
  expect(remainingGuards({ guards }, ['domain-rate', 'fewer-hosts']).map(({ guard }) => guard)).toEqual([
    ...['canary-text', 'label-rate', 'older-base'],
  ]);
});
