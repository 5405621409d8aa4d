/** The place of a credential: the leading bits of its digest. PLACES is a multiple of every count of shards. */
import { credentialShardOf } from '../../shared/credentials/credential-index.ts';

export const PLACES = 4_096;

export function placeOf(digest: string): number {
  return credentialShardOf(digest, PLACES);
}
