/**
 * Verifies webhooks of numgate according to Standard Webhooks: with the secret of the webhook (`whsec_…`), its public key
 * (`whpk_…`), or both. Uses only the Web Crypto API, which needs Node 20 or newer for public keys.
 */

/** A notice as a webhook gets it: a CloudEvent. */
export interface NoticeEvent {
  /** The same for each attempt. Drop notices that you have already processed. */
  readonly id: string;
  /** For example `kr.numgate.sender.blocked.v1`. */
  readonly type: string;
  readonly subject: string;
  /** RFC 3339 in UTC. */
  readonly time: string;
  /** Rises with each notice to your organisation. A webhook gets them in this order, except for replays. */
  readonly version: number;
  /** Set for an invented notice, for tests. Do not act on it. */
  readonly mock?: true;
  /** Time by which to answer. */
  readonly respondby?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface VerifyOptions {
  /** Maximum age of a webhook, and how far in the future it may be, in seconds. Default 300. */
  readonly toleranceSeconds?: number;
  /** Current time, in ms since 1970. Default: now. */
  readonly now?: number;
}

/** The webhook is not from numgate, is too old, or was altered. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

/**
 * @param body exactly as it arrived, before JSON is parsed
 * @param headers of the request: a `Headers` object, or names in any case with their values
 * @param keys `whsec_…` or `whpk_…`, or several of them while you rotate
 * @throws {WebhookError} respond with status 400, and ignore the request
 */
export async function verifyWebhook(
  body: string,
  headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>,
  keys: string | readonly string[],
  { toleranceSeconds = 300, now = Date.now() }: VerifyOptions = {},
): Promise<NoticeEvent> {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
    headerOf(headers, `webhook-${name}`),
  ) as [string, string, string];
  if (id === '' || signatures === '') throw new WebhookError('a header "webhook-…" is missing');
  const isTimely =
    /^\d{1,12}$/.test(timestamp) && Math.abs(now / 1000 - Number(timestamp)) <= toleranceSeconds;
  if (!isTimely) throw new WebhookError('the webhook is too old, or from the future');
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  for (const key of [keys].flat()) {
    if (await isSigned(key, signatures.split(' '), signed)) return JSON.parse(body) as NoticeEvent;
  }
  throw new WebhookError('no signature is valid');
}

function headerOf(headers: Parameters<typeof verifyWebhook>[1], name: string): string {
  if (headers instanceof Headers) return headers.get(name) ?? '';
  const [, value] = Object.entries(headers).find(([each]) => each.toLowerCase() === name) ?? [];
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}

async function isSigned(
  text: string,
  signatures: readonly string[],
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const [, kind, base64 = ''] = /^(whsec|whpk)_(.+)$/.exec(text) ?? [];
  const bytes = decode(base64);
  if (kind === undefined || bytes === null) throw new TypeError('a key must begin with "whsec_" or "whpk_"');
  const isSecret = kind === 'whsec';
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes, isSecret ? hmac : 'Ed25519', false, ['verify']);
  const version = isSecret ? 'v1,' : 'v1a,';
  for (const each of signatures) {
    const signature = each.startsWith(version) ? decode(each.slice(version.length)) : null;
    // The comparison takes the same time for each wrong signature.
    if (
      signature !== null &&
      (await crypto.subtle.verify(isSecret ? 'HMAC' : 'Ed25519', key, signature, signed))
    )
      return true;
  }
  return false;
}

function decode(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
