/** The runs of deliveries, with stand-ins for the tables and the coordinator. */
import { expect, test, vi } from 'vitest';
import { Courier } from '../../../workers/notices/courier.ts';
import type { Deliveries } from '../../../workers/notices/deliveries.ts';
import type { FactsReader, OrganisationFacts } from '../../../workers/notices/organisation-facts.ts';
import type { WebhookSigner } from '../../../workers/notices/signing.ts';
import type { Tables } from '../../../workers/notices/tables.ts';

/** More than a run needs, and far fewer than a busy loop would make. */
const TURNS = 50;

test('a run that ends for a failure waits for its last attempt, and does nothing meanwhile', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<Response>();
  vi.stubGlobal('fetch', () => answered);
  const webhooks = ['a', 'b'].map((id) => ({ id, state: 'enabled', nextAt: 1, replayAt: null }));
  const settled: string[] = [];
  let reads = 0;
  const tables = {
    organisation: 'acme',
    webhooks: {
      get all() {
        reads++;
        return webhooks;
      },
    },
  };
  const webhook = { id: 'a', url: 'https://hooks.example.com/', secretN: 1, rotatedAt: null };
  const notice = { version: 1, type: 'test', at: 1, subject: 's', data: '{}', respondBy: null };
  const deliveries: Partial<Deliveries> = {
    due: () => webhooks as never,
    begin: () => ({ lane: 'order', version: 1, webhook, notice }) as never,
    settle: (job) => void settled.push(job.webhook.id),
  };
  const active: OrganisationFacts = { isActive: true, hosts: ['hooks.example.com'] };
  const read = vi.fn().mockResolvedValueOnce(active).mockRejectedValue(new Error('no coordinator'));
  const signer: Partial<WebhookSigner> = { sign: async () => 'v1,x' };
  const courier = new Courier(
    tables as unknown as Tables,
    deliveries as Deliveries,
    { read } as unknown as FactsReader,
    { signer: signer as WebhookSigner, source: null, isLocal: false },
  );
  const run = courier.run().catch((error: Error) => error.message);
  for (let turn = 0; turn < TURNS; turn++) await new Promise((done) => setTimeout(done, 0));
  expect(reads).toBeLessThan(5);
  expect(settled).toEqual([]);
  answer(new Response(null, { status: 204 }));
  expect(await run).toBe('no coordinator');
  expect(settled).toEqual(['a']);
  vi.unstubAllGlobals();
});
