/**
 * Entry of the data plane: reads Workers KV and the head, answers, writes no list and holds no admin
 * secret.
 */
import { appOf } from './app.ts';
import type { Env } from './env.ts';
import { EDGE_ROUTES } from './routes.ts';

export default { fetch: appOf(EDGE_ROUTES) } satisfies ExportedHandler<Env>;
