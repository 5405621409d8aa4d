/**
 * Time until the edge allows a sender after an approval, and until it refuses the sender after a suspension. Control and edge
 * run in two processes. The measured time begins before the decision is sent and ends with the first response that shows it.
 * The decision passes the store of the organisation, the registry, the coordinator and the poll of the edge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchOptions } from '../lib/options.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { quantile } from '../lib/statistics.ts';
import { type Row, row } from '../lib/table.ts';
import { type Planes, startPlanes } from '../simulation/planes.ts';
import { CHECK_EVERY_MS, VisibleReader } from '../simulation/visible-reader.ts';

/** Target at p99, the same as for live changes. */
const TARGET_S = 15;
const PATH = 'organisations/default/registrations';
/** An ordinary number that is on no list. */
const TO = '+821099999999';
const REASONS = [{ field: 'number', code: 'TEST', detail: 'a measurement', help: 'wait' }];

export async function registrationVisible({ small, seed }: BenchOptions): Promise<Row[]> {
  const count = small ? 3 : 100;
  const spreadMs = small ? 2_000 : 60_000;
  const random = randomFrom(seed + 15);
  const planes = await startPlanes('--require-registration', 'enforce');
  try {
    const numbers = Array.from({ length: count }, (_, index) => `+8215881${String(index).padStart(3, '0')}`);
    const ids: string[] = [];
    for (const number of numbers) ids.push(await submit(planes, number));
    const reader = new VisibleReader(planes, { from: '+8215889999', to: TO });
    const timesS = { approved: [] as number[], suspended: [] as number[] };
    const changes = numbers.map(async (from, index) => {
      const item = { from, to: TO };
      const act = (action: string, body: object) => () =>
        planes.change('POST', `${PATH}/${ids[index]}/${action}`, body);
      await sleep(random() % spreadMs);
      timesS.approved.push((await reader.time(item, 'allow', act('approve', {}))) / 1000);
      await sleep(random() % (spreadMs / 4));
      timesS.suspended.push((await reader.time(item, 'block', act('suspend', { reasons: REASONS }))) / 1000);
    });
    await Promise.all(changes);
    reader.stop();
    const baseline = `${count} decisions, two processes, checked every ${CHECK_EVERY_MS} ms`;
    return (['approved', 'suspended'] as const).flatMap((state) => {
      const name = state === 'approved' ? 'approved to passing' : 'suspended to refused';
      return [
        row(`${name}, p50`, quantile(timesS[state], 0.5), 's', baseline),
        row(`${name}, p99`, quantile(timesS[state], 0.99), 's', baseline, null, TARGET_S),
      ];
    });
  } finally {
    planes.stop();
  }
}

/** Registers a number for the client and claims the registration. @returns the ID */
async function submit(planes: Planes, number: string): Promise<string> {
  const registration = {
    ...{ number, basis: 'own', holder: { kind: 'organisation', name: 'Bench' }, clients: ['bench'] },
    proofs: [{ kind: 'serviceUse', sha256: 'ab'.repeat(32) }],
  };
  const { id } = await planes.change<{ id: string }>('POST', PATH, { registration, submit: true });
  await planes.change('POST', `${PATH}/${id}/claim`, {});
  return id;
}
