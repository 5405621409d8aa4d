/**
 * Admits the consumers of the feed: clients with the right `feed` and an encryption setting. Limits their requests per minute.
 */
import type { Client } from '../../shared/clients.ts';
import { encryptionKeyName, type FeedAccess, feedKeyName } from '../../shared/feed/access.ts';
import { feedSecretOf } from '../../shared/feed/consumer-keys.ts';
import { type Encrypt, encryptorOf, encryptorTo } from '../../shared/feed/jwe.ts';
import {
  FEED_REQUESTS_MAX,
  FEED_REQUESTS_TOTAL_MAX,
  FEED_SNAPSHOTS_MAX,
  FEED_SNAPSHOTS_TOTAL_MAX,
  FEED_WINDOW_MS,
} from '../../shared/limits/feed-http.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import type { Answer, Handler, PathParameters, RequestContext } from '../http/app.ts';
import { type AdmissionContent, ClientAdmission } from '../http/client-admission.ts';
import { type Problem, problem } from '../http/reply.ts';
import { RequestWindow } from '../http/request-window.ts';
import { readClientsWith } from '../storage/coordinator-port.ts';
import { FEED_NAME, type FeedObject } from '../storage/feed-port.ts';
import { sharingKeysOf } from '../storage/sharing-secrets.ts';
import { OpenRequests } from './open-requests.ts';

export interface FeedContext extends RequestContext {
  readonly params: PathParameters;
  readonly client: Client;
  readonly access: FeedAccess;
  readonly feed: FeedObject;
  /** The open requests of all clients in this isolate. */
  readonly open: OpenRequests;
}

/** The state that an isolate keeps for its consumers. */
class Consumers {
  readonly admission = new ClientAdmission<AdmissionContent>({
    right: 'feed',
    read: ({ COORDINATOR }) => readClientsWith('feed', COORDINATOR),
    failed: 'feedClientsNotRead',
    unavailable: 'the clients cannot be read now; try again',
  });
  readonly requests = new RequestWindow(FEED_WINDOW_MS, FEED_REQUESTS_MAX, FEED_REQUESTS_TOTAL_MAX);
  readonly snapshots = new RequestWindow(FEED_WINDOW_MS, FEED_SNAPSHOTS_MAX, FEED_SNAPSHOTS_TOTAL_MAX);
  readonly open = new OpenRequests();
}

/** The consumers of this isolate. */
let consumers = new Consumers();

/** Resets all state, as a new isolate would. */
export function resetConsumers(): void {
  consumers = new Consumers();
}

/** Makes a route that only consumers may use. */
export function forConsumers(handle: (context: FeedContext) => Promise<Answer>): Handler {
  return async (context, params) => {
    const admitted = await admitConsumer(context);
    if (!admitted.ok) return admitted;
    const { client, access } = admitted.value;
    const limited = limitOf(consumers.requests, client, TOO_MANY_REQUESTS);
    if (limited !== null) return limited;
    const feed = (context.env as unknown as ControlEnv).FEED.getByName(FEED_NAME);
    return handle({ ...context, params, client, access, feed, open: consumers.open });
  };
}

/** Admits the client that sends the request. Returns the client, and how its data is encrypted. */
export async function admitConsumer(
  context: RequestContext,
): Promise<Result<{ client: Client; access: FeedAccess }, Problem>> {
  // Check this before the client key, so that the operator of the service sees the problem with any key.
  const keys = await sharingKeysOf(context.env as unknown as ControlEnv);
  if (!keys.ok) return keys;
  const admitted = await consumers.admission.admit(context);
  if (!admitted.ok) return admitted;
  const { client } = admitted.value;
  const access = client.feed ?? null;
  if (access !== null) return ok({ client, access });
  const remedy = 'an admin sets it with npx numgate clients set --feed';
  return problem('FEED_KEY_MISSING', `this client has no encryption for the feed: ${remedy}`);
}

/** Counts a snapshot of the client. @returns the problem if there were too many */
export function limitSnapshots({ client }: FeedContext): Problem | null {
  return limitOf(consumers.snapshots, client, TOO_MANY_SNAPSHOTS);
}

const TOO_MANY_REQUESTS =
  'too many requests of this client: wait for events with "timeout", or use the event stream';
const TOO_MANY_SNAPSHOTS = 'too many snapshots for this client: read what has changed since the last one';

function limitOf(requests: RequestWindow, { id }: Client, message: string): Problem | null {
  const now = Date.now();
  requests.advance(now);
  const retryAfterSeconds = requests.limited(id, now);
  if (retryAfterSeconds === null) {
    requests.count(id);
    return null;
  }
  return problem('QUOTA_EXCEEDED', message, { retryAfterSeconds });
}

/** The function that encrypts the data of one response; null for a client without encryption. */
export async function encryptorFor({
  client,
  access,
  env,
}: Pick<FeedContext, 'client' | 'access' | 'env'>): Promise<Result<Encrypt | null, Problem>> {
  switch (access.encryption) {
    case 'none':
      return ok(null);
    case 'ECDH-ES': {
      const encrypt = await encryptorTo(access.key, await encryptionKeyName(access.key));
      if (encrypt !== null) return ok(encrypt);
      return problem('FEED_KEY_MISSING', 'the public key of this client is not on its curve: set another');
    }
    case 'dir': {
      const keys = await sharingKeysOf(env as unknown as ControlEnv);
      if (!keys.ok) return keys;
      const { keyId } = access;
      const secret = keyId === null ? null : await feedSecretOf(keys.value, client.id, keyId);
      if (keyId !== null && secret !== null)
        return ok(await encryptorOf(secret, feedKeyName(client.id, keyId)));
      const remedy = 'an admin creates one with npx numgate clients feed-key';
      return problem('FEED_KEY_MISSING', `this client has no key for the data of the feed: ${remedy}`);
    }
  }
}
