/** The rules and partners of the installation, read from the coordinator at most once per CONTEXT_FRESH_MS. */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex, utf8 } from '../../shared/bytes.ts';
import { LOAD_WAIT_MS } from '../../shared/limits/edge.ts';
import { CONTEXT_FRESH_MS } from '../../shared/limits/response.ts';
import { effectiveWeight } from '../../shared/reports/partner.ts';
import type { Rule } from '../../shared/reports/rule.ts';
import { warnFailed } from '../log.ts';
import type { Partner } from '../storage/reports-port.ts';
import type { ResponseKeeper, RuleContext } from '../storage/response-port.ts';
import { SharedWork } from '../storage/shared-work.ts';
import { within } from '../storage/single-flight.ts';
import type { Meta } from './meta.ts';
import type { PartnerRecords } from './partner-records.ts';

export interface Installed {
  /** By ID. */
  readonly rules: ReadonlyMap<string, Rule>;
  /** By ID of the organisation. */
  readonly partners: ReadonlyMap<string, Partner>;
}

export class RuleSource {
  readonly #keeper: () => ResponseKeeper;
  readonly #meta: Meta;
  readonly #records: PartnerRecords;
  readonly #work = new SharedWork<void>();
  #held: Installed | null = null;
  #readAt = 0;

  constructor(keeper: () => ResponseKeeper, meta: Meta, records: PartnerRecords) {
    this.#keeper = keeper;
    this.#meta = meta;
    this.#records = records;
  }

  /**
   * The last reading, if the coordinator does not respond.
   * @param freshMs maximum age of the reading; 0 for people, who may just have changed something
   * @throws if nothing was ever read
   */
  async read(freshMs = CONTEXT_FRESH_MS): Promise<Installed> {
    if (this.#held === null || Date.now() - this.#readAt >= freshMs) {
      await this.#work
        .run('read', () => this.#load())
        .catch((error: unknown) => {
          if (this.#held === null) throw error;
          warnFailed('rulesNotLoaded', error);
        });
    }
    return this.#held!;
  }

  /** The data with which subjects are evaluated. The version rises with every change. */
  async context(): Promise<RuleContext> {
    const { rules, partners } = await this.read();
    const all = [...rules.values()];
    const weights = Object.fromEntries(
      [...partners.values()].map(({ id, weight }) => [
        id,
        effectiveWeight(weight, this.#records.of(id).record),
      ]),
    );
    const suspended = [...partners.values()].flatMap(({ id, isSuspended }) => (isSuspended ? [id] : []));
    const context = { rules: all, weights, suspended };
    const digest = toHex(sha256(utf8(JSON.stringify(context))));
    const version = this.#meta.number('contextVersion');
    if (digest === this.#meta.text('contextDigest')) return { ...context, version };
    this.#meta.set('contextDigest', digest);
    this.#meta.set('contextVersion', version + 1);
    return { ...context, version: version + 1 };
  }

  async #load(): Promise<void> {
    const keeper = this.#keeper();
    const [{ rules }, { partners }] = await within(
      Promise.all([keeper.rules(), keeper.partners()]),
      LOAD_WAIT_MS,
    );
    this.#held = {
      rules: new Map(rules.map((rule) => [rule.id, rule])),
      partners: new Map(partners.map((partner) => [partner.id, partner])),
    };
    this.#readAt = Date.now();
  }
}
