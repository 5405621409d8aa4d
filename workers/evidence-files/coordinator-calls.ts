/** The methods of the coordinator that evidence files call. */
import type { Coordinator } from '../coordinator/coordinator.ts';

type Calls =
  | 'organisations'
  | 'clients'
  | 'qualification'
  | 'findEntries'
  | 'standingBlocks'
  | 'lists'
  | 'releases'
  | 'ruleVersions'
  | 'beginEvidence'
  | 'evidenceTree'
  | 'evidenceScan'
  | 'evidenceRecordsAt'
  | 'evidenceRecords'
  | 'recordEvidence';

export type EvidenceCoordinator = {
  [Name in Calls]: Coordinator[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};
