/**
 * A service with two organisations, each with its own authority, token and signing key. The importing test starts it. Their
 * lists have numbers, dates, ranges and sources.
 */
import './workspace.ts';
import { join } from 'node:path';
import { beforeAll } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { type BuildResult, build } from '../../../cli/commands/build.ts';
import { type PushSettings, push } from '../../../cli/commands/push.ts';
import { newKey } from '../../../cli/secrets.ts';
import { toBase64 } from '../../../shared/bytes.ts';
import { startTestService, type TestService } from './service.ts';
import { BUILDS, catalogue, SECRETS, SUSPENDED, write } from './workspace.ts';

export const HOLDERS = ['ktoa', 'acme'] as const;
export type Holder = (typeof HOLDERS)[number];
const PUSH: PushSettings = { unproven: true, reason: 'a test' };

const signing: Record<string, string> = {};
/** The tokens of the organisations. */
export const admins: Record<string, Admin> = {};
export let service: TestService;
export let root: Admin;

async function bindKey(holder: Holder): Promise<string> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const exported = async (format: 'pkcs8' | 'raw', key: CryptoKey): Promise<string> =>
    toBase64(new Uint8Array(await crypto.subtle.exportKey(format, key)));
  signing[holder] = await exported('pkcs8', pair.privateKey);
  return `${holder}:${await exported('raw', pair.publicKey)}`;
}

async function addHolder(holder: Holder): Promise<void> {
  const organisation = { id: holder, displayName: holder, authority: holder, roles: ['operator'] };
  await root.change('PUT', `organisations/${holder}`, { organisation, reason: 'a test' });
  const { key, secretSha256 } = await newKey(holder);
  const token = { id: holder, secretSha256: [secretSha256], role: 'operator', organisation: holder };
  await root.change('PUT', `tokens/${holder}`, { token, reason: 'a test' });
  admins[holder] = new Admin({ url: service.url, token: key });
}

beforeAll(async () => {
  const bound = await Promise.all(HOLDERS.map(bindKey));
  const RELEASE_PUBLIC_KEYS = [SECRETS.RELEASE_PUBLIC_KEYS, ...bound].join(',');
  process.env.RELEASE_PUBLIC_KEYS = RELEASE_PUBLIC_KEYS;
  service = await startTestService({ RELEASE_PUBLIC_KEYS });
  root = service.admin;
  for (const holder of HOLDERS) await addHolder(holder);
});

/** Numbers, some of them with dates, a range and a source. @param step makes the numbers of a list different */
export function linesOf(holder: Holder, count: number): string {
  const step = holder === 'ktoa' ? 17_971 : 19_973;
  const numbers = Array.from({ length: count }, (_, index) => `+8210${20_000_000 + index * step},`);
  const dated = [
    '+821099990001,2099-01-01T00:00:00Z',
    `+14155550${holder === 'ktoa' ? 100 : 101},2098-01-01T00:00:00Z`,
  ];
  const others = ['+639171234567', '+442079460000..+442079460999', `PARCEL-${holder.toUpperCase()}`];
  return ['number,until', ...numbers, ...dated, ...others.map((line) => `${line},`)].join('\n');
}

export const listOf = (holder: Holder) => ({
  ...SUSPENDED,
  name: `${holder}-list`,
  authority: holder,
  sources: true,
});

/** @param holders organisations whose lists the catalogue has @param count numbers of each list */
export function catalogueOf(
  holders: readonly Holder[],
  count: number,
  lines: Partial<Record<Holder, string>> = {},
): string {
  const name = `${holders.join('-')}-${count}${Object.keys(lines).join('')}`;
  const inputs = holders.map((holder) => ({
    file: write(`${name}/${holder}.csv`, lines[holder] ?? linesOf(holder, count)),
    list: `${holder}-list`,
  }));
  return catalogue(`${name}/lists.json`, { lists: holders.map(listOf), inputs });
}

/** Builds with the signing key of an organisation, or of the installation. @param registrations a file */
export async function buildAs(
  signer: Holder | null,
  path: string,
  authority?: string,
  registrations?: string,
): Promise<BuildResult> {
  process.env.RELEASE_SIGNING_KEY = signer === null ? SECRETS.RELEASE_SIGNING_KEY : signing[signer]!;
  try {
    const admin = signer === null ? root : admins[signer]!;
    const settings = { catalogue: path, builds: join(BUILDS, 'bound'), maxRejects: 0 };
    return await build({ ...settings, admin, authority, registrations });
  } finally {
    process.env.RELEASE_SIGNING_KEY = SECRETS.RELEASE_SIGNING_KEY;
  }
}

/** Builds an organisation's own list with this many numbers, on the current release. */
export const buildOwn = (holder: Holder, count: number): Promise<BuildResult> =>
  buildAs(holder, catalogueOf([holder], count), holder);

export const pushAs = (admin: Admin, { folder }: BuildResult, settings: Partial<PushSettings> = {}) =>
  push(folder, { admin, kv: service.kv }, { ...PUSH, ...settings });

export const block = (holder: Holder, number: string): Promise<unknown> =>
  admins[holder]!.change('POST', 'entries', {
    op: 'block',
    items: [{ number }],
    code: 'SENDER_REPORTED',
    reason: 'a test',
  });

/** Builds and pushes the first release. It has a list of each organisation, and folds in one live entry of each. */
export async function pushFirst(): Promise<BuildResult> {
  await block('ktoa', '+821030000001');
  await block('acme', '+821030000002');
  const first = await buildAs(null, catalogueOf(HOLDERS, 3_000));
  await pushAs(root, first);
  return first;
}
