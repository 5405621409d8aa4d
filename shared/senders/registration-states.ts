/**
 * The states of a registration, and the moves between them. Pure. Permissions are checked elsewhere.
 *
 * `state` is the state of the newest version. The approved version stays in force while a newer one is a draft or in
 * review. Only a suspension, a closing and its end take it out of force.
 */
import { type Failure, ok, type Result } from '../result.ts';
import { ACTIONS, type RegistrationAction, type RegistrationState } from './registration.ts';

export interface ReviewState {
  readonly state: RegistrationState;
  readonly version: number;
  readonly approvedVersion: number | null;
  /** While suspended: the state of the newest version before the suspension. */
  readonly suspendedFrom: RegistrationState | null;
}

/** An action of a person on a registration. */
export type Move = RegistrationAction | 'edit';
export const MOVES: readonly Move[] = ['edit', ...ACTIONS];
/** Moves of the organisation itself. All other moves are those of reviewers. */
export const SENDER_MOVES: readonly Move[] = ['edit', 'submit', 'close'];

/** The next state, by move and state. All other combinations are impossible. */
const NEXT: Readonly<Record<Move, Partial<Record<RegistrationState, RegistrationState>>>> = {
  edit: {
    ...{ draft: 'draft', submitted: 'draft', needsUpdate: 'draft' },
    ...{ rejected: 'draft', approved: 'draft', expired: 'draft' },
  },
  submit: { draft: 'submitted' },
  // A second claim extends the first, or takes over one that has ended.
  claim: { submitted: 'inReview', inReview: 'inReview' },
  release: { inReview: 'submitted' },
  approve: { inReview: 'approved' },
  reject: { inReview: 'rejected' },
  requestUpdate: { inReview: 'needsUpdate' },
  suspend: {
    ...{ draft: 'suspended', submitted: 'suspended', inReview: 'suspended' },
    ...{ needsUpdate: 'suspended', rejected: 'suspended', approved: 'suspended' },
  },
  // Back to `suspendedFrom`.
  resume: { suspended: 'approved' },
  close: {
    ...{ draft: 'closed', submitted: 'closed', inReview: 'closed', needsUpdate: 'closed' },
    ...{ approved: 'closed', rejected: 'closed', suspended: 'closed', expired: 'closed' },
  },
};

/** A registration at its creation. */
export const NEW_REGISTRATION: ReviewState = {
  ...{ state: 'draft', version: 1 },
  ...{ approvedVersion: null, suspendedFrom: null },
};

/** Whether the approved version is in force. */
export function isInForce({
  state,
  approvedVersion,
}: Pick<ReviewState, 'state' | 'approvedVersion'>): boolean {
  return approvedVersion !== null && state !== 'suspended';
}

export function possibleMoves(current: ReviewState): Move[] {
  return MOVES.filter((move) => nextState(current, move) !== null);
}

function nextState(current: ReviewState, move: Move): RegistrationState | null {
  if (move === 'suspend' && current.approvedVersion === null) return null;
  return NEXT[move][current.state] ?? null;
}

/** The registration after a move; REGISTRATION_STATE if its state does not allow it. */
export function moved(current: ReviewState, move: Move): Result<ReviewState, Failure<'REGISTRATION_STATE'>> {
  const state = nextState(current, move);
  if (state === null) return refused(current, move);
  const { version, approvedVersion } = current;
  const rest = { version, approvedVersion, suspendedFrom: null };
  switch (move) {
    case 'edit':
      return ok({ ...rest, state, version: version + 1 });
    case 'approve':
      return ok({ ...rest, state, approvedVersion: version });
    case 'suspend':
      return ok({ ...rest, state, suspendedFrom: current.state });
    case 'resume':
      return ok({ ...rest, state: unsuspended(current) });
    case 'close':
      return ok({ ...rest, state, approvedVersion: null });
    default:
      return ok({ ...rest, state });
  }
}

/** The registration after the end of its approved version. A newer version keeps its state. */
export function expired(current: ReviewState): ReviewState {
  const state = current.state === 'suspended' ? unsuspended(current) : current.state;
  return {
    ...{ version: current.version, approvedVersion: null, suspendedFrom: null },
    state: state === 'approved' ? 'expired' : state,
  };
}

/** The claim of a reviewer does not outlast the suspension. */
function unsuspended({ suspendedFrom }: ReviewState): RegistrationState {
  return suspendedFrom === 'inReview' ? 'submitted' : (suspendedFrom ?? 'approved');
}

function refused(current: ReviewState, move: Move): Failure<'REGISTRATION_STATE'> {
  const why =
    move === 'suspend' && current.approvedVersion === null && current.state !== 'closed'
      ? ' and has no approved version'
      : '';
  return {
    ok: false,
    code: 'REGISTRATION_STATE',
    message: `"${move}" is not possible: the registration is "${current.state}"${why}`,
  };
}
