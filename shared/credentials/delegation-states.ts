/**
 * The states of a delegation, and the moves between them. Pure: `party` is the side that may make a move, and the store
 * checks that the caller is on that side.
 */
import { type Failure, ok, type Result } from '../result.ts';

export const DELEGATION_STATES = [
  'proposed',
  'accepted',
  'active',
  'suspended',
  'rejected',
  'withdrawn',
  'revoked',
  'expired',
] as const;
export type DelegationState = (typeof DELEGATION_STATES)[number];

/** The moves. Each is the last part of a path of the API. */
export const DELEGATION_MOVES = [
  'accept',
  'confirm',
  'reject',
  'withdraw',
  'suspend',
  'resume',
  'revoke',
] as const;
export type DelegationMove = (typeof DELEGATION_MOVES)[number];

interface Move {
  readonly party: 'principal' | 'agent';
  readonly from: readonly DelegationState[];
  readonly to: DelegationState;
}

const MOVES: Readonly<Record<DelegationMove, Move>> = {
  accept: { party: 'agent', from: ['proposed'], to: 'accepted' },
  reject: { party: 'agent', from: ['proposed', 'accepted'], to: 'rejected' },
  confirm: { party: 'principal', from: ['accepted'], to: 'active' },
  withdraw: { party: 'principal', from: ['proposed', 'accepted'], to: 'withdrawn' },
  suspend: { party: 'principal', from: ['active'], to: 'suspended' },
  resume: { party: 'principal', from: ['suspended'], to: 'active' },
  revoke: { party: 'principal', from: ['active', 'suspended'], to: 'revoked' },
};

/** States that expire. */
const OPEN: readonly DelegationState[] = ['proposed', 'accepted', 'active', 'suspended'];

export type Party = Move['party'];

/** Returns the side that may make the move. */
export function partyOf(move: DelegationMove): Party {
  return MOVES[move].party;
}

/** Returns the state at a time. @param expiresAt @param now ms since 1970 */
export function stateAt(state: DelegationState, expiresAt: number, now: number): DelegationState {
  return now >= expiresAt && OPEN.includes(state) ? 'expired' : state;
}

/** Returns the moves that a party can make in a state. */
export function possibleDelegationMoves(state: DelegationState, party: Party): DelegationMove[] {
  return DELEGATION_MOVES.filter((move) => MOVES[move].party === party && MOVES[move].from.includes(state));
}

/** Returns the state after a move. */
export function delegationMoved(
  state: DelegationState,
  move: DelegationMove,
): Result<DelegationState, Failure<'DELEGATION_STATE'>> {
  if (MOVES[move].from.includes(state)) return ok(MOVES[move].to);
  const possible = possibleDelegationMoves(state, partyOf(move));
  const nothing = OPEN.includes(state) ? `the ${partyOf(move)} can do nothing now` : 'it has ended';
  const rest = possible.length === 0 ? nothing : `possible: ${possible.join(', ')}`;
  return {
    ...{ ok: false, code: 'DELEGATION_STATE' },
    message: `"${move}" is not possible: the delegation is "${state}"; ${rest}`,
  };
}
