/**
 * Assigns reporters to partners. Several partners may have reports of the same reporter, who counts once. The
 * assignment lets as many reporters as possible count. Otherwise a partner could report first in the name of others'
 * reporters, who would then fill its share instead of theirs. This is a maximum flow over reporters with equal partners.
 */

/** Reporters with the same partners. */
interface Group {
  readonly partners: readonly string[];
  left: number;
  /** How many reporters of the group count for each partner. */
  readonly given: Map<string, number>;
}

interface Partner {
  room: number;
  /** Groups with reporters that count for the partner. */
  readonly groups: Set<Group>;
}

/**
 * The number of reporters that count for each partner, with the largest sum that the bounds allow. Does not depend on
 * the order of the groups.
 * @param groups count of reporters by their partners: names in order, separated by spaces
 * @param roomOf most reporters that may count for a partner
 */
export function assignReporters(
  groups: ReadonlyMap<string, number>,
  roomOf: (partner: string) => number,
): Map<string, number> {
  const all = [...groups].map(([key, left]): [string, Group] => [
    key,
    { partners: key.split(' '), left, given: new Map() },
  ]);
  const partners = new Map<string, Partner>();
  for (const [, group] of all) {
    for (const name of group.partners) {
      if (!partners.has(name)) partners.set(name, { room: roomOf(name), groups: new Set() });
    }
  }
  // A search that finds no room proves that these partners never get any.
  const full = new Set<string>();
  // Groups with fewer partners first, because those with one partner have no choice.
  for (const [, group] of all.toSorted(byPartners)) {
    while (group.left > 0 && placeSome(group, partners, full));
  }
  return new Map(
    [...partners].toSorted(byName).map(([name, { groups }]) => {
      let count = 0;
      for (const { given } of groups) count += given.get(name)!;
      return [name, count];
    }),
  );
}

function byPartners([a, { partners: of }]: [string, Group], [b, { partners }]: [string, Group]): number {
  return of.length - partners.length || (a < b ? -1 : 1);
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** Finds room for reporters of a group, by moving others if necessary. @returns whether any got room */
function placeSome(start: Group, partners: ReadonlyMap<string, Partner>, full: Set<string>): boolean {
  const reachedFrom = new Map<string, Group>();
  const movedFrom = new Map<Group, string>();
  const queue = [start];
  for (const group of queue) {
    for (const name of group.partners) {
      if (full.has(name) || reachedFrom.has(name)) continue;
      reachedFrom.set(name, group);
      const { room, groups } = partners.get(name)!;
      if (room > 0) {
        move(start, name, reachedFrom, movedFrom, partners);
        return true;
      }
      for (const other of groups) {
        if (other === start || movedFrom.has(other)) continue;
        movedFrom.set(other, name);
        queue.push(other);
      }
    }
  }
  for (const name of reachedFrom.keys()) full.add(name);
  return false;
}

/** Moves as many reporters as the path allows: the last group to `last`, each earlier group into the room thus freed. */
function move(
  start: Group,
  last: string,
  reachedFrom: ReadonlyMap<string, Group>,
  movedFrom: ReadonlyMap<Group, string>,
  partners: ReadonlyMap<string, Partner>,
): void {
  const steps: { readonly group: Group; readonly to: string; readonly from: string | null }[] = [];
  let amount = Math.min(start.left, partners.get(last)!.room);
  for (let to: string | null = last; to !== null; ) {
    const group: Group = reachedFrom.get(to)!;
    const from: string | null = group === start ? null : movedFrom.get(group)!;
    if (from !== null) amount = Math.min(amount, group.given.get(from)!);
    steps.push({ group, to, from });
    to = from;
  }
  partners.get(last)!.room -= amount;
  for (const { group, to, from } of steps) {
    group.given.set(to, (group.given.get(to) ?? 0) + amount);
    partners.get(to)!.groups.add(group);
    if (from === null) {
      group.left -= amount;
      continue;
    }
    const left = group.given.get(from)! - amount;
    group.given.set(from, left);
    if (left === 0) partners.get(from)!.groups.delete(group);
  }
}
