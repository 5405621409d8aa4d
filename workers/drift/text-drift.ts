/**
 * The Durable Object that adds up the scores of texts of all clients, and watches them. There is one per installation. It has
 * only counts, by client and day. The objects of clients report to it, and no check waits for it.
 */
import { DurableObject } from 'cloudflare:workers';
import type { DriftReport } from '../../shared/admin/text-drift.ts';
import { isRepresentative } from '../../shared/drift/drift.ts';
import { DRIFT_CANARY_MS, DRIFT_CHECK_MS, DRIFT_WAIT_MS } from '../../shared/limits/drift.ts';
import { koreanDayOf } from '../../shared/time.ts';
import { textsOf } from '../../shared/usage/text-counts.ts';
import type { ControlEnv } from '../env.ts';
import { warn, warnFailed } from '../log.ts';
import type { DayScores, DaySpan, DriftObject, DriftStatus, TextCanary } from '../storage/drift-port.ts';
import { within } from '../storage/single-flight.ts';
import { SingleValues } from '../storage/single-values.ts';
import { TEXT_NAME } from '../storage/text-port.ts';
import { reportOf } from './drift-report.ts';
import { DriftRows } from './drift-rows.ts';
import { checkCanary, checkDrift } from './drift-watch.ts';

/** `checked` has the result of the last check. */
type Key = 'withdrawn' | 'refused' | 'checkedAt' | 'checked';

type Checked = Pick<DriftStatus, 'psi' | 'driftingClients' | 'texts'>;
const NOTHING: Checked = { psi: [], driftingClients: 0, texts: 0 };

export class TextDrift extends DurableObject<ControlEnv> implements DriftObject {
  readonly #rows: DriftRows;
  readonly #meta: SingleValues<Key>;
  #alarmAt: number | null = null;
  #isFullLogged = false;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    this.#rows = new DriftRows(ctx.storage);
    this.#meta = new SingleValues(ctx.storage.sql);
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  async report(source: string, days: readonly DayScores[]): Promise<void> {
    const now = Date.now();
    const refused = this.#rows.merge(source, days, koreanDayOf(now));
    if (refused > 0) {
      if (!this.#isFullLogged) warn('textDriftFull', { rows: refused });
      this.#isFullLogged = true;
      this.#meta.set('refused', this.#meta.number('refused') + refused);
    }
    await this.#arm(now + DRIFT_CANARY_MS);
  }

  /** Sets the alarm to this time, unless it is set to an earlier time. @param at ms since 1970 */
  async #arm(at: number): Promise<void> {
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  async read(span: DaySpan, client: string | null): Promise<DriftReport> {
    const canary = await within(this.#text().canary(), DRIFT_WAIT_MS).catch((error: unknown) => {
      warnFailed('canaryNotRead', error);
      return null;
    });
    return reportOf(this.#rows, span, client, canary, Date.now());
  }

  async status(): Promise<DriftStatus> {
    const checked = this.#meta.json<Checked>('checked') ?? NOTHING;
    const isOfToday = koreanDayOf(this.#meta.number('checkedAt')) === koreanDayOf(Date.now());
    return {
      ...(isOfToday ? checked : NOTHING),
      ...{ withdrawn: this.#meta.number('withdrawn'), refused: this.#meta.number('refused') },
    };
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const now = Date.now();
    try {
      if (await checkCanary(this.#rows, this.#text(), now))
        this.#meta.set('withdrawn', this.#meta.number('withdrawn') + 1);
    } catch (error) {
      warnFailed('canaryNotRead', error);
      // Without further texts, nothing else would repeat the check.
      await this.#arm(now + DRIFT_CANARY_MS);
    }
    const dueAt = this.#meta.number('checkedAt') + DRIFT_CHECK_MS;
    if (now >= dueAt) this.#check(now);
    else await this.#arm(dueAt);
  }

  #check(now: number): void {
    this.#rows.forget(koreanDayOf(now));
    const { models, clients } = checkDrift(this.#rows, now);
    this.#meta.set('checked', {
      psi: models
        .filter(isRepresentative)
        .flatMap(({ model, psi }) => (psi === null ? [] : [{ model, psi }])),
      driftingClients: new Set(clients.map(({ client }) => client)).size,
      texts: models.reduce((sum, { counts }) => sum + textsOf(counts), 0),
    } satisfies Checked);
    this.#meta.set('checkedAt', now);
  }

  #text(): TextCanary {
    return this.env.TEXT.getByName(TEXT_NAME);
  }
}
