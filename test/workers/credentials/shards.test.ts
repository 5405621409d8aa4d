/** Many certificates. A change rewrites only one shard and the index, and old certificates are removed. */
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { toBase64Url } from '../../../shared/bytes.ts';
import { credentialShardOf } from '../../../shared/credentials/credential-index.ts';
import { EXPIRED_KEPT_MS } from '../../../shared/limits/credential-store.ts';
import { CREDENTIAL_SHARD_ROWS } from '../../../shared/limits/credentials.ts';
import type { CredentialStore } from '../../../workers/credentials/credential-store.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  asToken,
  credentials,
  credentialsStub,
  credentialWorld,
  readCredentials,
  rowsOf,
  statusList,
  uploaded,
} from '../support/credential-store.ts';
import { accepted } from '../support/registrations.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

const COUNT = CREDENTIAL_SHARD_ROWS * 2 - 1;
const published = async (rows: number) =>
  vi.waitFor(async () => expect((await readCredentials()).rows).toHaveLength(rows), HANG_MS);

test('one of many certificates changes one shard, and a status none', async () => {
  const world = await credentialWorld();
  await uploaded(world, 1);
  await runInDurableObject(credentialsStub(), (_, { storage }) => {
    storage.transactionSync(() => {
      for (let index = 1; index < COUNT; index++) {
        const digest = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
        storage.sql.exec(
          `INSERT INTO certificates SELECT ?, ?, 'acme', issuer, signer, jws, alg, key, spans, nbf, exp, uri, ?, status,
             held, clients, NULL, wanted, reported, registrations, reasons, created_at FROM certificates LIMIT 1`,
          ...[digest, credentialShardOf(digest, 4_096), 2 + (index % 900)],
        );
      }
      storage.sql.exec("UPDATE totals SET many = ? WHERE name LIKE 'certificates%'", COUNT);
      storage.sql.exec('INSERT OR REPLACE INTO dirty SELECT DISTINCT place, 0 FROM certificates');
    });
  });
  const { digest } = await uploaded(world, 2);
  await published(COUNT + 1);
  const before = (await readCredentials()).index;
  expect(before.shards).toHaveLength(2);
  const added = await uploaded(world, 3);
  await published(COUNT + 2);
  // One more than fits into two shards. Now there are four new shards.
  const grown = (await readCredentials()).index;
  expect(grown.shards).toHaveLength(4);
  const next = await uploaded(world, 4);
  await published(COUNT + 3);
  const after = (await readCredentials()).index;
  const differ = after.shards.flatMap(({ key }, shard) => (key === grown.shards[shard]!.key ? [] : [shard]));
  expect(differ).toEqual([credentialShardOf(next.digest, 4)]);
  const list = await statusList(world.issuer, { 2: 'revoked', 3: 'suspended' });
  const done = accepted(await credentials().pushStatusList(asToken(), list));
  expect(done.changed).toBeGreaterThan(2);
  const { index, statusOf } = await readCredentials();
  expect(index.shards).toEqual(after.shards);
  expect([await statusOf(digest), await statusOf(added.digest)]).toEqual(['revoked', 'suspended']);
});

test('what expired long ago is removed, and makes room', async () => {
  const world = await credentialWorld();
  const old = await uploaded(world, 1);
  const kept = await uploaded(world, 2);
  await published(2);
  await runInDurableObject(credentialsStub(), async (instance, { storage }) => {
    const until = Math.floor((Date.now() - EXPIRED_KEPT_MS) / 1000) - 1;
    storage.sql.exec('UPDATE certificates SET exp = ? WHERE digest = ?', until, old.digest);
    storage.sql.exec("UPDATE meta SET value = '0' WHERE key = 'sweptAt'");
    await (instance as CredentialStore).alarm();
    // The sweep comes last, so its changes are published by the next alarm.
    await (instance as CredentialStore).alarm();
  });
  await published(1);
  expect((await readCredentials()).rows[0]!.digest).toBe(kept.digest);
  expect(await rowsOf("totals WHERE name = 'certificates' AND many = 1")).toBe(1);
});
