/**
 * Applies the lines of a bulk upload, one after another. A line creates the registration that has its reference, or
 * changes it. A line that is refused leaves nothing behind.
 */
import { IMPORT_REASONS_MAX, INVALID_LINES_MAX } from '../../shared/limits/registrations.ts';
import type { RegistrationFacts, RegistrationReason } from '../../shared/senders/registration.ts';
import { inColumn } from '../../shared/senders/registration-csv.ts';
import {
  type ImportedRow,
  type ImportLine,
  repeatedReason,
} from '../../shared/senders/registration-import.ts';
import type { Author } from '../storage/audit-chain.ts';
import { refuse, type StoreRefusal, type StoreResult } from '../storage/store-request.ts';
import type { RegistrationChanges } from './changes.ts';
import type { DueWork } from './due-work.ts';
import type { RegistrationRows, StoredRegistration } from './registration-rows.ts';

export class BulkUpload {
  readonly #rows: RegistrationRows;
  readonly #changes: RegistrationChanges;
  readonly #dueWork: DueWork;

  constructor(rows: RegistrationRows, changes: RegistrationChanges, dueWork: DueWork) {
    this.#rows = rows;
    this.#changes = changes;
    this.#dueWork = dueWork;
  }

  /** Must run in a transaction. @param submit whether to submit the registrations for review */
  apply(
    author: Author,
    facts: RegistrationFacts,
    lines: readonly ImportLine[],
    submit: boolean,
  ): ImportedRow[] {
    const seen = new Map<string, number>();
    return lines.map((line) => {
      const key = line.reference === null ? `id ${line.id}` : `reference ${line.reference}`;
      const earlier = line.content === null ? undefined : seen.get(key);
      if (earlier !== undefined) return rejected(line, [repeatedReason(earlier)]);
      seen.set(key, line.line);
      return this.#applyLine(author, facts, line, submit);
    });
  }

  #applyLine(author: Author, facts: RegistrationFacts, line: ImportLine, submit: boolean): ImportedRow {
    const { reference, id, content } = line;
    if (content === null) return rejected(line, line.reasons);
    const known = reference === null ? idOf(id) : (this.#rows.byReference(reference)?.id ?? null);
    const before = known === null ? null : this.#dueWork.current(known, author.at);
    if (before === null && reference === null) return rejected(line, [UNKNOWN_ID]);
    const done =
      before === null
        ? this.#changes.create(author, facts, content, submit)
        : this.#changes.edit(author, facts, before, content, submit);
    if (!done.ok) return rejected(line, reasonsOf(done));
    const after: StoredRegistration = done.value;
    const result = before === null ? 'created' : after === before ? 'unchanged' : 'updated';
    return { line: line.line, reference, result, id: String(after.id), state: after.state, reasons: [] };
  }
}

/** The ID, or null if the text is no ID. A spreadsheet may have turned the ID into 1.23E+05, which names another one. */
function idOf(text: string | null): number | null {
  return /^[1-9]\d{0,14}$/.test(text ?? '') ? Number(text) : null;
}

function rejected({ line, reference }: ImportLine, reasons: readonly RegistrationReason[]): ImportedRow {
  const some = reasons.slice(0, IMPORT_REASONS_MAX);
  return { line, reference, result: 'rejected', id: null, state: null, reasons: some };
}

const UNKNOWN_ID: RegistrationReason = {
  ...{ field: 'id', code: 'REGISTRATION_UNKNOWN', detail: 'no registration has this "id"' },
  help: 'leave the id out, and give the line a reference',
};

function reasonsOf({ code, message, extras }: StoreRefusal): RegistrationReason[] {
  const reasons = extras?.reasons ?? [];
  if (reasons.length > 0) return reasons.map(inColumn);
  const help = code === 'REGISTRATION_STATE' ? 'leave the line out' : 'see docs/senders.md';
  return [{ field: 'line', code, detail: message, help }];
}

/** Refuses a piece that has invalid lines. */
export function refuseLines(wrong: readonly ImportedRow[]): StoreResult<never> {
  const many = `${wrong.length} invalid line${wrong.length === 1 ? '' : 's'}`;
  const message = `nothing was stored, because of ${many}: see "lines"; skipInvalid=true leaves them out`;
  return refuse('REGISTRATIONS_INVALID', message, { lines: wrong.slice(0, INVALID_LINES_MAX) });
}
