/**
 * Registers the numbers that your clients send from. Every method resolves with what the service has stored, or rejects with a
 * {@link NumgateError} whose `reasons` name each wrong field. A change carries an `Idempotency-Key`, so a retry changes nothing
 * twice.
 */
import type { Content } from './attempts.ts';
import { controlOf, type RegistrarCall, type RegistrarOptions } from './control.ts';
import type {
  ImportedRow,
  Registration,
  RegistrationContent,
  RegistrationEvent,
  RegistrationReason,
} from './registration-types.ts';

export type { RegistrarCall, RegistrarOptions } from './control.ts';
export type * from './registration-types.ts';

/** Selects the registrations to list. */
export interface RegistrationFilter {
  readonly state?: string;
  readonly client?: string;
  readonly basis?: string;
}

export interface UploadOptions extends RegistrarCall {
  /** Name of the upload. With the same name and file, a repeated upload continues the first one. Default: a new name. */
  readonly upload?: string;
  readonly submit?: boolean;
  /** Store the valid lines of a piece even if others are invalid. */
  readonly skipInvalid?: boolean;
  /** Check only, and store nothing. */
  readonly dryRun?: boolean;
}

export interface Registrar {
  /** Checks a registration without storing it. */
  validate(
    registration: RegistrationContent,
    call?: RegistrarCall,
  ): Promise<{ readonly valid: boolean; readonly reasons: readonly RegistrationReason[] }>;
  create(
    registration: RegistrationContent,
    call?: RegistrarCall & { readonly submit?: boolean },
  ): Promise<Registration>;
  /** Makes a new version. The approved version stays in force. @param version that you have read; any if omitted */
  edit(
    id: string,
    changes: Partial<RegistrationContent>,
    call?: RegistrarCall & { readonly version?: number },
  ): Promise<Registration>;
  submit(id: string, call?: RegistrarCall): Promise<Registration>;
  close(id: string, call?: RegistrarCall): Promise<Registration>;
  get(id: string, call?: RegistrarCall): Promise<Registration>;
  /** Registrations whose newest or approved version has the number. */
  find(number: string, call?: RegistrarCall): Promise<readonly Registration[]>;
  list(filter?: RegistrationFilter, call?: RegistrarCall): AsyncGenerator<Registration, void, undefined>;
  /** @param after ID of the last event that you have; 0 for all events */
  events(after?: number, call?: RegistrarCall): AsyncGenerator<RegistrationEvent, void, undefined>;
  /**
   * Uploads CSV in pieces, and yields the result of each line.
   * @param lines of the file, without line ends; the first is the header (docs/senders.md has the columns)
   */
  upload(
    lines: Iterable<string> | AsyncIterable<string>,
    options?: UploadOptions,
  ): AsyncGenerator<ImportedRow, void, undefined>;
}

/** Same as in the service. */
const PAGE_MAX = 1_000;
const PIECE_LINES_MAX = 1_000;
const PIECE_BYTES_MAX = 4_194_304;

/** @throws {TypeError} if the URL is not valid */
export function makeRegistrar(options: RegistrarOptions): Registrar {
  const { send, get, lookUp, change: changed } = controlOf(options, '/registrations');
  const change = (below: string, body: object, call?: RegistrarCall, more?: Partial<Content>) =>
    changed<Registration>(below, body, call, more);
  const one = (id: string): string => `/${encodeURIComponent(id)}`;

  return {
    validate: (registration, call) => lookUp('/validate', { registration }, call),
    create: (registration, { submit = false, ...call } = {}) => change('', { registration, submit }, call),
    edit: (id, registration, { version, ...call } = {}) => {
      const headers: Record<string, string> = version === undefined ? {} : { 'if-match': `"${version}"` };
      return change(one(id), { registration }, call, { method: 'PATCH', headers });
    },
    submit: (id, call) => change(`${one(id)}/submit`, {}, call),
    close: (id, call) => change(`${one(id)}/close`, {}, call),
    get: (id, call) => get(one(id), call),
    find: async (number, call) => {
      const { registrations } = await lookUp<{ registrations: Registration[] }>('/find', { number }, call);
      return registrations;
    },
    async *list(filter = {}, call) {
      for (let after: string | null = '0'; after !== null; ) {
        const query = new URLSearchParams({ ...filter, after, limit: String(PAGE_MAX) });
        const page: { registrations: Registration[]; next: string | null } = await get(`?${query}`, call);
        yield* page.registrations;
        after = page.next;
      }
    },
    async *events(after = 0, call) {
      for (let last = after; ; ) {
        const { events } = await get<{ events: RegistrationEvent[] }>(`/events?after=${last}`, call);
        yield* events;
        const newest = events.at(-1);
        if (newest === undefined) return;
        last = newest.id;
      }
    },
    async *upload(lines, { upload = crypto.randomUUID(), ...options } = {}) {
      const { submit = false, skipInvalid = false, dryRun = false, ...call } = options;
      for await (const { first, body } of piecesOf(lines)) {
        const query = new URLSearchParams({ line: String(first) });
        for (const [name, isSet] of Object.entries({ submit, skipInvalid, dryRun }))
          if (isSet) query.set(name, 'true');
        const headers = { 'idempotency-key': `${upload}:${first}` };
        const content = { type: 'text/csv; charset=utf-8', body, headers };
        const { rows } = await send<{ rows: ImportedRow[] }>(`/import?${query}`, content, call);
        yield* rows;
      }
    },
  };
}

interface Piece {
  /** Line number of its first line in the file. */
  readonly first: number;
  /** Includes the header. */
  readonly body: string;
}

async function* piecesOf(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Piece> {
  const encoder = new TextEncoder();
  let header: string | null = null;
  let number = 0;
  let piece: string[] = [];
  let bytes = 0;
  const made = (): Piece => ({ first: number - piece.length, body: [header, ...piece, ''].join('\n') });
  for await (const line of lines) {
    number++;
    if (header === null) {
      header = line;
      continue;
    }
    const own = encoder.encode(line).length + 1;
    const isFull = piece.length === PIECE_LINES_MAX || bytes + own > PIECE_BYTES_MAX;
    if (isFull && piece.length > 0) yield made();
    if (isFull || piece.length === 0) {
      piece = [];
      bytes = encoder.encode(header).length + 1;
    }
    piece.push(line);
    bytes += own;
  }
  number++;
  if (piece.length > 0) yield made();
}
