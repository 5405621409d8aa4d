/**
 * The routes of the control plane.
 */
import type { Route } from '../app.ts';

export const ADMIN_ROUTES: readonly Route[] = [];
