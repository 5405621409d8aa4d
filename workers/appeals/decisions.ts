/**
 * Decisions of admins on appeals: claim, release, accept, reject. Accepting lifts the block at once: as a change by the admin,
 * with its guards and owners, or through the desk if a rule made the block. A block of a campaign ends with the campaign.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { AcceptAppeal, AppealDetails, AppealInfo, StandingBlock } from '../../shared/admin/appeals.ts';
import type { EntryItem } from '../../shared/admin/entries.ts';
import type { Rejection } from '../../shared/appeals/appeal.ts';
import { keyedNumber } from '../../shared/audit.ts';
import { APPEAL_CLAIM_MS } from '../../shared/limits/appeals.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import { SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import { FOLDED_LIST_PREFIX } from '../../shared/release/manifest.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import { ok } from '../../shared/result.ts';
import type { AppealedBlock } from '../../shared/screening/appeal-reference.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { foldSenderId, skeletonOf } from '../../shared/sources/sender-id.ts';
import type { BlockSource, LiftRequest, LiftResult } from '../storage/appeals-port.ts';
import type { Author } from '../storage/audit-chain.ts';
import type { ResponseObject } from '../storage/response-port.ts';
import { refuse, type StoreRefusal, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { type AppealProgress, infoOf, type StoredAppeal } from './appeal-rows.ts';
import { type CampaignSource, campaignOf, revoke, standingCampaign } from './campaigns.ts';
import type { Tables } from './tables.ts';

/** The objects that made the block. */
export interface BlockObjects {
  readonly coordinator: () => BlockSource;
  readonly desk: () => Pick<ResponseObject, 'appealWon' | 'findRuleBlocks'>;
  readonly text: () => CampaignSource;
}

export class Decisions {
  readonly #tables: Tables;
  readonly #keys: ListKeys;
  readonly #objects: BlockObjects;

  constructor(tables: Tables, keys: ListKeys, objects: BlockObjects) {
    this.#tables = tables;
    this.#keys = keys;
    this.#objects = objects;
  }

  /** The appeal with its statements, and the blocks of its party that are in force now. */
  async details(actor: Actor, id: number): Promise<StoreResult<AppealDetails>> {
    const found = this.#find(actor, id);
    if (!found.ok) return found;
    return ok({
      ...infoOf(found.value, Date.now()),
      statements: this.#tables.appeals.statements(id),
      blocks: await this.#standing(found.value.block),
      ruleBlock: await this.#ruleBlock(found.value),
    });
  }

  /** The blocks of the appeal's party that are in force now; null if they cannot be read. */
  async #standing(block: AppealedBlock): Promise<AppealDetails['blocks']> {
    const campaign = campaignOf(block);
    if (campaign !== null) return standingCampaign(this.#objects.text(), campaign);
    const standing = await this.#objects.coordinator().standingBlocks(itemOf(block), block.subject);
    return standing.ok ? standing.value : null;
  }

  /** The newest rule block that took effect before the appeal was received. */
  async #ruleBlock({ block, receivedAt }: StoredAppeal): Promise<AppealDetails['ruleBlock']> {
    if (block.authority !== SYSTEM_AUTHORITY) return null;
    const found = await this.#objects
      .desk()
      .findRuleBlocks(ruleSubjectOf(block), false)
      .catch(() => null);
    const own = found?.ok === true ? found.value : [];
    // Blocks of campaigns have no `seq`, because they do not change the head.
    const isCampaign = campaignOf(block) !== null;
    const appealed = own.find(
      ({ seq, createdAt }) => (seq !== null || isCampaign) && Date.parse(createdAt) <= receivedAt,
    );
    return appealed === undefined ? null : { id: appealed.id, rule: appealed.rule, state: appealed.state };
  }

  claim(request: StoreRequest, id: number): StoreResult<AppealInfo> {
    return this.#move(request, id, 'claim', ({ actor, at }) => ({
      ...{ state: 'inReview', claimedBy: actor, claimedUntil: at + APPEAL_CLAIM_MS },
    }));
  }

  release(request: StoreRequest, id: number): StoreResult<AppealInfo> {
    return this.#move(request, id, 'release', () => ({
      ...{ state: 'received', claimedBy: null, claimedUntil: null },
    }));
  }

  reject(request: StoreRequest, id: number, rejection: Rejection): StoreResult<AppealInfo> {
    return this.#move(request, id, 'reject', ({ actor, at }) => ({
      ...{ state: 'rejected', decidedBy: actor, decidedAt: at, rejection },
    }));
  }

  /** Lifts the block, and then records the decision. A repeated request continues where the first one stopped. */
  async accept(request: LiftRequest, id: number, options: AcceptAppeal): Promise<LiftResult<AppealInfo>> {
    const found = this.#find(request.actor, id);
    if (!found.ok) return found;
    const { state, decidedBy } = found.value;
    const isDone = state === 'accepted' || state === 'noLongerBlocked';
    if (isDone && decidedBy === request.actor.name) return ok(infoOf(found.value, Date.now()));
    // Claim the appeal first, so that nobody else decides on it while the block is being lifted.
    const isClaimed = infoOf(found.value, Date.now()).claimedBy === request.actor.name;
    const claimed = isClaimed ? ok(null) : this.claim({ ...request, repeat: null }, id);
    if (!claimed.ok) return claimed;
    const lifted = await this.#lift(request, found.value, options);
    if (!lifted.ok) return lifted;
    const [action, after] =
      lifted.value === null ? (['close', 'noLongerBlocked'] as const) : (['accept', 'accepted'] as const);
    return this.#move({ ...request, repeat: null }, id, action, ({ actor, at }) => ({
      ...{ state: after, decidedBy: actor, decidedAt: at, seq: lifted.value?.seq ?? null },
    }));
  }

  /** @returns the change of the head, whose `seq` is null for a campaign; null if the block no longer exists */
  async #lift(
    request: LiftRequest,
    { block, receivedAt }: StoredAppeal,
    options: AcceptAppeal,
  ): Promise<LiftResult<{ readonly seq: number | null } | null>> {
    const campaign = campaignOf(block);
    if (block.authority === SYSTEM_AUTHORITY) {
      const won = await this.#objects.desk().appealWon(request, ruleSubjectOf(block), receivedAt);
      if (!won.ok || (won.value !== null && campaign === null)) return won;
    }
    // Revoke the campaign even if its rule block was just lifted, so that no rule confirms the campaign again.
    if (campaign !== null)
      return revoke(
        this.#objects.text(),
        { ...request, overrideAuthorities: options.overrideAuthorities },
        campaign,
      );
    const coordinator = this.#objects.coordinator();
    const item = itemOf(block);
    // In a repeated request, the first attempt may have lifted the block already.
    if (!(await coordinator.isRepeat(request))) {
      const standing = await coordinator.standingBlocks(item, block.subject);
      if (!standing.ok) return standing;
      if (!standing.value.some((each) => isBlock(each, block))) return ok(null);
    }
    const done = await coordinator.changeEntries(request, {
      ...{ op: 'unblock', items: [item], subjects: [block.subject], code: block.code, until: null },
      ...{ reason: request.reason, ...options },
    } as const);
    return done.ok ? ok({ seq: done.value.seq }) : done;
  }

  /** An appeal that the actor may see. */
  #find(actor: Actor, id: number): StoreResult<StoredAppeal> {
    const found = this.#tables.appeals.get(id);
    const own = authorityOf(actor);
    if (found !== null && (own === null || own === found.block.authority)) return ok(found);
    return refuse('APPEAL_UNKNOWN', 'no appeal that you may see has this id');
  }

  #move(
    request: StoreRequest,
    id: number,
    action: 'claim' | 'release' | 'accept' | 'reject' | 'close',
    change: (author: Author) => Partial<AppealProgress>,
  ): StoreResult<AppealInfo> {
    return this.#tables.transact(request, (author) => {
      const found = this.#find(request.actor, id);
      if (!found.ok) return found;
      const refused = refusalOf(found.value, request.actor, author.at);
      if (refused !== null) return refused;
      const after = this.#tables.appeals.put(found.value, change(author));
      this.#tables.audit.append(author, String(id), {
        ...{ action, before: { state: infoOf(found.value, author.at).state }, after: this.#described(after) },
      });
      return ok(infoOf(after, author.at));
    });
  }

  /** For the audit chain: numbers are keyed. */
  #described({ state, block, rejection, seq }: StoredAppeal): object {
    const { party, subject, list, authority } = block;
    const keyed = typeof party === 'number' ? keyedNumber(party, this.#keys) : party;
    return { state, subject, party: keyed, list, authority, rejection, seq };
  }
}

/** The actor sees appeals against blocks of this authority; null for all authorities. */
export function authorityOf({ root, scopes, authority }: Actor): string | null {
  return root || scopes.includes('override') ? null : (authority ?? '');
}

function refusalOf(appeal: StoredAppeal, { name, root }: Actor, now: number): StoreRefusal | null {
  const { state, decidedBy, decidedAt, claimedBy, claimedUntil, authority } = infoOf(appeal, now);
  if (decidedAt !== null) {
    const lift =
      campaignOf(appeal.block) !== null
        ? 'revoke the campaign'
        : authority === SYSTEM_AUTHORITY
          ? 'lift its rule block'
          : 'unblock the number or sender ID';
    const wayOut = state === 'rejected' ? `; to lift the block anyway, ${lift}` : '';
    return refuse(
      'APPEAL_DECIDED',
      `the appeal is already ${state}, by ${decidedBy} at ${decidedAt}${wayOut}`,
    );
  }
  if (claimedBy === null || claimedBy === name || root) return null;
  return refuse('APPEAL_CLAIMED', `${claimedBy} has claimed the appeal until ${claimedUntil}`);
}

function itemOf({ party }: AppealedBlock): EntryItem {
  return typeof party === 'number' ? { number: toE164(party) } : { source: `sender:${party}` };
}

/** Rules block the skeleton of a sender ID. */
function ruleSubjectOf(block: AppealedBlock): ReportSubject {
  const campaign = campaignOf(block);
  if (campaign !== null) return { kind: 'campaign', id: campaign };
  const { party } = block;
  return typeof party === 'number'
    ? ({ kind: 'number', n: party } as const)
    : ({ kind: 'source', text: skeletonOf(foldSenderId(party)) } as const);
}

/** Whether this is the block of the appeal. A release may have taken in its live entry since. */
function isBlock({ list, authority }: StandingBlock, block: AppealedBlock): boolean {
  if (block.seq === null) return list === block.list;
  if (authority !== block.authority) return false;
  // The desk lifts live rule blocks itself, so a rule block that is still live is newer than the appeal.
  return list.startsWith(FOLDED_LIST_PREFIX) || (list === 'live' && authority !== SYSTEM_AUTHORITY);
}
