/** The problems of both planes. The edge has its own alone: it never returns one of the others, and its bundle is bounded. */
import { ADMIN_PROBLEMS } from '../../shared/admin/problems.ts';
import { EDGE_PROBLEMS } from './reply.ts';

/** Error codes of a whole request, with status and title. They never change. */
export const PROBLEMS = { ...EDGE_PROBLEMS, ...ADMIN_PROBLEMS } as const;
