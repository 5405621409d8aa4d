/** The test numbers: one for each code, with a fixed verdict that no list changes. */
import { describe, expect, it } from 'vitest';
import { check, openApi, send } from './support/send.ts';
import { TEST_NUMBERS } from './support/test-number-table.ts';

const SUBJECTS = ['from', 'to'] as const;

describe('test numbers', () => {
  it.each(TEST_NUMBERS)('$written is always $verdict $code, as sender and as recipient', async (row) => {
    const { code, verdict, written, e164 } = row;
    for (const subject of SUBJECTS) {
      for (const channel of ['sms', 'voice']) {
        const answer = await check({ [subject]: written, channel });
        expect(answer).toMatchObject({ verdict, subject, [subject]: e164 });
        expect(answer.reasons).toEqual([
          { subject, code, list: null, match: 'test', effect: verdict, authority: null, until: null },
        ]);
        expect(await check({ [subject]: e164, channel })).toMatchObject({
          verdict,
          reasons: answer.reasons,
        });
      }
      const line = await send('/v1/check', {
        body: { [subject]: written },
        headers: { accept: 'text/plain' },
      });
      const action = verdict === 'indeterminate' ? ' open' : '';
      expect(line.text).toBe(`${verdict} ${code} ${subject}${action}\n`);
    }
  });

  it('every code and every verdict of the document has a test number', async () => {
    const { document: openapi } = await openApi();
    interface Schema {
      readonly enum?: string[];
      readonly 'x-extensible-enum'?: string[];
    }
    const { schemas } = openapi.components as { schemas: Record<string, Schema> };
    expect(TEST_NUMBERS.map(({ code }) => code)).toEqual(schemas.Code!['x-extensible-enum']);
    expect(new Set(TEST_NUMBERS.map(({ verdict }) => verdict))).toEqual(new Set(schemas.Verdict!.enum));
  });

  it('the numbers around the test numbers are unallocated', async () => {
    const next = `010-0000-${String(TEST_NUMBERS.length + 1).padStart(4, '0')}`;
    expect((await check({ to: next })).reasons[0]!.list).toBe('kr-unallocated');
    expect((await check({ to: '010-0000-0000' })).reasons[0]!.list).toBe('kr-unallocated');
  });
});
