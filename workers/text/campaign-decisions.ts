/**
 * Decisions of people and rules about campaigns. A rule never changes a person's decision that is in force, and a
 * person's confirmation ends within 90 days.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type {
  CampaignAction,
  CampaignMatch,
  CampaignPage,
  SharedFingerprint,
} from '../../shared/admin/campaigns.ts';
import type { CampaignInfo, CampaignState } from '../../shared/admin/text.ts';
import { CAMPAIGN_PERSON_MS_MAX, CAMPAIGNS_OF_RULES_MAX } from '../../shared/limits/campaigns.ts';
import { CAMPAIGNS_MAX } from '../../shared/limits/text.ts';
import { ROOT_AUTHORITY, SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import { ok } from '../../shared/result.ts';
import { formatCampaignId } from '../../shared/text/campaign-id.ts';
import { FINGERPRINT_VALUES, type Fingerprint } from '../../shared/text/fingerprint.ts';
import type { Author } from '../storage/audit-chain.ts';
import type { CampaignChange, CampaignRegistry, CampaignRequest } from '../storage/campaign-port.ts';
import type { RuleEntryResult } from '../storage/rule-entries-port.ts';
import {
  refuse,
  refuseField,
  type StoreRefusal,
  type StoreRequest,
  type StoreResult,
} from '../storage/store-request.ts';
import { infoOf, valuesOf } from './campaign-views.ts';
import type { Campaigns, CampaignTables } from './campaigns.ts';
import type { StoredCampaign } from './stored-campaign.ts';

const SYSTEM = 'numgate';

/** The actions that a person can take in each state. */
const POSSIBLE: Readonly<Record<CampaignState, readonly CampaignAction[]>> = {
  observed: ['confirm', 'reject'],
  confirmed: ['confirm', 'revoke'],
  rejected: ['confirm'],
  revoked: ['confirm', 'reject'],
  ended: ['confirm', 'reject'],
};

/** The last batch of the desk, as stored. */
interface Batch {
  readonly n: number;
  readonly results: readonly RuleEntryResult[];
}

/** What decisions need from the store: a transaction for each request, and the campaigns. */
export interface DecisionTables extends CampaignTables {
  readonly campaigns: Campaigns;
  transact<Value>(
    request: StoreRequest,
    size: 0 | 1,
    change: (author: Author) => StoreResult<Value>,
  ): StoreResult<Value>;
}

export class CampaignDecisions {
  readonly #tables: DecisionTables;

  constructor(tables: DecisionTables) {
    this.#tables = tables;
  }

  get #campaigns(): Campaigns {
    return this.#tables.campaigns;
  }

  page(state: CampaignState | undefined, after: number, limit: number): CampaignPage {
    const campaigns = this.#campaigns.rows.page(state, after, limit);
    return { campaigns: campaigns.map(infoOf), next: campaigns.length < limit ? null : campaigns.at(-1)!.id };
  }

  info(id: number): CampaignInfo | null {
    const campaign = this.#campaigns.rows.get(id);
    return campaign && infoOf(campaign);
  }

  /** In the order of the fingerprints. */
  match(shared: readonly SharedFingerprint[]): readonly CampaignMatch[] {
    const now = Date.now();
    return shared.map(({ fingerprint, textKeyId }) => {
      const values = valuesOf(fingerprint);
      return values === null ? NO_MATCH : this.#campaigns.match(values, textKeyId, now);
    });
  }

  /** @param until ms since 1970 @returns in the order of the fingerprints; similar fingerprints have the same campaign */
  enrol(
    request: CampaignRequest,
    shared: readonly SharedFingerprint[],
    until: number,
  ): StoreResult<readonly CampaignInfo[]> {
    const { keyId } = this.#campaigns;
    if (keyId === null) return NO_TEXT_KEY;
    const fingerprints: Fingerprint[] = [];
    for (const [index, { fingerprint, textKeyId }] of shared.entries()) {
      const values = valuesOf(fingerprint);
      if (values === null)
        return refuseField(`fingerprints.${index}.fingerprint`, 'must be a fingerprint: 128 bytes in base64');
      if (textKeyId !== keyId) {
        const message = `is the ID of another TEXT_KEY: the TEXT_KEY of this installation has the ID ${keyId}`;
        return refuseField(`fingerprints.${index}.textKeyId`, message);
      }
      fingerprints.push(values);
    }
    return this.#decide(request, 1, (author) => {
      const found: CampaignInfo[] = [];
      for (const fingerprint of fingerprints) {
        const similar = this.#campaigns.find(fingerprint, keyId);
        const before = similar === null ? null : this.#campaigns.rows.get(similar.id);
        if (before !== null && isDeclined(before) && similar!.equal < FINGERPRINT_VALUES)
          return refuseSimilar(before);
        const confirmed = this.#confirm(request, author, before ?? { fingerprint, keyId }, until);
        if (!confirmed.ok) return confirmed;
        found.push(infoOf(confirmed.value));
      }
      return ok(found);
    });
  }

  confirm(request: CampaignRequest, id: number, until: number): StoreResult<CampaignInfo> {
    return this.#decide(request, 0, (author) => {
      const found = this.#find(id, 'confirm', request);
      if (!found.ok) return found;
      const confirmed = this.#confirm(request, author, found.value, until);
      return confirmed.ok ? ok(infoOf(confirmed.value)) : confirmed;
    });
  }

  /** Rejects a campaign that is not confirmed. No rule confirms it any more. */
  reject(request: CampaignRequest, id: number): StoreResult<CampaignInfo> {
    return this.#end(request, id, 'reject', 'rejected');
  }

  /** Revokes a confirmed campaign: it no longer blocks anything, and no rule confirms it again. */
  revoke(request: CampaignRequest, id: number): StoreResult<CampaignInfo> {
    return this.#end(request, id, 'revoke', 'revoked');
  }

  /** See CampaignRegistry. */
  apply(
    n: number,
    changes: readonly CampaignChange[],
  ): Awaited<ReturnType<CampaignRegistry['applyCampaignChanges']>> {
    const { meta } = this.#tables;
    const last = meta.json<Batch>('campaignChanges');
    if (last !== null && n <= last.n) return { last: last.n, results: n === last.n ? last.results : null };
    const results = this.#campaigns.change(() => {
      const now = Date.now();
      const applied = changes.map((each) => this.#apply(each, now));
      meta.set('campaignChanges', { n, results: applied } satisfies Batch);
      return applied;
    });
    return { last: n, results };
  }

  #apply(change: CampaignChange, now: number): RuleEntryResult {
    const { subject, op, rule, stage, until, reporters, reason } = change;
    const { rows, writer, keyId } = this.#campaigns;
    const campaign = rows.get(subject.id);
    const { version } = this.#tables.publication;
    const author = { actor: SYSTEM, reason, at: now };
    if (op === 'lift') {
      // A person has decided meanwhile, or the campaign has ended.
      if (campaign?.state !== 'confirmed' || campaign.byPerson) return { applied: version };
      writer.write(author, 'revoke', campaign, { ...campaign, state: 'revoked', until: null });
      return { applied: this.#tables.publication.version };
    }
    if (campaign === null || campaign.keyId !== keyId || until <= now) return { refused: 'invalid' };
    if (campaign.byPerson && campaign.state === 'confirmed') return { refused: 'blocked' };
    if (campaign.byPerson && campaign.state !== 'ended') return { refused: 'unblocked' };
    const isNew = campaign.state !== 'confirmed';
    if (isNew && (rows.ofRules >= CAMPAIGNS_OF_RULES_MAX || rows.count('confirmed') >= CAMPAIGNS_MAX))
      return { refused: 'rulesFull' };
    writer.write(author, 'confirm', campaign, {
      ...{ ...campaign, state: 'confirmed', authority: SYSTEM_AUTHORITY, byPerson: false },
      ...{ rule, stage, until, reporters, fromFeed: false },
    });
    return { applied: this.#tables.publication.version };
  }

  #confirm(
    request: CampaignRequest,
    author: Author,
    given: StoredCampaign | Pick<StoredCampaign, 'fingerprint' | 'keyId'>,
    until: number,
  ): StoreResult<StoredCampaign> {
    const { at } = author;
    if (until <= at) return refuseField('until', 'must be in the future');
    if (until > at + CAMPAIGN_PERSON_MS_MAX) return refuseField('until', 'must be at most 90 days ahead');
    const authority = authorityOf(request.actor);
    if (!authority.ok) return authority;
    const before = 'id' in given ? given : null;
    const { rows, writer, keyId } = this.#campaigns;
    if (keyId === null) return NO_TEXT_KEY;
    if (given.keyId !== keyId)
      return refuse('CAMPAIGN_STATE', 'it was fingerprinted with another TEXT_KEY: enrol its texts again');
    const foreign = before === null ? null : refuseForeign(request, before);
    if (foreign !== null) return foreign;
    if (before?.state !== 'confirmed' && rows.count('confirmed') >= CAMPAIGNS_MAX) {
      const message = `${CAMPAIGNS_MAX} campaigns are already confirmed: revoke some, or wait until they end`;
      return refuse('CAMPAIGNS_FULL', message);
    }
    const decided = {
      state: 'confirmed',
      ...{ authority: authority.value, rule: null, stage: null },
      ...{ byPerson: true, until, fromFeed: false },
    } as const;
    if (before !== null) return ok(writer.write(author, 'confirm', before, { ...before, ...decided }));
    const campaign = {
      ...{ id: this.#campaigns.nextId(), fingerprint: given.fingerprint, keyId, partner: null },
      ...{ firstSeen: at, lastSeen: at, reports: 0, reporters: null, ...decided },
    };
    this.#campaigns.remember(campaign);
    return ok(writer.write(author, 'confirm', null, campaign));
  }

  #end(
    request: CampaignRequest,
    id: number,
    action: 'reject' | 'revoke',
    state: 'rejected' | 'revoked',
  ): StoreResult<CampaignInfo> {
    return this.#decide(request, 0, (author) => {
      const found = this.#find(id, action, request);
      if (!found.ok) return found;
      const before = found.value;
      const own = authorityOf(request.actor);
      if (!own.ok) return own;
      const after = { ...before, state, authority: own.value, byPerson: true, fromFeed: false, until: null };
      return ok(infoOf(this.#campaigns.writer.write(author, action, before, after)));
    });
  }

  #find(id: number, action: CampaignAction, request: CampaignRequest): StoreResult<StoredCampaign> {
    const campaign = this.#campaigns.rows.get(id);
    if (campaign === null) return refuse('CAMPAIGN_UNKNOWN', 'no campaign has this ID');
    const foreign = refuseForeign(request, campaign);
    if (foreign !== null) return foreign;
    const { state, byPerson } = campaign;
    // After a revocation by a rule, a rule may confirm the campaign again until a person decides.
    const isOpen = action === 'revoke' && state === 'revoked' && !byPerson;
    const possible = POSSIBLE[state];
    if (isOpen || possible.includes(action)) return ok(campaign);
    const message = `a campaign that is "${state}" cannot be changed this way; possible: ${possible.join(', ')}`;
    return refuse('CAMPAIGN_STATE', message, { state, possible });
  }

  #decide<Value>(
    request: CampaignRequest,
    size: 0 | 1,
    change: (author: Author) => StoreResult<Value>,
  ): StoreResult<Value> {
    return this.#campaigns.attempt(() => this.#tables.transact(request, size, change));
  }
}

/** Whether a person rejected or revoked the campaign. */
function isDeclined({ state, byPerson }: StoredCampaign): boolean {
  return byPerson && (state === 'rejected' || state === 'revoked');
}

/** Blocking this text would also block the similar campaign that was declined, so the caller must name that campaign. */
function refuseSimilar({ id, state }: StoredCampaign): StoreRefusal {
  const name = formatCampaignId(id);
  const message = `one of the texts is similar to ${name}, which is "${state}": to block the texts of ${name} too, confirm ${name}`;
  return refuse('CAMPAIGN_STATE', message, { state, possible: POSSIBLE[state] });
}

const NO_TEXT_KEY = refuse('NOT_CONFIGURED', 'TEXT_KEY is not set: set it with wrangler secret put TEXT_KEY');

/** Refuses a change to another authority's campaign, unless the request names that authority. */
function refuseForeign(
  { actor, overrideAuthorities = [] }: CampaignRequest,
  { authority }: StoredCampaign,
): StoreRefusal | null {
  if (!isForeign(actor, authority) || overrideAuthorities.includes(authority)) return null;
  const remedy = `root may change it, or a token with the scope "override" that names this authority in "overrideAuthorities"`;
  const message = `the campaign belongs to "${authority}", which your organisation may not change: ${remedy}`;
  return refuse('AUTHORITY_FOREIGN', message, { authorities: [authority] });
}

/** The authority that the actor acts for. */
export function authorityOf({ authority, organisation }: Actor): StoreResult<string> {
  if (organisation === null || authority !== null) return ok(authority ?? ROOT_AUTHORITY);
  const remedy = `set one with npx numgate organisations set ${organisation} --authority <name>`;
  return refuse('AUTHORITY_MISSING', `the organisation "${organisation}" has no authority: ${remedy}`);
}

/** Whether the campaign belongs to another authority than the actor's. Decisions of rules belong to no authority. */
export function isForeign({ organisation, authority: own }: Actor, authority: string): boolean {
  return organisation !== null && authority !== SYSTEM_AUTHORITY && authority !== own;
}

const NO_MATCH: CampaignMatch = { campaign: null, blocks: false, hasFingerprint: true };
