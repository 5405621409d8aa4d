/** Single values of the feed. docs/storage.md describes each key. */
import { SingleValues } from '../storage/single-values.ts';

type Key =
  | 'feed'
  | 'cursor'
  | 'generation'
  | 'pass'
  | 'isPassing'
  | 'release'
  | 'droppedSeq'
  | 'checkAfter'
  | 'checkAgain'
  | 'entries'
  | 'unnamed'
  | 'caughtUpAt'
  | 'textCursor'
  | 'textGeneration'
  | 'textPass'
  | 'textIsPassing'
  | 'hosts'
  | 'hostsLeft';

export class Meta extends SingleValues<Key> {}
