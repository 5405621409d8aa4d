/**
 * Wraps the handlers of public documents, which share one rate limit.
 */
import {
  REGISTER_REQUESTS_MAX,
  REGISTER_REQUESTS_TOTAL_MAX,
  REGISTER_WINDOW_MS,
} from '../../shared/limits/qualification.ts';
import type { RegisterData } from '../../shared/senders/register.ts';
import type { Answer, Handler } from '../http/app.ts';
import { type PublicContext, PublicRoutes } from '../http/public-route.ts';
import type { Reading } from './cached-reading.ts';
import { publicSources } from './sources.ts';

export interface RegisterContext extends PublicContext {
  readonly register: Reading<RegisterData>;
}

export const publicDocuments = new PublicRoutes({
  ...{
    windowMs: REGISTER_WINDOW_MS,
    addressMax: REGISTER_REQUESTS_MAX,
    totalMax: REGISTER_REQUESTS_TOTAL_MAX,
  },
  message: 'too many requests for public documents: keep what you have, and try again later',
});

/** Like `forEverybody`, but passes the register to the handler. */
export function withRegister(handle: (context: RegisterContext) => Promise<Answer>): Handler {
  return publicDocuments.forEverybody(async (context) => {
    const register = await publicSources().register.get(context);
    return register.ok ? handle({ ...context, register: register.value }) : register;
  });
}
