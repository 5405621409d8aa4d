/** The host endings that ship are real: the command line's list of public suffixes has them. */
import { parse } from 'tldts';
import { expect, test } from 'vitest';
import topLevel from '../../../data/top-level-domains.json' with { type: 'json' };
import { isOpened } from '../../../shared/text/host-names.ts';

/** Reads the endings in a different way than the edge does. */
function endings(): string[] {
  const read: string[] = [];
  for (const each of topLevel.endings.split(/(?=[A-Z])/))
    read.push((read.at(-1) ?? '').slice(0, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(each[0]!)) + each.slice(1));
  return read;
}

test('each ending exists, in order, and hosts with it are opened', () => {
  const all = endings();
  expect(all).toHaveLength(1_447);
  expect(all).toEqual([...new Set(all)].sort());
  const unknown = all.filter((ending) => parse(`a.co.${ending}`).isIcann !== true);
  expect(unknown).toEqual([]);
  expect(all.filter((ending) => !isOpened(`a.${ending}`))).toEqual([]);
});

test.each(['please', 'hurry', 'example', 'invalid', 'thanks', 'xn--e1aanqkd', 'co-m'])(
  'hosts with the ending %s, which does not exist, are not opened',
  (ending) => {
    expect(parse(`a.${ending}`).isIcann).toBe(false);
    expect(isOpened(`a.${ending}`)).toBe(false);
  },
);
