/** `/metrics`: gauges and counters in the OpenMetrics text format. */
import type { Route } from '../http/app.ts';

export const METRICS_ROUTES: readonly Route[] = [];
