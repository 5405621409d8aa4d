/**
 * The authorization matrix: the access of each role to each operation of the admin API. It follows from the OpenAPI document
 * (`x-scope`, `x-authority`) and the scopes of the roles. The conformance tests compare it with the service.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLE_SCOPES, ROLES, type Role, type Scope } from '../../../shared/roles.ts';
import { PROJECT } from './sources.ts';

export const IDENTITIES = ['root', ...ROLES] as const;
export type Identity = (typeof IDENTITIES)[number];

/**
 * `own`: for lists and entries of the own authority, or registrations and notices of the own organisation. `named`: also for
 * those of other authorities if the request names them. `others`: only for registrations or qualifications of other
 * organisations.
 */
export type Access = 'all' | 'named' | 'own' | 'others' | 'none';

export interface Operation {
  readonly method: string;
  readonly path: string;
  /** Of several scopes, one is enough. */
  readonly scope: Scope | 'root' | readonly Scope[];
  /** Whether access depends on the authority of the changed lists and entries. */
  readonly isBound: boolean;
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];

interface Document {
  readonly paths: Readonly<
    Record<string, Record<string, { 'x-scope'?: Operation['scope']; 'x-authority'?: 'own' }>>
  >;
}

/** Every operation of the control plane, in document order. */
export function operationsOf(document: unknown): Operation[] {
  const { paths } = document as Document;
  const admin = Object.entries(paths).filter(([path]) => path.startsWith('/v1/admin/'));
  return admin.flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => {
      const { 'x-scope': scope, 'x-authority': authority } = item[method]!;
      if (scope === undefined) throw new Error(`${method} ${path} has no x-scope`);
      return { method: method.toUpperCase(), path, scope, isBound: authority === 'own' };
    }),
  );
}

export function accessOf({ path, scope, isBound }: Operation, identity: Identity): Access {
  if (identity === 'root') return 'all';
  const scopes = ROLE_SCOPES[identity satisfies Role];
  if (scope === 'root') return 'none';
  const held = [scope].flat().filter((each) => scopes.includes(each));
  if (held.length === 0) return 'none';
  if (scope === 'notices') return scopes.includes('override') ? 'all' : 'own';
  // Registrations belong to the organisation in the path. Reports of a partner are open to everyone who decides on rule blocks.
  if (path.includes('{organisation}') && scope !== 'reports') {
    if (!held.includes('review') && !held.includes('read')) return 'own';
    return path.endsWith('{action}') ? 'others' : 'all';
  }
  if (scope === 'qualification') return 'others';
  if (!isBound) return 'all';
  return scopes.includes('override') ? 'named' : 'own';
}

const WORDS: Readonly<Record<Access, string>> = {
  ...{ all: 'yes', named: 'named', own: 'own', others: 'others', none: '' },
};

/** Formats the table of docs/threats.md. */
export function formatMatrix(): string {
  const document: unknown = JSON.parse(
    readFileSync(join(PROJECT, 'workers', 'public', 'openapi.json'), 'utf8'),
  );
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = operationsOf(document).map((operation) => [
    ...[
      `\`${operation.method} ${operation.path.replace('/v1/admin/', '')}\``,
      [operation.scope]
        .flat()
        .map((scope) => `\`${scope}\``)
        .join(', '),
    ],
    ...IDENTITIES.map((identity) => WORDS[accessOf(operation, identity)]),
  ]);
  const names = ['operation', 'scope', ...IDENTITIES];
  return [row(names), row(names.map(() => '---')), ...rows.map(row)].join('\n');
}

const [BEGIN, END] = ['<!-- matrix: npm run docs:matrix -->\n\n', '\n\n<!-- end of the matrix -->'];

/** Replaces the table between the markers of a document. @throws Error if the document has no markers */
export function withMatrix(text: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the document needs ${BEGIN.trim()} and ${END.trim()}`);
  return text.slice(0, begin + BEGIN.length) + formatMatrix() + text.slice(end);
}
