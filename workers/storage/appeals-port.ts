/**
 * The only store of appeals against blocks: how public routes and the cron call it, and what it needs from the
 * coordinator, which holds the blocks.
 */
import type { StandingBlock } from '../../shared/admin/appeals.ts';
import type { EntriesDone, EntryChange, EntryItem } from '../../shared/admin/entries.ts';
import type { AppealState, AppealStatus, SubmittedAppeal } from '../../shared/appeals/appeal.ts';
import type { PendingChange } from '../../shared/proposals.ts';
import type { Failure, Result } from '../../shared/result.ts';
import type { Scope } from '../../shared/roles.ts';
import type { AppealMonth } from '../../shared/statistics/figures.ts';
import type { Subject } from '../../shared/verdict.ts';
import type { ChainAnchor } from './chain-anchor.ts';
import type { StoreRefusal, StoreRequest, StoreResult } from './store-request.ts';

/** A change that the coordinator makes: its author also needs these scopes. */
export interface LiftRequest extends StoreRequest {
  readonly needs?: readonly (Scope | 'root')[];
  readonly breakGlass?: boolean;
}

/** Lifting the block waits for a second person. */
export interface LiftWaiting extends Failure<'APPROVAL_PENDING'> {
  readonly proposal: PendingChange['proposal'];
}
export type LiftResult<Value> = Result<Value, StoreRefusal | LiftWaiting>;

/** What the store needs from the coordinator. */
export interface BlockSource {
  /** The blocks in force of a number or sender ID. */
  standingBlocks(item: EntryItem, subject: Subject): Promise<LiftResult<readonly StandingBlock[]>>;
  /** Whether the coordinator has applied the request already. */
  isRepeat(request: LiftRequest): Promise<boolean>;
  changeEntries(request: LiftRequest, change: EntryChange): Promise<LiftResult<EntriesDone>>;
  anchorAppeals(end: ChainAnchor): Promise<number>;
}

/** Appeals in numbers, against the blocks of all authorities. */
export interface AppealFigures {
  readonly open: number;
  /** When the oldest open appeal was received, RFC 3339; null if none is open. */
  readonly oldestAt: string | null;
  /** Counted since this version of the store. */
  readonly received: number;
  readonly decided: Readonly<Record<DecidedState, number>>;
}

/** States of an appeal that end it. */
export const DECIDED_STATES = ['accepted', 'rejected', 'noLongerBlocked'] as const satisfies AppealState[];
export type DecidedState = (typeof DECIDED_STATES)[number];

export interface AppealObject {
  /**
   * Stores an appeal. A reference that no key opens gets the same answer after the same work, but is only counted.
   * @param proof identifies the proof that the appellant has solved, so that it is used only once; null without a proof
   */
  submit(appeal: SubmittedAppeal, proof: string | null): Promise<StoreResult<{ readonly token: string }>>;
  /** Null if the token was not issued here, or if its appeal is no longer kept. */
  status(token: string): Promise<AppealStatus | null>;
  figures(): Promise<AppealFigures>;
  /** Called by the cron: does the work that is due. A store that starts for the call also keeps new keys of references. */
  sweep(): Promise<void>;
  /** Figures of the appeals in a period, in ms since 1970. @param to exclusive */
  month(from: number, to: number): Promise<AppealMonth>;
}

/** The name of the only store of appeals. */
export const APPEALS_NAME = 'main';
