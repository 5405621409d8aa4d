/**
 * A bulk upload of registered senders with the real command: its time, and whether lines are lost or doubled if the command and
 * the service are killed during the upload and the command runs again.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from '../../cli/local/bundle.ts';
import { newSecrets, workerSecrets } from '../../cli/local/secrets.ts';
import { PROJECT } from '../../cli/paths.ts';
import { csvFields, csvLine } from '../../shared/csv.ts';
import { temporaryFolder } from '../lib/cleanup.ts';
import { KillableService } from '../lib/killable-service.ts';
import type { BenchOptions } from '../lib/options.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import { runNumgate } from '../simulation/installation.ts';

const LINES = 100_000;
const LINES_SMALL = 3_000;
const HEADER = 'reference,number,basis,holderKind,holder,clients,proofs,expires';
/** The first number, in Seoul: 02-2100-0000. */
const FIRST_NUMBER = 82_2_2100_0000;
const CHECK_EVERY_MS = 20;
/** The organisation of an undisturbed upload, and that of an upload that is killed. */
const ORGANISATIONS = ['steady', 'killed'] as const;
type Organisation = (typeof ORGANISATIONS)[number];

export async function registrationUpload({ small }: BenchOptions): Promise<Row[]> {
  const lines = small ? LINES_SMALL : LINES;
  const upload = await startUpload(lines);
  try {
    const steadyS = await timed(() => upload.run('steady'));
    const killed = upload.start('killed');
    const ended = once(killed, 'exit');
    await upload.untilOver('killed', Math.floor(lines / 5));
    killed.kill('SIGKILL');
    await ended;
    await upload.restart();
    const stored = (await upload.stored('killed')).length;
    const againS = await timed(() => upload.run('killed'));
    const wrong = await upload.wrongLines('killed');
    const name = `${withCommas(lines)} lines of CSV`;
    const after = `command and service killed after ${withCommas(stored)} lines`;
    return [
      row(
        `${name}: check and store`,
        steadyS,
        's',
        `${withCommas(Math.round(lines / steadyS))} lines per second`,
      ),
      row(`${name}: run again`, againS, 's', after, againS / steadyS),
      row(`${name}: lines lost, doubled or reported wrong`, wrong, 'lines', after, null, 0),
    ];
  } finally {
    await upload.stop();
  }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

async function startUpload(lines: number) {
  const folder = temporaryFolder('upload');
  const secrets = await newSecrets();
  const bundleFolder = join(folder, 'bundle');
  await bundle('', bundleFolder);
  const service = new KillableService(join(folder, 'state'), bundleFolder);
  const ofWorker = await workerSecrets(secrets);
  await service.start(ofWorker);
  const env = {
    ...{ ...secrets, NUMGATE_STATE: join(folder, 'state'), NUMGATE_TOKEN: secrets.ADMIN_TOKEN },
    NUMGATE_URL: service.url,
  };
  const numgate = (...args: string[]) => runNumgate(env, ...args);
  const fileOf = (organisation: Organisation): string => join(folder, `${organisation}.csv`);
  const reportOf = (organisation: Organisation): string => join(folder, `${organisation}-report.csv`);
  for (const organisation of ORGANISATIONS) {
    await numgate('organisations', 'add', organisation, '--roles', 'relay');
    await numgate('clients', 'add', `${organisation}-main`, '--organisation', organisation);
    const rows = Array.from({ length: lines }, (_, index) => {
      const proof = `serviceUse:${'ab'.repeat(32)}:2099-01-31:KT-${index}`;
      const number = `+${FIRST_NUMBER + index}`;
      return csvLine([
        `line-${index}`,
        number,
        'own',
        'organisation',
        'Bench',
        `${organisation}-main`,
        proof,
        '',
      ]);
    });
    writeFileSync(fileOf(organisation), `${[HEADER, ...rows].join('\n')}\n`);
  }
  const argsOf = (organisation: Organisation): string[] => [
    ...['registrations', 'import', fileOf(organisation), '--organisation', organisation],
    ...['--report', reportOf(organisation)],
  ];
  const get = async (path: string): Promise<Response> => {
    const headers = { authorization: `Bearer ${secrets.ADMIN_TOKEN}` };
    const response = await fetch(`${service.url}/v1/admin/organisations/${path}`, { headers });
    if (!response.ok) throw new Error(`${path} returned ${response.status}`);
    return response;
  };
  /** References of all stored registrations. */
  const stored = async (organisation: Organisation): Promise<string[]> => {
    const references: string[] = [];
    for (let after: string | null = '0'; after !== null; ) {
      const page: Response = await get(`${organisation}/registrations/export?after=${after}`);
      const rows = (await page.text()).split('\n').filter((line) => line.startsWith('line-'));
      references.push(...rows.map((line) => csvFields(line)![0]!));
      after = page.headers.get('x-next');
    }
    return references;
  };
  return {
    run: (organisation: Organisation) => numgate(...argsOf(organisation)),
    start: (organisation: Organisation) =>
      spawn(process.execPath, ['cli/numgate.ts', ...argsOf(organisation)], {
        cwd: PROJECT,
        env: { ...process.env, ...env },
        stdio: 'ignore',
      }),
    /** Waits until more than `count` lines are stored. */
    untilOver: async (organisation: Organisation, count: number): Promise<void> => {
      for (;;) {
        const page = await get(`${organisation}/registrations?after=${count}&limit=1`);
        const { registrations } = (await page.json()) as { registrations: readonly object[] };
        if (registrations.length > 0) return;
        await sleep(CHECK_EVERY_MS);
      }
    },
    stored,
    restart: async () => {
      await service.kill();
      await service.start(ofWorker);
    },
    /** Counts lines that are not stored exactly once, or that the report does not list as created. */
    wrongLines: async (organisation: Organisation): Promise<number> => {
      const counts = new Map<string, number>();
      for (const reference of await stored(organisation))
        counts.set(reference, (counts.get(reference) ?? 0) + 1);
      const report = readFileSync(reportOf(organisation), 'utf8').trimEnd().split('\n').slice(1);
      let wrong = Math.abs(report.length - lines) + Math.abs(counts.size - lines);
      for (const [index, text] of report.entries()) {
        const [line, reference = '', result] = csvFields(text)!;
        const isRight = line === String(index + 2) && reference === `line-${index}` && result === 'created';
        if (!isRight || counts.get(reference) !== 1) wrong++;
      }
      return wrong;
    },
    stop: () => service.kill(),
  };
}
