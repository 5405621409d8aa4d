/** Formats for several commands of text releases: models, host lists and canary texts. */
import type { HostListInfo, ModelInfo, TextManifest } from '../../shared/text/text-manifest.ts';
import { count, counted, percent } from '../terminal/figures.ts';
import { styleText, visible } from '../terminal/visible.ts';
import type { CanaryResult } from './canary-texts.ts';

/** Maximum number of hit canary texts whose lines a report names. */
const LINES_SHOWN_MAX = 10;

export function formatModel(model: ModelInfo | null): string {
  if (model === null) return 'no model: no text gets a score';
  const { name, bits, thresholds, trained } = model;
  return (
    `model ${styleText('bold', name)}: ${count(2 ** bits / 1024)} KiB, ${formatThresholds(thresholds)}, ` +
    `trained on ${count(trained.spam)} spam and ${counted(trained.legitimate, 'legitimate text')}`
  );
}

/** To three decimal places, like the scores in the responses of checks. */
export function formatThresholds({ review, suspicious }: ModelInfo['thresholds']): string {
  return `review from ${review.toFixed(3)}, suspicious from ${suspicious.toFixed(3)}`;
}

/** False positives of each domain at `suspicious`, one line each. */
export function formatDomains(model: ModelInfo): string[] {
  return model.domains.map(
    ({ domain, texts, suspicious }) =>
      `  ${domain}: ${count(suspicious)} of ${counted(texts, 'text')} suspicious${texts === 0 ? '' : ` (${percent(suspicious / texts)})`}`,
  );
}

export function formatHostLists(lists: readonly HostListInfo[]): string[] {
  if (lists.length === 0) return ['  no host lists'];
  return lists.map(
    ({ name, effect, authority, asOf, hosts }) =>
      `  ${visible(name)}: ${effect} ${counted(hosts, 'host')}, by ${visible(authority)}, as of ${asOf}`,
  );
}

export function formatCanaries({ counts, hitLines }: CanaryResult): string[] {
  const { texts, blocked, suspicious } = counts;
  if (hitLines.length === 0) return [`none of ${counted(texts, 'canary text')} would be hit`];
  const lines = hitLines.slice(0, LINES_SHOWN_MAX).join(', ');
  const more = hitLines.length > LINES_SHOWN_MAX ? ' and others' : '';
  return [
    styleText(
      'yellow',
      `${count(blocked)} of ${counted(texts, 'canary text')} blocked, ${count(suspicious)} suspicious: ${hitLines.length === 1 ? 'line' : 'lines'} ${lines}${more}`,
    ),
  ];
}

/** The counts in a manifest of the canary texts of its build. */
export function formatCanaryCounts({ canaryTexts }: TextManifest): string {
  if (canaryTexts === null) return 'no canary texts were given to the build';
  const { texts, blocked, suspicious } = canaryTexts;
  return `canary texts of the build: ${counted(texts, 'text')}, ${count(blocked)} blocked, ${count(suspicious)} suspicious`;
}
