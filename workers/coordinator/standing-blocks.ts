/** The blocks in force of one number or sender ID: the live entry that decides, and the lists of the current release. */
import type { StandingBlock } from '../../shared/admin/appeals.ts';
import type { EntryItem } from '../../shared/admin/entries.ts';
import { ok } from '../../shared/result.ts';
import type { Subject } from '../../shared/verdict.ts';
import type { ChangeResult } from './change-request.ts';
import { affectedLists, type ForeignLists } from './foreign-lists.ts';
import { type LiveRow, subjectsOf, type Target } from './live-row.ts';
import type { Tables } from './tables.ts';
import { targetsOf } from './targets.ts';

export class StandingBlocks {
  readonly #tables: Tables;
  readonly #lists: ForeignLists;

  constructor(tables: Tables, lists: ForeignLists) {
    this.#tables = tables;
    this.#lists = lists;
  }

  /** Entries of lists count whatever their dates, because an entry may come into force later. */
  async find(item: EntryItem, subject: Subject): Promise<ChangeResult<readonly StandingBlock[]>> {
    const { keys, releases } = this.#tables;
    const targets = targetsOf({ op: 'find', items: [item], subjects: [subject] }, keys.current);
    if (!targets.ok) return targets;
    const live = this.#deciding(targets.value, subject);
    if (live?.op === 'unblock') return ok([]);
    const blocks: StandingBlock[] = [];
    if (live?.op === 'block')
      blocks.push({ list: 'live', seq: live.seq, code: live.code ?? '', authority: live.authority });
    const manifest = releases.current?.manifest ?? null;
    if (manifest === null) return ok(blocks);
    // A live entry, even a `clear`, replaces folded entries.
    const lists = affectedLists(manifest, 'unblock', [subject], () => true).filter(
      ({ info, isFolded }) => info.effect === 'block' && !(isFolded && live !== null),
    );
    const found = await this.#lists.find(manifest, lists, targets.value);
    if (!found.ok) return found;
    const listed = new Set([...found.value.values()].flat().map(({ info }) => info));
    for (const { name, reason, authority } of listed)
      blocks.push({ list: name, seq: null, code: reason, authority });
    return ok(blocks);
  }

  /** The row that decides at the edge: the entry of the spelling, or else a block of everything that looks like it. */
  #deciding([own, alike]: readonly Target[], subject: Subject): LiveRow | null {
    const entry = own === undefined ? null : this.#newest(own, subject);
    if ((entry !== null && entry.op !== 'clear') || alike === undefined) return entry;
    const other = this.#newest(alike, subject);
    return other?.op === 'block' ? other : entry;
  }

  #newest(target: Target, subject: Subject): LiveRow | null {
    const { live, releases } = this.#tables;
    const foldedSeq = releases.current?.manifest.foldedSeq ?? 0;
    const rows = live
      .inForce(target, Math.floor(Date.now() / 1000))
      .filter(({ subjects, seq }) => seq > foldedSeq && subjectsOf(subjects).includes(subject));
    const [newest = null] = rows.toSorted((a, b) => b.seq - a.seq);
    return newest?.op === 'undo' ? null : newest;
  }
}
