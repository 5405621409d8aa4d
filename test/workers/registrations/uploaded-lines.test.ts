/** Lines of a bulk upload, in the store: what they change, and what they leave unchanged. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import { CSV_COLUMNS, csvOf } from '../../../shared/senders/registration-csv.ts';
import { type ImportLine, readPiece } from '../../../shared/senders/registration-import.ts';
import { accepted, approved, asSender, create, facts, store, stub } from '../support/registrations.ts';

async function imported(lines: readonly string[], submit = false) {
  const piece = accepted(readPiece([CSV_COLUMNS.join(','), ...lines].join('\n'), 2));
  const options = { submit, skipInvalid: true, dryRun: false };
  return accepted(await store().import(asSender(), facts(), piece as ImportLine[], options)).rows;
}

test('the export of an expired registration is unchanged, and a change of it must be valid', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await approved({ reference: 'a', expires: new Date(Date.now() + 1_000).toISOString() });
  vi.setSystemTime(Date.now() + 1_000);
  await runDurableObjectAlarm(stub());
  const registration = (await store().get(1))!;
  expect(registration.state).toBe('expired');
  const line = csvOf(registration);
  for (const submit of [false, true])
    expect(await imported([line], submit)).toMatchObject([{ result: 'unchanged', state: 'expired' }]);
  const changed = csvOf({ ...registration, holder: { kind: 'organisation', name: 'Other' } });
  expect(await imported([changed])).toMatchObject([
    { result: 'rejected', reasons: [{ field: 'expires', code: 'EXPIRES_PAST' }] },
  ]);
  // Submitting a draft checks it again, even if its line is unchanged.
  await create({ reference: 'b', expires: new Date(Date.now() + 1_000).toISOString() }, false);
  vi.setSystemTime(Date.now() + 1_000);
  const draft = csvOf((await store().get(2))!);
  expect(await imported([draft])).toMatchObject([{ result: 'unchanged' }]);
  expect(await imported([draft], true)).toMatchObject([{ result: 'rejected' }]);
});

test('a line finds its registration only by the exact id', async () => {
  const { id } = await create({}, false);
  const line = (text: string) => csvOf({ ...registration, reference: null, id: text });
  const registration = (await store().get(Number(id)))!;
  for (const wrong of ['1e0', '0x1', '1.0', '+1', '01', '7'])
    expect(await imported([line(wrong)])).toMatchObject([
      { result: 'rejected', reasons: [{ field: 'id', code: 'REGISTRATION_UNKNOWN' }] },
    ]);
  expect(await imported([line('1')])).toMatchObject([{ result: 'unchanged', id }]);
});
