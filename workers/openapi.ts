/**
 * `/openapi.json`: the description of the API, on both planes.
 */
import type { Route } from './http/app.ts';
import openapi from './openapi.json' with { type: 'json' };

export const OPENAPI_ROUTE: Route = {
  method: 'GET',
  path: '/openapi.json',
  handle: async ({ reply }) => reply.json(openapi),
};
