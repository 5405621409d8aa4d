/**
 * The key that this service signs with: CREDENTIAL_KEY, a private JWK for ES256. If the key has no `kid`, its thumbprint
 * (RFC 7638) is its name. During a rotation, CREDENTIAL_KEY is a JWK set: the first key signs, and the others are only
 * published until everything that they signed has expired.
 */
import { CompactSign, calculateJwkThumbprint, importJWK } from 'jose';
import * as v from 'valibot';
import { utf8 } from '../../shared/bytes.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';

const coordinate = v.pipe(v.string(), v.regex(/^[\w-]{43}$/));
const privateJwkSchema = v.object({
  kty: v.literal('EC'),
  crv: v.literal('P-256'),
  x: coordinate,
  y: coordinate,
  d: coordinate,
  kid: v.optional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,64}$/))),
});
const keySetSchema = v.object({ keys: v.pipe(v.array(privateJwkSchema), v.minLength(1), v.maxLength(4)) });

/** A key of `/.well-known/jwks.json`. */
interface PublishedKey extends Omit<v.InferOutput<typeof privateJwkSchema>, 'd' | 'kid'> {
  readonly kid: string;
  readonly alg: 'ES256';
  readonly use: 'sig';
}

export interface ServiceKey {
  readonly published: readonly PublishedKey[];
  readonly sign: (typ: string, claims: object) => Promise<string>;
}

/** The key of this isolate, kept because importing a key is expensive. */
let opened: { readonly text: string; readonly key: ServiceKey } | null = null;

const REMEDY =
  'make one with npx numgate holder-keys new, and set it with wrangler secret put CREDENTIAL_KEY';

export async function openServiceKey({
  CREDENTIAL_KEY: text = '',
}: Partial<ControlEnv>): Promise<Result<ServiceKey, Problem>> {
  if (text === '') return problem('NOT_CONFIGURED', `CREDENTIAL_KEY is not set: ${REMEDY}`);
  if (opened?.text === text) return ok(opened.key);
  const key = await keyOf(text).catch(() => null);
  if (key === null) {
    const form = 'must be a private JWK on P-256, or a JWK set of up to four';
    return problem('NOT_CONFIGURED', `CREDENTIAL_KEY ${form}: ${REMEDY}`);
  }
  opened = { text, key };
  return ok(key);
}

/** @throws if the text is not JSON, or the signing key is not on the curve */
async function keyOf(text: string): Promise<ServiceKey | null> {
  const document: unknown = JSON.parse(text);
  const one = v.safeParse(privateJwkSchema, document);
  const set = v.safeParse(keySetSchema, document);
  const keys = one.success ? [one.output] : set.success ? set.output.keys : [];
  const published = await Promise.all(
    keys.map(async ({ kty, crv, x, y, kid }): Promise<PublishedKey> => {
      const name = kid ?? (await calculateJwkThumbprint({ kty, crv, x, y }));
      return { kty, crv, x, y, kid: name, alg: 'ES256', use: 'sig' };
    }),
  );
  const [first] = published;
  if (first === undefined || new Set(published.map(({ kid }) => kid)).size < keys.length) return null;
  const signing = await importJWK({ ...first, d: keys[0]!.d }, 'ES256');
  return {
    published,
    sign: (typ, claims) =>
      new CompactSign(utf8(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'ES256', typ, kid: first.kid })
        .sign(signing),
  };
}
