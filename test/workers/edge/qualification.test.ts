/** Qualifications at the edge arrive with the client directory, and end without a new head. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { DirectoryOrganisation } from '../../../shared/clients.ts';
import { messageToken, NUMBER } from '../../shared/support/credential-world.ts';
import { client, publishClients } from '../support/clients.ts';
import { CHAIN, publishCredentials, ROWS, relay } from '../support/credentials.ts';
import { coldIsolate } from '../support/isolate.ts';
import { sendAndSettle } from '../support/send.ts';
import {
  build,
  NEXT_POLL_MS,
  NOW,
  publish,
  publishDirectory,
  putHead,
  smallLists,
} from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const LIFE_MS = 60_000;
const certified: DirectoryOrganisation['qualification'] = {
  ...{ state: 'certified' as const, factor: null, index: 0, since: new Date(0).toISOString() },
  ...{ inspectedAt: null, nextInspectionBy: null, validUntil: new Date(NOW + LIFE_MS).toISOString() },
};
const RELAY: DirectoryOrganisation = { id: 'relay', senderCode: null, qualification: certified };

async function codes(id: string): Promise<unknown[]> {
  const { body } = await sendAndSettle({ client: id, body: { from: '02-312-1234' } });
  const { verdict, seq, reasons = [], code } = body;
  if (code !== undefined) return [code];
  return [verdict, seq, ...reasons.map((reason) => reason.code)];
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await publish(built);
});

test('a certification ends at its time in the same head, for the clients of its organisation', async () => {
  const clients = [await client('own', { organisation: 'relay' }), await client('other')];
  await publishDirectory(clients, [RELAY]);
  expect(await codes('own')).toEqual(['allow', 1]);
  vi.setSystemTime(NOW + LIFE_MS);
  expect(await codes('own')).toEqual(['block', 1, 'SENDER_UNQUALIFIED']);
  expect(await codes('other')).toEqual(['allow', 1]);
});

test('an organisation that an admin suspended sends through nobody, whatever its qualification', async () => {
  const clients = [await client('other')];
  let seq = 1;
  const send = async (organisations: readonly DirectoryOrganisation[]) => {
    await publishDirectory(clients, organisations);
    await putHead({ seq: ++seq, ...(await publishCredentials({ rows: ROWS })).head });
    vi.setSystemTime(Date.now() + NEXT_POLL_MS);
    await sendAndSettle({ client: 'other', body: { to: '112' } });
    const { body } = await sendAndSettle({
      client: 'other',
      body: { from: `+${NUMBER}`, senderToken: await messageToken(relay, CHAIN) },
    });
    return [body.verdict, ...(body.reasons ?? []).map((reason) => reason.code)];
  };
  // The relay is the last link of the chain.
  const forever = { ...certified!, validUntil: null };
  expect(await send([{ ...RELAY, qualification: forever }])).toEqual(['allow']);
  expect(await send([{ ...RELAY, qualification: forever, suspended: true }])).toEqual([
    ...['block', 'SENDER_SUSPENDED'],
  ]);
  expect(await send([{ id: 'acme', senderCode: null, qualification: null, suspended: true }])).toEqual([
    ...['block', 'SENDER_SUSPENDED'],
  ]);
});

test('a directory without organisations has no effect but on clients that require a certification', async () => {
  await publishClients([await client('off'), await client('strict', { requireQualification: 'enforce' })]);
  expect(await codes('off')).toEqual(['allow', 1]);
  expect(await codes('strict')).toEqual(['block', 1, 'SENDER_UNQUALIFIED']);
});
