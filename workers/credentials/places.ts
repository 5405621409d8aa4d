/** Where a credential is among all: the leading bits of its digest. Any count of shards divides the places. */
import { credentialShardOf } from '../../shared/credentials/credential-index.ts';

export const PLACES = 4_096;

export function placeOf(digest: string): number {
  return credentialShardOf(digest, PLACES);
}
