/** `/v1/feed` and `/v1/decisions/stream`: the routes of feed consumers. */
import type { Route } from '../http/app.ts';
import { streamDecisions } from './decisions.ts';
import { streamEvents } from './event-stream.ts';
import { getCheckpoint, getEpoch } from './notes.ts';
import { readPage } from './pages.ts';
import { getSnapshot } from './snapshot.ts';

export const FEED_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/feed', handle: readPage },
  { method: 'GET', path: '/v1/feed/events', handle: streamEvents },
  { method: 'GET', path: '/v1/feed/snapshot', handle: getSnapshot },
  { method: 'GET', path: '/v1/feed/checkpoint', handle: getCheckpoint },
  { method: 'GET', path: '/v1/feed/epochs/:epoch', handle: getEpoch },
  { method: 'GET', path: '/v1/decisions/stream', handle: streamDecisions },
];
