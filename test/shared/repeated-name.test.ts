/** Repeated names in JSON, compared with a reader that keeps all members of every object. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedName } from '../../shared/repeated-name.ts';

/** A JSON value whose objects are lists of members, so that a name can occur twice. */
type Tree = string | number | null | { readonly list: Tree[] } | { readonly members: [string, Tree][] };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.string(),
      fc.constantFrom('a', '"a":', '{', '}', '\\', 'a\\"'),
      fc.integer(),
      fc.constant(null),
    ),
    fc.array(tie('tree'), { maxLength: 4 }).map((list) => ({ list })),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', '"', '\\', '":{"', 'é', '__proto__'), tie('tree')), {
        maxLength: 4,
      })
      .map((members) => ({ members })),
  ),
}));

/** @param gap written around every token */
function write(value: Tree, gap: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if ('list' in value) return `[${gap}${value.list.map((one) => write(one, gap)).join(`${gap},`)}]`;
  const members = value.members.map(
    ([name, one]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${write(one, gap)}`,
  );
  return `{${members.join(',')}${gap}}`;
}

function hasRepeated(value: Tree): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ('list' in value) return value.list.some(hasRepeated);
  const names = value.members.map(([name]) => name);
  return new Set(names).size < names.length || value.members.some(([, one]) => hasRepeated(one));
}

describe('a repeated name', () => {
  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['[{"b":{"x":1,"y":[],"x":2}}]', 'x'],
    ['{"a":"a","b":{"a":"b"},"c":[{"a":1},{"a":2}]}', null],
    ['{"a":"\\"b\\":1,\\"b\\":2"}', null],
    ['["a","a"]', null],
    ['"a"', null],
  ])('of %s is %s', (text, name) => {
    expect(repeatedName(text)).toBe(name);
  });

  it('is found in any JSON that has one, and in no other', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom('', ' ', '\n\t'), (value, gap) => {
        const text = write(value, gap);
        JSON.parse(text);
        expect(repeatedName(text) !== null).toBe(hasRepeated(value));
      }),
      { numRuns: 2_000, seed: 20_261_126 },
    );
  });
});
