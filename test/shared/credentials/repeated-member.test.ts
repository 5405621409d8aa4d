/** Members that occur twice are found in any JSON text, in every spelling of their names. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatsMember } from '../../../shared/credentials/repeated-member.ts';
import { anyCharacter, holds } from '../support/properties.ts';

describe('a JSON text', () => {
  it.each([
    ['{"a":1,"a":2}', true],
    ['{"a":1,"\\u0061":2}', true],
    ['{"a":{"b":1,"b":1}}', true],
    ['[{"a":1},{"c":[{"a":1,"a":1}]}]', true],
    ['{"a" : 1 , "b" : 2, "a" : 3}', true],
    ['{"__proto__":1,"__proto__":2}', true],
    ['{"a":1,"b":{"a":1},"c":{"a":1}}', false],
    ['{"a":"a\\":1,\\"a","b":["a","a"]}', false],
    ['{"a":"{","b":"}"}', false],
    ['"a"', false],
    ['[]', false],
  ])('%s', (json, expected) => {
    expect(() => JSON.parse(json)).not.toThrow();
    expect(repeatsMember(json)).toBe(expected);
  });

  it('that was made from a value has no member twice, and has one once it was added', () => {
    const name = fc.string({ unit: anyCharacter, maxLength: 8 });
    const object = fc.dictionary(name, fc.jsonValue(), { minKeys: 1, maxKeys: 5 });
    holds(
      fc.property(object, fc.nat(), fc.nat(3), (value, pick, spaces) => {
        const json = JSON.stringify(value, null, spaces);
        expect(repeatsMember(json)).toBe(false);
        const names = Object.keys(value);
        const repeated = JSON.stringify(names[pick % names.length]);
        expect(repeatsMember(`{${repeated}:0,${json.slice(1)}`)).toBe(true);
        expect(repeatsMember(`[${json},{"x":${json}}]`)).toBe(false);
      }),
    );
  });
});
