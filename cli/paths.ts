/** The only file that knows the paths a command reads and writes. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('..', import.meta.url));
export const WRANGLER_CONFIG = join(PROJECT, 'wrangler.toml');
/** Secrets of a local installation. Never committed. */
export const SECRETS_FILE = join(PROJECT, '.numgate', 'secrets.json');
/** The Worker's own secrets for `wrangler dev`. */
export const DEV_VARS_FILE = join(PROJECT, '.dev.vars');
/** Built releases, one folder each. */
export const BUILDS = join(PROJECT, 'build', 'releases');
/** Built text releases, one folder each. */
export const TEXT_BUILDS = join(PROJECT, 'build', 'text-releases');
/** Default folder of the state and the lists of `feed pull`. */
export const FEED = join(PROJECT, 'build', 'feed');
/** Demo inputs that are generated. */
export const DEMO_INPUTS = join(PROJECT, 'build', 'demo');
export const DEMO_CATALOGUE = join(PROJECT, 'data', 'demo.lists.json');
/** Texts and hosts that ship with numgate. */
export const TEXT_DATA = join(PROJECT, 'data', 'text');
/** Local KV and Durable Objects, shared by wrangler and the embedded service. NUMGATE_STATE overrides it. */
export const STATE = process.env.NUMGATE_STATE ?? join(PROJECT, '.wrangler', 'state');
/** Values of the current release, cached from the service. */
export const VALUES = join(dirname(STATE), 'values');
/** Unfinished uploads of registrations, one file each. */
export const UPLOADS = join(dirname(STATE), 'uploads');
/** The bundle that the embedded service runs. */
export const BUNDLE = join(PROJECT, '.wrangler', 'bundle');
/** Node's compile cache of the command line. */
export const COMPILED = join(PROJECT, '.wrangler', 'compiled');
