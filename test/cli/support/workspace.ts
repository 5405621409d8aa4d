/**
 * A temporary folder for everything that a command writes, and secrets for tests. Import it before any file of
 * the command line, because those files read the location of the local KV when they load.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { temporaryFolder } from '../../../cli/temporary.ts';
import { toBase64 } from '../../../shared/bytes.ts';
import { newSignerKey } from '../../../shared/signed-note.ts';

const folder = temporaryFolder('test');
export const FOLDER = folder.path;
export const BUILDS = join(FOLDER, 'builds');

const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
export const SIGNING_KEY = pair.privateKey;
/** The public key that the commands of the tests trust. */
export const PUBLIC_KEY = pair.publicKey;
/** A signing key that the commands of the tests do not trust. */
export const FOREIGN_KEY = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])).privateKey;
const exported = async (format: 'pkcs8' | 'raw', key: CryptoKey): Promise<string> =>
  toBase64(new Uint8Array(await crypto.subtle.exportKey(format, key)));

const credentialPair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
  'sign',
]);
const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', credentialPair.privateKey);

/** The environment of every command. */
export const SECRETS = {
  LIST_KEY: toBase64(Uint8Array.from({ length: 32 }, (_, index) => index)),
  RELEASE_SIGNING_KEY: await exported('pkcs8', pair.privateKey),
  RELEASE_PUBLIC_KEYS: await exported('raw', pair.publicKey),
  CHECKPOINT_KEY: (await newSignerKey('numgate.test/log'))!,
  CREDENTIAL_KEY: JSON.stringify({ kty, crv, x, y, d, alg: 'ES256', kid: 'test' }),
  SHARING_KEY: toBase64(Uint8Array.from({ length: 32 }, (_, index) => 255 - index)),
  TEXT_KEY: toBase64(Uint8Array.from({ length: 32 }, (_, index) => index + 96)),
  ADMIN_TOKEN: `root.${'a'.repeat(43)}`,
};
const state = join(FOLDER, 'state');
// Commands must contact only the service of a test.
Object.assign(process.env, SECRETS, { NUMGATE_STATE: state, NUMGATE_URL: 'http://127.0.0.1:1' });
process.env.NUMGATE_TOKEN = SECRETS.ADMIN_TOKEN;

// The first file of the command line reads the path when it loads. If it loaded earlier, a test would write
// into your own KV.
if ((await import('../../../cli/paths.ts')).STATE !== state) {
  folder.remove();
  throw new Error('a test must import support/workspace.ts before anything else');
}

afterAll(() => folder.remove());

/** Writes a file into the folder. @returns its path */
export function write(name: string, content: string | Uint8Array): string {
  const path = join(FOLDER, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

export interface CatalogueParts {
  readonly lists: readonly object[];
  readonly inputs: readonly object[];
  readonly include: readonly string[];
}

export const SUSPENDED = { name: 'suspended', reason: 'NUMBER_SUSPENDED', authority: 'test' };
export const OVERSEAS = {
  name: 'overseas',
  reason: 'OVERSEAS_SOURCE_LISTED',
  authority: 'test',
  subjects: ['from'],
  sources: true,
};

/** Writes a catalogue, by default of two lists without inputs. @returns its path */
export function catalogue(name: string, parts: Partial<CatalogueParts>): string {
  return write(name, JSON.stringify({ lists: [SUSPENDED, OVERSEAS], inputs: [], ...parts }));
}
