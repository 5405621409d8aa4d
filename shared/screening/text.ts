/**
 * What a text means for a verdict. Three layers: a host has the effect of its list, a confirmed campaign blocks, and the
 * score of the model labels at most. None of them says anything about a number: an allow entry for the sender excuses
 * no text, and a text excuses no number.
 */
import type { ScreenRequest } from '../request.ts';
import { type Effect, type Match, markOf, type Reason, type Subject } from '../verdict.ts';
import { type Finding, formatUntil, PRECEDENCE } from './finding.ts';
import { campaignName, type ScreenedText, screenedText } from './screened-text.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

/** What was found in the text of a request; null if it has none. */
export function textOf(
  { text }: ScreenRequest,
  { texts, text: published, now }: Pick<Snapshot, 'now' | 'text' | 'texts'>,
): ScreenedText | null {
  return text === undefined ? null : (texts.get(text) ?? screenedText(text, published, now));
}

/**
 * Adds what the text of a request means for it.
 * @param subject the sender if the request has one, otherwise the recipient @param now in ms since 1970
 */
export function addTextFindings(
  subject: Subject,
  { hosts, campaign, onlyAllowedHosts, band, model, isTest }: ScreenedText,
  now: number,
  { onSuspiciousText }: Pick<ClientSettings, 'onSuspiciousText'>,
  findings: Finding[],
): void {
  const seen = new Set<string>();
  for (const { name, effect, authority } of hosts) {
    // Two hosts can be on one list.
    if (effect === 'allow' || seen.has(name)) continue;
    seen.add(name);
    const match = isTest ? 'test' : 'host';
    findings.push(textFinding(effect, { subject, code: 'TEXT_HOST_LISTED', list: name, match, authority }));
  }
  // Looked up earlier in this batch or stream: it may have ended since.
  const isInForce = campaign !== null && campaign.until * 1000 > now;
  if (isInForce && !onlyAllowedHosts) {
    const { id, authority, rule, until } = campaign;
    const mark = rule === undefined ? {} : markOf({ rule, stage: 'confirmed' });
    const reason = { subject, code: 'TEXT_CAMPAIGN', list: campaignName(id), authority } as const;
    const match = isTest ? 'test' : 'campaign';
    findings.push(textFinding('block', { ...reason, match, until: formatUntil(until), ...mark }));
  }
  if (band === 'suspicious') {
    const reason = { subject, code: 'TEXT_SUSPICIOUS', list: model, authority: null } as const;
    findings.push(textFinding(onSuspiciousText, { ...reason, match: isTest ? 'test' : 'model' }));
  }
}

function textFinding(
  effect: Exclude<Effect, 'allow'>,
  reason: Omit<Reason, 'effect' | 'until'> & { readonly match: Match; readonly until?: string | null },
): Finding {
  return {
    ...{ precedence: PRECEDENCE.exact, aspect: 'text' },
    verdict: effect === 'shadow' ? 'allow' : effect,
    reason: { until: null, ...reason, effect },
  };
}
