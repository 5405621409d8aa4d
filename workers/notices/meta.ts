/** Single values of a store of notices. docs/storage.md describes each key. */
import type { AnchorKey } from '../storage/anchoring.ts';
import { SingleValues } from '../storage/single-values.ts';

type Key =
  | AnchorKey
  | 'organisation'
  | 'lastVersion'
  | 'sweptAt'
  | 'noticesFullAt'
  | 'noticesRemovedUnsentAt'
  | 'budgetHour'
  | 'budgetUsed';

export class Meta extends SingleValues<Key> {}
