/**
 * Restores the releases in force after the store has lost its tables, from the index that the head names and the values
 * in KV. Nothing in KV is trusted: the head names the index by its digest, the index is sealed, and the manifests are
 * signed. Campaigns are not restored: reports and people confirm them again.
 */
import { sha256Hex } from '../../shared/bytes.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { VALUE_BYTES_MAX } from '../../shared/limits/lists.ts';
import type { HeadText, NamedValue } from '../../shared/release/head.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import type { OpenedWith } from '../../shared/set/key-ring.ts';
import { unseal } from '../../shared/set/seal.ts';
import { openTextIndex, type TextIndex } from '../../shared/text/text-index.ts';
import { type TextManifest, textValuesOf } from '../../shared/text/text-manifest.ts';
import type { Secrets } from '../env.ts';
import { readFresh } from '../storage/kv-values.ts';
import { within } from '../storage/single-flight.ts';
import { systemRequest } from '../storage/store-request.ts';
import { openSigned } from './release-check.ts';
import type { ReleaseValue } from './release-rows.ts';
import type { TextTables } from './tables.ts';

interface Lost {
  readonly signed: SignedText;
  readonly manifest: TextManifest;
  readonly values: readonly ReleaseValue[];
}

/** @returns how many releases the head had, and how many are restored @throws if KV does not respond */
export async function restoreReleases(
  { index: named }: HeadText,
  tables: TextTables,
  kv: KVNamespace,
  secrets: Secrets,
): Promise<{ readonly had: number | null; readonly restored: number }> {
  const index = await readIndex(named, kv, secrets);
  if (index === null) return { had: null, restored: 0 };
  const restorable = async (signed: SignedText | null): Promise<Lost | null> => {
    const found = await readRelease(signed, kv, secrets);
    const known = found && tables.releases.get(found.manifest.release);
    return known === null || known.signed.signed === found?.signed.signed ? found : null;
  };
  const current = await restorable(index.current);
  const candidate = await restorable(index.candidate?.manifest ?? null);
  const { actor, reason } = systemRequest('the tables were lost: restored from KV');
  const author = { actor: actor.name, reason, at: Date.now() };
  const isRestored = tables.storage.transactionSync(() => {
    // Another release may have been promoted meanwhile. It stays in force.
    if (tables.releases.current !== null || tables.releases.candidate !== null) return false;
    const insert = ({ signed, manifest: { release }, values }: Lost, after: object): string => {
      // The release may have been pushed again meanwhile.
      if (tables.releases.get(release) === null)
        tables.releases.insert({ release, signed, pushedAt: author.at, pushedBy: author.actor }, values);
      tables.audit.append(author, release, { action: 'textRelease.restore', before: null, after });
      return release;
    };
    if (current !== null) tables.releases.setCurrent(insert(current, { state: 'current' }), author.at);
    if (candidate === null) return true;
    const { share } = index.candidate!;
    tables.releases.setCandidate(insert(candidate, { state: 'candidate', share }), share, author.at);
    return true;
  });
  const count = (all: readonly (object | null)[]): number => all.filter((each) => each !== null).length;
  return {
    had: count([index.current, index.candidate]),
    restored: isRestored ? count([current, candidate]) : 0,
  };
}

async function readIndex(named: NamedValue, kv: KVNamespace, { keys }: Secrets): Promise<TextIndex | null> {
  const bytes = await readNamed(named, kv);
  const opened: OpenedWith<TextIndex> | null =
    bytes === null ? null : await keys.open((each) => openTextIndex(bytes, each));
  return opened?.value ?? null;
}

/** The complete release, or null. */
async function readRelease(
  signed: SignedText | null,
  kv: KVNamespace,
  secrets: Secrets,
): Promise<Lost | null> {
  const opened = signed === null ? null : await openSigned(signed, secrets);
  if (signed === null || opened?.ok !== true) return null;
  const values: ReleaseValue[] = [];
  for (const { key, sha256 } of textValuesOf(opened.value)) {
    const bytes = await readNamed({ key, sha256 }, kv);
    const content = bytes === null ? null : await secrets.keys.open((keys) => unseal(bytes, keys));
    if (bytes === null || content === null) return null;
    values.push({ key, sha256, keyId: content.keys.keyId, bytes });
  }
  return { signed, manifest: opened.value, values };
}

async function readNamed(
  { key, sha256 }: NamedValue,
  kv: KVNamespace,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = await within(readFresh(key, VALUE_BYTES_MAX, kv), LOAD_WAIT_MS);
  return bytes !== null && (await sha256Hex(bytes)) === sha256 ? bytes : null;
}
