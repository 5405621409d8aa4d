/** Promotions of text releases are refused if an installation lets such changes wait for a second person. */
import { expect, test } from 'vitest';
import { freshControl, putToken, send } from '../support/admin.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import { pushed, texts } from '../support/text-store.ts';

freshControl();

async function setKinds(...kinds: ('fullShare' | 'guardOverride' | 'policy')[]): Promise<void> {
  // Two people who can approve: root and this one.
  await putToken('second', { scopes: ['approve'] });
  unwrap(await coordinator().putApprovals(asAdmin(), { kinds, waitSeconds: 3_600 }));
}

const promote = (release: string, body: object) =>
  send('root', `POST text/releases/${release}/promote`, { base: null, ...body });

test('what would have to wait is refused by name, with the way out; a canary and its end are not', async () => {
  const { release } = await pushed();
  await setKinds('fullShare');
  expect(await promote(release, {})).toMatchObject({
    ...{ status: 409, code: 'APPROVAL_IMPOSSIBLE' },
    answer: {
      message:
        'a second person must approve changes of the kind "fullShare", but a text release cannot wait for approval: ' +
        'promote it to a share of the data centres, or have a second person approve npx numgate approvals set ' +
        'without this kind, promote, and set it again',
    },
  });
  expect((await texts().status()).current).toBeNull();
  expect(await promote(release, { dryRun: true })).toMatchObject({ status: 200, answer: { dryRun: true } });
  expect(await promote(release, { share: 0.3 })).toMatchObject({ answer: { state: 'candidate' } });
  expect(await send('root', `POST text/releases/${release}/withdraw`, {})).toMatchObject({ status: 200 });
  expect(await promote(release, { share: 0.3 })).toMatchObject({ status: 200 });
  expect(await send('root', 'POST text/rollback', {})).toMatchObject({ status: 200 });
  const overriding = await promote(release, { share: 0.3, overrides: ['older-base'] });
  expect(overriding).toMatchObject({ status: 200 });
});

test('an override of guards is refused by its own kind, in a canary too', async () => {
  const { release } = await pushed();
  await setKinds('guardOverride', 'policy');
  const { code, answer } = await promote(release, { share: 0.3, overrides: ['older-base'] });
  expect(code).toBe('APPROVAL_IMPOSSIBLE');
  expect(answer.message).toContain(
    '"guardOverride", but a text release cannot wait for approval: have a second',
  );
  expect((await texts().status()).candidate).toBeNull();
  expect(await promote(release, {})).toMatchObject({ status: 200, answer: { current: release } });
});

test('where both kinds wait, both are named', async () => {
  const { release } = await pushed();
  await setKinds('fullShare', 'guardOverride');
  const { answer } = await promote(release, { overrides: ['older-base'] });
  expect(answer.message).toContain('"guardOverride" and "fullShare"');
});
