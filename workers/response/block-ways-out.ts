/** Why a rule block cannot be changed, and what an admin can do. */
import type { RuleBlockAction, RuleBlockCause } from '../../shared/admin/rule-blocks.ts';
import type { BlockState } from '../../shared/reports/stages.ts';

const GUARDED = 'a guard of live changes refuses it: change the guards, or dismiss the proposal';

const WAYS_OUT: Partial<Readonly<Record<RuleBlockCause, string>>> = {
  ...{ protected: GUARDED, guard: GUARDED },
  unblocked:
    'somebody has unblocked it, or it is on an allow list: clear that entry, or dismiss the proposal',
  rulesFull: 'there is no room for more blocks of rules: build and push, then approve it again',
  blocked: 'an entry of another authority already blocks it: there is nothing to do',
};

/** @param possible actions in this state */
export function whyNot(state: BlockState, possible: readonly RuleBlockAction[]): string {
  if (state === 'shadow')
    return 'it only records what a rule in shadow would have blocked: there is nothing to decide';
  return possible.length === 0
    ? `a block that is "${state}" has ended: it can no longer be changed`
    : `a block that is "${state}" cannot be changed this way; possible: ${possible.join(', ')}`;
}

/** For a campaign that the text store refuses. */
const WAYS_OUT_OF_CAMPAIGNS: typeof WAYS_OUT = {
  unblocked: 'a person has rejected or revoked it: confirm it with npx numgate text campaigns confirm',
  rulesFull: 'there is no room for more campaigns of rules: wait until some end, or revoke some',
  blocked: 'a person has already confirmed it: there is nothing to do',
  invalid: 'the campaign is no longer known: its texts must be reported again',
};

/** The way out for a block that the coordinator or the text store refused. docs/operations.md has the same list. */
export function wayOutOf(cause: RuleBlockCause, isCampaign: boolean): string {
  if (isCampaign) return WAYS_OUT_OF_CAMPAIGNS[cause] ?? 'it cannot be confirmed';
  return WAYS_OUT[cause] ?? 'it cannot have a live entry';
}
