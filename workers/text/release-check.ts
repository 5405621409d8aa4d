/**
 * The checks that a pushed text release must pass before it is stored: the manifest has a valid signature, and each value
 * has its digest, opens with LIST_KEY and has the content that the manifest states. Pure, except for cryptography.
 */
import type { PutTextRelease } from '../../shared/admin/text.ts';
import { fromBase64, sha256Hex } from '../../shared/bytes.ts';
import { HOST_TABLE_BYTES_MAX } from '../../shared/limits/text.ts';
import { textKey } from '../../shared/release/kv-keys.ts';
import { ANY_OWNER, type SignedText, signerOf } from '../../shared/release/signed.ts';
import { ok, type Result } from '../../shared/result.ts';
import { SEAL_NONCE_BYTES, SEAL_TAG_BYTES } from '../../shared/set/layout.ts';
import { LayoutError } from '../../shared/set/number-set.ts';
import { unseal } from '../../shared/set/seal.ts';
import { HostTable } from '../../shared/text/host-table.ts';
import { TextModel } from '../../shared/text/model.ts';
import { openTextManifest, type TextManifest, textValuesOf } from '../../shared/text/text-manifest.ts';
import type { Secrets } from '../env.ts';
import { refuse, refuseField, type StoreRefusal } from '../storage/store-request.ts';
import type { ReleaseValue } from './release-rows.ts';

/** Maximum size of a sealed value. */
const VALUE_BYTES_MAX = HOST_TABLE_BYTES_MAX + SEAL_NONCE_BYTES + SEAL_TAG_BYTES;

export interface CheckedRelease {
  readonly manifest: TextManifest;
  readonly values: readonly ReleaseValue[];
}

export function refused(code: string, message: string): StoreRefusal {
  return refuse('RELEASE_REFUSED', `${code}: ${message}`, { refusal: code });
}

/** The manifest, if a key of the installation itself signed it, and if that key is still trusted. */
export async function openSigned(
  signed: SignedText,
  { publicKeys }: Secrets,
): Promise<Result<TextManifest, StoreRefusal>> {
  const own = publicKeys.filter(({ owner }) => owner === ANY_OWNER);
  const opened = await openTextManifest(signed, own);
  if (opened.ok) return opened;
  const signer = opened.code === 'SIGNATURE_INVALID' ? await signerOf(signed, publicKeys) : null;
  if (signer === null || signer.owner === ANY_OWNER) return refused(opened.code, opened.message);
  const message = `it is signed with a key of "${signer.owner}": text releases need a key of the installation`;
  return refused(opened.code, message);
}

export async function checkRelease(
  { manifest: signed, values: given }: PutTextRelease,
  secrets: Secrets,
): Promise<Result<CheckedRelease, StoreRefusal>> {
  const opened = await openSigned(signed, secrets);
  if (!opened.ok) return opened;
  const manifest = opened.value;
  const named = textValuesOf(manifest);
  const foreign = Object.keys(given).find((key) => !named.some((each) => each.key === key));
  if (foreign !== undefined)
    return refused(
      'VALUE_UNNAMED',
      `the manifest does not name the value ${JSON.stringify(foreign.slice(0, 64))}`,
    );
  const values: ReleaseValue[] = [];
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { key, sha256 } of named) {
    if (contents.has(key)) continue;
    if (key !== textKey(sha256)) return refused('MANIFEST_INVALID', `${key} is not the key of its value`);
    const text = given[key];
    if (text === undefined) return refused('VALUE_MISSING', `send the value ${key} with the manifest`);
    const bytes = fromBase64(text);
    if (bytes === null) return refuseField(`values.${key}`, 'must be base64');
    if (bytes.length > VALUE_BYTES_MAX)
      return refused('VALUE_TOO_LARGE', `${key} has more than ${VALUE_BYTES_MAX} bytes`);
    if ((await sha256Hex(bytes)) !== sha256)
      return refused('VALUE_DAMAGED', `${key} does not match its SHA-256 in the manifest`);
    const content = await secrets.keys.open((keys) => unseal(bytes, keys));
    if (content === null)
      return refused(
        'KEY_FOREIGN',
        `${key} does not open with the LIST_KEY of the service: build again with that key`,
      );
    values.push({ key, sha256, keyId: content.keys.keyId, bytes });
    contents.set(key, content.value);
  }
  const held = checkContents(manifest, contents);
  return held.ok ? ok({ manifest, values }) : held;
}

/** Checks that the values decode and match the manifest. */
function checkContents(
  { model, hosts }: TextManifest,
  contents: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Result<void, StoreRefusal> {
  try {
    if (model !== null) {
      const { bits } = new TextModel(contents.get(model.value.key)!).parameters;
      if (bits !== model.bits)
        return refused('VALUE_INVALID', `the model has ${bits} bits, but the manifest says ${model.bits}`);
    }
    if (hosts !== null) {
      const table = new HostTable(contents.get(hosts.value.key)!, hosts.lists.length);
      const listed = hosts.lists.reduce((sum, list) => sum + list.hosts, 0);
      if (table.count !== hosts.count || table.count !== listed) {
        const named = `the manifest says ${hosts.count}, and its lists have ${listed}`;
        return refused('VALUE_INVALID', `the host table has ${table.count} hosts; ${named}`);
      }
    }
  } catch (error) {
    if (error instanceof LayoutError) return refused('VALUE_INVALID', error.message);
    throw error;
  }
  return ok(undefined);
}
