/**
 * Entry point of the edge as a separate Worker. It reads Workers KV and the head and answers checks. It writes no lists and
 * holds no admin secrets.
 */

import type { Env } from './env.ts';
import { appOf } from './http/app.ts';
import { EDGE_ROUTES } from './routes.ts';

export default { fetch: appOf(EDGE_ROUTES) } satisfies ExportedHandler<Env>;
