/** The real coordinator, called over RPC like the routes do, and helpers that change it. */

import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type { Actor } from '../../../shared/admin/actor.ts';
import { PairEntries } from '../../../shared/build/pairs.ts';
import { type BuiltRelease, buildRelease } from '../../../shared/build/release.ts';
import { fromBase64 } from '../../../shared/bytes.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import { Segment } from '../../../shared/live/segment.ts';
import { LIVE_GUARDS, PUSH_GUARDS } from '../../../shared/release/guard-settings.ts';
import { type Head, type HeadDocument, openHead } from '../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import { signManifest } from '../../../shared/release/manifest.ts';
import type { SignedText } from '../../../shared/release/signed.ts';
import { SCOPES } from '../../../shared/roles.ts';
import { unseal } from '../../../shared/set/seal.ts';
import type { CoordinatorStub } from '../../../workers/admin/coordinator-stub.ts';
import type { ChangeRequest, ChangeResult } from '../../../workers/coordinator/change-request.ts';
import { COORDINATOR_NAME } from '../../../workers/storage/coordinator-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { listSource, type PlainList } from '../../shared/support/plain-model.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { RELEASE_PRIVATE_KEY } from './secrets.ts';
import { privateKey, publishValues } from './world.ts';

/** The names of all guards of pushes, and of live changes, for tests of other features. */
export const ALL_GUARDS = [...PUSH_GUARDS];
export const ALL_LIVE_GUARDS = [...LIVE_GUARDS];

/** Belongs to no organisation, so it may change every list. Tests of ownership use `memberOf`. */
export const ADMIN: Actor = {
  ...{ name: 'token:admin', scopes: SCOPES, root: false },
  ...{ organisation: null, authority: 'kisa' },
};

/** A token of the authority's organisation. */
export function memberOf(authority: string): Actor {
  return { ...ADMIN, name: `token:${authority}`, organisation: authority, authority };
}

/** Represents anyone who has only the credentials of wrangler, for whom the cron acts. */
export const WRANGLER: Actor = {
  ...{ name: 'wrangler', scopes: [], root: false },
  ...{ organisation: null, authority: null },
};

export function asAdmin(reason = 'test', key: string | null = null, sha256 = 'same'): ChangeRequest {
  return { actor: ADMIN, reason, repeat: key === null ? null : { key, sha256 } };
}

export function stub(): DurableObjectStub {
  return env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as DurableObjectStub;
}

export function coordinator(): CoordinatorStub {
  return stub() as unknown as CoordinatorStub;
}

export interface ReleaseOptions {
  readonly lists: readonly PlainList[];
  readonly base?: string | null;
  readonly foldedSeq?: number;
  /** Distinguishes releases of equal content. */
  readonly minute?: number;
  /** The version of its registered senders: one number of one client. Without it, the release has none. */
  readonly registrations?: number;
  /** The signing key, PKCS #8 in base64. */
  readonly signer?: string;
}

export async function build({
  lists,
  base = null,
  foldedSeq = 0,
  minute = 0,
  registrations,
  signer = RELEASE_PRIVATE_KEY,
}: ReleaseOptions): Promise<BuiltRelease & { signed: SignedText }> {
  const createdAt = new Date(Date.UTC(2026, 10, 24, 3, minute));
  const sources = lists.map((list) => listSource(list, testKeys));
  const options = { base, createdAt, foldedSeq, registrations: registeredAt(registrations) };
  const built = await buildRelease(sources, testKeys, options);
  if (!built.ok) throw new Error(built.message);
  return {
    ...built.value,
    signed: await signManifest(built.value.manifest, await privateKey(signer)),
  };
}

function registeredAt(version: number | undefined) {
  if (version === undefined) return undefined;
  const entries = new PairEntries();
  entries.add({ client: 'acme/main', from: 82_15_881_234, to: 82_15_881_234, own: false });
  return { version, content: entries.finish(testKeys) };
}

/** Builds, uploads and stages a release. @returns its name */
export async function stage(options: ReleaseOptions): Promise<string> {
  const built = await build(options);
  await publishValues(built);
  unwrap(await coordinator().stage(asAdmin(), built.signed));
  return built.manifest.release;
}

/** The value of a change that must succeed. Throws a refusal. */
export function unwrap<Value>(result: ChangeResult<Value>): Value {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.value;
}

/** Why the coordinator does not start; null if it starts. */
export async function startFailure(): Promise<string | null> {
  const started = await coordinator().token('root');
  return started.ok ? null : started.message;
}

/** `ok`, or the code of the refusal. */
export function codeOf(result: ChangeResult<unknown>): string {
  return result.ok ? 'ok' : (result.extras?.refusal ?? result.code);
}

/** The copy of the head in KV, with its manifests and time; null if none opens. */
export async function kvHead(): Promise<HeadDocument | null> {
  const bytes = await env.LISTS.get(HEAD_KEY, 'arrayBuffer');
  if (bytes === null) return null;
  const opened = await openHead(new Uint8Array(bytes), testKeys);
  return opened.ok ? opened.value : null;
}

/** Waits until the copy of the head in KV is current, and the tables record that. */
export function copied(): Promise<void> {
  return vi.waitFor(async () => {
    const { seq, kvSeq } = await coordinator().status();
    expect(kvSeq).toBe(seq);
  }, HANG_MS);
}

/** The head as a reader gets it, with its live layer. */
export async function readHead(): Promise<{ head: Head; live: LiveLayer } | null> {
  const { sealed } = await coordinator().head({ seq: 0, dataCentre: 'TST' });
  if (sealed === null) return null;
  const opened = await openHead(sealed, testKeys);
  if (!opened.ok) throw new Error(opened.message);
  const { head } = opened.value;
  const segments = await Promise.all(head.segments.map(({ key }) => readSegment(key)));
  return { head, live: new LiveLayer(segments, new Segment(fromBase64(head.tail)!)) };
}

async function readSegment(key: string): Promise<Segment> {
  const bytes = await coordinator().value(key);
  if (bytes === null) throw new Error(`${key} is not there`);
  return new Segment((await unseal(bytes, testKeys))!);
}

/** A complete client, with every field. */
export function client(id: string, quotaNumbers = 10) {
  return {
    id,
    secretSha256: ['0'.repeat(64)],
    organisation: 'default',
    rights: ['check' as const],
    failPolicy: 'open' as const,
    maxStaleSeconds: 3600,
    mode: 'enforce' as const,
    internationalPrefix: null,
    onEnumeration: 'report' as const,
    restriction: null,
    senderRules: 'kr' as const,
    recordBlocks: false,
    quotaNumbers,
    shortCodes: [],
    requireRegistration: 'off' as const,
    requireToken: 'off' as const,
    requireIdentity: 'off' as const,
    requireQualification: 'off' as const,
    onSuspiciousText: 'shadow' as const,
    mock: false,
  };
}
