/** Records of blocks: with keyed numbers for clients that want them, and none for other clients. */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { utf8 } from '../../../shared/bytes.ts';
import { prefixOf, SUFFIX_COUNT } from '../../../shared/numbers/number.ts';
import { type BlockRecord, openRecords } from '../../../shared/screening/block-record.ts';
import { seal } from '../../../shared/set/seal.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { CLIENTS, publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { sendAndSettle } from '../support/send.ts';
import { build, LISTED, NOWHERE, publish, SOURCE, smallLists } from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const [open, , , , ...others] = CLIENTS;

beforeEach(async () => {
  await publish(built);
  await publishClients([
    { ...open, recordBlocks: true },
    { ...open, id: 'closed', secretSha256: (CLIENTS[1] as { secretSha256: string[] }).secretSha256 },
    ...others,
  ]);
});

async function recorded(): Promise<BlockRecord[]> {
  const { keys } = await env.LISTS.list({ prefix: 'blocks/' });
  const values = await Promise.all(
    keys.map(async ({ name }) => {
      const bytes = new Uint8Array((await env.LISTS.get(name, 'arrayBuffer'))!);
      expect(new TextDecoder('latin1').decode(bytes)).not.toContain('NUMBER_SUSPENDED');
      return (await openRecords(bytes, testKeys, name))!;
    }),
  );
  return values.flat();
}

function numberOf(keyed: string): string {
  const [head, tail] = keyed.split('-').map(Number);
  return `+${head! * SUFFIX_COUNT + testKeys.permutation.invert(tail!)}`;
}

test('a block is recorded with its number keyed, its time and its client', async () => {
  await sendAndSettle({ body: { from: SOURCE, to: LISTED } });
  await sendAndSettle({ body: { to: NOWHERE } });
  const [record, ...rest] = await recorded();
  expect(rest).toEqual([]);
  expect(record).toMatchObject({
    client: 'open',
    code: 'NUMBER_SUSPENDED',
    from: SOURCE,
    enforced: true,
    seq: 1,
  });
  expect(record!.to).not.toContain(LISTED.slice(-8));
  expect(record!.to).toMatch(new RegExp(`^${prefixOf(Number(LISTED))}-`));
  expect(numberOf(record!.to!)).toBe(LISTED);
});

test('the blocks of a batch and of a stream are recorded together', async () => {
  const items = Array.from({ length: 300 }, () => ({ to: LISTED }));
  await sendAndSettle({ path: '/v1/check/batch', body: { items } });
  await sendAndSettle({
    path: '/v1/check/stream',
    body: `${LISTED}\n${NOWHERE}\n`.repeat(200),
    headers: { 'content-type': 'text/plain' },
  });
  expect(await recorded()).toHaveLength(500);
  expect((await env.LISTS.list({ prefix: 'blocks/' })).keys.length).toBeLessThanOrEqual(4);
});

test('nothing is recorded for a client that does not want records', async () => {
  await sendAndSettle({ body: { to: LISTED }, client: 'closed' });
  expect(await recorded()).toEqual([]);
});

test('a failed write is tried again, and a loss is logged', async () => {
  const warned = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const put = vi.spyOn(env.LISTS, 'put').mockRejectedValueOnce(new Error('KV PUT failed: 500'));
  await sendAndSettle({ body: { to: LISTED } });
  expect(put).toHaveBeenCalledTimes(2);
  expect(await recorded()).toHaveLength(1);
  put.mockRejectedValue(new Error('KV PUT failed: 500'));
  await sendAndSettle({ body: { to: LISTED } });
  expect(warned).toHaveBeenCalledWith('{"event":"recordsLost","records":1}');
});

test('no other sealed value opens as records', async () => {
  const head = new Uint8Array((await env.LISTS.get('head', 'arrayBuffer'))!);
  expect(await openRecords(head, testKeys, 'head')).toBeNull();
});

test('records open only under their own key', async () => {
  await sendAndSettle({ body: { to: LISTED } });
  const [name] = (await env.LISTS.list({ prefix: 'blocks/' })).keys.map((key) => key.name);
  const bytes = new Uint8Array((await env.LISTS.get(name!, 'arrayBuffer'))!);
  expect(await openRecords(bytes, testKeys, name!)).toHaveLength(1);
  for (const other of [name!.replace(/\d{4}/, '2020'), `${name!}0`, ''])
    expect(await openRecords(bytes, testKeys, other)).toBeNull();
});

test('a sealed value that is bound to no key does not open as records', async () => {
  const bytes = await seal(utf8('{"code":"NUMBER_SUSPENDED"}\n'), testKeys);
  expect(await openRecords(bytes, testKeys, 'blocks/any')).toBeNull();
});

test('the digits of a number are never recorded in clear, however they are written', async () => {
  // Months and hours in compatibility form, letters in place of a number, and full-width digits.
  const senders = ['A㋀㋁㋂㋃㋄㋅㋆', 'SHOP㍘㍙㍚㍛㍜㍝㍞', 'SHOP 24'];
  senders.push('０１０－２０００－５０３６', 'SHOP 010-2000-5036', '２０００－５０３６');
  for (const from of senders) await sendAndSettle({ body: { from, to: LISTED } });
  const written = (await recorded()).map(({ from }) => from);
  expect(written.filter((from) => from?.startsWith('fingerprint:'))).toHaveLength(2);
  expect(written).toContain('SHOP 24');
  for (const from of written) {
    if (from === null || from.startsWith('fingerprint:')) continue;
    const clear = from.normalize('NFKC').replace(/^(\d{1,7})-\d{8}$/, '$1');
    expect(clear.match(/\p{N}/gu)?.length ?? 0).toBeLessThan(7);
  }
});
