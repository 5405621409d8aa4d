/**
 * The index of text risk: the sealed value that the head names. It has the signed manifests in force, and names the table
 * of campaigns. Readers ignore fields that they do not know.
 */
import * as v from 'valibot';
import { utf8 } from '../bytes.ts';
import { namedValueSchema } from '../release/head.ts';
import { signedTextSchema } from '../release/signed.ts';
import type { ListKeys } from '../set/keys.ts';
import { seal, unseal } from '../set/seal.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const indexSchema = v.object({
  kind: v.literal('numgate-text-index'),
  format: v.literal(1),
  version: count,
  /** The manifest in force; null before the first push. */
  current: v.nullable(signedTextSchema),
  /** A canary in a share (0 to 1) of the data centres. */
  candidate: v.nullable(
    v.object({ manifest: signedTextSchema, share: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
  ),
  /** Sealed table of the confirmed campaigns (campaign-table.ts); null if there are none. */
  campaigns: v.nullable(namedValueSchema),
});
export type TextIndex = v.InferOutput<typeof indexSchema>;

export function sealTextIndex(index: TextIndex, keys: ListKeys): Promise<Uint8Array<ArrayBuffer>> {
  return seal(utf8(JSON.stringify(index)), keys);
}

/** The index, or null if the bytes are not an index sealed with these keys. */
export async function openTextIndex(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<TextIndex | null> {
  const content = await unseal(bytes, keys);
  return content === null ? null : parseTextIndex(content);
}

/** The index, or null if the bytes are not an index. */
export function parseTextIndex(content: Uint8Array): TextIndex | null {
  try {
    const parsed = v.safeParse(indexSchema, JSON.parse(new TextDecoder().decode(content)));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
