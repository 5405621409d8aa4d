/**
 * The cost of checks at a SIP gateway. examples/kamailio runs between two SIP endpoints on this machine, in
 * front of a real service, with checks on and with its own setting to disable them. Each text is one
 * transaction. All share the processors with the benchmark, so only the ratio is meaningful. Without Kamailio
 * nothing is measured.
 */
import { type Kamailio, kamailioMissing, startKamailio } from '../../test/gateways/support/kamailio.ts';
import { headerOf, SipEnd } from '../../test/gateways/support/sip.ts';
import type { BenchOptions } from '../lib/options.ts';
import { skipMissing } from '../lib/skip-missing.ts';
import { quantile } from '../lib/statistics.ts';
import { type Row, row, short } from '../lib/table.ts';
import { startInstallation } from '../simulation/installation.ts';

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
  /** Times of texts sent one at a time, in ms. The n-th texts of both gateways were sent one after the other. */
  readonly timesMs: number[];
  /** Total time with many concurrent transactions, in ms. */
  busyMs: number;
}

export async function sipBench({ small }: BenchOptions): Promise<Row[]> {
  const missing = kamailioMissing();
  if (missing !== null) {
    skipMissing('kamailio', `sip is skipped: ${missing}`);
    return [];
  }
  const texts = small ? 100 : 2_000;
  const installation = await startInstallation({ suspended: ['010-2000-0001'] });
  const ends = { caller: await SipEnd.open(false), nextHop: await SipEnd.open(true) };
  const url = installation.url.replace('localhost', '127.0.0.1');
  const given = { url, key: installation.clientKey, nextHop: ends.nextHop.port };
  const settings = { CHILDREN, TIMEOUT_MS };
  const checking = await startKamailio({ ...given, settings });
  const passing = await startKamailio({ ...given, settings: { ...settings, CHECK_NOTHING: true } });
  await check(ends, checking, ['200', '603', '200 [국제발신]']);
  await check(ends, passing, ['200', '200', '200']);
  await measure(ends, [checking, passing], texts / 10);
  const [on, off] = (await measure(ends, [checking, passing], texts)) as [Figures, Figures];
  await Promise.all([checking.stop(), passing.stop(), installation.stop()]);
  ends.caller.close();
  ends.nextHop.close();
  const added = on.timesMs.map((ms, index) => ms - off.timesMs[index]!);
  const perSecond = ({ busyMs }: Figures): number => (texts * 1000) / busyMs;
  const addedRow = (name: string, share: number): Row => {
    const baseline = `checks off: ${quantile(off.timesMs, share).toFixed(2)} ms`;
    return row(
      `SIP text, one at a time: added by the check, ${name}`,
      quantile(added, share),
      'ms',
      baseline,
    );
  };
  return [
    row(
      `SIP texts, ${AT_ONCE} at once, each checked`,
      perSecond(on),
      'text/s',
      `checks off: ${short(perSecond(off))} text/s`,
      perSecond(on) / perSecond(off),
    ),
    addedRow('p50', 0.5),
    addedRow('p99', 0.99),
  ];
}

interface Ends {
  readonly caller: SipEnd;
  readonly nextHop: SipEnd;
}

/** Checks the responses to an allowed, a blocked and a labelled sender before anything is timed. */
async function check({ caller, nextHop }: Ends, { port }: Kamailio, expected: string[]): Promise<void> {
  const found: string[] = [];
  for (const from of [ALLOWED, BLOCKED, LABELLED]) {
    const { status } = await caller.request({ method: 'MESSAGE', from, to: TO, body: 'bench' }, port);
    const label = status === 200 ? headerOf(nextHop.got.at(-1)!, 'X-Numgate-Label') : null;
    found.push(label === null ? String(status) : `${status} ${label}`);
  }
  if (found.join() !== expected.join()) throw new Error(`${found.join()} instead of ${expected.join()}`);
}

/** In turns, so that other load on the machine affects all of them. */
async function measure(
  { caller, nextHop }: Ends,
  kamailios: readonly Kamailio[],
  texts: number,
): Promise<Figures[]> {
  const figures = kamailios.map((kamailio): Figures => ({ kamailio, timesMs: [], busyMs: 0 }));
  const send = async ({ port }: Kamailio): Promise<void> => {
    const { status } = await caller.request(
      { method: 'MESSAGE', from: ALLOWED, to: TO, body: 'bench' },
      port,
    );
    if (status !== 200) throw new Error(`status ${status}`);
    // Keeps the list of received messages short, because each response is looked up in the list.
    if (caller.got.length > AT_ONCE * 4) caller.got.splice(0, AT_ONCE * 2);
    nextHop.got.length = 0;
  };
  for (let index = 0; index < texts; index++) {
    for (const { kamailio, timesMs } of figures) {
      const start = performance.now();
      await send(kamailio);
      timesMs.push(performance.now() - start);
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of figures) {
      let left = texts / ROUNDS;
      const start = performance.now();
      const sendNext = async (): Promise<void> => {
        while (left-- > 0) await send(one.kamailio);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, sendNext));
      one.busyMs += performance.now() - start;
    }
  }
  return figures;
}
