/**
 * Submissions and status requests of appellants. An unknown reference gets the same answer, after the same calls and also
 * one write, so that nobody can find out which references exist.
 */
import type { AppealStatus, SubmittedAppeal } from '../../shared/appeals/appeal.ts';
import { type AppealTicket, openTicket, sealTicket, UNMATCHED } from '../../shared/appeals/appeal-token.ts';
import { meaningOf, REJECTED_BEFORE, REJECTION_TEXTS, STATE_TEXTS } from '../../shared/appeals/texts.ts';
import {
  APPEAL_KEPT_MS,
  APPEAL_UNMATCHED_MS,
  APPEALS_OPEN_MAX,
  APPEALS_PER_HOUR_MAX,
} from '../../shared/limits/appeals.ts';
import { ok } from '../../shared/result.ts';
import { openReference } from '../../shared/screening/appeal-reference.ts';
import { HOUR_MS } from '../../shared/time.ts';
import { refuseField, type StoreRefusal, type StoreResult } from '../storage/store-request.ts';
import { infoOf, type StoredAppeal } from './appeal-rows.ts';
import type { Tables } from './tables.ts';

export class Submissions {
  readonly #tables: Tables;
  /** The key of the current LIST_KEY comes first. */
  readonly #keys: readonly Uint8Array[];

  constructor(tables: Tables, keys: readonly Uint8Array[]) {
    this.#tables = tables;
    this.#keys = keys;
  }

  submit(appeal: SubmittedAppeal, proof: string | null, now: number): StoreResult<{ token: string }> {
    // Try all keys, even after one has opened the reference.
    const [block = null] = this.#keys
      .map((key) => openReference(appeal.reference, key))
      .filter((opened) => opened !== null);
    const { appeals, storage } = this.#tables;
    return storage.transactionSync(() => {
      // Check the proof first, so that repeating one proof cannot use up the appeals of the hour.
      if (proof !== null && !this.#tables.useProof(proof, now))
        return refuseField('proof', 'was already used: send a new one');
      const full = this.#charge(now);
      if (full !== null) return full;
      const id = block === null ? UNMATCHED : appeals.add(block, appeal, now);
      return ok({ token: sealTicket({ id, at: now }, this.#keys[0]!) });
    });
  }

  /** Null if the token was not issued here, or its appeal is no longer kept. */
  status(token: string, now: number): AppealStatus | null {
    const [ticket] = this.#keys.map((key) => openTicket(token, key)).filter((opened) => opened !== null);
    if (ticket === undefined) return null;
    if (ticket.id === UNMATCHED) return unmatchedStatus(ticket, now);
    const appeal = this.#tables.appeals.get(ticket.id);
    return appeal === null ? null : statusOf(appeal, ticket, now);
  }

  /** Counts any appeal towards the limit of the hour. Must run in a transaction. @returns null, or why it is one too many */
  #charge(now: number): StoreRefusal | null {
    const { appeals, meta, isFull } = this.#tables;
    const hour = Math.floor(now / HOUR_MS);
    const used = (meta.number('hour') === hour ? meta.number('hourUsed') : 0) + 1;
    const isOver = used > APPEALS_PER_HOUR_MAX;
    if (!isOver && !isFull && appeals.openCount < APPEALS_OPEN_MAX) {
      meta.set('hour', hour);
      meta.set('hourUsed', used);
      return null;
    }
    const message = 'too many appeals are waiting, so yours was not stored: send it again later';
    const retryAfterSeconds = Math.ceil(((hour + 1) * HOUR_MS - now) / 1000);
    return { ok: false, code: 'APPEALS_TOO_MANY', message, retryAfterSeconds };
  }
}

/** Shows the appeal as waiting at first, and later that its reference is wrong, so that people learn of a typing error. */
function unmatchedStatus({ at }: AppealTicket, now: number): AppealStatus | null {
  if (now - at > APPEAL_UNMATCHED_MS + APPEAL_KEPT_MS) return null;
  return publicStatus(now - at < APPEAL_UNMATCHED_MS ? 'received' : 'unmatched', at);
}

function statusOf(appeal: StoredAppeal, { at }: AppealTicket, now: number): AppealStatus {
  const { state, decidedAt, seq, rejection } = infoOf(appeal, now);
  const { code } = appeal.block;
  return {
    ...publicStatus(state, at),
    ...{ decidedAt, seq },
    ...(state === 'rejected' && appeal.decidedAt! < at ? { message: REJECTED_BEFORE } : {}),
    // A waiting appeal must look like an appeal with an unknown reference.
    block: state === 'received' ? null : { code, meaning: meaningOf(code) },
    rejection: rejection === null ? null : { code: rejection, message: REJECTION_TEXTS[rejection] },
  };
}

function publicStatus(state: AppealStatus['state'], receivedAt: number): AppealStatus {
  return {
    ...{ state, receivedAt: new Date(receivedAt).toISOString(), decidedAt: null, seq: null },
    ...{ message: STATE_TEXTS[state], block: null, rejection: null },
  };
}
