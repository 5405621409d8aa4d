/**
 * Where things are: the one file that knows the folders a command reads and writes.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('..', import.meta.url));
export const WRANGLER_CONFIG = join(PROJECT, 'wrangler.toml');
/** Secrets of a local installation; never committed. */
export const SECRETS_FILE = join(PROJECT, '.numgate', 'secrets.json');
/** The Worker's own secrets for `wrangler dev`. */
export const DEV_VARS_FILE = join(PROJECT, '.dev.vars');
/** Built releases, a folder each. */
export const BUILDS = join(PROJECT, 'build', 'releases');
/** Inputs of the demo that are made and not shipped. */
export const DEMO_INPUTS = join(PROJECT, 'build', 'demo');
export const DEMO_CATALOGUE = join(PROJECT, 'data', 'demo.lists.json');
/** Local KV and Durable Objects, shared by wrangler and the embedded service. NUMGATE_STATE changes it. */
export const STATE = process.env.NUMGATE_STATE ?? join(PROJECT, '.wrangler', 'state');
/** Values of the current release, as the service gave them. */
export const VALUES = join(dirname(STATE), 'values');
/** The bundle that the embedded service runs. */
export const BUNDLE = join(PROJECT, '.wrangler', 'bundle');
/** What Node has compiled of the command line, for the next start. */
export const COMPILED = join(PROJECT, '.wrangler', 'compiled');
