/** The results that the client returns without a verdict, or with a verdict that it does not know. */
import type { Failure } from './attempts.ts';
import { localError, type NumgateError } from './errors.ts';
import type { CheckAnswer, FailPolicy, Ingress, ItemError, Verdict } from './types.ts';

/** The result of a check without a verdict of the service. The local fail policy decides. */
export interface LocalAnswer {
  readonly verdict: 'indeterminate';
  readonly action: FailPolicy;
  /** Set if the traffic passes and is from abroad according to its ingress, otherwise null. */
  readonly label: string | null;
  readonly source: 'local';
  /**
   * `refused`: the service responded with an error that a retry does not change. `tooLong`: the sender or
   * recipient exceeds the limit of the service, so no request was sent.
   */
  readonly why: 'timeout' | 'unreachable' | 'busy' | 'refused' | 'tooLong';
  readonly problem: NumgateError;
}

/** The label of the standard policy. */
export const LABEL = '[국제발신]';
/** Longest sender or recipient that the service accepts, in UTF-16 units. */
const PARTY_CHARS_MAX = 64;

const VERDICTS: ReadonlySet<unknown> = new Set<Verdict>(['allow', 'label', 'block', 'indeterminate']);

/** By default, traffic at a gateway is from abroad. So is traffic that displays a carrier prefix. */
export function isFromAbroad(ingress: Ingress = {}): boolean {
  return ingress.type !== 'domestic' || ingress.carrierPrefix !== undefined;
}

/** @returns the result for a sender or recipient that is too long to check, or null */
export function tooLong(parties: { readonly from?: string; readonly to?: string }): LocalAnswer | null {
  const field = (['from', 'to'] as const).find((name) => (parties[name]?.length ?? 0) > PARTY_CHARS_MAX);
  if (field === undefined) return null;
  const message = `"${field}" has more than ${PARTY_CHARS_MAX} characters`;
  const problem = localError('NUMBER_TOO_LONG', message, { field });
  return {
    verdict: 'indeterminate',
    action: 'closed',
    label: null,
    source: 'local',
    why: 'tooLong',
    problem,
  };
}

/** @returns the result for a request that failed. Its label is null. */
export function localAnswer({ why, error }: Failure, failPolicy: FailPolicy): LocalAnswer {
  const action = why === 'refused' && isCausedByCaller(error) ? 'closed' : failPolicy;
  return { verdict: 'indeterminate', action, label: null, source: 'local', why, problem: error };
}

/**
 * Whether the content of the call or text may have caused the rejection. Such traffic is held back, because
 * otherwise the caller could choose the fail policy. A rejection without a numgate problem comes from a filter
 * in front of numgate.
 */
function isCausedByCaller({ code, status, field }: NumgateError): boolean {
  if (status === 413) return true;
  if (code === 'HTTP_ERROR') return status === 400 || status === 403;
  return (
    status === 400 && /^(defaults\.)?(from|to|text|senderToken|ingress\.carrierPrefix)$/.test(field ?? '')
  );
}

/**
 * Makes a result of the service safe to act on: a verdict that this client does not know becomes
 * `indeterminate`, and `indeterminate` always has an action that it knows.
 * @param json one result of a response
 * @returns null if it is not a result
 */
export function readAnswer<Answer extends CheckAnswer>(
  json: unknown,
  failPolicy: FailPolicy,
): Answer | ItemError | null {
  if (typeof json !== 'object' || json === null) return null;
  // The client marks its own results with these names. A newer service may use them for something else.
  const { error, source, unknownVerdict, ...answer } = json as Record<string, unknown>;
  if (typeof error === 'object' && error !== null) return json as ItemError;
  const { verdict, action } = answer;
  if (typeof verdict !== 'string') return null;
  const isKnown = VERDICTS.has(verdict);
  if (isKnown && verdict !== 'indeterminate') return answer as unknown as Answer;
  const safe = { ...answer, verdict: 'indeterminate', action: isAction(action) ? action : failPolicy };
  return (isKnown ? safe : { ...safe, unknownVerdict: verdict }) as unknown as Answer;
}

function isAction(value: unknown): value is FailPolicy {
  return value === 'open' || value === 'closed';
}
