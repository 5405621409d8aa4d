/**
 * The routes of the data plane.
 */
import type { Route } from './app.ts';
import { answerBatch } from './batch.ts';
import { forClients } from './call.ts';
import { answerGet, answerPost } from './check.ts';
import { CHECK, GATEWAY } from './question-kind.ts';
import { describe, health } from './service.ts';
import { checkStream } from './stream.ts';

export const EDGE_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/check', handle: answerGet(CHECK) },
  { method: 'POST', path: '/v1/check', handle: answerPost(CHECK) },
  { method: 'POST', path: '/v1/check/batch', handle: answerBatch(CHECK) },
  { method: 'POST', path: '/v1/check/stream', handle: forClients('check', checkStream) },
  { method: 'GET', path: '/v1/gateway/check', handle: answerGet(GATEWAY) },
  { method: 'POST', path: '/v1/gateway/check', handle: answerPost(GATEWAY) },
  { method: 'POST', path: '/v1/gateway/check/batch', handle: answerBatch(GATEWAY) },
  { method: 'GET', path: '/healthz', handle: health },
  { method: 'GET', path: '/openapi.json', handle: describe },
];
