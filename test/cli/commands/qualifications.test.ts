/** `numgate qualifications` against the real service: setting, showing, listing, refusals, and the warnings of `status`. */
import '../support/workspace.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { settingsAfter } from '../../../cli/commands/qualifications.ts';
import type { QualificationInfo } from '../../../shared/senders/qualification.ts';
import { type CommandResult, numgate } from '../support/command.ts';
import { startTestService } from '../support/service.ts';

beforeAll(async () => {
  await startTestService();
  await numgate('organisations', 'add', 'acme', '--sender-code', 'ACME0001');
  await numgate('organisations', 'add', 'beta');
});

const qualifications = (...args: string[]): Promise<CommandResult> => numgate('qualifications', ...args);
const set = (...args: string[]) => qualifications('set', ...args, '--reason', 'committee');

describe('qualifications', () => {
  it('are set; dates that are left out stay', async () => {
    const dates = ['--inspected-at', '2026-01-02', '--next-inspection-by', '2026-02-01T00:00:00Z'];
    const done = await set('acme', 'certified', ...dates);
    expect([done.code, done.errors, done.out]).toEqual([
      ...[0, '', expect.stringMatching(/^acme is certified \(seq \d+\)\n/)],
    ]);
    expect((await set('acme', 'rateReduced', '--factor', '0.5')).code).toBe(0);
    const { out } = await qualifications('show', 'acme', '--json');
    expect(JSON.parse(out)).toMatchObject({
      ...{ organisation: 'acme', state: 'rateReduced', factor: 0.5 },
      // Days begin at midnight in Korea.
      ...{ inspectedAt: '2026-01-01T15:00:00.000Z', nextInspectionBy: '2026-02-01T00:00:00.000Z' },
    });
    const shown = await qualifications('show', 'acme');
    expect(shown.out).toMatch(/acme[\s\S]*rateReduced[\s\S]*0\.5/);
    expect(shown.out).toMatch(/inspected .*2026-01-02\W*\n.*next inspection .*2026-02-01\W*\n/);
  });

  it('are listed by state and by the next inspection', async () => {
    await set('beta', 'pending');
    expect((await qualifications('list')).out).toMatch(/acme .*rateReduced .*0\.5[\s\S]*beta .*pending/);
    const ids = async (...args: string[]) =>
      JSON.parse((await qualifications('list', '--json', ...args)).out).qualifications.map(
        ({ organisation }: QualificationInfo) => organisation,
      );
    expect(await ids('--state', 'pending')).toEqual(['beta']);
    expect(await ids('--inspection-due-before', '2026-03-01')).toEqual(['acme']);
  });

  it.each([
    [4, /^error: QUALIFICATION_STATE: .*pending: it can become certified/, ['beta', 'suspended']],
    [
      2,
      /^error: argument '<state>' value 'good' is invalid\. Allowed choices are pending, certified/,
      ['beta', 'good'],
    ],
    [2, /must be between 0 and 1/, ['beta', 'rateReduced', '--factor', 'half']],
    [1, /^error: FIELD_VALUE: "factor" is required with rateReduced/, ['beta', 'rateReduced']],
    [2, /must be a date such as/, ['beta', 'certified', '--valid-until', 'soon']],
    [1, /^error: ORGANISATION_UNKNOWN: /, ['nobody', 'certified']],
  ])('are refused with exit code %i: %s', async (code, message, args) => {
    const refused = await set(...args);
    expect(refused.errors).toMatch(message);
    expect(refused.code).toBe(code);
  });

  it('need a reason, and are unknown before they are set', async () => {
    expect((await qualifications('set', 'beta', 'certified')).errors).toContain("'--reason <text>'");
    expect((await qualifications('show', 'default')).errors).toMatch(/^error: QUALIFICATION_UNKNOWN: /);
  });

  it('of an organisation whose inspection is overdue are in status', async () => {
    const { out } = await numgate('status');
    expect(out).toContain('the inspection of acme is overdue since 2026-02-01');
  });
});

it('the code of an organisation in its texts is shown, unique, and can be taken away', async () => {
  expect((await numgate('organisations', 'show', 'acme')).out).toMatch(/sender code .*ACME0001/);
  expect((await numgate('organisations', 'set', 'beta', '--sender-code', 'ACME0001')).errors).toMatch(
    /^error: SENDER_CODE_TAKEN: .*"acme"/,
  );
  expect((await numgate('organisations', 'set', 'acme', '--sender-code', 'none')).code).toBe(0);
  expect((await numgate('organisations', 'set', 'beta', '--sender-code', 'acme')).code).not.toBe(0);
});

it('a new state takes over only what goes with it', () => {
  const before: QualificationInfo = {
    ...{ organisation: 'acme', state: 'rateReduced', factor: 0.5, since: '2026-01-01T00:00:00.000Z' },
    ...{ inspectedAt: 'a', nextInspectionBy: 'b', validUntil: 'c' },
  };
  const dates = { inspectedAt: 'a', nextInspectionBy: 'b' };
  expect(settingsAfter(before, 'suspended', {})).toEqual({
    ...{ ...dates, state: 'suspended', factor: null, validUntil: 'c' },
  });
  expect(settingsAfter(before, 'cancelled', {})).toMatchObject({ validUntil: null });
  expect(settingsAfter({ ...before, state: 'expired' }, 'certified', {}).validUntil).toBeNull();
  expect(settingsAfter(before, 'rateReduced', { nextInspectionBy: null })).toMatchObject({
    ...{ factor: 0.5, nextInspectionBy: null },
  });
});
