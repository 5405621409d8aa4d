/**
 * Assigns reporters to partners. Several partners may have reports of the same reporter, who counts once. Each reporter
 * counts for the partner that leaves most reporters in: otherwise a partner could report in the name of others first,
 * and use up its own share in place of theirs. It is a maximum flow, by reporters with the same partners.
 */

interface Group {
  readonly partners: readonly string[];
  left: number;
  /** Reporters of the group that count for each partner. */
  readonly given: Map<string, number>;
}

/**
 * The number of reporters that count for each partner, with the largest sum that the bounds allow. The same for every
 * order of the reporters.
 * @param reporters the partners of each reporter, not empty
 * @param roomOf most reporters of a partner
 */
export function assignReporters(
  reporters: Iterable<ReadonlySet<string>>,
  roomOf: (partner: string) => number,
): Map<string, number> {
  const groups = groupsOf(reporters);
  const room = new Map<string, number>();
  for (const { partners } of groups) for (const partner of partners) room.set(partner, roomOf(partner));
  // A search that found no room proves that these partners never get any.
  const full = new Set<string>();
  for (const group of groups) while (group.left > 0 && augment(group, groups, room, full));
  const counts = new Map([...room.keys()].toSorted().map((partner) => [partner, 0]));
  for (const { given } of groups) {
    for (const [partner, count] of given) counts.set(partner, counts.get(partner)! + count);
  }
  return counts;
}

function groupsOf(reporters: Iterable<ReadonlySet<string>>): Group[] {
  const groups = new Map<string, Group>();
  for (const names of reporters) {
    const partners = names.size === 1 ? [...names] : [...names].toSorted();
    const key = partners.join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { partners, left: 1, given: new Map() });
    else group.left++;
  }
  // Those with one partner first: they have no choice.
  return [...groups].toSorted(byPartners).map(([, group]) => group);
}

function byPartners([a, { partners: of }]: [string, Group], [b, { partners }]: [string, Group]): number {
  return of.length - partners.length || (a < b ? -1 : 1);
}

/** Finds room for reporters of a group, if need be by moving others. @returns whether any got room */
function augment(
  start: Group,
  groups: readonly Group[],
  room: Map<string, number>,
  full: Set<string>,
): boolean {
  const reachedFrom = new Map<string, Group>();
  const movedFrom = new Map<Group, string>();
  const queue = [start];
  for (const group of queue) {
    for (const partner of group.partners) {
      if (reachedFrom.has(partner) || full.has(partner)) continue;
      reachedFrom.set(partner, group);
      if (room.get(partner)! > 0) {
        move(start, partner, reachedFrom, movedFrom, room);
        return true;
      }
      for (const other of groups) {
        if (other === start || movedFrom.has(other) || !((other.given.get(partner) ?? 0) > 0)) continue;
        movedFrom.set(other, partner);
        queue.push(other);
      }
    }
  }
  for (const partner of reachedFrom.keys()) full.add(partner);
  return false;
}

/** Moves as many reporters as the path allows: the last group to `last`, each earlier one into the place left. */
function move(
  start: Group,
  last: string,
  reachedFrom: ReadonlyMap<string, Group>,
  movedFrom: ReadonlyMap<Group, string>,
  room: Map<string, number>,
): void {
  const steps: { group: Group; to: string; from: string | null }[] = [];
  let amount = Math.min(start.left, room.get(last)!);
  for (let to = last; ; ) {
    const group = reachedFrom.get(to)!;
    const from = group === start ? null : movedFrom.get(group)!;
    steps.push({ group, to, from });
    if (from === null) break;
    amount = Math.min(amount, group.given.get(from)!);
    to = from;
  }
  room.set(last, room.get(last)! - amount);
  for (const { group, to, from } of steps) {
    group.given.set(to, (group.given.get(to) ?? 0) + amount);
    if (from === null) group.left -= amount;
    else group.given.set(from, group.given.get(from)! - amount);
  }
}
