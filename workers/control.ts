/**
 * Entry of the control plane: the only writer. The authority lives here; the edge is bound to it.
 */
import { ADMIN_ROUTES } from './admin/routes.ts';
import { appOf } from './app.ts';
import type { ControlEnv } from './env.ts';
import { describe } from './service.ts';
import { sweep } from './sweep.ts';

export { Authority } from './authority/authority.ts';

export default {
  fetch: appOf([...ADMIN_ROUTES, { method: 'GET', path: '/openapi.json', handle: describe }]),
  scheduled: sweep,
} satisfies ExportedHandler<ControlEnv>;
