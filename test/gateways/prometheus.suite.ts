/**
 * Prometheus with the config and the alert rules of examples/grafana scrapes the real service. The rules and the dashboard use
 * only existing metrics.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { skipMissing } from '../../bench/lib/skip-missing.ts';
import { VERDICTS } from '../../shared/verdict.ts';
import { FAMILIES, type Family } from '../../workers/metrics/families.ts';
import { HANG_MS } from '../shared/support/hang.ts';
import {
  EXAMPLE,
  type Prometheus,
  prometheusMissing,
  promtool,
  startPrometheus,
} from './support/prometheus.ts';
import { gatewayService, numgate } from './support/service.ts';

const missing = prometheusMissing();
if (missing !== null) skipMissing('prometheus', `the tests with Prometheus are skipped: ${missing}`);

const WAIT = { timeout: HANG_MS, interval: 500 };
const SUFFIX = { gauge: '', counter: '_total', info: '_info' } as const;

/** Metrics that this service lacks: no sink of the audit log, no cron, no open appeal, no scored texts and no closed month. */
const ABSENT = [
  'audit_checkpoint_timestamp_seconds',
  'audit_export_failures',
  'audit_unexported_records',
  'appeals_oldest_timestamp_seconds',
  'notice_oldest_pending_timestamp_seconds',
  'statistics_closed_timestamp_seconds',
  'text_drift_psi',
];

/** Labels of each metric, by the metric's name in queries. */
const DEFINED = new Map(
  (Object.entries(FAMILIES) as [string, Family][]).map(([name, { type, labels }]) => [
    `numgate_${name}${SUFFIX[type]}`,
    labels,
  ]),
);

let token: string;

async function scrape(accept: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, accept };
  // A busy machine may be too slow for a scrape.
  return vi.waitFor(async () => {
    const response = await fetch(`${gatewayService().url}/metrics`, { headers });
    expect(response.status).toBe(200);
    return response.text();
  }, WAIT);
}

/** Labels of each metric in a scrape. */
function labelsIn(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, name, inner = ''] of text.matchAll(/^(numgate_\w+)(?:\{(.*)\})? /gm)) {
    const labels = found.get(name!) ?? new Set();
    for (const [, label] of inner.matchAll(/(\w+)="/g)) labels.add(label!);
    found.set(name!, labels);
  }
  return found;
}

/** The metrics in a text of expressions, each with the labels that it is selected by. */
function selectorsIn(text: string): { metric: string; labels: string[] }[] {
  return [...text.matchAll(/\b(numgate_\w+)(?:\{([^}]*)\})?/g)].map(([, metric, inner = '']) => ({
    metric: metric!,
    labels: Array.from(inner.matchAll(/(\w+)\s*=~?\\?"/g), ([, label]) => label!),
  }));
}

describe('the metrics', () => {
  beforeAll(async () => {
    const added = (await numgate(
      'tokens',
      'add',
      'prometheus',
      '--scopes',
      'metrics',
      '--reason',
      'a test',
    )) as {
      token: string;
    };
    token = added.token;
  });

  it('are all there, and have only names and labels that are defined', async () => {
    // The counters of the client report some 15 s after its first request.
    await vi.waitFor(async () => {
      const found = labelsIn(await scrape('*/*'));
      for (const [name, labels] of found) expect([name, [...labels]]).toEqual([name, DEFINED.get(name)]);
      const expected = [...DEFINED.keys()].filter((name) => !ABSENT.some((one) => name.includes(one)));
      expect(expected.filter((name) => !found.has(name))).toEqual([]);
    }, WAIT);
  });

  it.each([
    ['alerts.yml', 20],
    ['dashboard.json', 50],
  ])('of %s exist', (file, least) => {
    const selectors = selectorsIn(readFileSync(join(EXAMPLE, file), 'utf8'));
    expect(selectors.length).toBeGreaterThan(least);
    for (const { metric, labels } of selectors) {
      expect([file, metric, DEFINED.has(metric)]).toEqual([file, metric, true]);
      for (const label of labels)
        expect([file, metric, label, DEFINED.get(metric)!.includes(label)]).toEqual([
          file,
          metric,
          label,
          true,
        ]);
    }
  });

  it('are all on the dashboard', () => {
    const used = new Set(
      selectorsIn(readFileSync(join(EXAMPLE, 'dashboard.json'), 'utf8')).map(({ metric }) => metric),
    );
    expect([...DEFINED.keys()].filter((metric) => !used.has(metric))).toEqual([]);
  });

  it('each alert has a test', () => {
    const [rules, tests] = ['alerts.yml', 'alerts.test.yml'].map((file) =>
      readFileSync(join(EXAMPLE, file), 'utf8'),
    );
    const names = Array.from(rules!.matchAll(/- alert: (\w+)/g), ([, name]) => name!);
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !tests!.includes(name))).toEqual([]);
  });
});

describe.skipIf(missing !== null)('Prometheus', () => {
  let prometheus: Prometheus;
  beforeAll(async () => {
    prometheus = await startPrometheus(new URL(gatewayService().url).host, token);
  });
  afterAll(() => prometheus?.stop());

  it('accepts the rules, their tests, the config and the text of the metrics', async () => {
    expect(promtool(['check', 'rules', 'alerts.yml'])).toMatchObject({ status: 0 });
    expect(promtool(['test', 'rules', 'alerts.test.yml'])).toMatchObject({ status: 0 });
    expect(promtool(['check', 'config', '--syntax-only', 'prometheus.yml'])).toMatchObject({ status: 0 });
    const text = await scrape('text/plain;version=0.0.4');
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, output: '' });
  });

  it('scrapes them, and answers queries with the values of the service', async () => {
    await vi.waitFor(async () => expect([...(await prometheus.query('up')).values()]).toEqual([1]), WAIT);
    await numgate('block', '010-2999-0001', '010-2999-0002', '--subject', 'from', '--reason', 'a test');
    await vi.waitFor(async () => {
      const { seq, live } = (await numgate('status')) as { seq: number; live: { entries: number } };
      expect(live.entries).toBeGreaterThanOrEqual(2);
      expect([...(await prometheus.query('numgate_head_seq')).values()]).toEqual([seq]);
      const entries = await prometheus.query('numgate_live_entries{holder="people"}');
      expect([...entries.values()]).toEqual([live.entries]);
    }, WAIT);
    expect(new Set((await prometheus.query('numgate_up')).values())).toEqual(new Set([1]));
    const release = await prometheus.query('numgate_release_info{slot="current"}');
    expect([...release.keys()].join()).toContain('release="');
  });

  it('counts the verdicts that the usage of the clients shows', async () => {
    const { url, key } = gatewayService();
    const body = JSON.stringify({
      from: '+82212345678',
      to: '+821055550000',
      ingress: { type: 'international' },
    });
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/v1/gateway/check`, { method: 'POST', headers, body });
    expect(await response.json()).toMatchObject({ verdict: 'block' });
    await vi.waitFor(async () => {
      const { clients } = (await numgate('usage')) as {
        clients: readonly { verdicts: Record<string, number>; requests: number }[];
      };
      const found = await prometheus.query('sum by (verdict) (numgate_verdicts_total)');
      for (const verdict of VERDICTS) {
        const counted = clients.reduce((sum, { verdicts }) => sum + verdicts[verdict]!, 0);
        expect([verdict, found.get(`verdict="${verdict}"`)]).toEqual([verdict, counted]);
      }
      expect(found.get('verdict="block"')).toBeGreaterThan(0);
      const requests = clients.reduce((sum, each) => sum + each.requests, 0);
      expect([...(await prometheus.query('numgate_requests_total')).values()]).toEqual([requests]);
    }, WAIT);
  });

  it('evaluates every rule', async () => {
    await vi.waitFor(async () => {
      const { groups } = (await prometheus.get('rules')) as {
        groups: readonly { rules: readonly { name: string; health: string }[] }[];
      };
      const rules = groups.flatMap((group) => group.rules);
      expect(rules.length).toBeGreaterThan(20);
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    }, WAIT);
  });
});
