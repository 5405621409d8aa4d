/**
 * Campaigns and hosts of a feed, by reference. A campaign that has left the feed is kept as revoked until its planned end, so
 * that an import revokes it, too.
 */
import type { CampaignEntry, HostEntry, TextEntry } from '../../shared/feed/entry.ts';
import { PULLED_CAMPAIGNS_MAX, PULLED_HOSTS_MAX } from '../../shared/limits/feed-pull.ts';
import { HOST_CHARS_MAX } from '../../shared/limits/text.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { CommandFailure } from '../failure.ts';
import { RULE_PATTERN } from '../import/catalogue.ts';
import { secondsOf } from '../import/dates.ts';
import { count } from '../terminal/figures.ts';
import { refusal } from './keys.ts';

const REFERENCE = /^[\w-]{1,64}$/;
/** 128 bytes in base64. */
const FINGERPRINT = /^[A-Za-z0-9+/]{171}=$/;
const KEY_ID = /^[0-9a-f]{16}$/;
const HOST = /^[a-z0-9_.-]+$/;

/** An entry of the state file. A revoked campaign has no reference. */
export type KeptText = readonly [reference: string | null, entry: TextEntry];

export class FeedTexts {
  readonly #campaigns = new Map<string, CampaignEntry>();
  readonly #hosts = new Map<string, HostEntry>();
  /** Revoked campaigns, by key and fingerprint. */
  readonly #revoked = new Map<string, CampaignEntry>();

  get size(): number {
    return this.#campaigns.size + this.#hosts.size + this.#revoked.size;
  }

  /** @throws CommandFailure if there are too many entries, or if the entry has a wrong form */
  set(reference: string, entry: TextEntry): void {
    if (!REFERENCE.test(reference) || !isWellFormed(entry))
      throw refusal('FEED_FORM', 'an entry of the feed has an invalid field');
    if (entry.subject === 'host') {
      this.#hosts.set(reference, entry);
      check(this.#hosts.size, PULLED_HOSTS_MAX, 'hosts');
      return;
    }
    const before = this.#campaigns.get(reference);
    if (before !== undefined && nameOf(before) !== nameOf(entry)) this.#revoke(before);
    this.#revoked.delete(nameOf(entry));
    this.#campaigns.set(reference, entry);
    check(this.#campaigns.size, PULLED_CAMPAIGNS_MAX, 'campaigns');
  }

  delete(reference: string): void {
    this.#hosts.delete(reference);
    const campaign = this.#campaigns.get(reference);
    if (campaign === undefined) return;
    this.#campaigns.delete(reference);
    this.#revoke(campaign);
  }

  #revoke(campaign: CampaignEntry): void {
    this.#revoked.set(nameOf(campaign), campaign);
    // Drop the oldest first: those campaigns end first, or ended long ago.
    if (this.#revoked.size > PULLED_CAMPAIGNS_MAX)
      this.#revoked.delete(this.#revoked.keys().next().value as string);
  }

  clear(): void {
    this.#campaigns.clear();
    this.#hosts.clear();
    this.#revoked.clear();
  }

  /** Revokes all campaigns of an earlier state, also its revoked ones, that this snapshot does not have. */
  follow(earlier: FeedTexts): void {
    const names = new Set([...this.#campaigns.values()].map(nameOf));
    for (const campaign of [...earlier.#revoked.values(), ...earlier.#campaigns.values()])
      if (!names.has(nameOf(campaign))) this.#revoke(campaign);
  }

  /** Forgets revoked campaigns whose end has come. @param now ms since 1970 */
  prune(now: number): void {
    for (const [name, { until }] of this.#revoked) if (Date.parse(until) <= now) this.#revoked.delete(name);
  }

  /** The campaigns, sorted by key and fingerprint. */
  get campaigns(): readonly CampaignEntry[] {
    return sorted([...this.#campaigns.values()], nameOf);
  }

  get revoked(): readonly CampaignEntry[] {
    return sorted([...this.#revoked.values()], nameOf);
  }

  /** The hosts, sorted by host and list. */
  get hosts(): readonly HostEntry[] {
    return sorted([...this.#hosts.values()], ({ host, list }) => `${host} ${list}`);
  }

  /** The entries for the state file. */
  *[Symbol.iterator](): Generator<KeptText> {
    yield* this.#campaigns;
    yield* this.#hosts;
    for (const campaign of this.#revoked.values()) yield [null, campaign];
  }

  /** Takes an entry of the state file, without checks. */
  put([reference, entry]: KeptText): void {
    if (entry.subject === 'host') this.#hosts.set(reference!, entry);
    else if (reference === null) this.#revoked.set(nameOf(entry), entry);
    else this.#campaigns.set(reference, entry);
  }
}

function nameOf({ textKeyId, fingerprint }: CampaignEntry): string {
  return `${textKeyId} ${fingerprint}`;
}

function sorted<Value>(values: Value[], by: (value: Value) => string): Value[] {
  return values.sort((a, b) => (by(a) < by(b) ? -1 : 1));
}

function check(size: number, most: number, what: string): void {
  if (size > most) throw new CommandFailure(`the feed has more than ${count(most)} ${what}`);
}

/** Files and their lines are built from these fields. */
function isWellFormed(entry: TextEntry): boolean {
  if (!NAME_PATTERN.test(entry.authority)) return false;
  if (entry.subject === 'host')
    return HOST.test(entry.host) && entry.host.length <= HOST_CHARS_MAX && NAME_PATTERN.test(entry.list);
  const { fingerprint, textKeyId, rule, firstSeen, lastSeen, until } = entry;
  return (
    FINGERPRINT.test(fingerprint) &&
    KEY_ID.test(textKeyId) &&
    (rule === null || RULE_PATTERN.test(rule)) &&
    [firstSeen, lastSeen, until].every((time) => secondsOf(time) !== null)
  );
}
