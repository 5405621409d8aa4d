/** The bulk upload in the store: the largest pieces, lines that meet other states, and the effects of a refusal. */
import { describe, expect, test } from 'vitest';
import { csvLine } from '../../../shared/csv.ts';
import {
  IMPORT_REASONS_MAX,
  IMPORT_ROWS_MAX,
  REGISTRATION_CLIENTS_MAX,
} from '../../../shared/limits/registrations.ts';
import { type ImportOptions, readPiece } from '../../../shared/senders/registration-import.ts';
import {
  accepted,
  act,
  approved,
  asSender,
  DIGEST,
  facts,
  store,
  withRegistry,
} from '../support/registrations.ts';

const HEADER = 'reference,number,basis,holderKind,holder,clients,proofs,expires,id';

function line(
  reference: string,
  rest: Partial<Record<'number' | 'clients' | 'proofs' | 'id', string>> = {},
): string {
  const { number = '1588-1234', clients = 'acme-main', proofs = `serviceUse:${DIGEST}`, id = '' } = rest;
  return csvLine([reference, number, 'own', 'organisation', 'Acme', clients, proofs, '', id]);
}

async function upload(
  lines: readonly string[],
  options: Partial<ImportOptions> = {},
  key: string | null = null,
) {
  const read = readPiece([HEADER, ...lines].join('\n'), 2);
  if (!read.ok) throw new Error(read.message);
  const all = { submit: false, skipInvalid: false, dryRun: false, ...options };
  return store().import(asSender(key), facts(), [...read.value], all);
}

const resultsOf = async (...args: Parameters<typeof upload>) =>
  accepted(await upload(...args)).rows.map(({ result, reasons }) => reasons[0]?.code ?? result);

test('the largest piece of the worst lines is answered, and answered again', async () => {
  const clients = Array.from(
    { length: REGISTRATION_CLIENTS_MAX },
    (_, index) => `nobody-${'x'.repeat(50)}${index}`,
  ).join(' ');
  const proofs = Array.from({ length: 16 }, () => 'serviceUse:ab:2020-01-01').join(';');
  const lines = Array.from({ length: IMPORT_ROWS_MAX }, (_, index) =>
    line('한'.repeat(96) + String(index).padStart(4, '0'), { number: '112', clients, proofs }),
  );
  const first = accepted(await upload(lines, { skipInvalid: true }, 'worst'));
  expect(first.rows).toHaveLength(IMPORT_ROWS_MAX);
  expect(first.rows[0]!.reasons).toHaveLength(IMPORT_REASONS_MAX);
  // A row of the platform has at most 2 MB, but the runtime of the tests does not enforce this.
  expect(new TextEncoder().encode(JSON.stringify({ ok: true, value: first })).length).toBeLessThan(2_000_000);
  expect(accepted(await upload(lines, { skipInvalid: true }, 'worst'))).toEqual(first);
});

describe('a line', () => {
  test('changes the registration with its reference, whatever its state allows', async () => {
    await withRegistry();
    const { id } = await approved({ reference: 'hq' });
    expect(await resultsOf([line('hq')])).toEqual(['unchanged']);
    expect(await resultsOf([line('hq', { clients: 'acme-main acme-other' })])).toEqual(['updated']);
    expect(await store().get(Number(id))).toMatchObject({ state: 'draft', version: 2, approvedVersion: 1 });
    accepted(await act(id, 'submit'));
    accepted(await act(id, 'claim'));
    expect(await resultsOf([line('hq')], { skipInvalid: true })).toEqual(['REGISTRATION_STATE']);
    accepted(await act(id, 'close'));
    // The reference can be used again.
    expect(await resultsOf([line('hq')])).toEqual(['created']);
  });

  test('without a reference needs the id of a registration', async () => {
    const { id } = await approved();
    expect(await resultsOf([line('', { id, number: '1588-4321' })])).toEqual(['updated']);
    expect(await resultsOf([line('', { id: '99' })], { skipInvalid: true })).toEqual([
      'REGISTRATION_UNKNOWN',
    ]);
  });

  test('for a mock client is decided on at once if it is submitted', async () => {
    const lines = [
      line('a', { clients: 'acme-mock', number: '1588-1231' }),
      line('b', { clients: 'acme-mock', number: '1588-1238' }),
    ];
    const { rows } = accepted(await upload(lines, { submit: true }));
    expect(rows.map(({ state }) => state)).toEqual(['approved', 'rejected']);
  });

  test('that lacks a document is stored as a draft, and refused if it is to be submitted', async () => {
    expect(await resultsOf([line('a', { proofs: '' })])).toEqual(['created']);
    expect(await resultsOf([line('b', { proofs: '' })], { submit: true, skipInvalid: true })).toEqual([
      'PROOF_MISSING',
    ]);
    expect(await store().openCount()).toBe(1);
  });
});

test('a refused piece and a dry run leave nothing behind: no row, no record, no answer', async () => {
  const lines = [line('a'), line('b', { number: '112' })];
  const refused = await upload(lines, {}, 'key');
  expect(refused).toMatchObject({
    ok: false,
    code: 'REGISTRATIONS_INVALID',
    extras: { lines: [{ line: 3 }] },
  });
  expect(await resultsOf(lines, { dryRun: true })).toEqual(['created', 'NUMBER_EMERGENCY']);
  expect([await store().openCount(), await store().audit(0, 10)]).toEqual([0, []]);
  expect(await resultsOf([line('a')], {}, 'key')).toEqual(['created']);
});
