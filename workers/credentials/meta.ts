/** Single values of the credential store. docs/storage.md describes each key. */
import { SingleValues } from '../storage/single-values.ts';

type Key =
  | 'version'
  | 'publishedVersion'
  | 'ownUri'
  | 'sweptAt'
  | 'anchoredAt'
  | 'reminded30'
  | 'reminded7'
  | 'reminded1';

export class Meta extends SingleValues<Key> {}
