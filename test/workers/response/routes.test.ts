/** The admin routes of rule blocks and partners: parameters, fields, scopes, and answers. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { RuleBlockPage } from '../../../shared/admin/rule-blocks.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { freshControl, putToken, send } from '../support/admin.ts';
import { decide, decision, numberOf, putPartner, settled } from '../support/desk.ts';

freshControl();

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

test('a person finds, reads and lifts a block, and the status counts it', async () => {
  await decide(await decision(1), await decision(2));
  const find = (from: string) => send('root', 'POST rule-blocks/find', { from }, { isLookUp: true });
  const found = await find('010-3000-0001');
  expect(found.answer).toMatchObject({ ruleBlocks: [{ id: '1', number: toE164(numberOf(1)) }] });
  for (const [from, code] of [
    ['010-0000-0001', undefined],
    ['BANK', undefined],
    ['112', 'FIELD_VALUE'],
    ['010', 'NUMBER_FORMAT_INVALID'],
  ] as const)
    expect((await find(from)).answer.code).toBe(code);
  const list = await send('root', 'GET rule-blocks?state=provisional&rule=kr-50&limit=1');
  expect(list.answer).toMatchObject({ ruleBlocks: [{ id: '1', number: toE164(numberOf(1)) }], next: '1' });
  const rest = await send('root', 'GET rule-blocks?after=1');
  expect(rest.answer).toMatchObject({ ruleBlocks: [{ id: '2' }], next: null });
  expect((await send('root', 'GET rule-blocks/1')).answer).toMatchObject({ state: 'provisional' });
  const lifted = await send('root', 'POST rule-blocks/1/lift', {});
  expect(lifted.answer).toMatchObject({ id: '1', state: 'lifted', pending: false });
  await settled();
  const ids = async (query: string) => {
    const { answer } = await send('root', `GET rule-blocks?${query}`);
    const { ruleBlocks, next } = answer as unknown as RuleBlockPage;
    return [...ruleBlocks.map(({ id }) => id), next];
  };
  expect(await ids('order=newest&limit=1')).toEqual(['2', '2']);
  expect(await ids('order=newest&after=2')).toEqual(['1', null]);
  expect(await ids('state=open&order=newest')).toEqual(['2', null]);
  expect((await send('root', 'GET status')).answer).toMatchObject({
    response: { provisional: 1, proposed: 0, decisions: 0, unsent: 0, rulesFullSince: null },
  });
});

const REFUSED: readonly (readonly [request: string, code: string, field: string | undefined])[] = [
  ['GET rule-blocks?state=blocked', 'FIELD_VALUE', 'state'],
  ['GET rule-blocks?order=best', 'FIELD_VALUE', 'order'],
  ['GET rule-blocks?cause=weather', 'FIELD_VALUE', 'cause'],
  ['GET rule-blocks?rule=kr-50@3', 'FIELD_VALUE', 'rule'],
  ['GET rule-blocks?number=1', 'FIELD_UNKNOWN', 'number'],
  ['GET rule-blocks?after=x', 'FIELD_VALUE', 'after'],
  ['GET rule-blocks/0', 'RULE_BLOCK_UNKNOWN', undefined],
  ['GET rule-blocks/99', 'RULE_BLOCK_UNKNOWN', undefined],
  ['POST rule-blocks/99/lift', 'RULE_BLOCK_UNKNOWN', undefined],
  ['POST rule-blocks/1/block', 'NOT_FOUND', undefined],
  ['GET partners/nobody', 'PARTNER_UNKNOWN', undefined],
  ['POST partners/nobody/withdraw', 'PARTNER_UNKNOWN', undefined],
];

test('parameters, IDs and actions are checked by name', async () => {
  for (const [request, code, field] of REFUSED) {
    const { answer } = await send('root', request, request.startsWith('POST') ? {} : null);
    expect([request, answer.code, answer.field]).toEqual([request, code, field]);
  }
});

test('the routes need the scope "reports"', async () => {
  await putPartner('skt');
  await putToken('kisa', { scopes: ['entries'] });
  await putToken('ktoa', { scopes: ['reports'] });
  for (const path of ['GET rule-blocks', 'GET rule-blocks/1', 'GET partners', 'GET partners/skt'])
    expect((await send('kisa', path)).code).toBe('PERMISSION_DENIED');
  expect((await send('ktoa', 'GET partners/skt')).status).toBe(200);
  expect((await send('root', 'GET partners')).answer).toMatchObject({
    partners: [{ organisation: 'skt', kind: 'subscriber', record: 0.5, withdrawal: null }],
  });
  const future = await send('root', 'POST partners/skt/withdraw', { since: '2199-01-01T00:00:00Z' });
  expect(future.answer).toMatchObject({ code: 'FIELD_VALUE', field: 'since' });
});
