/**
 * The OpenAPI document agrees with the code: bounds, codes and routes. support/send.ts checks every response
 * against the document.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RELEASE_STATES } from '../../shared/admin.ts';
import { MODES } from '../../shared/clients.ts';
import * as limits from '../../shared/limits.ts';
import { LIVE_OPS } from '../../shared/live/entry.ts';
import { GUARDS } from '../../shared/release/guards.ts';
import { CHANNELS } from '../../shared/request.ts';
import { SCOPES } from '../../shared/roles.ts';
import { CODES, EFFECTS, SUBJECTS, VERDICTS } from '../../shared/verdict.ts';
import { PROBLEMS } from '../../workers/http/reply.ts';
import { openApi } from './support/send.ts';

interface Schema {
  readonly enum?: readonly string[];
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

/** The routes of a table in workers/, as the document writes them. */
function routesOf(file: string): string[] {
  const text = readFileSync(new URL(`../../workers/${file}`, import.meta.url), 'utf8');
  return [...text.matchAll(/method: '([A-Z]+)', path: '([^']+)'/g)].map(
    ([, method, path]) => `${method!.toLowerCase()} ${path!.replace(/:(\w+)/g, '{$1}')}`,
  );
}

describe('the OpenAPI document', () => {
  it('verdicts, codes, subjects, channels and effects are those of the code, in the same order', async () => {
    const { Verdict, Code, Subject, Channel, Effect } = await schemas();
    expect(Verdict!.enum).toEqual(VERDICTS);
    expect(Code!.enum).toEqual(CODES);
    expect(Subject!.enum).toEqual(SUBJECTS);
    expect(Channel!.enum).toEqual(CHANNELS);
    expect(Effect!.enum).toEqual([...EFFECTS, 'indeterminate']);
    for (const code of CODES) expect(Code!.description).toContain(`- \`${code}\`: `);
  });

  it('operations, scopes, guards and states are those of the control plane', async () => {
    const { LiveOp, Scope, Guard, ReleaseState } = await schemas();
    expect(LiveOp!.enum).toEqual(LIVE_OPS);
    expect(Scope!.enum).toEqual(SCOPES);
    expect(Guard!.enum).toEqual(GUARDS);
    expect(ReleaseState!.enum).toEqual(RELEASE_STATES);
    for (const word of [...GUARDS, ...RELEASE_STATES, ...LIVE_OPS]) {
      const descriptions = [Guard, ReleaseState, LiveOp].map((schema) => schema!.description).join(' ');
      expect(descriptions).toContain(`\`${word}\``);
    }
  });

  it('problem codes are those of the code', async () => {
    expect((await schemas()).ProblemCode!.enum).toEqual(Object.keys(PROBLEMS));
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

  it('no object allows undocumented fields', async () => {
    for (const [name, schema] of Object.entries(await schemas())) {
      if (schema.properties !== undefined) expect([name, schema.additionalProperties]).toEqual([name, false]);
    }
  });

  it('routes are exactly those of the code', async () => {
    const openapi = await openApi();
    const paths = Object.keys(openapi.document.paths as object);
    const described = paths.flatMap((path) => openapi.methodsOf(path).map((method) => `${method} ${path}`));
    expect(described.sort()).toEqual([...routesOf('routes.ts'), ...routesOf('admin/routes.ts')].sort());
  });
});
