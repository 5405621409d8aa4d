/**
 * Entry of the whole suite as one Worker: both planes and the authority.
 */
import { ADMIN_ROUTES } from './admin/routes.ts';
import { appOf } from './app.ts';
import type { ControlEnv } from './env.ts';
import { EDGE_ROUTES } from './routes.ts';
import { sweep } from './sweep.ts';

export { Authority } from './authority/authority.ts';

export default {
  fetch: appOf([...EDGE_ROUTES, ...ADMIN_ROUTES]),
  scheduled: sweep,
} satisfies ExportedHandler<ControlEnv>;
