/**
 * A public route: it needs no key, and requests are limited.
 */
import {
  REGISTER_REQUESTS_MAX,
  REGISTER_REQUESTS_TOTAL_MAX,
  REGISTER_WINDOW_MS,
} from '../../shared/limits/qualification.ts';
import type { RegisterData } from '../../shared/senders/register.ts';
import type { Answer, Handler, PathParameters, RequestContext } from '../http/app.ts';
import { addressOf } from '../http/key-conditions.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { RequestWindow } from '../http/request-window.ts';
import type { Reading } from './cached-reading.ts';
import { publicSources } from './sources.ts';

export interface PublicContext extends RequestContext {
  readonly params: PathParameters;
}
export interface RegisterContext extends PublicContext {
  readonly register: Reading<RegisterData>;
}

/** Of this isolate. */
let requests = newWindow();

function newWindow(): RequestWindow {
  return new RequestWindow(REGISTER_WINDOW_MS, REGISTER_REQUESTS_MAX, REGISTER_REQUESTS_TOTAL_MAX);
}

/** Resets all state, as a new isolate would. */
export function resetRequestLimit(): void {
  requests = newWindow();
}

export function forEverybody(handle: (context: PublicContext) => Promise<Answer>): Handler {
  return async (context, params) => {
    const limited = limit(context);
    if (limited !== null) return limited;
    const parameters = parametersOf(context.url, {});
    return parameters.ok ? handle({ ...context, params }) : parameters;
  };
}

/** As `forEverybody`, with the register. */
export function withRegister(handle: (context: RegisterContext) => Promise<Answer>): Handler {
  return forEverybody(async (context) => {
    const register = await publicSources().register.get(context);
    return register.ok ? handle({ ...context, register: register.value }) : register;
  });
}

/** Counts the request. @returns the problem if there were too many */
function limit({ request, env }: RequestContext): Problem | null {
  const now = Date.now();
  // Without Cloudflare in front, nobody vouches for an address.
  const source = addressOf(request, env) || null;
  requests.advance(now);
  const retryAfterSeconds = requests.limited(source, now);
  if (retryAfterSeconds === null) {
    requests.count(source);
    return null;
  }
  const message = 'too many requests for public documents: keep what you have, and try again later';
  return problem('QUOTA_EXCEEDED', message, { retryAfterSeconds });
}
