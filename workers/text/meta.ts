/** Single values of the text store. docs/storage.md describes each key. */
import { SingleValues } from '../storage/single-values.ts';

type Key =
  | 'version'
  | 'publishedVersion'
  | 'back'
  | 'sweptAt'
  | 'anchoredAt'
  | 'generation'
  | 'textKeyId'
  | 'lastCampaign'
  | 'campaignChanges';

export class Meta extends SingleValues<Key> {}
