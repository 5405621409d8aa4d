/**
 * Runs Prometheus (Debian: prometheus) with the config of examples/grafana; only the address, the token and the interval
 * differ. It ends with the process that started it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onExit } from '../../../bench/lib/cleanup.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { freePort } from './kamailio.ts';

export const EXAMPLE = fileURLToPath(new URL('../../../examples/grafana/', import.meta.url));
/** After this time the end is forced, in ms. */
const END_MS = 10_000;

/** Why Prometheus cannot run here; null if it can. */
export function prometheusMissing(): string | null {
  const missing = ['prometheus', 'promtool'].find(
    (name) => spawnSync(name, ['--version']).error !== undefined,
  );
  return missing === undefined ? null : `${missing} is not installed`;
}

/** Runs promtool in the folder of the example. */
export function promtool(args: readonly string[], input = ''): { status: number | null; output: string } {
  const options = { cwd: EXAMPLE, input, encoding: 'utf8', timeout: HANG_MS } as const;
  const { status, stdout, stderr } = spawnSync('promtool', args, options);
  return { status, output: stdout + stderr };
}

export interface Prometheus {
  /** Values of an instant query. The keys are labels as `a="b"`, without the labels of the scrape. */
  query(expression: string): Promise<ReadonlyMap<string, number>>;
  /** Reads a resource of the API under `/api/v1/`. */
  get(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** @param target host and port of the service @param token of an admin with the scope `metrics` */
export async function startPrometheus(target: string, token: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'numgate-prometheus-'));
  cpSync(join(EXAMPLE, 'alerts.yml'), join(folder, 'alerts.yml'));
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
  const config = readFileSync(join(EXAMPLE, 'prometheus.yml'), 'utf8')
    .replace('localhost:8787', target)
    .replaceAll('interval: 30s', 'interval: 1s');
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const port = await freePort();
  const options = [
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=data',
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const child = spawn('prometheus', options, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  onExit(() => child.kill('SIGKILL'));
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const body = (await response.json()) as { status: string; data: unknown };
    if (body.status !== 'success') throw new Error(JSON.stringify(body));
    return body.data;
  };
  return {
    get,
    query: async (expression) => {
      const { result } = (await get(`query?query=${encodeURIComponent(expression)}`)) as {
        result: readonly { metric: Record<string, string>; value: [number, string] }[];
      };
      const labels = ({ __name__: _, instance: __, job: ___, ...own }: Record<string, string>): string =>
        Object.entries(own)
          .map(([name, value]) => `${name}="${value}"`)
          .join(',');
      return new Map(result.map(({ metric, value }) => [labels(metric), Number(value[1])]));
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const forced = setTimeout(() => child.kill('SIGKILL'), END_MS);
      await ended;
      clearTimeout(forced);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
