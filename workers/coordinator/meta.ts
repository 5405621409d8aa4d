/**
 * Single values beside the tables: the table `meta`. docs/storage.md describes each key.
 */
import { SingleValues } from '../storage/single-values.ts';

type Key =
  | 'seq'
  | 'changedAt'
  | 'kvSeq'
  | 'droppedSeq'
  | 'backPlace'
  | 'sealedAt'
  | 'clients'
  | 'guards'
  | 'policy'
  | 'canaries'
  | 'stagedLast'
  | 'stagedRefused'
  | 'stagedRemoved'
  | 'auditTrimmed'
  | 'auditTree'
  | 'checkpointKv'
  | 'sweptAt'
  | 'signers'
  | 'listKey'
  | 'listKeyRotated'
  | 'expiryWarnedAt'
  | 'signersApproved'
  | 'approvals'
  | 'registrations'
  | 'registrationsDropped'
  | 'credentials'
  | 'text'
  | 'nextQualificationIndex'
  | 'qualificationsNotified'
  | 'qualificationsEndedAt'
  | 'ruleEntries'
  | 'liveGeneration'
  | 'feedRead';

export class Meta extends SingleValues<Key> {}
