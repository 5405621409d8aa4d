/**
 * Writes a new state of a rule block with all its consequences: the audit record, the entry for the live layer, the
 * records of partners, the reset of old reports, and the leader of the proposal for a range. Must run in a transaction.
 */
import { RULE_BLOCK_ACTIONS, type RuleBlockDone } from '../../shared/admin/rule-blocks.ts';
import { ruleRef } from '../../shared/reports/rule.ts';
import { IN_FORCE } from '../../shared/reports/stages.ts';
import { formatCampaignId } from '../../shared/text/campaign-id.ts';
import type { AuditChain, Author } from '../storage/audit-chain.ts';
import { type BlockRows, isOpen, type StoredBlock, type WantedEntry } from './block-rows.ts';
import type { Meta } from './meta.ts';
import type { PartnerRecords } from './partner-records.ts';
import type { Resets } from './resets.ts';

/** The actor of changes that no person makes. */
export const SYSTEM = 'numgate';

/** The kinds of change, as the audit chain names them. */
export type BlockChange =
  | 'propose'
  | 'block'
  | 'shadow'
  | 'strengthen'
  | 'confirm'
  | 'weaken'
  | 'withdraw'
  | 'refuse'
  | 'end'
  | 'approve'
  | 'lift'
  | 'dismiss'
  | 'appeal';

export class BlockWriter {
  readonly #meta: Meta;
  readonly #rows: BlockRows;
  readonly #audit: AuditChain;
  readonly #records: PartnerRecords;
  readonly #resets: Resets;

  constructor(meta: Meta, rows: BlockRows, audit: AuditChain, records: PartnerRecords, resets: Resets) {
    this.#meta = meta;
    this.#rows = rows;
    this.#audit = audit;
    this.#records = records;
    this.#resets = resets;
  }

  get nextId(): number {
    const id = this.#meta.number('lastBlock') + 1;
    this.#meta.set('lastBlock', id);
    return id;
  }

  write(author: Author, change: BlockChange, before: StoredBlock | null, next: StoredBlock): StoredBlock {
    const leader = isProposedInRange(next) ? next.leader : null;
    const actions = [...next.actions, ...doneBy(author, change)];
    const after = { ...next, ...this.#entry(change, before, next), leader, actions, updatedAt: author.at };
    this.#rows.put(before, after);
    this.#audit.append(author, `rule block ${after.id}`, {
      ...{ action: `ruleBlocks.${change}`, before: before && described(before), after: described(after) },
    });
    const isConfirmed = after.stage.state === 'confirmed' && before?.stage.state !== 'confirmed';
    if (isConfirmed && !after.isMock) this.#records.change(author, partnersOf(after), 'confirmed', after.id);
    if (change === 'appeal' && !after.isMock)
      this.#records.change(author, partnersOf(after), 'appealed', after.id);
    // The counts already know of withdrawn reports. Blocks of shadow rules must not change the decisions of other rules.
    if (!isOpen(after.stage) && change !== 'withdraw' && !after.isShadow)
      this.#resets.add(after.subject, author.at);
    if (before !== null && isProposedInRange(before) && !isProposedInRange(after)) this.#leadRange(after);
    return after;
  }

  /** The entry that the live layer must have after the change. The live layer ends entries at their time without a change. */
  #entry(
    change: BlockChange,
    before: StoredBlock | null,
    after: StoredBlock,
  ): Pick<StoredBlock, 'entry' | 'entryN'> {
    const had = before?.entry ?? null;
    const { entryN } = after;
    // The live layer refused the only entry that it got.
    if (change === 'refuse' && before!.seq === null) return { entry: null, entryN };
    const wanted = entryOf(after, had) ?? liftOf(change, before);
    if (wanted === null || JSON.stringify(wanted) === JSON.stringify(had)) return { entry: had, entryN };
    const n = this.#meta.number('entryN') + 1;
    this.#meta.set('entryN', n);
    return { entry: wanted, entryN: n };
  }

  /** The oldest remaining proposal of the range becomes its leader. */
  #leadRange({ hundred }: StoredBlock): void {
    const [leader, ...members] = this.#rows.ofRange(hundred!).filter(isProposedInRange);
    if (leader === undefined || leader.leader === null) return;
    this.#rows.put(leader, { ...leader, leader: null });
    for (const member of members) this.#rows.put(member, { ...member, leader: leader.id });
  }
}

/** The action of a person. Changes by rules, time and the coordinator are only in the audit chain. */
function doneBy({ actor, reason, at }: Author, change: BlockChange): RuleBlockDone[] {
  const action = [...RULE_BLOCK_ACTIONS, 'appeal' as const].find((each) => each === change);
  if (action === undefined || actor === SYSTEM) return [];
  return [{ action, by: actor, at: new Date(at).toISOString(), reason }];
}

export function isProposedInRange({ stage, cause }: StoredBlock): boolean {
  return stage.state === 'proposed' && cause === 'range';
}

/** Partners that the block is based on, even with 0 reporters: a shared reporter counts for only one of its partners. */
export function partnersOf({ grounds }: StoredBlock): string[] {
  return [...new Set(grounds.flatMap(({ byPartner }) => Object.keys(byPartner)))].sort();
}

/** @param had the entry that the live layer had to have before */
function entryOf(
  { id, stage, grounds, isMock, campaign }: StoredBlock,
  had: WantedEntry | null,
): WantedEntry | null {
  const { state, until } = stage;
  if (isMock || !IN_FORCE.includes(state)) return null;
  const { rule, distinct, kinds } = grounds[0]!;
  const name = ruleRef(rule);
  const hadUntil = had === null ? 0 : endOf(had);
  return {
    ...{ op: 'block', rule: name, stage: state as WantedEntry['stage'], until: until! },
    reason: `${name}: ${distinct} reporters of ${kinds.join(', ')}; rule block ${id}`,
    ...(hadUntil > until! ? { replacedUntil: hadUntil } : {}),
    ...(campaign === null ? {} : { reporters: distinct }),
  };
}

function liftOf(change: BlockChange, before: StoredBlock | null): WantedEntry | null {
  const had = before?.entry ?? null;
  if (had?.op !== 'block' || change === 'end') return null;
  const { rule, stage } = had;
  return {
    op: 'lift',
    rule,
    stage,
    until: endOf(had),
    reason: `${rule}: rule block ${before!.id} was lifted`,
  };
}

/** The last moment at which the entry, or the entry that it replaced, may be in force. */
function endOf({ until, replacedUntil = 0 }: WantedEntry): number {
  return Math.max(until, replacedUntil);
}

/** The block for the audit chain, without the number. */
function described({ subject, stage, cause, grounds, isMock, evidence, campaign }: StoredBlock): object {
  const { state, until } = stage;
  return {
    ...{ state, cause, until: until === null ? null : new Date(until).toISOString(), subject },
    rules: grounds.map(({ rule, distinct, byPartner, isConfirmed }) => ({
      ...{ rule: ruleRef(rule), distinct, partners: byPartner, confirmed: isConfirmed },
    })),
    evidence,
    ...(isMock ? { mock: true } : {}),
    ...(campaign === null ? {} : { campaign: formatCampaignId(campaign) }),
  };
}
