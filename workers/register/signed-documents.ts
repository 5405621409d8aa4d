/**
 * Signs the documents of this service. Each document is signed once per reading of its data, not once per request.
 */
import { sha256Hex } from '../../shared/bytes.ts';
import { REGISTER_FRESH_SECONDS, SIGNED_KEPT_MAX } from '../../shared/limits/qualification.ts';
import { type ControlEnv, publicUrlOf } from '../env.ts';
import type { Answer } from '../http/app.ts';
import type { PublicContext } from '../http/public-route.ts';
import { problem } from '../http/reply.ts';
import type { Reading } from './cached-reading.ts';
import { openServiceKey, type ServiceKey } from './service-key.ts';

/** A document to sign. */
interface Unsigned {
  readonly typ: string;
  /** Claims besides `iss`, `iat` and `exp`. */
  readonly claims: object;
  /** Time from `iat` to `exp`. */
  readonly lifeSeconds: number;
  /** An earlier end of the document, in ms since 1970. */
  readonly endsAt?: number;
}

interface SignedDocument {
  readonly body: string;
  readonly etag: string;
}

/** How long an `etag` stays the same, in seconds. After that, even an unchanged document is sent with a later `exp`. */
const ETAG_SECONDS = 3_600;

/** The signed documents of this isolate, by reading and name. */
const signed = new WeakMap<Reading<unknown>, Map<string, SignedDocument>>();

/** @param make runs if the reading has no document of this name yet; gets the base of all URLs */
export async function sendSigned(
  { env, request, reply }: PublicContext,
  reading: Reading<unknown>,
  name: string,
  contentType: string,
  make: (publicUrl: string) => Unsigned | Promise<Unsigned>,
): Promise<Answer> {
  const key = await openServiceKey(env as unknown as ControlEnv);
  if (!key.ok) return key;
  const iss = publicUrlOf(env as unknown as ControlEnv);
  if (!iss.ok) return problem(iss.code, iss.message);
  const documents = signed.get(reading) ?? new Map<string, SignedDocument>();
  signed.set(reading, documents);
  const document =
    documents.get(name) ?? (await sign(await make(iss.value), key.value, iss.value, reading.readAt));
  if (documents.size < SIGNED_KEPT_MAX) documents.set(name, document);
  const { body, etag } = document;
  const ifNoneMatch = request.headers.get('if-none-match');
  return reply.document(body, contentType, { etag, seconds: REGISTER_FRESH_SECONDS, ifNoneMatch });
}

async function sign(
  { typ, claims, lifeSeconds, endsAt = Number.POSITIVE_INFINITY }: Unsigned,
  key: ServiceKey,
  iss: string,
  readAt: number,
): Promise<SignedDocument> {
  const iat = Math.floor(readAt / 1000);
  const exp = Math.min(iat + lifeSeconds, Math.floor(endsAt / 1000));
  // Signature and `iat` differ between isolates, so the `etag` covers only the content.
  const hour = Math.floor(iat / ETAG_SECONDS);
  const digest = await sha256Hex(JSON.stringify([key.published[0]?.kid, hour, claims]));
  return {
    body: await key.sign(typ, { iss, ...claims, iat, exp }),
    etag: `W/"${digest.slice(0, 16)}"`,
  };
}
