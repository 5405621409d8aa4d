/**
 * The Durable Object that adds up the figures of objects with many instances. There is one per installation. It keeps
 * the last report of each object. A repeated report changes nothing, and the next report makes up for a lost one.
 */
import { DurableObject } from 'cloudflare:workers';
import { FIGURE_SOURCES_MAX } from '../../shared/limits/metrics.ts';
import type { ControlEnv } from '../env.ts';
import { warn } from '../log.ts';
import {
  FIGURES,
  type FigureKind,
  type FigureReport,
  type Figures,
  type FigureTotals,
  type MetricTotalsObject,
} from '../storage/metrics-port.ts';
import { applySteps } from '../storage/schema-steps.ts';

const KINDS = Object.keys(FIGURES) as FigureKind[];

/** docs/storage.md describes the table. A change is a further step: steps are only appended. */
const STEPS = [
  `CREATE TABLE figures (
     kind TEXT NOT NULL,
     source TEXT NOT NULL,
     at INTEGER NOT NULL,
     waiting_since INTEGER,
     figures TEXT NOT NULL,
     PRIMARY KEY (kind, source)
   ) WITHOUT ROWID;
   CREATE INDEX figures_waiting ON figures (kind, waiting_since) WHERE waiting_since IS NOT NULL;
   CREATE INDEX figures_at ON figures (kind, at);`,
];

export class MetricTotals extends DurableObject<ControlEnv> implements MetricTotalsObject {
  readonly #sql: SqlStorage;
  /** The sums of the table, because reading 100,000 rows for each scrape would cost too much. */
  readonly #sums = new Map<FigureKind, Record<string, number>>();
  #sources = 0;
  #isFullLogged = false;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    applySteps(ctx.storage, STEPS);
    for (const kind of KINDS) this.#sums.set(kind, {});
    for (const { kind, figures } of this.#sql.exec<Row>('SELECT * FROM figures')) {
      this.#add(kind, JSON.parse(figures) as Figures, 1);
      this.#sources++;
    }
  }

  async report({ kind, source, at, figures, waitingSince }: FigureReport): Promise<boolean> {
    const before = this.#row(kind, source);
    if (before === null && this.#sources >= FIGURE_SOURCES_MAX) {
      if (!this.#isFullLogged) warn('figuresFull', { kind, sources: this.#sources });
      this.#isFullLogged = true;
      return false;
    }
    if (before !== null && before.at >= at) return true;
    const known = Object.fromEntries(FIGURES[kind].map((name) => [name, figures[name] ?? 0]));
    this.#sql.exec(
      'INSERT OR REPLACE INTO figures VALUES (?, ?, ?, ?, ?)',
      ...[kind, source, at, waitingSince, JSON.stringify(known)],
    );
    if (before === null) this.#sources++;
    else this.#add(kind, JSON.parse(before.figures) as Figures, -1);
    this.#add(kind, known, 1);
    return true;
  }

  async totals(): Promise<Readonly<Record<FigureKind, FigureTotals>>> {
    return Object.fromEntries(KINDS.map((kind) => [kind, this.#totalsOf(kind)])) as Record<
      FigureKind,
      FigureTotals
    >;
  }

  #totalsOf(kind: FigureKind): FigureTotals {
    const waiting = 'kind = ? AND waiting_since IS NOT NULL';
    const { since, at } = this.#sql
      .exec<{ since: number | null; at: number | null }>(
        `SELECT (SELECT MIN(waiting_since) FROM figures WHERE ${waiting}) AS since,
                (SELECT MAX(at) FROM figures WHERE kind = ?) AS at`,
        ...[kind, kind],
      )
      .one();
    return { sums: { ...this.#sums.get(kind) }, waitingSince: since, reportedAt: at };
  }

  #row(kind: FigureKind, source: string): Row | null {
    const [row] = this.#sql
      .exec<Row>('SELECT * FROM figures WHERE kind = ? AND source = ?', kind, source)
      .toArray();
    return row ?? null;
  }

  #add(kind: FigureKind, figures: Figures, sign: 1 | -1): void {
    const sums = this.#sums.get(kind)!;
    for (const name of FIGURES[kind]) sums[name] = (sums[name] ?? 0) + sign * (figures[name] ?? 0);
  }
}

type Row = {
  kind: FigureKind;
  source: string;
  at: number;
  waiting_since: number | null;
  figures: string;
};
