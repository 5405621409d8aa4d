/**
 * The routes of the edge.
 */

import { checkBatch } from './edge/batch.ts';
import { checkGet, checkPost } from './edge/check.ts';
import { CHECK_ENDPOINT, GATEWAY_ENDPOINT, SENDER_ENDPOINT } from './edge/endpoints.ts';
import { health } from './edge/health.ts';
import { checkStream } from './edge/stream.ts';
import type { Route } from './http/app.ts';
import { describe, describeEvents } from './openapi.ts';

export const EDGE_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/check', handle: checkGet(CHECK_ENDPOINT) },
  { method: 'POST', path: '/v1/check', handle: checkPost(CHECK_ENDPOINT) },
  { method: 'POST', path: '/v1/check/batch', handle: checkBatch(CHECK_ENDPOINT) },
  { method: 'POST', path: '/v1/check/stream', handle: checkStream },
  { method: 'POST', path: '/v1/senders/check', handle: checkPost(SENDER_ENDPOINT) },
  { method: 'GET', path: '/v1/gateway/check', handle: checkGet(GATEWAY_ENDPOINT) },
  { method: 'POST', path: '/v1/gateway/check', handle: checkPost(GATEWAY_ENDPOINT) },
  { method: 'POST', path: '/v1/gateway/check/batch', handle: checkBatch(GATEWAY_ENDPOINT) },
  { method: 'GET', path: '/healthz', handle: health },
  { method: 'GET', path: '/openapi.json', handle: describe },
  { method: 'GET', path: '/asyncapi.json', handle: describeEvents },
];
