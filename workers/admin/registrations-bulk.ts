/**
 * `…/registrations/import` and `…/registrations/export`: registrations as CSV. An upload comes in pieces, each with the
 * header of the file, so that no request is large and a lost piece can be sent again.
 */
import { sha256Hex } from '../../shared/bytes.ts';
import { IMPORT_BODY_BYTES_MAX, REGISTRATIONS_PAGE_MAX } from '../../shared/limits/registrations.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { Registration } from '../../shared/senders/registration.ts';
import { CSV_COLUMNS, csvOf } from '../../shared/senders/registration-csv.ts';
import { type ImportLine, readPiece } from '../../shared/senders/registration-import.ts';
import { mediaType, readText } from '../http/body.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { type AdminContext, forAdmins, repeatOf } from './context.ts';
import { registrationsOf } from './registration-context.ts';

const IMPORT_PARAMETERS = { line: 'number', submit: 'flag', skipInvalid: 'flag', dryRun: 'flag' } as const;

/** The reason that the audit log records for each line. */
const REASON = 'bulk upload';

/** Imports the lines after the header. `line` is the line number in the file of the first imported line. */
export const importRegistrations = forAdmins('registrations', async (context) => {
  const { url, actor } = context;
  const parameters = parametersOf(url, IMPORT_PARAMETERS);
  if (!parameters.ok) return parameters;
  const { submit = false, skipInvalid = false, dryRun = false } = parameters.value.flag;
  const found = await registrationsOf(context, 'sender');
  if (!found.ok) return found;
  const text = await readCsv(context);
  if (!text.ok) return text;
  const { line = 2 } = parameters.value.number;
  const options = JSON.stringify([url.pathname, line, submit, skipInvalid]);
  const repeat = repeatOf(context, await sha256Hex(`${options}\n${text.value}`));
  if (!repeat.ok) return repeat;
  const lines = readPiece(text.value, line);
  if (!lines.ok) {
    const { code, message, field, line: wrong } = lines;
    return problem(code, message, { ...(field === undefined ? {} : { field }), extras: { line: wrong } });
  }
  const change = { actor, reason: REASON, repeat: dryRun ? null : repeat.value };
  const { store, facts } = found.value;
  return store.import(change, facts, lines.value as ImportLine[], { submit, skipInvalid, dryRun });
});

async function readCsv({ request }: AdminContext): Promise<Result<string, Problem>> {
  const charset =
    /charset\s*=\s*"?([^";\s]+)/i.exec(request.headers.get('content-type') ?? '')?.[1] ?? 'utf-8';
  // With other types, a page on another site could send this request along with the Cloudflare Access cookie.
  if (mediaType(request) !== 'text/csv' || !/^utf-?8$/i.test(charset)) {
    return problem(
      'CONTENT_TYPE_UNSUPPORTED',
      'send the CSV in UTF-8, with content-type: text/csv; charset=utf-8',
    );
  }
  const text = await readText(request, IMPORT_BODY_BYTES_MAX);
  if (!text.ok || text.value.trim() !== '') return text;
  return problem('BODY_MISSING', 'send a header and lines of CSV as the body');
}

/**
 * The registrations that are not closed, as CSV or NDJSON. The header `x-next` holds the cursor of the next page, and is
 * absent on the last page. Only the first page of CSV has a header line.
 */
export const exportRegistrations = forAdmins(
  ['registrations', 'review'],
  async (context) => {
    const parameters = parametersOf(context.url, { after: 'number', limit: 'number' });
    if (!parameters.ok) return parameters;
    const { after = 0, limit = REGISTRATIONS_PAGE_MAX } = parameters.value.number;
    const found = await registrationsOf(context, 'reader');
    if (!found.ok) return found;
    const { registrations, next } = await found.value.store.page(
      {},
      after,
      Math.max(1, Math.min(limit, REGISTRATIONS_PAGE_MAX)),
    );
    if (next !== null) context.reply.header('x-next', next);
    const isNdjson = (context.request.headers.get('accept') ?? '').includes('application/x-ndjson');
    return ok({ registrations: registrations.filter(isOpen), isNdjson, isFirst: after === 0 });
  },
  (reply, { registrations, isNdjson, isFirst }) => {
    if (isNdjson) return reply.ndjson(registrations);
    const lines = [...(isFirst ? [CSV_COLUMNS.join(',')] : []), ...registrations.map(csvOf)];
    return reply.csv(lines.map((line) => `${line}\n`).join(''));
  },
);

function isOpen({ state }: Registration): boolean {
  return state !== 'closed';
}
