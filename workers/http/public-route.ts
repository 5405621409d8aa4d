/**
 * Public routes. They need no key, and limit the requests of each address and in total.
 */
import type { Answer, Handler, PathParameters, RequestContext } from './app.ts';
import { addressOf } from './key-conditions.ts';
import { parametersOf } from './parameters.ts';
import { type Problem, problem } from './reply.ts';
import { RequestWindow } from './request-window.ts';

export interface PublicContext extends RequestContext {
  readonly params: PathParameters;
}

/** Limits that several routes share, in one isolate. */
export interface PublicLimits {
  readonly windowMs: number;
  /** Maximum requests of one address in a window. */
  readonly addressMax: number;
  /** Maximum requests of all addresses. Without Cloudflare in front, only this limit applies. */
  readonly totalMax: number;
  /** Message of a refusal: what the caller can do. */
  readonly message: string;
}

/** Public routes that share their limits. */
export class PublicRoutes {
  readonly #limits: PublicLimits;
  #requests!: RequestWindow;

  constructor(limits: PublicLimits) {
    this.#limits = limits;
    this.reset();
  }

  /** Resets all state, as a new isolate would. */
  reset(): void {
    const { windowMs, addressMax, totalMax } = this.#limits;
    this.#requests = new RequestWindow(windowMs, addressMax, totalMax);
  }

  forEverybody(handle: (context: PublicContext) => Promise<Answer>): Handler {
    return async (context, params) => {
      const limited = this.#limit(context);
      if (limited !== null) return limited;
      const parameters = parametersOf(context.url, {});
      return parameters.ok ? handle({ ...context, params }) : parameters;
    };
  }

  /** Counts the request. @returns the problem if there were too many */
  #limit({ request, env }: RequestContext): Problem | null {
    const now = Date.now();
    // Without Cloudflare in front, nobody vouches for an address.
    const source = addressOf(request, env) || null;
    this.#requests.advance(now);
    const retryAfterSeconds = this.#requests.limited(source, now);
    if (retryAfterSeconds === null) {
      this.#requests.count(source);
      return null;
    }
    return problem('QUOTA_EXCEEDED', this.#limits.message, { retryAfterSeconds });
  }
}
