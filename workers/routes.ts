/**
 * The routes of the data plane.
 */

import { answerBatch } from './edge/batch.ts';
import { answerGet, answerPost } from './edge/check.ts';
import { forClients } from './edge/context.ts';
import { CHECK_ENDPOINT, GATEWAY_ENDPOINT } from './edge/endpoints.ts';
import { describe, health } from './edge/health.ts';
import { checkStream } from './edge/stream.ts';
import type { Route } from './http/app.ts';

export const EDGE_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/check', handle: answerGet(CHECK_ENDPOINT) },
  { method: 'POST', path: '/v1/check', handle: answerPost(CHECK_ENDPOINT) },
  { method: 'POST', path: '/v1/check/batch', handle: answerBatch(CHECK_ENDPOINT) },
  { method: 'POST', path: '/v1/check/stream', handle: forClients('check', checkStream) },
  { method: 'GET', path: '/v1/gateway/check', handle: answerGet(GATEWAY_ENDPOINT) },
  { method: 'POST', path: '/v1/gateway/check', handle: answerPost(GATEWAY_ENDPOINT) },
  { method: 'POST', path: '/v1/gateway/check/batch', handle: answerBatch(GATEWAY_ENDPOINT) },
  { method: 'GET', path: '/healthz', handle: health },
  { method: 'GET', path: '/openapi.json', handle: describe },
];
