/** What the verification of a message token costs an isolate, against one number of a stream. */
import type { JWK } from 'jose';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { toBase64Url } from '../../shared/bytes.ts';
import { TOKEN_TYPE } from '../../shared/credentials/claims.ts';
import { KEY_ALGORITHMS, keyOfJwk, type PublicJwk } from '../../shared/credentials/keys.ts';
import { startBenchWorker } from '../lib/bench-worker.ts';
import type { BenchOptions } from '../lib/options.ts';
import { runtimes, threadNs } from '../lib/process-usage.ts';
import { median } from '../lib/statistics.ts';
import { type Row, row } from '../lib/table.ts';

const ROUNDS = 15;
const TOKENS = 1_000;
const TOKENS_SMALL = 50;
/** Rounds before the first that counts. */
const WARM_ROUNDS = 3;
/** A chain of this many links: owner, reseller, relay. */
const LINKS = 3;

export async function verifyRows({ small }: BenchOptions): Promise<Row[]> {
  const rounds = small ? 2 : ROUNDS;
  const worker = await startBenchWorker('credentials');
  try {
    const pids = runtimes();
    const rows: Row[] = [];
    for (const alg of KEY_ALGORITHMS) {
      const turn = await tokensOf(alg, small ? TOKENS_SMALL : TOKENS);
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

async function tokensOf(alg: (typeof KEY_ALGORITHMS)[number], count: number) {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const { kty, crv, x, y } = (await exportJWK(publicKey)) as Required<JWK>;
  const jwk = { kty, crv, x, ...(kty === 'EC' ? { y } : {}) };
  const kid = await calculateJwkThumbprint(jwk);
  const iat = Math.floor(Date.now() / 1000);
  const chain = Array.from({ length: LINKS }, (_, index) => toBase64Url(new Uint8Array(32).fill(index)));
  const sign = (index: number): Promise<string> =>
    new SignJWT({ aud: 'bench', iat, exp: iat + 900, orig: { tn: '8215881234' }, osc: '0123456789', chain })
      .setProtectedHeader({ alg, typ: TOKEN_TYPE, kid })
      .setJti(String(index))
      .sign(privateKey);
  const tokens = await Promise.all(Array.from({ length: count }, (_, index) => sign(index)));
  return { alg, key: toBase64Url(keyOfJwk(jwk as PublicJwk)!.bytes), tokens };
}
