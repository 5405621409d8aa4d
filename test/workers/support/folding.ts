/** Folds live entries into lists, like a build (docs/format.md), for sources that do not look like others. */
import type { EntryInfo } from '../../../shared/admin/entries.ts';
import { FOREVER } from '../../../shared/set/layout.ts';
import { type Code, markOf, SUBJECTS } from '../../../shared/verdict.ts';
import { type PlainList, plainList } from '../../shared/support/plain-model.ts';

const endOf = ({ until }: EntryInfo): number => (until === null ? FOREVER : Date.parse(until) / 1000);

/**
 * @param entries of the live layer @param carried folded lists of the last release, for parties without an entry
 * @param now seconds since 1970
 */
export function foldedLists(
  entries: readonly EntryInfo[],
  carried: readonly PlainList[],
  now: number,
): PlainList[] {
  const lists = new Map<string, PlainList>();
  const add = (info: PlainList['info'], what: string, since: number, until: number): void => {
    if (since >= until) return;
    const dates = { since: since > now ? since : 0, until };
    const list = lists.get(info.name) ?? { ...plainList(info.name), info };
    lists.set(
      info.name,
      what.startsWith('+')
        ? { ...list, numbers: [...list.numbers, { n: Number(what), ...dates }] }
        : { ...list, sources: [...list.sources, { text: what, ...dates }] },
    );
  };
  const places = new Map<string, EntryInfo[]>();
  for (const entry of entries.toSorted((a, b) => b.seq - a.seq)) {
    if (entry.op === 'undo' || endOf(entry) <= now) continue;
    for (const subject of entry.subjects) {
      const place = `${subject} ${entry.number ?? entry.source}`;
      places.set(place, [...(places.get(place) ?? []), entry]);
    }
  }
  const ends = new Map<string, number>();
  for (const [place, rows] of places) {
    const [subject = '', what = ''] = place.split(' ');
    let from = now;
    for (const entry of rows) {
      const { op, code, authority, rule, stage } = entry;
      const mark = rule === undefined || stage === undefined ? '' : `-${rule.replace('@', '-')}-${stage}`;
      const kind = op === 'unblock' ? 'allow' : (code ?? '').toLowerCase().replaceAll('_', '-');
      const info: PlainList['info'] = {
        ...plainList(`live-${subject}-${kind}-${authority}${mark}`).info,
        ...{ subjects: SUBJECTS.filter((each) => each === subject), authority, ...markOf(entry) },
        ...(op === 'unblock'
          ? { reason: 'ALLOW_OVERRIDE' as const, effect: 'allow' as const }
          : { reason: code as Code, effect: 'block' as const }),
      };
      if (op !== 'clear') add(info, what, from, endOf(entry));
      from = Math.max(from, endOf(entry));
    }
    ends.set(place, from);
  }
  for (const { info, numbers, sources } of carried) {
    const [subject = ''] = info.subjects;
    for (const { n, since, until } of numbers)
      add(info, `+${n}`, Math.max(since, ends.get(`${subject} +${n}`) ?? 0), until);
    for (const { text, since, until } of sources)
      add(info, text, Math.max(since, ends.get(`${subject} ${text}`) ?? 0), until);
  }
  return [...lists.values()];
}
