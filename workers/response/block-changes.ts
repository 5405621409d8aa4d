/**
 * Changes rule blocks after decisions of rules, actions of people, refusals of the coordinator, and the end of a stage.
 * Each method must run in a transaction.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import {
  RULE_BLOCK_ACTIONS,
  type RuleBlockAction,
  type RuleBlockCause,
} from '../../shared/admin/rule-blocks.ts';
import { causesOf } from '../../shared/reports/counter-evidence.ts';
import { durationMs } from '../../shared/reports/duration.ts';
import { isShadow, type Rule } from '../../shared/reports/rule.ts';
import {
  type BlockEvent,
  type BlockStage,
  firstStage,
  IN_FORCE,
  nextStage,
} from '../../shared/reports/stages.ts';
import { ok } from '../../shared/result.ts';
import type { Author } from '../storage/audit-chain.ts';
import type { RuleEntryRefusal } from '../storage/rule-entries-port.ts';
import { refuse, type StoreResult } from '../storage/store-request.ts';
import { type BlockRows, type Ground, isOpen, type StoredBlock } from './block-rows.ts';
import { whyNot } from './block-ways-out.ts';
import { type BlockWriter, isProposedInRange, partnersOf, SYSTEM } from './block-writer.ts';
import type { Facts } from './fact-reader.ts';
import { groundOf, type KeyedDecision, replaced, ruleIdOf, withGround } from './grounds.ts';

/** The data that the first block of a subject needs. */
export interface NewSubject {
  readonly seal: string;
  /** The keyed range of the number; null for a sender ID, a campaign or a mock block. */
  readonly hundred: string | null;
  /** ID of a campaign of texts; null for any other subject. */
  readonly campaign: number | null;
  /** Null if the facts could not be read. */
  readonly facts: Facts | null;
}

/** The cause that a refusal gives a block. With `ends`, the block ends; otherwise it becomes a proposal. */
const REFUSALS: Readonly<Record<RuleEntryRefusal, { readonly cause: RuleBlockCause; readonly ends?: true }>> =
  {
    'protected-number': { cause: 'protected' },
    'whole-block': { cause: 'guard' },
    'operator-share': { cause: 'guard' },
    rulesFull: { cause: 'rulesFull' },
    unblocked: { cause: 'unblocked' },
    blocked: { cause: 'blocked', ends: true },
    invalid: { cause: 'invalid', ends: true },
  };

export class BlockChanges {
  readonly #rows: BlockRows;
  readonly #writer: BlockWriter;

  constructor(rows: BlockRows, writer: BlockWriter) {
    this.#rows = rows;
    this.#writer = writer;
  }

  /** @param installed newest version of the rule, whose settings apply; the decision names the version that fired */
  fired(decision: KeyedDecision, installed: Rule, given: NewSubject, at: number): void {
    const ground = groundOf(decision, installed);
    const { rule } = ground;
    const author = byRule(decision, at);
    // The rule may have entered or left its shadow since it fired.
    const isRecorded = decision.shadow || isShadow(rule);
    const open = this.#open(decision.subjectKey, isRecorded, at);
    if (!isRecorded && this.#isOutdated(decision, rule)) return;
    if (open !== null) {
      this.#strengthen(open, ground, author);
      return;
    }
    // The block would already have ended.
    if (decision.decidedAt + durationMs(rule.provisional) <= at) return;
    const { cause, evidence } = this.#against(rule, decision, given);
    const first = isRecorded ? { ...rule, effect: 'shadow' as const } : rule;
    const stage = cause === null || isRecorded ? firstStage(first, [], at) : proposed(rule, at);
    const range = given.hundred === null ? [] : this.#rows.ofRange(given.hundred);
    const leader = cause === 'range' && !isRecorded ? (range.find(isProposedInRange)?.id ?? null) : null;
    const block: StoredBlock = {
      ...{ id: this.#writer.nextId, subject: decision.subjectKey, seal: given.seal, hundred: given.hundred },
      ...{ campaign: given.campaign, isMock: decision.mock, isShadow: isRecorded, stage, cause },
      ...{ confirmedBy: null, actions: [], provisionalUntil: stage.until! },
      ...{ grounds: [ground], evidence, leader: leader === null ? null : leaderOf(range, leader) },
      ...{ entry: null, entryN: 0, sentN: 0, seq: null, createdAt: at, updatedAt: at },
    };
    const change = isRecorded ? 'shadow' : stage.state === 'proposed' ? 'propose' : 'block';
    this.#writer.write(author, change, null, block);
  }

  /** Applies `confirmed`, `unconfirmed` and `unsupported` decisions. */
  changed(decision: KeyedDecision, at: number): void {
    for (const isShadow of [false, true]) {
      const open = this.#open(decision.subjectKey, isShadow, at);
      const ground = open?.grounds.find(({ rule }) => rule.id === ruleIdOf(decision));
      if (open === null || ground === undefined) continue;
      const author = byRule(decision, at);
      if (decision.event === 'unsupported') this.#withdraw(open, ground, author);
      else if (decision.event === 'confirmed') this.#confirm(open, ground, decision, author);
      else this.#weaken(open, replaced(open, ground, { ...ground, isConfirmed: false }), author);
    }
  }

  /** Applies an action of a person: for a proposal for a range, to all its members. @returns the changed block */
  act(id: number, action: RuleBlockAction, author: Author, actor: Actor): StoreResult<StoredBlock> {
    const found = this.#rows.get(id);
    if (found === null) return refuse('RULE_BLOCK_UNKNOWN', 'no rule block has this id');
    const block = this.#current(found, author.at);
    const { state } = block.stage;
    const possible = RULE_BLOCK_ACTIONS.filter((each) => this.#next(block, each, author.at) !== null);
    if (!possible.includes(action)) {
      return refuse('RULE_BLOCK_STATE', whyNot(state, possible), { state, possible });
    }
    const partners = partnersOf(block);
    const isOwn = partners.length === 1 && partners[0] === actor.organisation;
    if (isOwn && !actor.root && (action === 'approve' || action === 'confirm')) {
      const message =
        'only your organisation has reported this: somebody from another organisation must decide';
      return refuse('RULE_BLOCK_OWN', message);
    }
    const members = isProposedInRange(block)
      ? this.#rows.ofRange(block.hundred!).filter(isProposedInRange)
      : [block];
    for (const member of members) this.#act(member, action, author);
    return ok(this.#rows.get(id)!);
  }

  /** @param receivedAt when the appeal was received: later blocks stay @returns the block that the appeal lifted, or null */
  appealed(subject: string, receivedAt: number, author: Author): StoredBlock | null {
    const open = this.#open(subject, false, author.at);
    const stage = open && this.#next(open, 'appealed', author.at);
    if (open === null || stage === null || open.createdAt > receivedAt) return null;
    return this.#writer.write(author, 'appeal', open, { ...open, stage, cause: 'appeal' });
  }

  /** Applies a refusal of the coordinator or the text store. @param entryN number of the refused entry */
  refused(id: number, entryN: number, refusal: RuleEntryRefusal, at: number): void {
    const block = this.#rows.get(id);
    if (block === null) return;
    this.#rows.setSent(id, entryN, null);
    if (block.entryN !== entryN || !IN_FORCE.includes(block.stage.state)) return;
    const { cause, ends = false } = REFUSALS[refusal];
    const stage = ends
      ? { ...block.stage, state: 'ended' as const, until: null }
      : proposed(block.grounds[0]!.rule, at);
    const author = { actor: SYSTEM, reason: `the coordinator refused the block: ${refusal}`, at };
    this.#writer.write(author, 'refuse', block, { ...block, sentN: entryN, stage, cause });
  }

  /** Ends stages that are due, at most `limit` of them. */
  endDue(now: number, limit: number): void {
    for (const block of this.#rows.due(now, limit)) this.#current(block, now);
  }

  #open(subject: string, isShadow: boolean, at: number): StoredBlock | null {
    const found = this.#rows.open(subject, isShadow);
    const now = found && this.#current(found, at);
    return now !== null && isOpen(now.stage) ? now : null;
  }

  /** The block as it is now: its stage ends here if that is due. */
  #current(block: StoredBlock, at: number): StoredBlock {
    const { until } = block.stage;
    if (until === null || until > at) return block;
    const stage = this.#next(block, 'timeUp', at);
    if (stage === null) return block;
    const author = { actor: SYSTEM, reason: 'its stage has ended', at };
    return this.#writer.write(author, 'end', block, { ...block, stage });
  }

  #next({ stage, grounds }: StoredBlock, event: BlockEvent, at: number): BlockStage | null {
    return nextStage(stage, event, grounds[0]!.rule, at);
  }

  #act(block: StoredBlock, action: RuleBlockAction, author: Author): void {
    const stage = this.#next(block, action, author.at)!;
    const confirmedBy = stage.byPerson ? author.actor : block.confirmedBy;
    const isApproved = action === 'approve';
    const after: StoredBlock = {
      ...{ ...block, stage, confirmedBy },
      ...(isApproved ? { cause: null, leader: null, provisionalUntil: stage.until! } : {}),
    };
    const written = this.#writer.write(author, action, block, after);
    const isConfirmed = written.grounds.some((ground) => ground.isConfirmed);
    if (!isApproved || !isConfirmed) return;
    const confirmed = this.#next(written, 'confirmed', author.at);
    if (confirmed === null) return;
    const rules = { actor: SYSTEM, reason: 'an independent kind of partner confirms it', at: author.at };
    this.#writer.write(rules, 'confirm', written, { ...written, stage: confirmed });
  }

  /** Whether the decision uses reports from before the end of an earlier block. These reports no longer count. */
  #isOutdated({ subjectKey, resetAt, decidedAt }: KeyedDecision, rule: Rule): boolean {
    const endedAt = this.#rows.endedAt(subjectKey);
    return resetAt < endedAt && decidedAt - durationMs(rule.window) < endedAt;
  }

  /** A rule fires for a subject that already has a block: another rule, or the same rule on other reports. */
  #strengthen(block: StoredBlock, ground: Ground, author: Author): void {
    const grounds = withGround(block, ground);
    // Only the earlier rule requires the approval of a person.
    const isFree =
      block.stage.state === 'proposed' && block.cause === 'approval' && ground.rule.approval === 'auto';
    const stage = isFree ? nextStage(block.stage, 'approve', ground.rule, author.at) : null;
    if (stage === null) {
      this.#writer.write(author, 'strengthen', block, { ...block, grounds });
      return;
    }
    const others = grounds.filter(({ rule }) => rule.id !== ground.rule.id);
    const next = {
      ...block,
      grounds: [ground, ...others],
      stage,
      cause: null,
      provisionalUntil: stage.until!,
    };
    this.#writer.write(author, 'block', block, next);
  }

  #confirm(block: StoredBlock, ground: Ground, decision: KeyedDecision, author: Author): void {
    const changed: Ground = {
      ...{ ...ground, isConfirmed: true },
      kinds: [...new Set([...ground.kinds, ...decision.kinds])],
      byPartner: { ...ground.byPartner, ...decision.byPartner },
    };
    const stage = this.#next(block, 'confirmed', author.at) ?? block.stage;
    this.#writer.write(author, 'confirm', block, { ...replaced(block, ground, changed), stage });
  }

  #withdraw(block: StoredBlock, ground: Ground, author: Author): void {
    const grounds = block.grounds.filter((each) => each !== ground);
    if (grounds.length > 0) {
      this.#weaken(block, { ...block, grounds }, author);
      return;
    }
    const stage = this.#next(block, 'unsupported', author.at);
    if (stage === null) return;
    this.#writer.write(author, 'withdraw', block, { ...block, stage, cause: 'withdrawn' });
  }

  /**
   * A ground of the block, or its confirmation, is gone. If no other ground is confirmed and no person confirmed the
   * block, it is provisional again until its provisional stage would have ended. If that time has passed, it is lifted.
   */
  #weaken(block: StoredBlock, next: StoredBlock, author: Author): void {
    const { state, byPerson } = block.stage;
    const isHeld = state !== 'confirmed' || byPerson || next.grounds.some(({ isConfirmed }) => isConfirmed);
    const { provisionalUntil: until } = block;
    if (isHeld) this.#writer.write(author, 'weaken', block, next);
    else if (until > author.at)
      this.#writer.write(author, 'weaken', block, {
        ...next,
        stage: { state: 'provisional', until, byPerson },
      });
    else {
      const stage = { state: 'lifted', until: null, byPerson } as const;
      this.#writer.write(author, 'weaken', block, { ...next, stage, cause: 'withdrawn' });
    }
  }

  /** The most specific cause why a person must decide. The coordinator checks for protected and unblocked numbers. */
  #against(
    rule: Rule,
    { distinct }: KeyedDecision,
    { facts, hundred }: NewSubject,
  ): Pick<StoredBlock, 'cause' | 'evidence'> {
    if (facts === null) return { cause: 'factsMissing', evidence: null };
    const { sent, ...evidence } = facts;
    const causes = causesOf(rule, {
      ...{ isProtected: false, isUnblocked: false, reporters: distinct, sent },
      isRegistered: evidence.registered.length > 0,
      neighbours: hundred === null ? 0 : this.#rows.ofRange(hundred).length,
    });
    return { cause: causes.includes('lowRate') ? 'lowRate' : (causes[0] ?? null), evidence };
  }
}

function byRule({ rule, event }: KeyedDecision, at: number): Author {
  return { actor: SYSTEM, reason: `${rule} ${event}`, at };
}

/** The stage of a proposal, whatever the state and the effect of the rule. */
function proposed(rule: Rule, at: number): BlockStage {
  return firstStage({ ...rule, state: 'active', effect: 'block' }, ['approval'], at);
}

/** The leading proposal of a range. The proposal with this ID may be a member. */
function leaderOf(range: readonly StoredBlock[], id: number): number {
  const found = range.find((each) => each.id === id)!;
  return found.leader ?? found.id;
}
