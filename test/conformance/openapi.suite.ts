/**
 * The OpenAPI document agrees with the code: bounds, codes and routes. support/send.ts checks every response
 * against the document.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RELEASE_STATES } from '../../shared/admin/releases.ts';
import { TEXT_RELEASE_STATES } from '../../shared/admin/text.ts';
import { MODES } from '../../shared/clients.ts';
import * as controlLimits from '../../shared/limits/control.ts';
import * as listsLimits from '../../shared/limits/lists.ts';
import * as requestLimits from '../../shared/limits/requests.ts';
import { TEXT_RELEASE_BODY_BYTES_MAX } from '../../shared/limits/text.ts';
import { LIVE_OPS } from '../../shared/live/entry.ts';
import { GUARDS } from '../../shared/release/guard-settings.ts';
import { CHANNELS } from '../../shared/request.ts';
import { SCOPES } from '../../shared/roles.ts';
import { TEXT_GUARDS } from '../../shared/text/text-guards.ts';
import { CODES, EFFECTS, SUBJECTS, VERDICTS } from '../../shared/verdict.ts';
import { PROBLEMS } from '../../workers/http/all-problems.ts';
import { openApi } from './support/send.ts';

const limits = { ...controlLimits, ...listsLimits, ...requestLimits };

interface Schema {
  readonly enum?: readonly string[];
  /** The known values of an enumeration that may grow. */
  readonly 'x-extensible-enum'?: readonly string[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maximum?: number;
  readonly description?: string;
  readonly additionalProperties?: boolean;
  readonly properties?: Record<string, Schema>;
}

async function schemas(): Promise<Record<string, Schema>> {
  const { components } = (await openApi()).document as { components: { schemas: Record<string, Schema> } };
  return components.schemas;
}

function knownOf(schema: Schema): readonly string[] | undefined {
  expect(schema.enum).toBeUndefined();
  return schema['x-extensible-enum'];
}

/** Enumerations of responses that never grow: docs/api.md, "Stability". */
const CLOSED = ['Action', 'Channel', 'Subject', 'Verdict'];

/** The places of closed enumerations in a schema, except behind references. */
function enumsIn(value: unknown, place: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const here = 'enum' in value ? [place] : [];
  return [...here, ...Object.entries(value).flatMap(([name, one]) => enumsIn(one, `${place}/${name}`))];
}

/** Names of the schemas that the requests or the responses of any operation use. */
function schemasOf(document: Record<string, unknown>, part: 'requestBody' | 'responses'): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { $ref } = value as { $ref?: unknown };
    if (typeof $ref !== 'string') {
      for (const one of Object.values(value)) visit(one);
      return;
    }
    if (found.has($ref)) return;
    found.add($ref);
    let target: unknown = document;
    for (const name of $ref.split('/').slice(1)) target = (target as Record<string, unknown>)[name];
    visit(target);
  };
  const paths = document.paths as Record<string, Record<string, Record<string, unknown>>>;
  for (const path of Object.values(paths)) {
    for (const operation of Object.values(path)) visit(operation[part]);
  }
  return new Set([...found].map(($ref) => $ref.split('/').at(-1)!));
}

/** The routes of a table in workers/, in the notation of the document. */
function routesOf(file: string): string[] {
  const text = readFileSync(new URL(`../../workers/${file}`, import.meta.url), 'utf8');
  return [...text.matchAll(/method: '([A-Z]+)',\s+path: '([^']+)'/g)].map(
    ([, method, path]) => `${method!.toLowerCase()} ${path!.replace(/:(\w+)/g, '{$1}')}`,
  );
}

describe('the OpenAPI document', () => {
  it('verdicts, codes, subjects, channels and effects are those of the code, in the same order', async () => {
    const { Verdict, Code, Subject, Channel, Effect } = await schemas();
    expect(Verdict!.enum).toEqual(VERDICTS);
    expect(knownOf(Code!)).toEqual(CODES);
    expect(Subject!.enum).toEqual(SUBJECTS);
    expect(Channel!.enum).toEqual(CHANNELS);
    expect(knownOf(Effect!)).toEqual([...EFFECTS, 'indeterminate']);
    for (const code of CODES) expect(Code!.description).toContain(`- \`${code}\`: `);
  });

  it('operations, scopes, guards and states are those of the control plane', async () => {
    const { LiveOp, Scope, Guard, ReleaseState, TextGuard, TextReleaseState } = await schemas();
    expect(knownOf(LiveOp!)).toEqual(LIVE_OPS);
    expect(knownOf(Scope!)).toEqual(SCOPES);
    expect(knownOf(Guard!)).toEqual(GUARDS);
    expect(knownOf(ReleaseState!)).toEqual(RELEASE_STATES);
    expect(knownOf(TextGuard!)).toEqual(TEXT_GUARDS);
    expect(knownOf(TextReleaseState!)).toEqual(TEXT_RELEASE_STATES);
    for (const word of [...TEXT_GUARDS, ...TEXT_RELEASE_STATES])
      expect(`${TextGuard!.description} ${TextReleaseState!.description}`).toContain(`\`${word}\``);
    for (const word of [...GUARDS, ...RELEASE_STATES, ...LIVE_OPS]) {
      const descriptions = [Guard, ReleaseState, LiveOp].map((schema) => schema!.description).join(' ');
      expect(descriptions).toContain(`\`${word}\``);
    }
  });

  it('problem codes are those of the code', async () => {
    expect(knownOf((await schemas()).ProblemCode!)).toEqual(Object.keys(PROBLEMS));
  });

  it('bounds are those of the code', async () => {
    const { BatchRequest, BatchItem, BatchSummary, CorrelatorText, Sender, Recipient, CheckRequest } =
      await schemas();
    expect(BatchRequest!.properties!.items!.maxItems).toBe(limits.BATCH_ITEMS_MAX);
    expect(BatchItem!.properties!.id!.maxLength).toBe(limits.ITEM_ID_CHARS_MAX);
    expect(BatchSummary!.properties!.total!.maximum).toBe(limits.BATCH_ITEMS_MAX);
    expect(CorrelatorText!.maxLength).toBe(limits.CORRELATOR_CHARS_MAX);
    expect([Sender!.maxLength, Recipient!.maxLength]).toEqual([
      limits.PARTY_CHARS_MAX,
      limits.PARTY_CHARS_MAX,
    ]);
    expect(CheckRequest!.description).toContain(limits.CHECK_BODY_BYTES_MAX.toLocaleString('en'));
    expect(BatchRequest!.description).toContain(limits.BATCH_BODY_BYTES_MAX.toLocaleString('en'));
    const stream = JSON.stringify((await openApi()).document.paths);
    expect(stream).toContain(`${limits.STREAM_LINE_CHARS_MAX.toLocaleString('en')} characters`);
    expect(JSON.stringify((await openApi()).document)).toContain(`w=${limits.QUOTA_WINDOW_SECONDS}`);
    expect(MODES).toEqual(['enforce', 'label', 'shadow']);
  });

  it('bounds of the control plane are those of the code', async () => {
    const { EntryChange, ReasonText, StageRequest, Guards, Clients, Tokens } = await schemas();
    expect(EntryChange!.properties!.items!.maxItems).toBe(limits.BULK_ENTRIES_MAX);
    expect(EntryChange!.description).toContain(limits.BULK_BODY_BYTES_MAX.toLocaleString('en'));
    expect(StageRequest!.description).toContain(limits.ADMIN_BODY_BYTES_MAX.toLocaleString('en'));
    expect(StageRequest!.properties!.signed!.maxLength).toBe(limits.MANIFEST_CHARS_MAX);
    expect(ReasonText!.maxLength).toBe(limits.REASON_CHARS_MAX);
    expect(Guards!.properties!.protectedNumbers!.maxItems).toBe(limits.PROTECTED_NUMBERS_MAX);
    expect(Clients!.properties!.clients!.maxItems).toBe(limits.CLIENTS_MAX);
    expect(Tokens!.properties!.tokens!.maxItems).toBe(limits.TOKENS_MAX);
    const { TextReleaseRequest } = await schemas();
    expect(TextReleaseRequest!.description).toContain(TEXT_RELEASE_BODY_BYTES_MAX.toLocaleString('en'));
    const { parameters, responses } = (await openApi()).document.components as Record<string, object>;
    const text = JSON.stringify([parameters, responses]);
    expect(text).toContain(`"maxLength":${limits.IDEMPOTENCY_KEY_CHARS_MAX}`);
    expect(text).toContain(`${limits.LIVE_ENTRIES_MAX.toLocaleString('en')} entries`);
    expect(text).toContain(
      `authority (${limits.LIVE_ENTRIES_PER_AUTHORITY_MAX.toLocaleString('en')} entries`,
    );
    expect(text).toContain(`The last ${limits.UNBLOCK_RESERVE.toLocaleString('en')} of a share`);
    expect(text).toContain(`the very last ${limits.LIVE_ROOT_RESERVE.toLocaleString('en')} of the layer`);
    expect(text).toContain(`over one number (${limits.ENTRIES_PER_KEY_MAX})`);
    expect(text).toContain(`${limits.IDEMPOTENCY_KEPT_MS / 3_600_000} hours`);
    expect(text).toContain(
      `${limits.TOKEN_ENTRIES_PER_HOUR_MAX.toLocaleString('en')} entries changed in an hour`,
    );
    expect(text).toContain(`${limits.TOKEN_BYTES_PER_DAY_MAX / 1_048_576} MiB of storage in a day`);
    expect(text).toContain(`stores ${limits.STORAGE_FULL_SHARE * 100} %`);
  });

  it('requests allow no undocumented fields, and responses allow new ones', async () => {
    const { document } = await openApi();
    const [sent, received] = [schemasOf(document, 'requestBody'), schemasOf(document, 'responses')];
    for (const [name, { properties, additionalProperties }] of Object.entries(await schemas())) {
      if (properties === undefined) continue;
      const isClosed = sent.has(name) ? false : undefined;
      expect([name, additionalProperties]).toEqual([name, isClosed]);
      expect(sent.has(name) || received.has(name)).toBe(true);
    }
  });

  it('responses have closed enumerations only where the API promises that no value is added', async () => {
    const { document } = await openApi();
    const received = schemasOf(document, 'responses');
    const closed = Object.entries(await schemas())
      .filter(([name]) => received.has(name))
      .flatMap(([name, schema]) => enumsIn(schema, name));
    expect(closed.filter((place) => !place.endsWith('/unenforced')).sort()).toEqual(CLOSED);
  });

  it('no field has a default, which generators take for a required field', async () => {
    for (const [name, { properties = {} }] of Object.entries(await schemas())) {
      const fields = Object.entries(properties).filter(([, field]) => 'default' in field);
      expect([name, fields]).toEqual([name, []]);
    }
  });

  it('routes are exactly those of the code', async () => {
    const openapi = await openApi();
    const paths = Object.keys(openapi.document.paths as object);
    const described = paths.flatMap((path) => openapi.methodsOf(path).map((method) => `${method} ${path}`));
    const folders = ['', 'register/', 'reports/', 'appeals/', 'feed/', 'notices/', 'metrics/'];
    const admin = readdirSync(new URL('../../workers/admin', import.meta.url));
    const files = [...folders.map((folder) => `${folder}routes.ts`), ...admin.map((file) => `admin/${file}`)];
    expect(described.sort()).toEqual(files.flatMap(routesOf).sort());
  });
});
