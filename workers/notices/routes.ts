/** `/v1/notices`: the notices of an organisation, for its clients. */
import type { Route } from '../http/app.ts';

export const NOTICE_ROUTES: readonly Route[] = [];
