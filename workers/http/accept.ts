/**
 * Chooses between JSON and plain text by the `Accept` header (RFC 9110, 12.5.1): the most specific range that
 * matches a type gives its weight, and the order of the ranges makes no difference. Parameters other than the
 * weight are ignored.
 *
 * Packages for content negotiation have more code than this file, because they negotiate any number of types.
 */
import { ACCEPT_CHARS_MAX } from '../../shared/limits/requests.ts';

/** Quoted values of parameters, which can contain commas and semicolons. Also matches an unterminated one, in linear time. */
const QUOTED = /"(?:[^"\\]|\\.?)*(?:"|$)/g;
const RANGE = /^\s*([!#$%&'*+.^`|~\w-]+\/[!#$%&'*+.^`|~\w-]+)\s*(?:;(.*))?$/;
/** Anything after a weight except `;` is part of the weight, and makes it invalid. */
const WEIGHT = /(?:^|;)\s*q\s*=([^;]*)/i;
/** RFC 9110, 12.4.2. */
const WEIGHT_VALUE = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

const PROBLEM = 'application/problem+json';

/**
 * Whether plain text fits better than JSON. JSON wins if both fit equally or neither fits, because a check must
 * not fail because of a header.
 */
export function prefersText({ headers }: Request): boolean {
  const accept = headers.get('accept');
  if (accept === null || accept === '*/*' || accept === 'application/json') return false;
  // The header that gateways send.
  if (accept === 'text/plain') return true;
  if (accept.length > ACCEPT_CHARS_MAX) return false;
  const weights = weightsOf(accept);
  const json = Math.max(weightOf('application/json', weights), weights.get(PROBLEM) ?? 0);
  return weightOf('text/plain', weights) > json;
}

/** Whether the client prefers a media type over another. False if both fit equally. */
export function prefers({ headers }: Request, type: string, over: string): boolean {
  const accept = headers.get('accept');
  if (accept === null || accept.length > ACCEPT_CHARS_MAX) return false;
  const weights = weightsOf(accept);
  return weightOf(type, weights) > weightOf(over, weights);
}

/** The weight of each range. Invalid members are ignored. */
function weightsOf(accept: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const member of accept.replace(QUOTED, '').split(',')) {
    const [, range, parameters = ''] = RANGE.exec(member) ?? [];
    const weight = (WEIGHT.exec(parameters)?.[1] ?? '1').trim();
    if (range === undefined || !WEIGHT_VALUE.test(weight)) continue;
    const name = range.toLowerCase();
    // The header can name a type several times, with different parameters.
    weights.set(name, Math.max(Number(weight), weights.get(name) ?? 0));
  }
  return weights;
}

function weightOf(type: string, weights: ReadonlyMap<string, number>): number {
  return weights.get(type) ?? weights.get(type.replace(/\/.*/, '/*')) ?? weights.get('*/*') ?? 0;
}
