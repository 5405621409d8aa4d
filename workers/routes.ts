/**
 * The routes of the data plane.
 */
import type { Route } from './app.ts';
import { checkBatch } from './batch.ts';
import { forClients } from './call.ts';
import { checkGet, checkPost } from './check.ts';
import { describe, health } from './service.ts';
import { checkStream } from './stream.ts';

export const EDGE_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/check', handle: forClients('check', checkGet) },
  { method: 'POST', path: '/v1/check', handle: forClients('check', checkPost) },
  { method: 'POST', path: '/v1/check/batch', handle: forClients('check', checkBatch) },
  { method: 'POST', path: '/v1/check/stream', handle: forClients('check', checkStream) },
  { method: 'GET', path: '/healthz', handle: health },
  { method: 'GET', path: '/openapi.json', handle: describe },
];
