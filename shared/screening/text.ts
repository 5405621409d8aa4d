/**
 * What a text means for a verdict. Three layers: a host has the effect of its list, a confirmed campaign blocks, and the
 * score of the model labels at most. Text and number are judged apart: an allow entry for the sender excuses no text,
 * and a text excuses no number.
 */
import type { ScreenRequest, Sender } from '../request.ts';
import { formatCampaignId } from '../text/campaign-id.ts';
import { type Effect, markOf } from '../verdict.ts';
import { type BlockedParty, type Finding, type FoundReason, formatUntil, PRECEDENCE } from './finding.ts';
import { type ScreenedText, screenedText } from './screened-text.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

/** The findings of a text. Reuses those of the same text, if the snapshot has them. */
export function textOf(
  text: string,
  { texts, text: published, now }: Pick<Snapshot, 'now' | 'text' | 'texts'>,
): ScreenedText {
  return texts.get(text) ?? screenedText(text, published, now);
}

/**
 * Adds the findings of the text, as findings about the sender, or about the recipient if there is no sender.
 * @param now in ms since 1970
 */
export function addTextFindings(
  { from, to }: ScreenRequest,
  { hosts, campaign, onlyAllowedHosts, band, model, isTest }: ScreenedText,
  now: number,
  { onSuspiciousText }: Pick<ClientSettings, 'onSuspiciousText'>,
  findings: Finding[],
): void {
  const subject = from === null ? 'to' : 'from';
  const seen = new Set<string>();
  for (const { name, effect, authority } of hosts) {
    // Two hosts can be on one list.
    if (effect === 'allow' || seen.has(name)) continue;
    seen.add(name);
    const match = isTest ? 'test' : 'host';
    findings.push(textFinding(effect, { subject, code: 'TEXT_HOST_LISTED', list: name, match, authority }));
  }
  // The campaign was looked up earlier in this batch or stream, and may have ended since.
  const isInForce = campaign !== null && campaign.until * 1000 > now;
  if (isInForce && !onlyAllowedHosts) {
    const { id, authority, until } = campaign;
    const named = { subject, code: 'TEXT_CAMPAIGN', list: formatCampaignId(id), authority } as const;
    const reason = { ...named, ...markOf(campaign) };
    const match = isTest ? 'test' : 'campaign';
    const blocked = isTest ? undefined : blockedParty(from ?? to);
    findings.push(textFinding('block', { ...reason, match, until: formatUntil(until), blocked }));
  }
  if (band === 'suspicious') {
    const reason = { subject, code: 'TEXT_SUSPICIOUS', list: model, authority: null } as const;
    findings.push(textFinding(onSuspiciousText, { ...reason, match: isTest ? 'test' : 'model' }));
  }
}

/** The party that can appeal against a block by a campaign: the party that is blocked. */
function blockedParty(party: Sender | null): BlockedParty | undefined {
  if (party?.kind === 'number') return { party: party.n, seq: null };
  return party?.kind === 'source' ? { party: party.text, seq: null } : undefined;
}

function textFinding(
  effect: Exclude<Effect, 'allow'>,
  reason: Omit<FoundReason, 'effect' | 'until'> & Partial<Pick<FoundReason, 'until'>>,
): Finding {
  return {
    ...{ precedence: PRECEDENCE.exact, aspect: 'text' },
    verdict: effect === 'shadow' ? 'allow' : effect,
    reason: { until: null, ...reason, effect },
  };
}
