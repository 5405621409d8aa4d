/**
 * Promotes releases whose manifests were staged with `wrangler kv key put` alone, or records why not. Called
 * by the cron.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { ReleaseInfo } from '../../shared/admin/releases.ts';
import { sha256Hex } from '../../shared/bytes.ts';
import {
  RELEASE_CHARS_MAX,
  SHOWN_AFTER_REMOVAL_MS,
  STAGED_REFUSALS_MAX,
  STAGED_REMOVED_MAX,
  WAITING_KEPT_MS,
} from '../../shared/limits/control.ts';
import { RELEASE_VALUES_MAX, VALUE_BYTES_MAX } from '../../shared/limits/lists.ts';
import { STAGED_PREFIX } from '../../shared/release/kv-keys.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { parseSignedText } from '../../shared/release/signed.ts';
import type { StagedRefusal } from '../../shared/release-list.ts';
import { ok } from '../../shared/result.ts';
import { DAY_MS } from '../../shared/time.ts';
import { warn, warnFailed } from '../log.ts';
import { readFresh } from '../storage/kv-values.ts';
import {
  type ChangeRequest,
  type ChangeResult,
  type Refusal,
  refuse,
  type Waiting,
} from './change-request.ts';
import type { Meta } from './meta.ts';
import { refused } from './promotion.ts';
import type { ReleaseChanges } from './release-changes.ts';
import type { StoredRelease } from './release-store.ts';
import type { Tables } from './tables.ts';

/** Refusals that may resolve without any action. */
const PASSING: readonly (Refusal | Waiting)['code'][] = [
  'RELEASE_INCOMPLETE',
  'RELEASE_STATE',
  'BUDGET_EXCEEDED',
  'STORAGE_FULL',
  'PROPOSALS_TOO_MANY',
  'APPROVAL_IMPOSSIBLE',
];
/**
 * Maximum KV operations for one manifest: its own values are read twice, those of the current release once.
 */
const OPERATIONS_OF_ONE_MAX = 2 + 3 * RELEASE_VALUES_MAX;

/**
 * Promotes every manifest that can be promoted, in turn. A manifest that waits or fails does not hold up the others.
 * @param operationsMax KV operations that this may use; at least one manifest is examined
 * @returns an upper bound on the KV operations used
 */
export async function promoteStaged(
  tables: Tables,
  changes: ReleaseChanges,
  actor: Actor,
  kv: KVNamespace,
  operationsMax: number,
): Promise<number> {
  let operations = 1;
  for (const key of await keysInTurn(tables.meta, kv)) {
    if (operations > 1 && operations + OPERATIONS_OF_ONE_MAX > operationsMax) break;
    tables.meta.set('stagedLast', key);
    try {
      operations += await promoteKey(tables, changes, actor, kv, key);
    } catch (error) {
      warnFailed('stagedFailed', error, { key });
      operations += OPERATIONS_OF_ONE_MAX;
    }
  }
  return operations;
}

/** Keys of staged manifests (the first 1,000), starting after the last one examined. */
async function keysInTurn(meta: Meta, kv: KVNamespace): Promise<string[]> {
  const listed = await kv.list({ prefix: STAGED_PREFIX }).catch((error: unknown) => {
    warnFailed('stagedFailed', error, { key: STAGED_PREFIX });
    return { keys: [] };
  });
  const last = meta.text('stagedLast') ?? '';
  const keys = listed.keys.map(({ name }) => name);
  return [...keys.filter((key) => key > last), ...keys.filter((key) => key <= last)];
}

/** @returns an upper bound on the KV operations used */
async function promoteKey(
  { meta, releases }: Tables,
  changes: ReleaseChanges,
  actor: Actor,
  kv: KVNamespace,
  key: string,
): Promise<number> {
  const bytes = await readFresh(key, VALUE_BYTES_MAX, kv);
  if (bytes === null) return 1;
  const removed = { key, sha256: await sha256Hex(bytes), at: Date.now() };
  if (isStillShown(meta, removed)) return 1;
  const before = releases.current;
  const request = { actor, reason: `staged as ${key}`, repeat: null };
  const staged = await stageText(changes, request, new TextDecoder().decode(bytes));
  const promoted = staged.ok ? await promoteNew(changes, request, staged.value) : staged;
  if (!promoted.ok) warn('stagedRefused', { key, code: promoted.extras?.refusal ?? promoted.code });
  noteRefusal(meta, key, staged);
  // Values may still be arriving, or a canary may finish. Any other refusal is permanent.
  if (promoted.ok || !PASSING.includes(promoted.code)) {
    if (!promoted.ok) noteRemoval(meta, removed);
    await kv.delete(key);
  }
  const next = staged.ok ? releases.get(staged.value.release) : null;
  return 2 + 2 * valuesOf(next) + valuesOf(before);
}

/** A refused manifest that was removed from KV. */
interface Removed {
  readonly key: string;
  readonly sha256: string;
  /** In ms since 1970. */
  readonly at: number;
}

function recentlyRemoved(meta: Meta, now: number): Removed[] {
  return (meta.json<Removed[]>('stagedRemoved') ?? []).filter(({ at }) => now - at < SHOWN_AFTER_REMOVAL_MS);
}

/**
 * Whether KV may still return a manifest that was refused and removed, which must not be refused twice. Another manifest
 * under the same key is examined at once. The same manifest, if staged again, is examined after SHOWN_AFTER_REMOVAL_MS.
 */
function isStillShown(meta: Meta, { key, sha256, at }: Removed): boolean {
  return recentlyRemoved(meta, at).some((removed) => removed.key === key && removed.sha256 === sha256);
}

function noteRemoval(meta: Meta, removed: Removed): void {
  const others = recentlyRemoved(meta, removed.at).filter(({ key }) => key !== removed.key);
  meta.set('stagedRemoved', [removed, ...others].slice(0, STAGED_REMOVED_MAX));
}

/** Keeps the refusal of a manifest that did not become a release. A release would have its own refusal. */
function noteRefusal(meta: Meta, key: string, staged: ChangeResult<ReleaseInfo>): void {
  const release = key.slice(STAGED_PREFIX.length, STAGED_PREFIX.length + RELEASE_CHARS_MAX);
  const before = stagedRefusals(meta);
  const others = before.filter((refusal) => refusal.release !== release);
  if (!staged.ok && !PASSING.includes(staged.code)) {
    const code = staged.extras?.refusal ?? staged.code;
    others.unshift({ release, code, message: staged.message, at: new Date().toISOString() });
  } else if (others.length === before.length) return;
  meta.set('stagedRefused', others.slice(0, STAGED_REFUSALS_MAX));
}

/** The manifests that were refused before they became a release, newest first. */
export function stagedRefusals(meta: Meta): StagedRefusal[] {
  return meta.json<StagedRefusal[]>('stagedRefused') ?? [];
}

function valuesOf(stored: StoredRelease | null): number {
  return stored === null ? 0 : blobsOf(stored.manifest).length;
}

async function stageText(
  changes: ReleaseChanges,
  request: ChangeRequest,
  text: string,
): Promise<ChangeResult<ReleaseInfo>> {
  const signed = parseSignedText(text);
  if (signed !== null) return changes.stage(request, signed);
  const refusal = refused('MANIFEST_INVALID', 'the value is not a signed manifest');
  return changes.recordRefusal(request, null, refusal);
}

async function promoteNew(
  changes: ReleaseChanges,
  request: ChangeRequest,
  { release, base, state, by, stagedAt }: ReleaseInfo,
): Promise<ChangeResult<unknown>> {
  const refuseAs = (refusal: string, message: string): Refusal =>
    changes.recordRefusal(request, release, refuse('RELEASE_REFUSED', message, { extras: { refusal } }));
  // KV may still return a manifest that was already promoted and removed.
  if (state === 'promoted') return ok(undefined);
  // Otherwise, anyone who can write KV could re-promote a release that an admin withdrew: its manifest is in
  // KV.
  if (state !== 'staged' || by !== request.actor.name) {
    return refuseAs('NOT_NEW', `${by} has already staged this release, and it is ${state}: stage a new one`);
  }
  if (Date.now() - Date.parse(stagedAt) > WAITING_KEPT_MS) {
    const days = WAITING_KEPT_MS / DAY_MS;
    return refuseAs('WAITED_TOO_LONG', `it waited for more than ${days} days: build and push it again`);
  }
  const options = { base, share: 1, overrides: [], reason: request.reason };
  const result = await changes.promote(request, release, options);
  // The proposal promotes it once a second person approves, so nothing is left to do here.
  if (!result.ok && result.code === 'APPROVAL_PENDING') return ok(undefined);
  if (result.ok || PASSING.includes(result.code)) return result;
  // `promote` has recorded some refusals, but not that another release is current.
  return changes.recordRefusal(request, release, result);
}
