/** The operators that can inform the owner of a number. */
import { expect, it } from 'vitest';
import { ownersOperators } from '../../../shared/notices/operators.ts';

const SKT = { id: 'skt', authority: null };
const KT = { id: 'olleh', authority: 'kt' };
const SMALL = { id: 'mvno', authority: 'mvno' };
const ALL = [SKT, KT, SMALL];

it('the operator of the range, by ID or authority', () => {
  expect(ownersOperators('+821020001234', ALL)).toEqual([SKT]);
  expect(ownersOperators('+821025001234', ALL)).toEqual([KT]);
});

it('all of them if nobody knows the range, or its operator is none of them', () => {
  expect(ownersOperators('+821060001234', ALL)).toEqual(ALL);
  expect(ownersOperators('+821022001234', ALL)).toEqual(ALL);
});

it('none for other numbers, test numbers and sender IDs', () => {
  for (const number of ['+8215881234', '+82212345678', '+821000001234', '+12125550123', null])
    expect(ownersOperators(number, ALL)).toEqual([]);
});
