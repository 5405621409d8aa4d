/** Single values of the desk. docs/storage.md describes each key. */
import type { AnchorKey } from '../storage/anchoring.ts';
import { SingleValues } from '../storage/single-values.ts';

export type MetaKey =
  | AnchorKey
  | 'lastBlock'
  | 'contextDigest'
  | 'contextVersion'
  | 'entryN'
  | 'batch'
  | 'lastBatch'
  | 'rulesFullSince'
  | 'campaignBatch'
  | 'lastCampaignBatch'
  | 'campaignsFullSince'
  | 'sweptAt';

export class Meta extends SingleValues<MetaKey> {}
