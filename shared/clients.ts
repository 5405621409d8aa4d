/**
 * The client directory: who may ask, and how each wants to be answered when lists are stale, missing
 * or on trial. One document, so that the edge needs no read of its own for a request.
 */
import * as v from 'valibot';
import { CLIENT_SHORT_CODES_MAX, CLIENTS_MAX, QUOTA_ITEMS_DEFAULT } from './limits.ts';
import { isSigned, type SignedText, signedTextSchema, signText } from './release/signed.ts';

export const RIGHTS = ['check', 'gateway'] as const;
export type Right = (typeof RIGHTS)[number];
export const FAIL_POLICIES = ['open', 'closed'] as const;
export const MODES = ['enforce', 'label', 'shadow'] as const;

export const clientSchema = v.strictObject({
  /** The part of the key before the dot. */
  id: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower case letters, digits and dashes')),
  /** SHA-256 of the secrets in force, in hex: two while one is being replaced. */
  secretSha256: v.pipe(
    v.array(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
    v.minLength(1),
    v.maxLength(2),
  ),
  rights: v.array(v.picklist(RIGHTS)),
  /** What to do on `indeterminate`: let pass (`open`) or hold back (`closed`). */
  failPolicy: v.optional(v.picklist(FAIL_POLICIES), 'open'),
  /** Data older than this is not good enough for the client. */
  maxStaleSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(10), v.maxValue(604_800)), 3_600),
  /** `label` turns block into label, `shadow` turns both into allow; the answer says so. */
  mode: v.optional(v.picklist(MODES), 'enforce'),
  /** Items a minute. */
  quotaItems: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000_000)),
    QUOTA_ITEMS_DEFAULT,
  ),
  /** Korean short codes the client owns, and may send from. */
  shortCodes: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.regex(/^\d{3,8}$/))), v.maxLength(CLIENT_SHORT_CODES_MAX)),
    [],
  ),
});
export type Client = v.InferOutput<typeof clientSchema>;

export const directorySchema = v.strictObject({
  format: v.literal(1),
  clients: v.pipe(v.array(clientSchema), v.maxLength(CLIENTS_MAX)),
});
export type Directory = v.InferOutput<typeof directorySchema>;

export function signDirectory(directory: Directory, privateKey: CryptoKey): Promise<SignedText> {
  return signText('clients', JSON.stringify(directory), privateKey);
}

/** The clients by id, or null where the text is not a directory that one of the keys signed. */
export async function openDirectory(
  text: string,
  publicKeys: readonly CryptoKey[],
): Promise<Map<string, Client> | null> {
  try {
    const envelope = v.safeParse(signedTextSchema, JSON.parse(text));
    if (!envelope.success || !(await isSigned('clients', envelope.output, publicKeys))) return null;
    const parsed = v.safeParse(directorySchema, JSON.parse(envelope.output.signed));
    if (!parsed.success) return null;
    return new Map(parsed.output.clients.map((client) => [client.id, client]));
  } catch {
    return null;
  }
}
