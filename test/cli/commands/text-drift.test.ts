/** `text drift`: days with bands, PSI and a picture of the scores, clients whose scores have drifted, and the canary. */
import '../support/workspace.ts';
import { beforeEach, expect, it } from 'vitest';
import type { DriftDay, DriftReport } from '../../../shared/admin/text-drift.ts';
import { numgate } from '../support/command.ts';
import { fakeService } from '../support/fake-service.ts';

const DAY: DriftDay = {
  ...{ day: '2026-11-27', model: 'kr-7', texts: 20_000, labelled: 12, psi: 0.3123, baseTexts: 90_000 },
  bands: { ordinary: 19_000, review: 800, suspicious: 200 },
  histogram: [16_000, 4_000, ...new Array<number>(17).fill(0), 1],
};
const REPORT: DriftReport = {
  ...{ from: '2026-11-21', to: '2026-11-27', client: null, psiMax: 0.25 },
  days: [{ ...DAY, day: '2026-11-26', psi: null }, DAY],
  drifting: [{ client: 'relay-07', model: 'kr-7', psi: 0.61 }],
  canary: {
    ...{ candidate: 'text-b', current: 'text-a', since: '2026-11-27T00:00:00.000Z' },
    ...{ clients: 3, texts: 12_000, rate: 0.041, expectedRate: 0.02 },
  },
};

/** The cells of each table row. */
function rowsOf(out: string): string[][] {
  return out
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('│')
        .map((cell) => cell.trim()),
    );
}

let paths: string[];

async function answering(report: DriftReport): Promise<void> {
  const { url } = await fakeService((request) => {
    paths.push(request.path);
    return { body: JSON.stringify(report) };
  });
  process.env.NUMGATE_URL = url;
  process.env.NUMGATE_TOKEN = 'root.x';
}

beforeEach(() => {
  paths = [];
});

it('shows each day and model, what has drifted, and the canary', async () => {
  await answering(REPORT);
  const { code, out } = await numgate('text', 'drift');
  expect(code).toBe(0);
  const rows = rowsOf(out);
  expect(rows).toContainEqual([
    ...['2026-11-26', 'kr-7', '20,000', '95 %', '4 %', '1 %', '12', 'too few', `█▄${' '.repeat(17)}▁`],
  ]);
  expect(rows).toContainEqual(['2026-11-27', ...rows[1]!.slice(1, 7), '0.312', rows[1]!.at(-1)]);
  expect(out).toContain('PSI above 0.25 on 2026-11-27:\n');
  expect(rows).toContainEqual(['relay-07', 'kr-7', '0.610']);
  expect(out).toContain(
    'canary text-b beside text-a: 4.1 % of 12,000 texts of 3 clients are suspicious, 2 % were expected',
  );
  expect(paths).toEqual(['/v1/admin/text/drift']);
});

it('passes client and days on, and prints the bins', async () => {
  await answering({
    ...REPORT,
    drifting: [],
    canary: { ...REPORT.canary!, texts: 0, rate: null, expectedRate: null },
  });
  const { out } = await numgate('text', 'drift', '--client', 'relay-07', '--from', '2026-11-26', '--bins');
  expect(paths).toEqual(['/v1/admin/text/drift?client=relay-07&from=2026-11-26']);
  expect(rowsOf(out)).toContainEqual(['2026-11-27', 'kr-7', '0.95 to 1.00', '1']);
  expect(out).toContain('no client has enough texts under both');
});

it('says so if nothing was scored, and prints the report with --json', async () => {
  await answering({ ...REPORT, days: [], drifting: [], canary: null });
  expect((await numgate('text', 'drift')).out).toBe('no text was scored on these days\n');
  await answering(REPORT);
  expect(JSON.parse((await numgate('--json', 'text', 'drift')).out)).toEqual(REPORT);
});
