/** The bulk upload of registrations, piece by piece: what `POST …/registrations/import` returns for each line. */
import type { RegistrationReason, RegistrationState } from './registration.ts';

/** `unchanged`: the registration already has exactly what the line has. */
export const IMPORT_RESULTS = ['created', 'updated', 'unchanged', 'rejected'] as const;
export type ImportResult = (typeof IMPORT_RESULTS)[number];

/** What became of one line, or with `dryRun`, what would. */
export interface ImportedRow {
  /** Line of the file, as counted from the parameter `line`. */
  readonly line: number;
  readonly reference: string | null;
  readonly result: ImportResult;
  /** Of the registration; null if the line was rejected, or has not created it yet. */
  readonly id: string | null;
  readonly state: RegistrationState | null;
  /** Why it was rejected. `field` is the column. */
  readonly reasons: readonly RegistrationReason[];
}

export interface ImportDone {
  readonly rows: readonly ImportedRow[];
}
