/** Keys of feed consumers in the admin API. */
import * as v from 'valibot';
import type { FeedSecretJwk } from '../feed/consumer-keys.ts';
import { reasonSchema } from '../schemas.ts';

/** `POST /v1/admin/clients/{id}/feed-key` */
export const issueFeedKeySchema = v.strictObject({ reason: reasonSchema });

/** The new key. No other response contains it. */
export interface FeedKeyInfo {
  readonly id: string;
  readonly jwk: FeedSecretJwk;
}
