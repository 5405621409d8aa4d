/**
 * Time from a revocation until the edge refuses the sender. It begins before the issuer's new status list is pushed, and ends
 * with the first response that shows the revocation. Control and edge run in two processes. The issuer is the example.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { createHolderKey, jwsDigest } from '../../cli/holder-key.ts';
import { Issuer } from '../../examples/issuer/issuer.ts';
import { PROOF_TYPE, TOKEN_TYPE } from '../../shared/credentials/claims.ts';
import { TOKEN_LIFE_MAX_S } from '../../shared/limits/credentials.ts';
import { temporaryFolder } from '../lib/cleanup.ts';
import type { BenchOptions } from '../lib/options.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { quantile } from '../lib/statistics.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import { type Planes, startPlanes } from '../simulation/planes.ts';
import { CHECK_EVERY_MS, VisibleReader } from '../simulation/visible-reader.ts';

/** Target at p99, the same as for live changes. */
const TARGET_S = 15;
const ISS = 'https://issuer.example';
/** Nothing listens there, because the lists are pushed. */
const HOST = '127.0.0.1:9';
/** The same size as in the example. */
const LIST_ENTRIES = 100_000;
const REVOKED = 1_000;
const REVOKED_SMALL = 10;
const ORGANISATION = 'organisations/default';
/** An ordinary number that is on no list. */
const TO = '+821099999999';

/** A certificate, and a check with a token that rests on it. */
interface Sender {
  readonly jti: string;
  readonly item: { readonly from: string; readonly to: string; readonly senderToken: string };
}

export async function revokedRows({ small, seed }: BenchOptions): Promise<Row[]> {
  const count = small ? 3 : 60;
  const spreadMs = small ? 2_000 : 90_000;
  const revoked = small ? REVOKED_SMALL : REVOKED;
  const random = randomFrom(seed + 16);
  const folder = temporaryFolder('issuer');
  const names = { iss: ISS, statusUri: `https://${HOST}/status-lists/1` };
  const issuer = await Issuer.create(join(folder, 'issuer'), names);
  const planes = await startPlanes();
  try {
    await revokeOthers(issuer, revoked);
    await configure(planes, issuer);
    const senders: Sender[] = [];
    for (let index = 0; index < count; index++) senders.push(await register(planes, issuer, folder, index));
    const reader = new VisibleReader(planes, { from: '+8215889999', to: TO });
    const times = { registered: [] as number[], revoked: [] as number[] };
    for (const { item } of senders)
      times.registered.push((await reader.time(item, 'allow', async () => undefined)) / 1_000);
    // Each list contains all earlier changes, so the lists are pushed in order.
    let pushing: Promise<unknown> = Promise.resolve();
    const push = (jti: string): Promise<unknown> => {
      pushing = pushing.then(async () => {
        issuer.setStatus(jti, 'revoked');
        await planes.change('POST', 'status-lists', { statusList: await issuer.statusList() });
      });
      return pushing;
    };
    await Promise.all(
      senders.map(async ({ jti, item }) => {
        await sleep(random() % spreadMs);
        times.revoked.push((await reader.time(item, 'block', () => push(jti))) / 1_000);
      }),
    );
    reader.stop();
    const list = `a list of ${withCommas(LIST_ENTRIES)} entries, ${withCommas(revoked)} of them revoked`;
    const baseline = `${count} revocations in ${list}; control stores ${count} certificates; two processes, checked every ${CHECK_EVERY_MS} ms`;
    return [
      row('pushed status list to refused, p50', quantile(times.revoked, 0.5), 's', baseline),
      row('pushed status list to refused, p99', quantile(times.revoked, 0.99), 's', baseline, null, TARGET_S),
    ];
  } finally {
    planes.stop();
    issuer.close();
  }
}

/** Makes the list as full as that of an issuer with many certificates. Control stores only the certificates of the senders. */
async function revokeOthers(issuer: Issuer, count: number): Promise<void> {
  const { keys } = issuer.keys();
  const request = {
    holder: 'Other',
    numbers: ['+82221239999'],
    line: 'fixed',
    key: keys[0]!,
    days: 1,
  } as const;
  for (let index = 0; index < count; index++)
    issuer.setStatus(decodeJwt(await issuer.issue(request)).jti!, 'revoked');
}

async function configure(planes: Planes, issuer: Issuer): Promise<void> {
  const { iss } = issuer.names;
  await planes.change('PUT', 'issuers/bench', {
    issuer: {
      ...{ id: 'bench', organisation: 'default', iss, keys: issuer.keys(), statusHosts: [HOST] },
      ...{ numbers: ['+82220000000..+82220099999'], operators: [] },
    },
  });
  // Control does not pull from this host, so push the list before the first certificate names it.
  await planes.change('POST', 'status-lists', { statusList: await issuer.statusList() });
}

async function register(planes: Planes, issuer: Issuer, folder: string, index: number): Promise<Sender> {
  const key = await createHolderKey(join(folder, `${index}.jwk`), 'ES256');
  const from = `+82${220_000_000 + index}`;
  const certificate = await issuer.issue({
    ...{ holder: 'Bench', numbers: [from], line: 'fixed', key: key.publicKey, days: 1 },
  });
  const iat = Math.floor(Date.now() / 1000);
  const crt = jwsDigest(certificate);
  const proof = await key.sign(PROOF_TYPE, { aud: 'default', iat, crt });
  await planes.change('POST', `${ORGANISATION}/certificates`, {
    ...{ certificate, key: key.publicKey, proof, clients: ['bench'] },
  });
  const orig = { tn: from.slice(1) };
  const token = { aud: 'default', iat, exp: iat + TOKEN_LIFE_MAX_S, orig, chain: [crt] };
  const senderToken = await key.sign(TOKEN_TYPE, token);
  return { jti: decodeJwt(certificate).jti!, item: { from, to: TO, senderToken } };
}
