/**
 * What checks cost a SIP gateway: examples/kamailio between two SIP endpoints on this machine, with checks on
 * and with its own setting to disable them, in front of a real service. Texts, one transaction each. All
 * share the processors with the benchmark, so only the ratio is meaningful. Without Kamailio nothing is
 * measured.
 */
import { type Kamailio, kamailioMissing, startKamailio } from '../test/gateways/support/kamailio.ts';
import { headerOf, SipEnd } from '../test/gateways/support/sip.ts';
import { startInstallation } from './installation.ts';
import type { BenchOptions } from './options.ts';
import { type Row, row } from './row.ts';
import { skip } from './skipped.ts';

/** Concurrent transactions for the throughput measurement. Latency is measured with one. */
const AT_ONCE = 16;
const CHILDREN = 16;
const ROUNDS = 10;
/** Long, so that a busy machine does not look like a failing service. */
const TIMEOUT_MS = 10_000;
const ALLOWED = '<sip:+821000000024@carrier.example>';
const BLOCKED = '<sip:+821000000003@carrier.example>';
const LABELLED = '<sip:+639171234567@carrier.example>';
const TO = '+821099998888';

/** Measurements of one Kamailio. */
interface Figures {
  readonly kamailio: Kamailio;
  /** Times of texts sent one at a time, in ms. The n-th texts of both were sent one after the other. */
  readonly times: number[];
  /** With many concurrent transactions, in ms. */
  busyMs: number;
}

export async function sipBench({ small }: BenchOptions): Promise<Row[]> {
  const missing = kamailioMissing();
  if (missing !== null) {
    skip('kamailio', `sip is skipped: ${missing}`);
    return [];
  }
  const texts = small ? 200 : 2_000;
  const installation = await startInstallation(['010-2000-0001']);
  const caller = await SipEnd.open(false);
  const nextHop = await SipEnd.open(true);
  const running: Kamailio[] = [];
  try {
    const url = installation.url.replace('localhost', '127.0.0.1');
    const given = { url, key: installation.clientKey, nextHop: nextHop.port };
    const settings = { CHILDREN, TIMEOUT_MS };
    const asking = await startKamailio({ ...given, settings });
    running.push(asking);
    const passing = await startKamailio({ ...given, settings: { ...settings, ASK_NOTHING: true } });
    running.push(passing);
    await check(caller, nextHop, asking, passing);
    const ends = { caller, nextHop };
    const [asked, passed] = [noFigures(asking), noFigures(passing)];
    await measure(ends, [noFigures(asking), noFigures(passing)], texts / 10);
    await measure(ends, [asked, passed], texts);
    const added = sorted(asked.times.map((ms, index) => ms - passed.times[index]!));
    const perSecond = ({ busyMs }: Figures): number => (texts * 1000) / busyMs;
    const peer = 'the same config that asks nothing';
    const addedRow = (name: string, share: number): Row => {
      const base = quantile(sorted(passed.times), share).toFixed(2);
      const what = `SIP text, one at a time: asking adds, ${name}`;
      return row(what, quantile(added, share), 'ms', `${peer}: ${base} ms`, null, null);
    };
    return [
      row(
        `SIP texts, ${AT_ONCE} at once, each asked about`,
        perSecond(asked),
        'text/s',
        `${peer}: ${Math.round(perSecond(passed)).toLocaleString('en')}`,
        perSecond(asked) / perSecond(passed),
        null,
      ),
      addedRow('p50', 0.5),
      addedRow('p99', 0.99),
    ];
  } finally {
    await Promise.all(running.map((kamailio) => kamailio.stop()));
    caller.close();
    nextHop.close();
    await installation.stop();
  }
}

/** Checks that both respond correctly before anything is timed. */
async function check(caller: SipEnd, nextHop: SipEnd, asking: Kamailio, passing: Kamailio): Promise<void> {
  const outcome = async (from: string, { port }: Kamailio): Promise<string> => {
    const { status } = await caller.ask({ method: 'MESSAGE', from, to: TO, body: 'bench' }, port);
    const label = status === 200 ? headerOf(nextHop.got.at(-1)!, 'X-Numgate-Label') : null;
    return label === null ? String(status) : `${status} ${label}`;
  };
  const expected = ['200', '603', '200 [국제발신]', '200', '200', '200'];
  const found: string[] = [];
  for (const kamailio of [asking, passing]) {
    for (const from of [ALLOWED, BLOCKED, LABELLED]) found.push(await outcome(from, kamailio));
  }
  if (found.join() !== expected.join()) throw new Error(`answered ${found.join()}, not ${expected.join()}`);
}

interface Ends {
  readonly caller: SipEnd;
  readonly nextHop: SipEnd;
}

function noFigures(kamailio: Kamailio): Figures {
  return { kamailio, times: [], busyMs: 0 };
}

/** In turns, so that other load on the machine affects all of them. Adds to the figures. */
async function measure({ caller, nextHop }: Ends, figures: readonly Figures[], texts: number): Promise<void> {
  const ask = async ({ port }: Kamailio): Promise<void> => {
    const { status } = await caller.ask({ method: 'MESSAGE', from: ALLOWED, to: TO, body: 'bench' }, port);
    if (status !== 200) throw new Error(`answered ${status}`);
    // Keeps the list of received messages short, because each response is searched for in it.
    if (caller.got.length > AT_ONCE * 4) caller.got.splice(0, AT_ONCE * 2);
    nextHop.got.length = 0;
  };
  for (let index = 0; index < texts; index++) {
    for (const { kamailio, times } of figures) {
      const begin = performance.now();
      await ask(kamailio);
      times.push(performance.now() - begin);
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of figures) {
      let left = texts / ROUNDS;
      const begin = performance.now();
      const several = async (): Promise<void> => {
        while (left-- > 0) await ask(one.kamailio);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, several));
      one.busyMs += performance.now() - begin;
    }
  }
}

function sorted(times: readonly number[]): number[] {
  return times.toSorted((a, b) => a - b);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1]!;
}
