/** Real texts for training, few enough for tests, and matching options. */
import './workspace.ts';
import { sampleRows } from '../../../cli/commands/text-sample.ts';
import { csvLine } from '../../../shared/csv.ts';
import { write } from './workspace.ts';

export type TrainingRow = ReturnType<typeof sampleRows>[number] & { readonly date?: string };

/** Rates that a few hundred texts of a domain can show. */
export const RATES = ['--review-rate', '0.05', '--suspicious-rate', '0.02'];
/** A small model. */
export const OPTIONS = ['--bits', '14', '--folds', '3', ...RATES];

export const everyRow: readonly TrainingRow[] = sampleRows();
/** English messages and Korean comments. */
export const rows: readonly TrainingRow[] = everyRow.filter(
  ({ domain }, index) =>
    domain !== 'korean-reviews' && index % (domain === 'english-messages' ? 5 : 20) === 0,
);

/** Writes a training file. @returns its path */
export function file(name: string, given: readonly TrainingRow[]): string {
  const lines = given.map(
    ({ text, label, domain, date = '' }) => `${csvLine([text, label, domain, date])}\n`,
  );
  return write(name, `text,label,domain,date\n${lines.join('')}`);
}
