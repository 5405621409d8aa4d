/**
 * Stages of a rule block. A provisional block ends automatically unless reports of an independent kind, or a person,
 * confirm it. So an unconfirmed block never outlives its first stage.
 */
import type { ProposalCause } from './counter-evidence.ts';
import { durationMs } from './duration.ts';
import type { Rule } from './rule.ts';

/**
 * `proposed`: waits for a person, and blocks nothing. `provisional` and `confirmed`: in force. `ended`: by time.
 * `lifted`: by a person, an appeal, or because its reports were withdrawn. `dismissed`: a person declined a proposal.
 * `shadow`: what a rule in shadow would have blocked.
 */
export const BLOCK_STATES = [
  ...(['proposed', 'provisional', 'confirmed'] as const),
  ...(['ended', 'lifted', 'dismissed', 'shadow'] as const),
] as const;
export type BlockState = (typeof BLOCK_STATES)[number];

/** Stages in which the number is blocked. */
export const IN_FORCE: readonly BlockState[] = ['provisional', 'confirmed'];

/** Events that change the stage of a block. `approve`, `confirm`, `lift`, `dismiss` are actions of a person. */
export const BLOCK_EVENTS = [
  ...(['confirmed', 'unsupported', 'timeUp', 'appealed'] as const),
  ...(['approve', 'confirm', 'lift', 'dismiss'] as const),
] as const;
export type BlockEvent = (typeof BLOCK_EVENTS)[number];

export interface BlockStage {
  readonly state: BlockState;
  /** When the stage ends, ms since 1970; null for the stages without an end: `ended`, `lifted`, `dismissed`. */
  readonly until: number | null;
  /** Whether a person confirmed the block, so that it no longer rests on the reports alone. */
  readonly byPerson: boolean;
}

/** The first stage of a block. @param causes why a person must decide: from `causesOf`, or why it was refused */
export function firstStage(rule: Rule, causes: readonly ProposalCause[], now: number): BlockStage {
  const until = now + durationMs(rule.provisional);
  if (rule.state !== 'active' || rule.effect === 'shadow') return { state: 'shadow', until, byPerson: false };
  return { state: causes.length > 0 ? 'proposed' : 'provisional', until, byPerson: false };
}

/**
 * The stage after an event; null if the event does not apply to the stage. Nothing sends `timeUp` when a stage ends: the
 * caller checks `until` first, and passes `timeUp`.
 */
export function nextStage(stage: BlockStage, event: BlockEvent, rule: Rule, now: number): BlockStage | null {
  const { state, byPerson } = stage;
  const confirmedUntil = now + durationMs(rule.confirmed);
  const end = (to: BlockState): BlockStage => ({ state: to, until: null, byPerson });
  switch (state) {
    case 'proposed':
      if (event === 'approve') {
        return { state: 'provisional', until: now + durationMs(rule.provisional), byPerson: false };
      }
      if (event === 'dismiss') return end('dismissed');
      // Nobody acted, or nothing is left to act on.
      return event === 'timeUp' || event === 'unsupported' || event === 'appealed' ? end('ended') : null;
    case 'provisional':
      if (event === 'confirmed') return { state: 'confirmed', until: confirmedUntil, byPerson };
      if (event === 'confirm') return { state: 'confirmed', until: confirmedUntil, byPerson: true };
      return endInForce(stage, event, end);
    case 'confirmed':
      if (event === 'confirm' && !byPerson) return { ...stage, byPerson: true };
      return endInForce(stage, event, end);
    case 'shadow':
      return event === 'timeUp' || event === 'unsupported' ? end('ended') : null;
    default:
      return null;
  }
}

function endInForce(
  { byPerson }: BlockStage,
  event: BlockEvent,
  end: (to: BlockState) => BlockStage,
): BlockStage | null {
  if (event === 'timeUp') return end('ended');
  if (event === 'unsupported') return byPerson ? null : end('lifted');
  return event === 'lift' || event === 'appealed' ? end('lifted') : null;
}
