/** `/metrics`: which tokens may read it, its formats, how often it reads the stores, and its output while a store is down. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import { METRICS_FRESH_MS, METRICS_TOKEN_KEPT_MS } from '../../../shared/limits/metrics.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import worker from '../../../workers/main.ts';
import { FAMILIES } from '../../../workers/metrics/families.ts';
import { METRIC_TOTALS_NAME } from '../../../workers/storage/metrics-port.ts';
import { freshControl, logged, putToken, send } from '../support/admin.ts';
import { NOON } from '../support/room.ts';

freshControl();

const control = env as unknown as ControlEnv;
const OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const SECRET = 'right';

interface Scrape {
  readonly id?: string;
  readonly secret?: string;
  readonly accept?: string;
  readonly method?: string;
  readonly bindings?: Partial<ControlEnv>;
}

async function scrape({ id = 'prometheus', secret = SECRET, accept, method = 'GET', bindings }: Scrape = {}) {
  const ctx = createExecutionContext();
  const headers = { authorization: `Bearer ${id}.${secret}`, ...(accept === undefined ? {} : { accept }) };
  const response = await worker.fetch(
    new Request('https://numgate.test/metrics', { method, headers }) as never,
    { ...env, ROOT_TOKEN_SHA256: await sha256Hex(SECRET), ...bindings } as never,
    ctx,
  );
  // To the runtime, only `text/…` is text.
  const text = new TextDecoder().decode(await response.arrayBuffer());
  await waitOnExecutionContext(ctx);
  return { status: response.status, type: response.headers.get('content-type'), text };
}

/** The samples of a scrape, by name and labels. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** A binding whose object does not answer properly. */
const binding = (answer: () => Promise<never>): never => {
  const object = new Proxy({}, { get: () => answer });
  return { getByName: () => object } as never;
};
const failing = () => binding(() => Promise.reject(new Error('is overloaded')));
const silent = () => binding(() => new Promise<never>(() => undefined));

beforeEach(async () => {
  expect((await putToken('prometheus', { scopes: ['metrics'] })).status).toBe(200);
});

describe('who may read it', () => {
  test('only a token with the scope, and the root', async () => {
    expect((await putToken('reader', { scopes: ['read', 'statistics'] })).status).toBe(200);
    expect((await scrape()).status).toBe(200);
    expect((await scrape({ id: 'root' })).status).toBe(200);
    const refused = [
      await scrape({ id: 'reader' }),
      await scrape({ secret: 'wrong' }),
      await scrape({ id: 'nobody' }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([403, 401, 401]);
    expect(refused[0]!.text).toContain('this request needs the scope \\"metrics\\"');
  });

  test('also while the coordinator does not respond, if the token was verified lately', async () => {
    const bindings = { COORDINATOR: failing() };
    expect((await scrape({ bindings })).status).toBe(503);
    expect((await scrape()).status).toBe(200);
    vi.setSystemTime(NOON + METRICS_FRESH_MS);
    const { status, text } = await scrape({ bindings });
    expect([status, samplesOf(text).get('numgate_up{store="coordinator"}')]).toEqual([200, 0]);
    expect((await scrape({ bindings, secret: 'wrong' })).status).toBe(503);
    vi.setSystemTime(NOON + METRICS_TOKEN_KEPT_MS);
    expect((await scrape({ bindings })).status).toBe(503);
  });

  test('but not one that was found to be removed', async () => {
    expect((await scrape()).status).toBe(200);
    expect((await send('root', 'DELETE tokens/prometheus', {})).status).toBe(200);
    expect((await scrape()).status).toBe(401);
    expect((await scrape({ bindings: { COORDINATOR: failing() } })).status).toBe(503);
  });
});

describe('the text', () => {
  test('is OpenMetrics, unless the reader wants the older format of Prometheus', async () => {
    const open = await scrape({
      accept: 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3,*/*;q=0.2',
    });
    expect([open.type, open.text.endsWith('\n# EOF\n')]).toEqual([OPEN, true]);
    expect(open.text).toContain('# TYPE numgate_requests counter\n# HELP');
    expect(open.text).toContain(
      '# TYPE numgate_storage_used_bytes gauge\n# UNIT numgate_storage_used_bytes bytes\n',
    );
    const older = await scrape({ accept: 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1' });
    expect(older.type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(older.text).toContain('# TYPE numgate_requests_total counter\n# HELP');
    expect(older.text).not.toMatch(/# (UNIT|EOF)/);
    expect(samplesOf(older.text)).toEqual(samplesOf(open.text));
    expect((await scrape({ accept: '*/*' })).type).toBe(OPEN);
    const head = await scrape({ method: 'HEAD' });
    expect([head.status, head.type]).toEqual([200, OPEN]);
  });

  test('has each sample once, those of a family together, and names that fit their type and unit', async () => {
    const { text } = await scrape();
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const names = samples.map((line) => line.replace(/ [^ ]+$/, ''));
    expect(new Set(names).size).toBe(names.length);
    const families = names.map((name) => name.replace(/\{.*/, ''));
    const runs = families.filter((name, index) => name !== families[index - 1]);
    expect(new Set(runs).size).toBe(runs.length);
    for (const [name, family] of Object.entries(FAMILIES)) {
      expect(name).not.toMatch(/_(total|info|count|sum|bucket)$/);
      if ('unit' in family) expect([name, name.endsWith(`_${family.unit}`)]).toEqual([name, true]);
      expect([name, family.help]).toEqual([name, expect.stringMatching(/^[A-Z1][^\n\\]+\.$/)]);
    }
    // No phone numbers, and no names of clients and organisations.
    expect(text).not.toMatch(/\+?82\d{8,}|prometheus\b|kisa/);
  });
});

describe('a store that does not answer', () => {
  test.each([
    ['REGISTRY', 'registry', 'numgate_registration_changes'],
    ['RESPONSE', 'response', 'numgate_rule_blocks_unsent'],
    ['APPEALS', 'appeals', 'numgate_appeals_open'],
    ['FEED', 'feed', 'numgate_feed_configured'],
    ['TEXT_DRIFT', 'drift', 'numgate_text_scored'],
    ['STATISTICS', 'statistics', 'numgate_statistics_months_due'],
    ['METRIC_TOTALS', 'totals', 'numgate_requests_total'],
  ] as const)('%s costs its own metrics alone', async (name, store, metric) => {
    const whole = samplesOf((await scrape()).text);
    expect([whole.get(`numgate_up{store="${store}"}`), whole.has(metric)]).toEqual([1, true]);
    vi.setSystemTime(NOON + METRICS_FRESH_MS);
    logged.length = 0;
    const { status, text } = await scrape({ bindings: { [name]: failing() } });
    const samples = samplesOf(text);
    expect([status, samples.get(`numgate_up{store="${store}"}`), samples.has(metric)]).toEqual([
      200,
      0,
      false,
    ]);
    expect(samples.get('numgate_up{store="coordinator"}')).toBe(1);
    expect(logged).toContainEqual(expect.objectContaining({ event: 'metricsNotRead', store, name: 'Error' }));
  });

  test('is given up in time for the scrape', async () => {
    vi.useRealTimers();
    const { status, text } = await scrape({ bindings: { APPEALS: silent() } });
    expect([status, samplesOf(text).get('numgate_up{store="appeals"}')]).toEqual([200, 0]);
  });
});

describe('the stores', () => {
  test('are read once in ten seconds, however many scrape', async () => {
    let reads = 0;
    const object = control.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME);
    const counting = {
      totals: () => {
        reads++;
        return object.totals();
      },
    };
    const bindings = { METRIC_TOTALS: { getByName: () => counting } } as never;
    await Promise.all(Array.from({ length: 20 }, () => scrape({ bindings })));
    expect(reads).toBe(1);
    vi.setSystemTime(NOON + METRICS_FRESH_MS - 1);
    await scrape({ bindings });
    expect(reads).toBe(1);
    vi.setSystemTime(NOON + METRICS_FRESH_MS);
    await scrape({ bindings });
    expect(reads).toBe(2);
  });

  test('show in the samples what they have', async () => {
    await control.METRIC_TOTALS.getByName(METRIC_TOTALS_NAME).report({
      ...{ kind: 'notices', source: 'acme', at: 1, waitingSince: NOON - 60_000 },
      figures: { kept: 9, pending: 2, failed: 1, overdue: 1, enabled: 1, disabled: 1 },
    });
    const samples = samplesOf((await scrape()).text);
    const expected = {
      numgate_notices: 9,
      'numgate_notice_deliveries{state="pending"}': 2,
      'numgate_notice_deliveries{state="failed"}': 1,
      numgate_notice_oldest_pending_timestamp_seconds: (NOON - 60_000) / 1000,
      'numgate_webhooks{state="disabled"}': 1,
      'numgate_webhooks{state="gone"}': 0,
      numgate_notices_overdue: 1,
      'numgate_live_entries{holder="people"}': 0,
      'numgate_live_entries_limit{holder="people"}': 500_000,
      numgate_canary_share_ratio: 0,
      numgate_list_keys: 1,
    };
    for (const [name, value] of Object.entries(expected))
      expect([name, samples.get(name)]).toEqual([name, value]);
  });
});
