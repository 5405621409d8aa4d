/** Pairs change while a build reads them page by page. Its release and the later changes have everything in force. */
import { expect, test, vi } from 'vitest';
import type { RegistrationContent } from '../../../shared/senders/registration.ts';
import { RegistrationOverlay } from '../../../shared/senders/registration-overlay.ts';
import {
  encodeRegistrationSegment,
  type RegistrationRow,
  RegistrationSegment,
} from '../../../shared/senders/registration-segment.ts';
import type { PublishedPair } from '../../../workers/storage/registry-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  accepted,
  act,
  approved,
  asSender,
  DIGEST,
  facts,
  type SentBatch,
  store,
  withRegistry,
} from '../support/registrations.ts';

const CLIENT = 'acme/acme-main';

const STAFF: Partial<RegistrationContent> = {
  basis: 'staff',
  holder: { kind: 'person', name: 'Kim' },
  proofs: (['serviceUse', 'employment'] as const).map((kind) => ({
    ...{ kind, sha256: DIGEST, reference: null, expires: null },
  })),
};

async function edited(id: string, patch: Partial<RegistrationContent>): Promise<void> {
  accepted(await store().edit(asSender(), facts(), Number(id), patch, { match: null }));
  for (const action of ['submit', 'claim', 'approve'] as const) accepted(await act(id, action));
}

const allPublished = () =>
  vi.waitFor(async () => {
    const { registrations } = await store().page({}, 0, 100);
    expect(registrations.filter(({ publication }) => publication === 'pending')).toEqual([]);
  }, HANG_MS);

/** The changes of later batches, as an edge holds them. */
function overlayOf(sent: readonly SentBatch[]): RegistrationOverlay {
  const rows = sent.flatMap(({ changes }) => changes).map((row, at) => ({ ...row, version: at + 1 }));
  const newest = new Map<string, RegistrationRow>(
    rows.map((row) => [`${row.client} ${row.from} ${row.to}`, row]),
  );
  const none = new RegistrationSegment(encodeRegistrationSegment([]));
  return new RegistrationOverlay(
    0,
    [new RegistrationSegment(encodeRegistrationSegment([...newest.values()]))],
    none,
  );
}

test('a number that an edit moves to a range before the reader passes', async () => {
  const sent = await withRegistry();
  await approved({ number: '1588-1000' });
  const { id } = await approved({ number: '1588-1050' });
  await allPublished();
  const before = sent.length;
  const first = await store().published(null, 1);
  await edited(id, { number: '1588-0900..1588-1099' });
  const second = await store().published(first.next, 1);
  await allPublished();
  const built: PublishedPair[] = [...first.pairs, ...second.pairs];
  const overlay = overlayOf(sent.slice(before));
  const isRegistered = (n: number): boolean => {
    const change = overlay.find(n, CLIENT, 0);
    return change === null ? built.some(({ from, to }) => from <= n && n <= to) : change !== 'remove';
  };
  const { pairs: now } = await store().published(null, 100);
  for (let n = 82_1588_0890; n < 82_1588_1110; n++) {
    expect([n, isRegistered(n)]).toEqual([n, now.some(({ from, to }) => from <= n && n <= to)]);
  }
});

test('a registration that moves to the next block publishes nothing longer than a block', async () => {
  const sent = await withRegistry();
  const [first, second] = ['1588-0000..1588-9999', '1589-0000..1589-9999'] as const;
  await approved({ ...STAFF, number: first });
  const { id } = await approved({ number: first });
  await edited(id, { ...STAFF, number: second });
  await allPublished();
  const lengths = sent.flatMap(({ changes }) => changes).map(({ from, to }) => to - from + 1);
  expect(Math.max(...lengths)).toBe(10_000);
});
