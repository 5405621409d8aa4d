/**
 * Reads query parameters. Only known parameters are allowed, each at most once.
 */
import { nameOf } from '../../shared/fields.ts';
import { type Problem, problem } from './reply.ts';
import type { RequestUrl } from './request-url.ts';

export interface Parameters {
  readonly text: Readonly<Record<string, string>>;
  readonly number: Readonly<Record<string, number>>;
}

export function parametersOf(
  { parameters }: RequestUrl,
  known: Readonly<Record<string, 'text' | 'number'>>,
): Parameters | Problem {
  const text: Record<string, string> = {};
  const number: Record<string, number> = {};
  for (const [name, value] of parameters) {
    const field = nameOf(name);
    const endpoint = Object.hasOwn(known, name) ? known[name] : undefined;
    if (endpoint === undefined)
      return problem('FIELD_UNKNOWN', `${field} is not a parameter here`, { field });
    if (name in text || name in number) return problem('FIELD_TYPE', `${field} is given twice`, { field });
    if (endpoint === 'text') text[name] = value;
    else if (/^\d{1,15}$/.test(value)) number[name] = Number(value);
    else return problem('FIELD_VALUE', `${field} must be a whole number`, { field });
  }
  return { text, number };
}
