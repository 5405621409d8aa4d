/**
 * `/openapi.json`: the description of the API, on both planes.
 */
import type { Handler } from './http/app.ts';
import openapi from './openapi.json' with { type: 'json' };

export const describe: Handler = async ({ reply }) => reply.json(openapi);
