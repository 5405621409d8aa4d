/**
 * Small releases for the tests of the control plane. They are built and signed as the CLI does it, and written to KV value by
 * value, so that a test can omit or damage a value.
 */
import { buildRelease } from '../../../shared/build/release.ts';
import { fromBase64 } from '../../../shared/bytes.ts';
import type { Manifest } from '../../../shared/release/manifest.ts';
import { signManifest } from '../../../shared/release/manifest.ts';
import type { SignedText } from '../../../shared/release/signed.ts';
import { deriveListKeys, type ListKeys } from '../../../shared/set/keys.ts';
import { EVER, listSource, type PlainList, plainList } from '../../shared/support/plain-model.ts';
import { adminValue } from './send-admin.ts';
import { world } from './world.ts';

export interface ReleaseSettings {
  /** Numbers on a list that blocks. */
  readonly blocked: readonly string[];
  /** Numbers on an allow list. The list exists only if it has members. */
  readonly allowed?: readonly string[];
  readonly base?: string | null;
  readonly foldedSeq?: number;
  /** Uses a LIST_KEY or a signature that the service does not trust. */
  readonly foreign?: 'listKey' | 'signature';
  /** Replaces the lists of `blocked` and `allowed`. */
  readonly lists?: readonly PlainList[];
  /** The organisation whose key signs the release; null for the key of the installation. */
  readonly signer?: string | null;
}

export interface SmallRelease {
  readonly release: string;
  readonly manifest: Manifest;
  readonly signed: SignedText;
  readonly values: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Gives releases of equal content different names, because a name contains the minute. */
let minute = 0;

export function serviceKeys(): Promise<ListKeys> {
  return deriveListKeys(fromBase64(world().secrets.LIST_KEY)!);
}

export async function signingKey(foreign: boolean, signer: string | null): Promise<CryptoKey> {
  if (foreign) return (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])).privateKey;
  const { secrets, signers } = world();
  const bytes = fromBase64(signer === null ? secrets.RELEASE_SIGNING_KEY : signers[signer]!)!;
  return crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', false, ['sign']);
}

export async function makeRelease(settings: ReleaseSettings): Promise<SmallRelease> {
  const { blocked, allowed = [], base = null, foldedSeq = 0, foreign, signer = null } = settings;
  const keys =
    foreign === 'listKey'
      ? await deriveListKeys(crypto.getRandomValues(new Uint8Array(32)))
      : await serviceKeys();
  const numbers = (texts: readonly string[]) => texts.map((text) => ({ n: Number(text), ...EVER }));
  const lists = [plainList('suspended', { numbers: numbers(blocked) })];
  if (allowed.length > 0) {
    const list = plainList('cleared', { numbers: numbers(allowed) });
    lists.push({ ...list, info: { ...list.info, reason: 'ALLOW_OVERRIDE', effect: 'allow' } });
  }
  const sources = (settings.lists ?? lists).map((list) => listSource(list, keys));
  const createdAt = new Date(Date.UTC(2026, 10, 24, 0, minute++));
  const built = await buildRelease(sources, keys, { base, createdAt, foldedSeq });
  if (!built.ok) throw new Error(built.message);
  const { manifest, values } = built.value;
  const signed = await signManifest(manifest, await signingKey(foreign === 'signature', signer));
  return { release: manifest.release, manifest, signed, values };
}

/** Builds and stages a release like a push: first the values, then the manifest. */
export async function stage(settings: ReleaseSettings): Promise<SmallRelease> {
  const made = await makeRelease(settings);
  await putValues(made);
  await adminValue('releases', { body: made.signed });
  return made;
}

export async function putValues({ values }: SmallRelease): Promise<void> {
  for (const [key, bytes] of values) await world().kv.admin.put(key, bytes);
}

/** The names of all guards, for tests of other features. */
export const ALL_GUARDS = ['older-base', 'adds', 'removes', 'shrunken-list'];

/** Makes a release current and overrides all guards. @returns the `seq` */
export async function promote(release: string, base: string | null, rest: object = {}): Promise<number> {
  const body = { base, overrides: ALL_GUARDS, reason: 'a test', ...rest };
  return (await adminValue<{ seq: number }>(`releases/${release}/promote`, { body })).seq;
}

/** The name of the current release. */
export async function current(): Promise<string | null> {
  return (await adminValue<{ current: { release: string } | null }>('status')).current?.release ?? null;
}
