/** `/v1/feed` and `/v1/decisions/stream`: the routes of feed consumers. */
import type { Route } from '../http/app.ts';

export const FEED_ROUTES: readonly Route[] = [];
