/**
 * Serves `/openapi.json`, the description of the API, and `/asyncapi.json`, the description of events and notices, on
 * both planes. Both are assets, which keeps them out of the bundle.
 */
import type { Handler } from './http/app.ts';
import { problem } from './http/reply.ts';

/** @param name of the file in `workers/public/` */
function documentOf(name: string): Handler {
  return async ({ env, reply }) => {
    // Only the path of this URL matters.
    const found = await env.ASSETS?.fetch(`https://assets.invalid/${name}`);
    if (found === undefined || found.status === 404) {
      const message = `${name} is not deployed: deploy with the assets of wrangler.toml`;
      return problem('NOT_CONFIGURED', message);
    }
    if (!found.ok || found.body === null)
      return problem('UNAVAILABLE', 'the assets do not respond; try again');
    return reply.stream(found.body, 'application/json');
  };
}

export const describe = documentOf('openapi.json');
export const describeEvents = documentOf('asyncapi.json');
