/** What a second person reads of a proposal: first the guards that it overrides, and the request with its numbers. */
import { beforeEach, expect, test, vi } from 'vitest';
import { PROPOSAL_SHOWN_MAX } from '../../../shared/limits/control.ts';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import { OWN } from '../support/authorities.ts';
import { ALL_GUARDS, coordinator, stage, unwrap } from '../support/coordinator.ts';
import { ALICE, approve, BOB, by, putPolicy, putToken, ROOT, settle, waiting } from '../support/people.ts';
import { change } from '../support/room.ts';

let warnings: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  warnings = vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

const read = async ({ id }: { readonly id: number }) => (await coordinator().proposal(id))!;
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ number: `+8210${30_000_001 + index}` }));

test('shows the items as they were sent while it waits, and nowhere else', async () => {
  await settle(['guardOverride']);
  const items = [{ number: '010-3000-0001' }, { source: 'PARCEL-KR' }];
  const body = { ...change('block'), items, overrides: ['large-operation' as const] };
  const proposal = waiting(await coordinator().changeEntries(by(ALICE), body));
  expect(JSON.stringify(proposal)).not.toMatch(/3000-?0001/);
  expect((await read(proposal)).request).toMatchObject({
    ...{ command: 'changeEntries', count: 2, items },
    fields: {
      op: 'block',
      code: body.code,
      subjects: body.subjects,
      until: null,
      overrides: ['large-operation'],
    },
  });
  unwrap(await approve(BOB, proposal));
  expect((await read(proposal)).request).toBeNull();
  const logged = JSON.stringify([await coordinator().audit(0, 1_000), warnings.mock.calls]);
  expect(logged).not.toMatch(/3000-?0001/);
});

test('shows what it overrides before all numbers, with figures', async () => {
  await settle(['guardOverride', 'guards']);
  unwrap(
    await approve(
      BOB,
      waiting(await coordinator().putGuards(by(ALICE), { ...DEFAULT_GUARDS, operationItems: 10 })),
    ),
  );
  const items = many(PROPOSAL_SHOWN_MAX + 10);
  const body = { ...change('block'), items, overrides: ['large-operation' as const] };
  const { shown, request } = await read(waiting(await coordinator().changeEntries(by(ALICE), body)));
  expect(shown).toHaveLength(PROPOSAL_SHOWN_MAX);
  expect(shown[0]).toMatchObject({
    action: 'entries.override',
    after: { guards: [{ guard: 'large-operation', message: expect.stringContaining('60') }] },
  });
  expect(request).toMatchObject({ count: items.length, items: items.slice(0, PROPOSAL_SHOWN_MAX) });
});

test('shows the fields of other requests, without secrets', async () => {
  await settle(['policy', 'guards', 'tokens', 'fullShare']);
  const policy = await read(waiting(await putPolicy(ALICE, '[new]')));
  expect(policy.request).toMatchObject({ command: 'putPolicy', fields: { policy: { label: '[new]' } } });
  const guards = { ...DEFAULT_GUARDS, addShare: 0.9, protectedNumbers: [821_030_000_001] };
  const settings = await read(waiting(await coordinator().putGuards(by(ALICE), guards)));
  expect(settings.request).toMatchObject({ command: 'putGuards', fields: { guards } });
  const token = await read(waiting(await putToken({ ...ALICE, name: 'token:frank' }, ROOT, 'f')));
  expect(token.request).toMatchObject({
    ...{ command: 'putToken', fields: { id: 'frank', organisation: 'ktoa' } },
  });
  expect(JSON.stringify(token.request)).not.toContain('f'.repeat(64));
  const release = await stage({ lists: [OWN] });
  const options = { base: null, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  const promotion = await read(waiting(await coordinator().promote(by(ALICE), release, options)));
  expect(promotion.request).toMatchObject({
    ...{ command: 'promote', fields: { release, share: 1, overrides: ALL_GUARDS } },
  });
});
