/**
 * The keys of references and tokens, from the current LIST_KEY and all earlier ones. A rotation thus invalidates neither the
 * references that blocks have shown nor the tokens that appellants keep. Each key is sealed with the current LIST_KEY.
 */
import { APPEAL_KEYS_MAX } from '../../shared/limits/appeals.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { seal, unseal } from '../../shared/set/seal.ts';

interface Row extends Record<string, SqlStorageValue> {
  key_id: string;
  sealed_with: string;
  sealed: ArrayBuffer;
}

/** Prevents other values that are sealed with LIST_KEY from opening as a reference key. */
const PLACE = 'appeals/reference-key';

/**
 * Stores the new keys, and seals all keys with the first key of LIST_KEY.
 * @returns the keys that open references, beginning with that of the first key of LIST_KEY
 */
export async function openReferenceKeys(
  { sql }: DurableObjectStorage,
  ring: KeyRing,
): Promise<readonly Uint8Array[]> {
  const { writer } = ring;
  const known = new Map(ring.all.map(({ keyId, appealKey }) => [keyId, appealKey]));
  const rows = sql
    .exec<Row>('SELECT key_id, sealed_with, sealed FROM reference_keys ORDER BY at DESC')
    .toArray();
  for (const { key_id: id, sealed_with: sealedWith, sealed } of rows) {
    const keys = ring.of(sealedWith);
    if (known.has(id) || keys === null) continue;
    const key = await unseal(new Uint8Array(sealed), keys, PLACE);
    if (key !== null) known.set(id, key);
  }
  const kept = [...known].slice(0, APPEAL_KEYS_MAX);
  const isStored = (id: string): boolean =>
    rows.some(({ key_id, sealed_with }) => key_id === id && sealed_with === writer.keyId);
  for (const [id, key] of kept) {
    if (isStored(id)) continue;
    const sealed = await seal(Uint8Array.from(key), writer, PLACE);
    sql.exec(
      `INSERT INTO reference_keys VALUES (?, ?, ?, ?)
       ON CONFLICT (key_id) DO UPDATE SET sealed_with = excluded.sealed_with, sealed = excluded.sealed`,
      ...[id, writer.keyId, sealed, Date.now()],
    );
  }
  return kept.map(([, key]) => key);
}
