/**
 * Guards on live changes, dry runs of them, and their undo.
 */
import { describe, expect, it } from 'vitest';
import type { EntriesDone, UndoDone } from '../../shared/admin/entries.ts';
import { adminValue, changedState, checkOnceVisible, expectAdminRefused } from './support/send-admin.ts';

describe('POST /v1/admin/operations/{operation}/undo', () => {
  const [FIRST, SECOND] = ['+821075009060', '+821075009061'];
  const undo = (operation: number | string | null | undefined, fields: object = {}) =>
    [`operations/${operation}/undo`, { body: { reason: 'wrong file', ...fields } }] as const;
  const made = async (op: string, numbers: readonly string[], fields: object = {}): Promise<EntriesDone> => {
    const items = numbers.map((number) => ({ number }));
    return adminValue<EntriesDone>('entries', { body: { op, items, reason: 'a test', ...fields } });
  };

  it('a dry run answers what would change, and changes nothing', async () => {
    const before = await changedState();
    const { dryRun, operation } = await made('block', [FIRST], { dryRun: true });
    expect([operation, dryRun]).toEqual([null, { entries: 2, replaced: 0, guards: [] }]);
    expect(await changedState()).toEqual(before);
  });

  it('every number has the verdict that it had before, and the undo can be undone', async () => {
    await made('unblock', [FIRST]);
    const { operation } = await made('block', [FIRST, SECOND]);
    const done = await adminValue<UndoDone>(...undo(operation));
    expect(done).toMatchObject({ undone: operation, entries: 4, skipped: 0 });
    expect((await checkOnceVisible(done.seq, { from: FIRST })).reasons[0]?.code).toBe('ALLOW_OVERRIDE');
    const { reasons } = await checkOnceVisible(done.seq, { from: SECOND });
    expect(reasons.filter(({ list }) => list === 'live')).toEqual([]);
    const again = await adminValue<UndoDone>(...undo(done.operation));
    expect((await checkOnceVisible(again.seq, { from: SECOND })).verdict).toBe('block');
  });

  it('an operation is undone once, and not if it is unknown or no change of entries', async () => {
    const { operation } = await made('block', [SECOND]);
    await adminValue(...undo(operation));
    const twice = await expectAdminRefused(undo(operation), [409, 'UNDO_IMPOSSIBLE']);
    expect(twice.json).toMatchObject({ refusal: 'UNDONE' });
    for (const unknown of ['999999999', '0', 'one', '1.5']) {
      await expectAdminRefused(undo(unknown), [404, 'OPERATION_UNKNOWN']);
    }
    const early = await expectAdminRefused(undo(1), [409, 'UNDO_IMPOSSIBLE']);
    expect(early.json).toMatchObject({ refusal: expect.stringMatching(/^(NOT_KEPT|FOLDED)$/) });
  });

  it('entries that were changed since are counted, and left if the request has skipChanged', async () => {
    const { operation } = await made('block', [FIRST, SECOND]);
    await made('clear', [FIRST]);
    const { json } = await expectAdminRefused(undo(operation), [409, 'ENTRIES_CHANGED']);
    expect(json).toMatchObject({ entries: 4, changed: 2 });
    expect(await adminValue<UndoDone>(...undo(operation, { skipChanged: true }))).toMatchObject({
      ...{ entries: 2, skipped: 2 },
    });
  });
});

describe('guards on live changes', () => {
  const good = { number: '+821075000050' };
  const block = (items: readonly object[], fields: object = {}) => ({
    body: { op: 'block', items, reason: 'a test', ...fields },
  });

  it('a number that the guards protect cannot be blocked', async () => {
    const guards = { protectedNumbers: [821_075_000_050] };
    await adminValue('guards', { method: 'PUT', body: { guards, reason: 'a test' } });
    const { json } = await expectAdminRefused(['entries', block([good])], [422, 'GUARD_HIT']);
    expect(json).toMatchObject({
      guards: [{ guard: 'protected-number', list: null, figures: { numbers: 1 } }],
    });
    expect(JSON.stringify(json)).not.toMatch(/\d{7}/);
    const overrides = ['protected-number'];
    await expectAdminRefused(
      ['entries', { ...block([good], { overrides }), token: 'entries' }],
      [403, 'PERMISSION_DENIED'],
    );
    const { body } = block([good], { overrides });
    const { operation } = await adminValue<EntriesDone>('entries', { body });
    await adminValue(`operations/${operation}/undo`, { body: { reason: 'a test' } });
    await adminValue('guards', { method: 'PUT', body: { guards: {}, reason: 'a test' } });
  });

  it('a guard of pushes cannot be overridden here', async () => {
    const request = block([good], { overrides: ['adds'] });
    await expectAdminRefused(['entries', request], [400, 'FIELD_VALUE', 'overrides.0']);
  });
});
