/** The cost of verifying a message token in an isolate, against one number of a stream. */
import { toBase64Url } from '../../shared/bytes.ts';
import { KEY_ALGORITHMS } from '../../shared/credentials/keys.ts';
import { startBenchWorker } from '../lib/bench-worker.ts';
import { withHolderKey } from '../lib/holder-tokens.ts';
import type { BenchOptions } from '../lib/options.ts';
import { runtimes, threadNs } from '../lib/process-usage.ts';
import { randomCertificates } from '../lib/random-credentials.ts';
import { median } from '../lib/statistics.ts';
import { type Row, row } from '../lib/table.ts';

const ROUNDS = 15;
const TOKENS = 1_000;
const TOKENS_SMALL = 50;
/** Warm-up rounds, which do not count. */
const WARM_ROUNDS = 3;
/** Number of links in a chain: owner, reseller, relay. */
const LINKS = 3;

export async function verifyRows({ small, seed }: BenchOptions): Promise<Row[]> {
  const rounds = small ? 2 : ROUNDS;
  const worker = await startBenchWorker('credentials');
  try {
    const pids = runtimes();
    const rows: Row[] = [];
    for (const alg of KEY_ALGORITHMS) {
      const turn = await tokensOf(alg, small ? TOKENS_SMALL : TOKENS, seed);
      const body = JSON.stringify(turn);
      const us: number[] = [];
      for (let round = -WARM_ROUNDS; round < rounds; round++) {
        const before = threadNs(pids);
        const good = await worker.call<number>('/verify', body);
        if (good !== turn.tokens.length) throw new Error(`${good} of ${turn.tokens.length} tokens are good`);
        if (round >= 0) us.push((threadNs(pids) - before) / 1_000 / turn.tokens.length);
      }
      const each = median(us);
      rows.push(
        row(
          `message token, ${alg}: verification`,
          each,
          'µs',
          `a chain of ${LINKS}, processor time of the runtime`,
        ),
        row(`message token, ${alg}: verifications a second and processor`, 1e6 / each, 'token/s'),
      );
    }
    return rows;
  } finally {
    await worker.stop();
  }
}

async function tokensOf(alg: (typeof KEY_ALGORITHMS)[number], count: number, seed: number) {
  const [certificate, ...others] = randomCertificates(LINKS, seed);
  const { row, token } = await withHolderKey(certificate!, alg, 'bench');
  const chain = [row, ...others].map(({ digest }) => digest);
  const tokens = await Promise.all(Array.from({ length: count }, (_, index) => token(String(index), chain)));
  return { alg, key: toBase64Url(row.key.bytes), tokens };
}
