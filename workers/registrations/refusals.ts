/** Refusals of moves of a registration. */
import type { RegistrationReason } from '../../shared/senders/registration.ts';
import { type Move, possibleMoves, SENDER_MOVES } from '../../shared/senders/registration-states.ts';
import { invalidRegistration } from '../../shared/senders/validation.ts';
import type { Author } from '../storage/audit-chain.ts';
import { refuse, type StoreResult } from '../storage/store-request.ts';
import type { StoredRegistration } from './registration-rows.ts';

/** Moves of the reviewer who has claimed the registration. */
export const CLAIMANT: readonly Move[] = ['release', 'approve', 'reject', 'requestUpdate'];

/** Names only moves that the author may make. The move shows whether an author other than `root` is sender or reviewer. */
export function impossible(
  move: Move,
  message: string,
  before: StoredRegistration,
  { actor, isRoot = false }: Author,
): StoreResult<never> {
  const { state, claimedBy } = before;
  const isSender = SENDER_MOVES.includes(move);
  const possible = possibleMoves(before).filter((each) => {
    if (!isRoot && SENDER_MOVES.includes(each) !== isSender) return false;
    if (CLAIMANT.includes(each)) return claimedBy === actor || (each === 'release' && isRoot);
    return each !== 'claim' || claimedBy === null || claimedBy === actor;
  });
  const nothing =
    state === 'closed' ? 'a closed registration cannot change' : 'you can do nothing in this state';
  const rest = possible.length === 0 ? nothing : `possible: ${possible.join(', ')}`;
  return refuse('REGISTRATION_STATE', `${message}; ${rest}`, { state, possible });
}

/** Refuses a move because somebody else, or nobody, has claimed the registration. */
export function claimed({ claimedBy, claimedUntil }: StoredRegistration): StoreResult<never> {
  const message =
    claimedBy === null
      ? 'claim the registration first'
      : `${claimedBy} has claimed it until ${new Date(claimedUntil!).toISOString()}: wait, or agree with them`;
  return refuse('REGISTRATION_CLAIMED', message);
}

/** @param reasons at least one */
export function invalid(reasons: readonly RegistrationReason[]): StoreResult<never> {
  const { code, message } = invalidRegistration(reasons);
  return refuse(code, message, { reasons });
}
