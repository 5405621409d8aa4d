/** Single values of a store of registrations. docs/storage.md describes each key. */
import { SingleValues } from '../storage/single-values.ts';

type Key =
  | 'organisation'
  | 'checkedRelease'
  | 'acknowledged'
  | 'anchoredAt'
  | 'budgetHour'
  | 'budgetUsed'
  | 'budgetDay'
  | 'budgetDayUsed'
  | 'checksDay'
  | 'checksUsed';

export class Meta extends SingleValues<Key> {}
