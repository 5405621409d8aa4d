/**
 * Changes of the qualifications of organisations. Qualifications are in the client directory, so each change changes the head.
 */

import { ok } from '../../shared/result.ts';
import {
  moveQualification,
  type Qualification,
  type QualificationInfo,
  type QualificationSettings,
  type QualificationState,
  qualificationInfo,
  qualificationState,
} from '../../shared/senders/qualification.ts';
import type { RegisterData } from '../../shared/senders/register.ts';
import type { QualificationNotice } from '../storage/notice-sources-port.ts';
import { checkPrecondition, type Precondition, versionOf } from '../storage/precondition.ts';
import {
  type AppliedChange,
  applied,
  type ChangeRequest,
  type ChangeResult,
  refuse,
  refuseField,
} from './change-request.ts';
import type { ClientChanges } from './client-changes.ts';
import { noOrganisation } from './organisation-checks.ts';
import type { Tables } from './tables.ts';

/** Which qualifications to list. */
export interface QualificationFilter {
  readonly state?: QualificationState;
  /** ms since 1970 */
  readonly inspectionDueBefore?: number;
  /** Only organisations after this ID. */
  readonly after?: string;
  readonly limit: number;
}

export class QualificationChanges {
  readonly #tables: Tables;
  readonly #clientChanges: ClientChanges;

  constructor(tables: Tables, clientChanges: ClientChanges) {
    this.#tables = tables;
    this.#clientChanges = clientChanges;
  }

  put(
    request: ChangeRequest,
    organisation: string,
    settings: QualificationSettings,
    condition: Precondition,
  ): Promise<ChangeResult<{ seq: number }>> {
    return this.#clientChanges.changeDirectory(request, () => {
      const moved = this.#moved(organisation, settings, condition);
      if (!moved.ok) return moved;
      const others = this.#tables.qualifications.all.filter((other) => other.organisation !== organisation);
      const content = this.#tables.directoryContent({ qualifications: [...others, moved.value] });
      const apply = (): ChangeResult<AppliedChange<object>> => {
        const { qualifications, meta } = this.#tables;
        const before = qualifications.get(organisation);
        this.#notify(before, moved.value);
        if (before === null) meta.set(NEXT_INDEX, moved.value.index + 1);
        const record = qualifications.put(organisation, moved.value);
        // A proposal shows this record before the change is made, so the record omits its time and its index.
        const audit = { ...record, before: before && settingsOf(before), after: settings };
        return applied({}, [audit], {
          // A change of the dates or the factor in the same state never waits.
          kinds: before?.since === moved.value.since ? [] : ['qualifications'],
          command: { name: 'putQualification', organisation, settings, condition },
          revert: null,
        });
      };
      return ok({ content, apply });
    });
  }

  /** Notifies the organisation of its state before the change, as of now, and after it. */
  #notify(before: Qualification | null, after: Qualification): void {
    const { qualifications, qualificationNotices } = this.#tables;
    const now = Date.now();
    qualificationNotices.addEnded(qualifications.all, now);
    const { organisation, state, factor, validUntil, nextInspectionBy } = after;
    const from = before && qualificationState(before, now);
    qualificationNotices.add(
      { organisation, at: now, before: from, state, factor, validUntil, nextInspectionBy },
      now,
    );
  }

  /** For the router of notices: changes after number `after`, including qualifications that ended at their time. */
  notices(after: number, limit: number): readonly QualificationNotice[] {
    const { qualifications, qualificationNotices } = this.#tables;
    return qualificationNotices.page(qualifications.all, after, limit, Date.now());
  }

  #moved(
    organisation: string,
    settings: QualificationSettings,
    condition: Precondition,
  ): ChangeResult<Qualification> {
    const { organisations, qualifications } = this.#tables;
    if (organisations.get(organisation) === null) return noOrganisation();
    const before = qualifications.get(organisation);
    const allowed = checkPrecondition(condition, before);
    if (!allowed.ok) return allowed;
    const moved = moveQualification(organisation, before, settings, this.#nextIndex, Date.now());
    if (moved.ok) return moved;
    if (moved.code === 'FIELD_VALUE') return refuseField(moved.field, moved.message);
    return refuse(moved.code, moved.message, { extras: { state: moved.from, possible: moved.possible } });
  }

  /** Above the index of every organisation, including removed ones. */
  get #nextIndex(): number {
    const { meta, qualifications } = this.#tables;
    return qualifications.all.reduce((next, { index }) => Math.max(next, index + 1), meta.number(NEXT_INDEX));
  }

  /** A qualification with its version, for `If-Match`. */
  get(organisation: string): { readonly info: QualificationInfo; readonly version: string } | null {
    const stored = this.#tables.qualifications.get(organisation);
    return stored && { info: qualificationInfo(stored, Date.now()), version: versionOf(stored) };
  }

  /** Sorted by organisation. */
  list({ state, inspectionDueBefore, after = '', limit }: QualificationFilter): QualificationInfo[] {
    return this.#tables.qualifications.all
      .filter(({ organisation }) => organisation > after)
      .map((stored) => qualificationInfo(stored, Date.now()))
      .filter((info) => state === undefined || info.state === state)
      .filter(
        ({ nextInspectionBy }) =>
          inspectionDueBefore === undefined ||
          (nextInspectionBy !== null && Date.parse(nextInspectionBy) < inspectionDueBefore),
      )
      .slice(0, limit);
  }

  /** The data of the public register. */
  get register(): RegisterData {
    const { organisations, qualifications } = this.#tables;
    const named = new Map(organisations.all.map((organisation) => [organisation.id, organisation]));
    return {
      size: this.#nextIndex,
      organisations: qualifications.all.map((qualification) => {
        const { displayName = qualification.organisation, senderCode = null } =
          named.get(qualification.organisation) ?? {};
        return { ...qualification, name: displayName, senderCode };
      }),
    };
  }
}

function settingsOf({ organisation: _, since: _since, index: _index, ...settings }: Qualification) {
  return settings;
}

/** In `meta`: the place in the status list that the next organisation gets. */
const NEXT_INDEX = 'nextQualificationIndex';
