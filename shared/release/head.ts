/**
 * The head: what is current. One small document, so that a reader that has it needs only shards.
 */
import * as v from 'valibot';
import { signedManifestSchema } from './manifest.ts';

export const headSchema = v.strictObject({
  format: v.literal(1),
  /** Rises with every change; a reader never goes back. */
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** When this head became current. */
  promotedAt: v.pipe(v.string(), v.isoTimestamp()),
  manifest: signedManifestSchema,
});
export type HeadDocument = v.InferOutput<typeof headSchema>;

/** The head in a KV value, or null where it is not one. */
export function parseHead(text: string): HeadDocument | null {
  try {
    const parsed = v.safeParse(headSchema, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
