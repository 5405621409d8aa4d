/**
 * Guards of text releases: each compares the signed manifest of a release with that of the release in force, and reports
 * what it found, with figures. Pure: the manifests have the results of the evaluations.
 */
import {
  TEXT_DOMAIN_RATE_MAX,
  TEXT_HOSTS_COUNTED_MIN,
  TEXT_HOSTS_REMOVED_SHARE,
  TEXT_LABEL_RATE_FACTOR,
  TEXT_LABELS_EXPECTED_MIN,
} from '../limits/text.ts';
import type { GuardHit } from '../release/guard-settings.ts';
import { counted } from '../release/guards.ts';
import type { DomainFalsePositives, TextManifest } from './text-manifest.ts';

/** Why a text release should not be promoted. Each can be overridden by name, with a reason. */
export const TEXT_GUARDS = ['domain-rate', 'canary-text', 'label-rate', 'older-base', 'fewer-hosts'] as const;
export type TextGuard = (typeof TEXT_GUARDS)[number];

/** `list`: the host list that the hit is about, or null. */
export type TextGuardHit = GuardHit<TextGuard>;

/** Hits in the order of TEXT_GUARDS. @param base the release in force; null for none */
export function textGuardsOf(base: TextManifest | null, next: TextManifest): TextGuardHit[] {
  return [
    ...domainRates(base, next),
    canaryTexts(base, next),
    labelRate(base, next),
    olderBase(base, next),
    ...fewerHosts(base, next),
  ].filter((each) => each !== null);
}

function hit(
  guard: TextGuard,
  message: string,
  figures: TextGuardHit['figures'],
  list: string | null = null,
): TextGuardHit {
  return { guard, list, message: list === null ? message : `${list}: ${message}`, figures, override: guard };
}

function domainRates(base: TextManifest | null, { model }: TextManifest): (TextGuardHit | null)[] {
  if (model === null) return [];
  const { domains } = model;
  if (domains.length === 0)
    return [hit('domain-rate', 'the model was evaluated on no domain of legitimate texts', { domains: 0 })];
  const missing = (base?.model?.domains ?? []).filter(
    ({ domain }) => !domains.some((each) => each.domain === domain),
  );
  return [
    ...domains.map(domainRate),
    ...missing.map(({ domain, texts }) =>
      hit(
        'domain-rate',
        `the model in force was evaluated on ${counted(texts)} texts of "${domain}", but this model on none`,
        { before: texts, texts: 0 },
      ),
    ),
  ];
}

function domainRate({ domain, texts, suspicious }: DomainFalsePositives): TextGuardHit | null {
  if (suspicious <= TEXT_DOMAIN_RATE_MAX * texts && texts > 0) return null;
  if (texts === 0) return hit('domain-rate', `the model was evaluated on no text of "${domain}"`, { texts });
  const most = `more than ${percent(TEXT_DOMAIN_RATE_MAX)}`;
  const message = `the model calls ${counted(suspicious)} of ${counted(texts)} legitimate texts of "${domain}" suspicious, ${most}`;
  return hit('domain-rate', message, { suspicious, texts, share: TEXT_DOMAIN_RATE_MAX });
}

function canaryTexts(base: TextManifest | null, { canaryTexts: tried }: TextManifest): TextGuardHit | null {
  const before = base?.canaryTexts?.texts ?? 0;
  const { texts = 0, blocked = 0, suspicious = 0 } = tried ?? {};
  if (blocked + suspicious > 0) {
    const message = `of ${counted(texts)} canary texts, it would block ${counted(blocked)} and call ${counted(suspicious)} suspicious`;
    return hit('canary-text', message, { texts, blocked, suspicious });
  }
  if (texts >= before || texts > 0) return null;
  const message = `the release in force was tested with ${counted(before)} canary texts, but this release with none`;
  return hit('canary-text', message, { before, texts });
}

/** Compares only domains that both models were evaluated on: another mixture of domains is no change of the model. */
function labelRate(base: TextManifest | null, { model }: TextManifest): TextGuardHit | null {
  const before = base?.model ?? null;
  if (before === null || model === null) return null;
  const both = model.domains.flatMap((next) => {
    const known = before.domains.find(({ domain }) => domain === next.domain);
    return known === undefined || known.texts === 0 ? [] : [{ known, next }];
  });
  const sum = (of: (pair: (typeof both)[number]) => number): number =>
    both.reduce((total, pair) => total + of(pair), 0);
  const suspicious = sum(({ next }) => next.suspicious);
  const texts = sum(({ next }) => next.texts);
  const expected = sum(({ known, next }) => (known.suspicious / known.texts) * next.texts);
  if (suspicious <= TEXT_LABEL_RATE_FACTOR * Math.max(expected, TEXT_LABELS_EXPECTED_MIN)) return null;
  const rounded = Math.round(10 * expected) / 10;
  const message = `the model calls ${counted(suspicious)} of ${counted(texts)} legitimate texts suspicious; at the rates of the model in force it would be ${rounded}`;
  return hit('label-rate', message, { suspicious, texts, expected: rounded, factor: TEXT_LABEL_RATE_FACTOR });
}

function olderBase(base: TextManifest | null, next: TextManifest): TextGuardHit | null {
  const current = base?.release ?? null;
  if (next.base === current) return null;
  const message = `the release was built from ${next.base ?? 'no release'}, but ${current ?? 'none'} is in force`;
  return hit('older-base', message, { base: next.base ?? 'none', current: current ?? 'none' });
}

/** Checks lists of any effect: without an allow list, a link of a well-known host no longer protects a text. */
function fewerHosts(base: TextManifest | null, next: TextManifest): (TextGuardHit | null)[] {
  return (base?.hosts?.lists ?? []).map(({ name, hosts: before }) => {
    const after = next.hosts?.lists.find((list) => list.name === name)?.hosts ?? 0;
    const removed = before - after;
    const isMany = removed > TEXT_HOSTS_REMOVED_SHARE * Math.max(before, TEXT_HOSTS_COUNTED_MIN);
    if (removed <= 0 || !(isMany || after === 0)) return null;
    const message = `would have ${counted(after)} hosts instead of ${counted(before)}`;
    return hit('fewer-hosts', message, { before, after, share: TEXT_HOSTS_REMOVED_SHARE }, name);
  });
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
