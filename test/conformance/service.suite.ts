/**
 * `/healthz` and `/openapi.json`, which need no key.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { send } from './support/send.ts';
import { world } from './support/world.ts';

describe('GET /healthz', () => {
  it('the response is 200 with the head and needs no key', async () => {
    const { status, json } = await send('/healthz', { client: null });
    expect(status).toBe(200);
    const { release, seq } = world();
    expect(json).toMatchObject({ status: 'ok', release, seq, stale: false });
    const ageMs = Date.now() - Date.parse(json.asOf!);
    expect(ageMs).toBeGreaterThanOrEqual(0);
    expect(ageMs).toBeLessThan(60_000);
  });

  it('?strict is 200 if everything can be loaded', async () => {
    for (const query of ['?strict', '?strict=true', '?strict=false', '?other=1']) {
      const { status, json } = await send(`/healthz${query}`, { client: null });
      expect([query, status, json.status, json.missing]).toEqual([query, 200, 'ok', undefined]);
    }
    const { status, json } = await send('/healthz?strict=maybe', { client: null });
    expect([status, json.code, json.field]).toEqual([400, 'FIELD_VALUE', 'strict']);
  });
});

describe('GET /openapi.json', () => {
  it('the response is the document in the repository and needs no key', async () => {
    const { status, text } = await send('/openapi.json', { client: null });
    expect(status).toBe(200);
    const file = readFileSync(new URL('../../workers/public/openapi.json', import.meta.url), 'utf8');
    expect(JSON.parse(text)).toEqual(JSON.parse(file));
  });
});
