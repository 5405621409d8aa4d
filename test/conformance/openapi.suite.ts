/**
 * The OpenAPI document against the code: bounds, codes and routes. That answers fit the document is
 * checked on every one of them, in support/ask.ts.
 */
import { describe, expect, it } from 'vitest';
import { MODES } from '../../shared/clients.ts';
import * as limits from '../../shared/limits.ts';
import { CHANNELS } from '../../shared/screen.ts';
import { CODES, EFFECTS, SUBJECTS, VERDICTS } from '../../shared/verdict.ts';
import { PROBLEMS } from '../../workers/http.ts';
import { document } from './support/ask.ts';

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
  const { components } = (await document()).document as { components: { schemas: Record<string, Schema> } };
  return components.schemas;
}

describe('the OpenAPI document', () => {
  it('has every verdict, code, subject, channel and effect of the code, in the same order', async () => {
    const { Verdict, Code, Subject, Channel, Effect } = await schemas();
    expect(Verdict!.enum).toEqual(VERDICTS);
    expect(Code!.enum).toEqual(CODES);
    expect(Subject!.enum).toEqual(SUBJECTS);
    expect(Channel!.enum).toEqual(CHANNELS);
    expect(Effect!.enum).toEqual([...EFFECTS, 'indeterminate']);
    for (const code of CODES) expect(Code!.description).toContain(`- \`${code}\`: `);
  });

  it('has every problem code of the code', async () => {
    expect((await schemas()).ProblemCode!.enum).toEqual(Object.keys(PROBLEMS));
  });

  it('has the bounds of the code', async () => {
    const { BatchRequest, BatchItem, BatchSummary, CorrelatorText, Sender, Recipient, CheckRequest } =
      await schemas();
    expect(BatchRequest!.properties!.items!.maxItems).toBe(limits.BATCH_ITEMS_MAX);
    expect(BatchItem!.properties!.id!.maxLength).toBe(limits.ITEM_ID_CHARS_MAX);
    expect(BatchSummary!.properties!.total!.maximum).toBe(limits.BATCH_ITEMS_MAX);
    expect(CorrelatorText!.maxLength).toBe(limits.CORRELATOR_CHARS_MAX);
    expect([Sender!.maxLength, Recipient!.maxLength]).toEqual([
      limits.ADDRESS_CHARS_MAX,
      limits.ADDRESS_CHARS_MAX,
    ]);
    expect(CheckRequest!.description).toContain(limits.CHECK_BODY_BYTES_MAX.toLocaleString('en'));
    expect(BatchRequest!.description).toContain(limits.BATCH_BODY_BYTES_MAX.toLocaleString('en'));
    const stream = JSON.stringify((await document()).document.paths);
    expect(stream).toContain(`${limits.STREAM_LINE_CHARS_MAX.toLocaleString('en')} characters`);
    expect(JSON.stringify((await document()).document)).toContain(`w=${limits.QUOTA_WINDOW_SECONDS}`);
    expect(MODES).toEqual(['enforce', 'label', 'shadow']);
  });

  it('describes every object strictly, so that an answer cannot have more than is written', async () => {
    for (const [name, schema] of Object.entries(await schemas())) {
      if (schema.properties !== undefined) expect([name, schema.additionalProperties]).toEqual([name, false]);
    }
  });

  it('has exactly the routes that there are', async () => {
    const judge = await document();
    const paths = Object.keys(judge.document.paths as object);
    expect(paths.map((path) => `${path} ${judge.methodsOf(path).join(' ')}`)).toEqual([
      '/v1/check get post',
      '/v1/check/batch post',
      '/v1/check/stream post',
      '/healthz get',
      '/openapi.json get',
    ]);
  });
});
