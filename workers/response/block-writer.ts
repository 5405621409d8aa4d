/**
 * Writes a new state of a rule block with all that follows from it: the audit record, what the live layer must have, the
 * records of partners, the end of old reports, and who leads the proposal for a range. Must run in a transaction.
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

/** Who changes what no person does. */
export const SYSTEM = 'numgate';

/** What happened, as the audit chain names it. */
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
    // The counts know of reports that were withdrawn. What a rule in shadow recorded must not change what others decide.
    if (!isOpen(after.stage) && change !== 'withdraw' && !after.isShadow)
      this.#resets.add(after.subject, author.at);
    if (before !== null && isProposedInRange(before) && !isProposedInRange(after)) this.#leadRange(after);
    return after;
  }

  /** What the live layer must have then. It ends an entry at its time alone. */
  #entry(
    change: BlockChange,
    before: StoredBlock | null,
    after: StoredBlock,
  ): Pick<StoredBlock, 'entry' | 'entryN'> {
    const had = before?.entry ?? null;
    const { entryN } = after;
    // The live layer has refused the only entry that it was given.
    if (change === 'refuse' && before!.seq === null) return { entry: null, entryN };
    const wanted = entryOf(after, had) ?? liftOf(change, before);
    if (wanted === null || JSON.stringify(wanted) === JSON.stringify(had)) return { entry: had, entryN };
    const n = this.#meta.number('entryN') + 1;
    this.#meta.set('entryN', n);
    return { entry: wanted, entryN: n };
  }

  /** The oldest proposal that is left in the range names the others. */
  #leadRange({ hundred }: StoredBlock): void {
    const [leader, ...members] = this.#rows.ofRange(hundred!).filter(isProposedInRange);
    if (leader === undefined || leader.leader === null) return;
    this.#rows.put(leader, { ...leader, leader: null });
    for (const member of members) this.#rows.put(member, { ...member, leader: leader.id });
  }
}

/** What a person did. What rules, time and the coordinator change is in the audit chain alone. */
function doneBy({ actor, reason, at }: Author, change: BlockChange): RuleBlockDone[] {
  const action = [...RULE_BLOCK_ACTIONS, 'appeal' as const].find((each) => each === change);
  if (action === undefined || actor === SYSTEM) return [];
  return [{ action, by: actor, at: new Date(at).toISOString(), reason }];
}

export function isProposedInRange({ stage, cause }: StoredBlock): boolean {
  return stage.state === 'proposed' && cause === 'range';
}

/** Partners that it rests on. For which of them a reporter counts is not unique, so those with 0 are among them. */
export function partnersOf({ grounds }: StoredBlock): string[] {
  return [...new Set(grounds.flatMap(({ byPartner }) => Object.keys(byPartner)))].sort();
}

/** @param had what the live layer had to have before */
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

/** The last moment at which something of it may be in force. */
function endOf({ until, replacedUntil = 0 }: WantedEntry): number {
  return Math.max(until, replacedUntil);
}

/** For the audit chain: without the number. */
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
