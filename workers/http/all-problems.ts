/** The problems of both planes. The edge bundles only its own: it never returns the others, and its bundle size is limited. */
import { ADMIN_PROBLEMS } from '../../shared/admin/problems.ts';
import { EDGE_PROBLEMS } from './reply.ts';

/** Error codes of a whole request, with status and title. They never change. */
export const PROBLEMS = { ...EDGE_PROBLEMS, ...ADMIN_PROBLEMS } as const;
