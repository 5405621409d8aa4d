/** Single values of the credential store. docs/storage.md describes each key. */
import { SingleValues } from '../storage/single-values.ts';

type Key = 'version' | 'publishedVersion' | 'ownUri' | 'sweptAt' | 'anchoredAt';

export class Meta extends SingleValues<Key> {}
