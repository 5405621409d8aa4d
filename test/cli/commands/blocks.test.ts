/** `blocks` against a service that refuses some values. The export has all others, and the command fails. */
import '../support/workspace.ts';
import { expect, it } from 'vitest';
import { numgate } from '../support/command.ts';
import { fakeService } from '../support/fake-service.ts';

it('exports what it can, then fails with the keys that the service refused', async () => {
  const key = 'blocks/2026-11-24/031209-moved';
  const { url } = await fakeService((_, count) =>
    count === 1
      ? { body: '', headers: { 'x-refused': key, 'x-next': 'more' } }
      : { body: '{"code":"NUMBER_SUSPENDED"}\n' },
  );
  process.env.NUMGATE_URL = url;
  process.env.NUMGATE_TOKEN = 'root.x';
  const { code, out, errors } = await numgate('blocks', '2026-11-24');
  expect([code, out]).toEqual([1, '{"code":"NUMBER_SUSPENDED"}\n']);
  expect(errors).toContain(`altered or moved them: ${key}`);
});

it('says on standard error that a day has no records', async () => {
  const { url } = await fakeService(() => ({ body: '' }));
  process.env.NUMGATE_URL = url;
  const { code, out, errors } = await numgate('blocks', '2026-11-24');
  expect([code, out]).toEqual([0, '']);
  expect(errors).toContain('no block records on 2026-11-24');
});
