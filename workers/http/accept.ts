/**
 * Chooses between JSON and plain text by the `Accept` header (RFC 9110, 12.5.1): the most specific range that
 * matches a type gives its weight, and the order of the ranges makes no difference. Parameters other than the
 * weight are ignored.
 *
 * Packages for this have more code than these lines: they negotiate any number of types.
 */
import { ACCEPT_CHARS_MAX } from '../../shared/limits/requests.ts';

/** Values of parameters, which can hold commas and semicolons. One without an end matches too, in linear time. */
const QUOTED = /"(?:[^"\\]|\\.?)*(?:"|$)/g;
const RANGE = /^\s*([!#$%&'*+.^`|~\w-]+\/[!#$%&'*+.^`|~\w-]+)\s*(?:;(.*))?$/;
/** What follows a weight other than `;` is part of it, and makes it invalid. */
const WEIGHT = /(?:^|;)\s*q\s*=([^;]*)/i;
/** RFC 9110, 12.4.2. */
const WEIGHT_VALUE = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

const PROBLEM = 'application/problem+json';

/**
 * Whether plain text fits better than JSON. JSON if both fit equally, and if neither does: a check must not
 * fail because of a header.
 */
export function prefersText({ headers }: Request): boolean {
  const accept = headers.get('accept');
  if (accept === null || accept === '*/*' || accept === 'application/json') return false;
  // As gateways send it.
  if (accept === 'text/plain') return true;
  if (accept.length > ACCEPT_CHARS_MAX) return false;
  const weights = weightsOf(accept);
  const json = Math.max(weightOf('application/json', weights), weights.get(PROBLEM) ?? 0);
  return weightOf('text/plain', weights) > json;
}

/** Whether the client prefers a media type over another. Not if both fit equally. */
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
    // A type with other parameters is named several times.
    weights.set(name, Math.max(Number(weight), weights.get(name) ?? 0));
  }
  return weights;
}

function weightOf(type: string, weights: ReadonlyMap<string, number>): number {
  return weights.get(type) ?? weights.get(type.replace(/\/.*/, '/*')) ?? weights.get('*/*') ?? 0;
}
