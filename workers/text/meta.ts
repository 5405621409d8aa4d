/** Single values of the text store. docs/storage.md describes each key. */
import { SingleValues } from '../storage/single-values.ts';

type Key = 'version' | 'publishedVersion' | 'sweptAt' | 'anchoredAt';

export class Meta extends SingleValues<Key> {}
