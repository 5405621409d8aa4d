/**
 * `/openapi.json`: the description of the API, on both planes. It is an asset, which keeps it out of the bundle.
 */
import type { Handler } from './http/app.ts';
import { problem } from './http/reply.ts';

/** Only the path counts. */
const DOCUMENT = 'https://assets.invalid/openapi.json';

export const describe: Handler = async ({ env, reply }) => {
  const found = await env.ASSETS?.fetch(DOCUMENT);
  if (found === undefined || found.status === 404)
    return problem('NOT_CONFIGURED', 'openapi.json is not deployed: deploy with the assets of wrangler.toml');
  if (!found.ok || found.body === null) return problem('UNAVAILABLE', 'the assets do not respond; try again');
  return reply.stream(found.body, 'application/json');
};
