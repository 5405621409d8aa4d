/** Single values of the store of appeals. docs/storage.md describes each key. */
import { SingleValues } from '../storage/single-values.ts';

type Key = 'hour' | 'hourUsed' | 'sweptAt' | 'anchoredAt';

export class Meta extends SingleValues<Key> {}
